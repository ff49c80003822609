"""Loading a classifier or an encoder for a job, as its note describes it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from synthsight.canonical import canonical_json
from synthsight.classifiers.classify import load_model
from synthsight.classifiers.library import Architecture
from synthsight.files import MAKE_AGAIN, FileError, check_sha256, read_json
from synthsight.inference.cache import ModelCache, file_identity


def read_note(path: str | os.PathLike[str], spec: Mapping[str, Any]) -> dict[str, Any]:
    """The note about a model's weights, if it is about ``model`` and ``architecture`` of a spec.

    Raises:
        synthsight.files.FileError: it is damaged, or about another model.
    """
    note = read_json(path, ["name", "architecture", "sha256", "safetensors_sha256", "source"])
    for key, wanted in (("name", spec["model"]), ("architecture", spec["architecture"])):
        if note[key] != wanted:
            raise FileError(f"{path}: {key} is {note[key]!r}, not {wanted!r}; {MAKE_AGAIN}")
    return note


def load_noted(
    models: ModelCache,
    architecture: Mapping[str, Any],
    weights: str | os.PathLike[str],
    note: tuple[str | os.PathLike[str], Mapping[str, Any]],
    device: torch.device,
    compiled: bool,
) -> nn.Module:
    """A model on a device, loaded unless it is already: one for classifying and for features.

    Compiled, it is the same one with the same weights, behind what calls it.

    Args:
        models: those that are loaded.
        architecture: arguments of :class:`synthsight.classifiers.library.Architecture`.
        weights: its safetensors file.
        note: the path of the note about them, and what it says.
        device: where the model runs.
        compiled: whether to compile it.

    Raises:
        synthsight.files.FileError: the weights are not those of the note.
    """
    stated = note[1]["safetensors_sha256"]

    def load() -> nn.Module:
        if compiled:
            plain = load_noted(models, architecture, weights, note, device, compiled=False)
            return torch.compile(plain, dynamic=True)  # type: ignore[return-value]
        check_sha256(weights, stated, note[0])
        return load_model(Architecture(**architecture), weights, device)

    key = (canonical_json(architecture), compiled, stated, *file_identity(weights))
    return models.get(key, load, device)


def about_weights(note: Mapping[str, Any]) -> dict[str, Any]:
    """What results say of the weights that they were made with."""
    return {
        "weights_sha256": note["sha256"] or note["safetensors_sha256"],
        "weights_source": note["source"],
    }

"""Fetching a model's weights into one format: safetensors, with a note of the source.

One of the three stages that use the network; the others fetch VQA models and the images' archive.
Pickles are read with ``weights_only``, so no code in a checkpoint is ever run.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file, storage_ptr
from torch import Tensor

from synthsight.classifiers.architectures import build, explain, published
from synthsight.classifiers.library import (
    Architecture,
    Fetched,
    ModelError,
    Wanted,
    WeightsError,
)
from synthsight.classifiers.registry import LIBRARIES
from synthsight.errors import SynthsightError
from synthsight.files import atomic, sha256_of
from synthsight.inference.hub import not_brought
from synthsight.origin import entry

if TYPE_CHECKING:
    from synthsight.classifiers.library import StateDict

#: What builders raise when the weights are for another architecture.
_OF_ANOTHER_MODEL = (RuntimeError, KeyError, ValueError, TypeError)

#: Values of a tensor that are checked at a time.
_PART = 2**22


def fetch_weights(
    name: str,
    architecture: Architecture,
    checkpoint: Path | None,
    output: str | os.PathLike[str],
    note: str | os.PathLike[str],
    reference: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Fetch the weights of a model and write them as safetensors, with a JSON note.

    Before anything is written the model is built with them once, so that a wrong checkpoint fails
    here.

    Args:
        name: the model's name, for the note.
        architecture: which network they are for.
        checkpoint: a local file (safetensors, or a pickle of a state dict or of a training
            checkpoint); None for the library's published weights.
        output: the safetensors file.
        note: the JSON file: architecture, source, sha256, checksum, licence, reference accuracy.
        reference: the model's accuracy on real photographs if the user states it; it overrides what
            the file or the library states.

    Returns:
        The note's content.

    Raises:
        WeightsError: they cannot be fetched, are refused, or are for another architecture.
        UnknownNameError: no library has this name.
    """
    fetched = _fetch(Wanted(architecture, checkpoint))
    for key, tensor in fetched.state.items():
        if tensor.is_floating_point() and not _is_finite(tensor):
            raise WeightsError(f"{fetched.source}: {key} holds NaN or infinite values")
    try:
        model = build(architecture, fetched.state)
    except ModelError as error:
        raise WeightsError(f"{fetched.source} does not fit: {error}") from error
    about = published(architecture) if checkpoint is None else None
    with atomic(output) as temporary:
        save_file(_storable(fetched.state), temporary)
        digest = sha256_of(temporary)
    record = {
        "name": name,
        "architecture": architecture.as_dict(),
        "source": fetched.source,
        "sha256": fetched.sha256,
        "checksum": fetched.checksum,
        "safetensors_sha256": digest,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "license": fetched.license or (about and about.license),
        "reference": reference or fetched.reference or (about and about.reference),
        **({} if fetched.text is None else {"text": fetched.text}),
        **entry(note),
    }
    with atomic(note) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return record


def _fetch(wanted: Wanted) -> Fetched:
    """Fetch through the model's library, explaining the errors that it does not explain."""
    library = LIBRARIES.load(wanted.architecture.library)
    try:
        return library.fetch(wanted)
    except SynthsightError:
        raise
    except Exception as error:
        # The hub's client raises errors of many types from several libraries.
        if wanted.checkpoint is None:
            source = str(library.published(wanted.architecture, {}).source)
            raise WeightsError(not_brought(source, error, "a local file")) from error
        if not isinstance(error, _OF_ANOTHER_MODEL):
            raise
        model = f"{wanted.architecture.library}/{wanted.architecture.name}"
        raise WeightsError(
            f"{wanted.checkpoint} does not fit {model}: {explain(str(error))}"
        ) from error


def _is_finite(tensor: Tensor) -> bool:
    """Whether all values are finite; checked in parts, since the result for each takes memory."""
    parts = torch.split(tensor.reshape(-1), _PART)
    return all(bool(torch.isfinite(part).all()) for part in parts)


def _storable(state: StateDict) -> StateDict:
    """A state dict in which no two tensors share memory, which safetensors refuses to write.

    Only tensors that share memory are copied, since a model may fill a good part of it.
    """
    taken: set[int] = set()
    storable: StateDict = {}
    for key, tensor in state.items():
        kept = tensor.detach().contiguous()
        if storage_ptr(kept) in taken:
            kept = kept.clone()
        taken.add(storage_ptr(kept))
        storable[key] = kept
    return storable

"""What is known of models besides what they get right: library, size, input, source, licence."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from synthsight.files import read_json
from synthsight.statistics.columns import MODELS
from synthsight.tables import Outputs


def models(
    notes: Sequence[str | os.PathLike[str]],
    vqa_notes: Sequence[str | os.PathLike[str]],
    inputs: Mapping[str, Sequence[int]],
) -> pd.DataFrame:
    """A row for each model.

    Args:
        notes: JSON notes about the classifiers' weights, on adapted models or imported predictions.
        vqa_notes: likewise of the models that answer questions.
        inputs: height and width in pixels of what a classifier sees, by its name; nothing of those
            that are not run, or take images of any size.

    Returns:
        The columns :data:`MODELS`, sorted by task and name: ``task`` is ``classify`` or ``answer``;
        ``library`` of the network (a family of those that answer; ``predictions`` and ``answers``
        of what was made elsewhere, ``adapted`` of what was trained on the run's images);
        ``architecture`` in it, or of what an adapted model is made from; ``parameters``, their
        number, and ``input_height`` and ``input_width``, all null where they are not known;
        ``source``, ``license`` and ``sha256`` of the weights, or of what was imported.

    Raises:
        synthsight.files.FileError: a note cannot be read, or has no name.
    """
    rows = [_row("classify", read_json(path, ["name"]), inputs) for path in notes]
    rows += [_row("answer", read_json(path, ["name"]), {}) for path in vqa_notes]
    table = pd.DataFrame(rows, columns=list(MODELS)).astype(MODELS)
    return table.sort_values(["task", "model"], ascending=[False, True], ignore_index=True)


def _row(task: str, note: Mapping[str, Any], inputs: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    network = note.get("architecture") or {}
    adapted = note.get("adapted") or {}
    library = network.get("library") or note.get("library") or note.get("family")
    if adapted:
        library = "adapted"
    elif "answers" in note:
        library = "answers"
    height, width = inputs.get(note["name"]) or inputs.get(adapted.get("base", "")) or (None, None)
    return {
        "model": note["name"],
        "task": task,
        "library": library,
        "architecture": network.get("name") or adapted.get("base"),
        "parameters": note.get("parameters"),
        "input_height": height,
        "input_width": width,
        "source": note.get("source"),
        "license": note.get("license"),
        "sha256": note.get("safetensors_sha256") or note.get("sha256"),
    }


def tabulate(
    outputs: Outputs,
    notes: Sequence[str],
    vqa_notes: Sequence[str],
    inputs: Mapping[str, Sequence[int]],
) -> None:
    """Write the table ``models``: see :func:`models`."""
    outputs.write("models", models(notes, vqa_notes, inputs))

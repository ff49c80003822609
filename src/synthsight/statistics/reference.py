"""Generated images versus real photographs: how far each model's accuracy drops."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd

from synthsight.errors import SynthsightError
from synthsight.files import read_json
from synthsight.statistics.columns import ACCURACY, REFERENCE
from synthsight.tables import ALL, Outputs, read_frame


class NotesError(SynthsightError):
    """A model with an accuracy but without a note about its weights."""


def reference(
    accuracy: str | os.PathLike[str], notes: Sequence[str | os.PathLike[str]]
) -> pd.DataFrame:
    """Compare the mean accuracy of each model with the one stated for real photographs.

    The drop is reference - generated: positive where the model does worse on the generated images.
    Its bounds come from those of the generated mean: the reference is taken as exact, since its
    source states no interval (on ImageNet's 50,000 images it would be about 0.004 to either side).

    Args:
        accuracy: Parquet file from :func:`synthsight.statistics.accuracy.aggregate`; its rows with
            category ``*`` are used.
        notes: JSON files from :func:`synthsight.classifiers.weights.fetch_weights`, one per model.

    Returns:
        The columns :data:`REFERENCE`, sorted by model, rule and generator; accuracies and drops are
        fractions. For a model without a reference, the source, reference and drop are null.

    Raises:
        NotesError: a model has no note.
    """
    stated = {}
    for path in notes:
        note = read_json(path, ["name", "reference"])
        stated[note["name"]] = note["reference"] or {}
    everything = read_frame(accuracy, ACCURACY)
    table = everything[everything["category"] == ALL].reset_index(drop=True)
    models = table["model"].tolist()
    missing = sorted(set(models) - set(stated))
    if missing:
        raise NotesError(f"no note about the weights of {', '.join(missing)}")
    table["source"] = pd.array([stated[model].get("source") for model in models], dtype="str")
    for hit in ("top1", "top5"):
        real = pd.Series([stated[model].get(hit) for model in models], table.index, dtype=float)
        table[f"reference_{hit}"] = real
        table[f"drop_{hit}"] = real - table[hit]
        table[f"drop_{hit}_low"] = real - table[f"{hit}_high"]
        table[f"drop_{hit}_high"] = real - table[f"{hit}_low"]
    return table.sort_values(["model", "rule", "generator"], ignore_index=True)[REFERENCE]


def tabulate(outputs: Outputs, accuracy: str, notes: Sequence[str]) -> None:
    """Write the table ``reference``: see :func:`reference`."""
    outputs.write("reference", reference(accuracy, notes))

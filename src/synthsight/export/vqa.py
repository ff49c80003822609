"""The table of a paper about yes/no questions."""

from __future__ import annotations

import pandas as pd

from synthsight.export.justified import clearly_best
from synthsight.export.latex import Table, escape, percent, with_interval

_ACCURACY = ("accuracy", "low", "high")
_BALANCED = ("balanced_accuracy", "balanced_low", "balanced_high")


def vqa(
    table: pd.DataFrame,
    comparisons: pd.DataFrame,
    excluded: pd.DataFrame,
    level: float,
    unit: str = "image",
) -> str:
    """Models by accuracy, best first, with what they get without seeing, reference and drop.

    Args:
        table: the table of models.
        comparisons: the table of pairs, which decides what is bold.
        excluded: the table of questions that were not asked.
        level: confidence level of the intervals.
        unit: what is drawn by chance: an image, or a group of images.
    """
    found = table.sort_values(["accuracy", "model"], ascending=[False, True], ignore_index=True)
    best = clearly_best(comparisons, found["model"], level)
    columns = {"Accuracy": _ACCURACY, "Balanced": _BALANCED}
    if found["gain"].notna().any():
        columns["Without the image"] = ("blind", "blind_low", "blind_high")
        columns["Gain by seeing"] = ("gain", "gain_low", "gain_high")
    if found["reference_yes_no"].notna().any():
        columns["Reference"] = ("reference_yes_no", "", "")
        columns["Drop"] = ("drop", "drop_low", "drop_high")
    rows = []
    for row in found.to_dict("records"):
        cells = [escape(row["model"])]
        for head, names in columns.items():
            ends = [float(row[name]) if name else float("nan") for name in names]
            bold = head == "Accuracy" and row["model"] == best
            cells.append(with_interval(ends[0], ends[1], ends[2], bold=bold))
        rows.append(cells)
    first = found.iloc[0]
    missing = ", ".join(
        f"{row['model']} {int(row['unanswered']):,}"
        for row in found.to_dict("records")
        if row["unanswered"]
    )
    notes = [
        f"Accuracy on yes/no questions about generated images in per cent: {int(first['n']):,} "
        f"questions about {int(first['images']):,} images; always yes gets "
        f"{percent(float(first['always_yes']))}.",
        f"In brackets: {100 * level:g}% intervals, clustered by {unit}. Balanced: the mean of the "
        "accuracies on yes and on no questions.",
        f"Questions that were not asked: {len(excluded):,}. Unanswered: {missing or 'none'}.",
        "Bold: better than each of the other models, by the paired interval and Holm's correction."
        if best
        else "Nothing is bold: no model is better than each of the others by more than chance.",
    ]
    if "Reference" in columns:
        sources = sorted(set(map(str, found["source"].dropna())))
        notes.append(
            "Reference: the accuracy on yes/no questions stated for the model "
            f"({'; '.join(sources)}); drop: the reference minus the accuracy here."
        )
    return Table(notes, ["Model", *columns], rows).text

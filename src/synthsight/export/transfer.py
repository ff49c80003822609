"""The table of a paper about training on one source of images and testing on another."""

from __future__ import annotations

import pandas as pd

from synthsight.export.latex import Table, escape, percent, with_interval
from synthsight.statistics.trained import at_most, best_first, photographs, sources
from synthsight.tables import ALL


def transfer(table: pd.DataFrame, level: float) -> str:
    """A matrix for each model: trained on the row's source, tested on the column's.

    Args:
        table: the transfer table; the largest number of images of each category is shown.
        level: confidence level of the intervals.
    """
    found, real, names = at_most(table), photographs(table), sources(table)
    labels = [_label(name, real) for name in names]
    cells = {
        (row["model"], row["train"], row["test"]): with_interval(
            float(row["top1"]), float(row["low"]), float(row["high"])
        )
        for row in found.to_dict("records")
    }
    rows: list[list[str]] = []
    parts = {}
    for model in best_first(table):
        parts[len(rows)] = rf"\emph{{{escape(model)}}}"
        for train, label in zip(names, labels, strict=True):
            rows.append([label, *(cells.get((model, train, test), "--") for test in names)])
    numbers = sorted(set(found["per_category"]))
    each = f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"
    chance = percent(float(found["chance"].min()))
    notes = [
        f"Top-1 in per cent of linear classifiers on features, trained on {each} images of each of "
        f"{int(found['categories'].max())} categories from the source of the row, tested on other "
        f"images from the source of the column; chance is {chance}.",
        f"In brackets: {100 * level:g}% intervals, about other images to train on and to test on.",
    ]
    above = (
        rf"& \multicolumn{{{len(names)}}}{{c}}{{Tested on}} \\ \cmidrule(l){{2-{len(names) + 1}}}"
    )
    return Table(notes, ["Trained on", *labels], rows, above, parts).text


def _label(name: str, real: str | None) -> str:
    if name == ALL:
        return "all generated"
    return escape(name) + (" (real)" if name == real else "")

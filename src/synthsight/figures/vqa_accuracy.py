"""Accuracy on yes/no questions, model by model."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from synthsight.figures import rows, style

_LIMIT = 1.65  # inches for the names of models
_RIGHT = 3.34  # inches right of the axis, for the columns of numbers
_LESS = 2.7  # the same without the drop's interval
_LEAST = 0.94  # inches of an axis that leaves room for it
_NARROW = 1.22  # the same in a narrow figure, without intervals
_FOOT = 0.42

ACCURACY = rows.Metric("accuracy", style.BLUE, "o", -0.2, (2.5, 1.5))
BALANCED = rows.Metric("balanced accuracy", style.ORANGE, "s", 0.2, (6.0, 1.5))
_YES: dict[str, Any] = {
    "color": style.FAINT,
    "linewidth": 0.9,
    "dashes": (2.5, 1.5),
    "label": "always yes",
}
_UNANSWERED: dict[str, Any] = {
    "color": style.SKY,
    "alpha": 0.35,
    "linewidth": 0,
    "label": "unanswered: all wrong to all right",
}


def vqa_accuracy(table: pd.DataFrame, level: float = 0.95, unit: str = "image") -> Figure:
    """Draw each model's accuracy, balanced accuracy and published accuracy on VQA-v2.

    Args:
        table: The table of models from :mod:`synthsight.statistics.vqa`.
        level: Confidence level of the intervals, for the heading.
        unit: What is drawn by chance, likewise: an image, or a group of images.
    """
    table = table.sort_values(["accuracy", "model"], ascending=[False, True], ignore_index=True)
    row = table.iloc[0]
    title = "Accuracy on yes/no questions about generated images"
    subtitle = (
        f"{style.count(len(table), 'model')} on {style.count(int(row['n']), 'question')} about "
        f"{style.count(int(row['images']), 'image')}; {100 * row['always_yes']:.1f}% of the "
        f"answers are yes. {rows.bars()} {style.percent(level)} intervals, "
        f"clustered by {unit}. Balanced: the mean of the accuracies on yes and on no questions"
        " (ShuffleAcc). Drop: reference accuracy on yes/no questions (of published models: on "
        "VQA-v2's) minus the accuracy here, in percentage points."
    )
    if _is_bounded(table).any():
        subtitle += (
            " Bands: over all of a model's questions, from its accuracy if those without an answer "
            "were all wrong to that if they were all right."
        )
    labels, label_width = style.label_column(table["model"].tolist(), _LIMIT)
    left = style.MARGIN + label_width + 0.06
    right = _NARROW if style.narrow() else _RIGHT
    if not style.narrow() and style.width() - style.MARGIN - right - left < _LEAST:
        right = _LESS
    ends = (0.42, 0.87, right) if style.narrow() else (0.48, 1.6, 2.62)
    if right == _LESS:
        ends = (0.5, 1.67, right)
    width = style.width() - style.MARGIN - right - left
    height = len(table) * max(rows.row_height(len(table)), 0.15)
    under = style.heading_height(title, subtitle, 4) + 0.08
    keys = _keys(table)
    columns = style.legend_columns(style.labels_of(keys), 5)
    top = under + 0.36 + style.legend_height(style.labels_of(keys), columns)

    with style.style():
        figure = style.sheet(top + height + _FOOT)
        style.heading(figure, title, subtitle, 4)
        style.legend(figure, keys, style.MARGIN, under, columns)
        axes = style.panel(figure, left, top, width, height)
        rows.dress(axes, labels, "accuracy (%)")
        rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
        axes.axvline(float(row["always_yes"]), zorder=2, **_YES)
        _bands(axes, table)
        _references(axes, table)
        rows.marks(axes, table, ACCURACY, "accuracy", ("low", "high"))
        balanced = ("balanced_low", "balanced_high")
        rows.marks(axes, table, BALANCED, "balanced_accuracy", balanced)
        for head, column, low, high, at in (
            ("accuracy", "accuracy", "low", "high", ends[0]),
            ("balanced", "balanced_accuracy", "balanced_low", "balanced_high", ends[1]),
            ("drop", "drop", "drop_low", "drop_high", ends[2]),
        ):
            rows.numbers(axes, [rows.points(value) for value in table[column]], at, head)
            if style.narrow() or at == right:  # of the last column there is no interval
                continue
            bounds = zip(table[low], table[high], strict=True)
            texts = [rows.interval(*pair) for pair in bounds]
            rows.numbers(axes, texts, at + 0.68, "interval")
    return figure


_HOLLOW = {
    "reference_yes_no": ("o", "reference, yes/no questions"),
    "reference_overall": ("^", "reference, all questions"),
}


def _hollow(column: str) -> dict[str, Any]:
    marker, label = _HOLLOW[column]
    return {
        "linestyle": "none",
        "marker": marker,
        "markerfacecolor": "white",
        "markeredgecolor": style.BLUE if column == "reference_yes_no" else style.FAINT,
        "markeredgewidth": 0.7,
        "markersize": 3.2,
        "label": label,
    }


def _references(axes: Axes, table: pd.DataFrame) -> None:
    """Mark published accuracies; the one on yes/no questions is joined to the accuracy here."""
    for column in _HOLLOW:
        known = table[table[column].notna()]
        height = known.index.to_numpy() + ACCURACY.offset
        if column == "reference_yes_no":
            for y, ends in zip(height, known[["accuracy", column]].to_numpy(float), strict=True):
                axes.plot(ends, [y, y], color=style.BLUE, linewidth=0.6, linestyle=":", zorder=2)
        if len(known):
            axes.plot(known[column], height, clip_on=False, zorder=3, **_hollow(column))


def _is_bounded(table: pd.DataFrame) -> pd.Series:
    """Which models have not answered all questions with the image."""
    return table["all_right"] > table["all_wrong"]


def _bands(axes: Axes, table: pd.DataFrame) -> None:
    """Draw between which accuracies those of models lie that have not answered all questions."""
    for row in table.index[_is_bounded(table)]:
        low, high = table.loc[row, ["all_wrong", "all_right"]]
        axes.barh(row, high - low, left=low, height=0.8, zorder=1, **_UNANSWERED)


def _keys(table: pd.DataFrame) -> list[Artist]:
    """Legend entries for what is drawn."""
    entries: list[Artist] = [rows.key(ACCURACY)]
    if table["balanced_accuracy"].notna().any():
        entries.append(rows.key(BALANCED))
    entries.append(Line2D([], [], **_YES))
    if _is_bounded(table).any():
        entries.append(Patch(**_UNANSWERED))
    known = [column for column in _HOLLOW if table[column].notna().any()]
    return entries + [Line2D([], [], **_hollow(column)) for column in known]

"""How much of the accuracy on questions is seeing, and how much guessing from their words."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthsight.figures import rows, style
from synthsight.figures.unknown import NotKnownError
from synthsight.figures.vqa_accuracy import ACCURACY

_LIMIT = 1.65  # inches for the names of models and kinds
_RIGHT = 2.75  # inches right of the axis, for the columns of numbers
_NARROW = 1.14  # the same in a narrow figure: the gain and its interval
_HEAD = 0.34  # inches from the top of a panel's title to its rows
_FOOT = 0.42

SEEN = rows.Metric("with the image", ACCURACY.color, "o", 0, (2.5, 1.5))
BLIND = rows.Metric("with a grey picture in its place", style.FAINT, "D", 0, (6.0, 1.5))


def vqa_seeing(
    table: pd.DataFrame, groups: pd.DataFrame, level: float = 0.95, unit: str = "image"
) -> Figure:
    """Draw each model's accuracy with and without the images, and the best one's by kind.

    Args:
        table: The table of models from :mod:`synthsight.statistics.vqa`, of a run that asked
            blind, too. Models that were not asked so are left out.
        groups: Its table of groups.
        level: Confidence level of the intervals, for the heading.
        unit: What is drawn by chance, likewise: an image, or a group of images.

    Raises:
        NotKnownError: no model was asked blind.
    """
    others = int(table["gain"].isna().sum())
    table = table[table["gain"].notna()]
    if table.empty:
        raise NotKnownError(
            "no model was asked without seeing the images, which answers made elsewhere cannot be: "
            "take `vqa.blind` out of the configuration, or add a model that is run"
        )
    table = table.sort_values(["accuracy", "model"], ascending=[False, True], ignore_index=True)
    best = str(table["model"].iloc[0])
    kinds = groups[(groups["model"] == best) & (groups["by"] == "kind")]
    kinds = kinds.sort_values(["n", "value"], ascending=[False, True], ignore_index=True)
    title = "How much is seeing"
    subtitle = (
        "Each question was put twice: with its image, and with a mid-grey picture of the same "
        "size, where only its words help. The line between the two is what seeing adds, in "
        f"percentage points on the right, with {style.percent(level)} intervals of the difference "
        f"on the same questions, clustered by {unit}. Upright strokes: always answering yes."
    )
    if others:
        subtitle += f" {style.count(others, 'model')} could not be asked so."
    panels = {
        "Models": (table, "model"),
        f"Kinds of question: {style.plain(best)}": (kinds, "value"),
    }
    labels = {
        head: style.label_column(part[column].tolist(), _LIMIT)
        for head, (part, column) in panels.items()
    }
    left = style.MARGIN + max(width for _, width in labels.values()) + 0.06
    width = style.width() - style.MARGIN - (_NARROW if style.narrow() else _RIGHT) - left
    heights = {
        head: len(part) * max(rows.row_height(len(part)), 0.15)
        for head, (part, _) in panels.items()
    }
    under = style.heading_height(title, subtitle, 4) + 0.08
    labels_ = style.labels_of(_keys())
    columns = style.legend_columns(labels_, 3)
    start = under + 0.26 + style.legend_height(labels_, columns)
    with style.style():
        figure = style.sheet(start + sum(_HEAD + each + _FOOT for each in heights.values()))
        style.heading(figure, title, subtitle, 4)
        style.legend(figure, _keys(), style.MARGIN, under, columns)
        top = start
        for head, (part, _) in panels.items():
            title_ = style.elide(head, style.room(), bold=True)
            style.write(figure, style.MARGIN, top, title_, weight="bold")
            axes = style.panel(figure, left, top + _HEAD, width, heights[head])
            _panel(axes, part, labels[head][0])
            top += _HEAD + heights[head] + _FOOT
    return figure


def _panel(axes: Axes, part: pd.DataFrame, labels: list[str]) -> None:
    """Draw the rows of one panel, with their numbers next to them."""
    rows.dress(axes, labels, "accuracy (%)")
    rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
    for row, (low, high) in enumerate(part[["blind", "accuracy"]].to_numpy(float)):
        axes.plot([low, high], [row, row], color=SEEN.color, linewidth=1.4, alpha=0.45, zorder=2)
    places = range(len(part))
    axes.vlines(
        part["always_yes"],
        [place - 0.42 for place in places],
        [place + 0.42 for place in places],
        color=style.INK,
        linewidth=0.9,
        clip_on=False,
        zorder=2,
    )
    rows.marks(axes, part, BLIND, "blind", None)
    rows.marks(axes, part, SEEN, "accuracy", None)
    bounds = zip(part["gain_low"], part["gain_high"], strict=True)
    intervals = [rows.interval(*pair) for pair in bounds]
    if style.narrow():
        rows.numbers(axes, [rows.points(value) for value in part["gain"]], 0.34, "gain")
        rows.numbers(axes, intervals, _NARROW - 0.02, "interval")
        return
    rows.numbers(axes, [f"{n:,}" for n in part["n"]], 0.42, "n")
    rows.numbers(axes, [rows.points(value) for value in part["accuracy"]], 0.93, "seeing")
    rows.numbers(axes, [rows.points(value) for value in part["blind"]], 1.35, "blind")
    rows.numbers(axes, [rows.points(value) for value in part["gain"]], 1.8, "gain")
    rows.numbers(axes, intervals, _RIGHT - 0.1, "interval")


def _keys() -> list[Line2D]:
    stroke = Line2D(
        [],
        [],
        linestyle="none",
        marker="|",
        color=style.INK,
        markersize=6,
        markeredgewidth=0.9,
        label="always yes",
    )
    return [rows.key(SEEN), rows.key(BLIND), stroke]

"""Accuracy on yes/no questions by kind, by first word and by generator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthsight.figures import rows, style
from synthsight.figures.vqa_accuracy import ACCURACY
from synthsight.vqa.kinds import KINDS

EACH = 5
"""Maximum number of models drawn with intervals; if there are more, only the best one is."""
MOST = 12
"""Maximum number of groups in a panel: those with the most questions."""

_LIMIT = 1.5  # inches for the names of groups
_NUMBERS = 1.7  # inches right of the axis
_NARROW = 0.92  # the same in a narrow figure, without intervals
_HEAD = 0.34  # inches from the top of a panel's title to its rows
_FOOT = 0.42
_STEP = 0.06  # inches between the marks of two models in a row
_TITLES = {"kind": "Kind of question", "first word": "First word", "generator": "Generator"}
_COLORS = (style.BLUE, style.ORANGE, style.GREEN, style.VERMILLION, style.PURPLE)
_MARKERS = "osD^v"
_OTHERS = rows.Metric("other models", style.GREY, ".", 0.25, (2.5, 1.5))


def vqa_kinds(
    groups: pd.DataFrame, table: pd.DataFrame, level: float = 0.95, unit: str = "image"
) -> Figure:
    """Draw accuracy by group of questions, the group with the most questions first.

    Up to :data:`EACH` models have marks and intervals of their own; if there are more, only the
    best one does, and the others are dots. A panel has at most :data:`MOST` groups; generators have
    a panel only if there are several.

    Args:
        groups: The table of groups from :mod:`synthsight.statistics.vqa`.
        table: Its table of models, which determines the best one.
        level: Confidence level of the intervals, for the heading.
        unit: What is drawn by chance, likewise: an image, or a group of images.
    """
    ranked = table.sort_values(["accuracy", "model"], ascending=[False, True])["model"].tolist()
    own = ranked if len(ranked) <= EACH else ranked[:1]
    others = ranked[len(own) :]
    looks = [
        replace(
            ACCURACY,
            label=name,
            color=_COLORS[place],
            marker=_MARKERS[place],
            offset=(place - (len(own) - 1) / 2) * _STEP,
        )
        for place, name in enumerate(own)
    ]
    sizes = groups[groups["model"] == ranked[0]]
    rest = (sizes["by"] == "kind") & (sizes["value"] == KINDS[-1])
    sizes = sizes.assign(rest=rest).sort_values(
        ["rest", "n", "value"], ascending=[True, False, True], ignore_index=True
    )
    panels = {by: sizes[sizes["by"] == by].reset_index(drop=True) for by in _TITLES}
    if len(panels["generator"]) < 2:
        del panels["generator"]

    title = "Accuracy by kind of question and by first word"
    subtitle = (
        f"{rows.bars()} {style.percent(level)} intervals, clustered by "
        f"{unit}. n: questions. The upright stroke in a row is the accuracy of always answering "
        "yes. "
    )
    if others:
        subtitle += (
            f"The numbers are of the best model, {style.plain(own[0])}; dots: "
            f"{style.count(len(others), 'other model')}."
        )
    elif len(own) > 1:
        subtitle += f"The numbers are of the best model, {style.plain(own[0])}."
    else:
        subtitle += f"Model: {style.plain(own[0])}."
    keys = _keys(looks, bool(others))
    widest = max(style.text_width(str(key.get_label()), style.SMALL) for key in keys)
    columns = min(len(keys), int((style.room()) / (widest + 0.35)))
    columns = max(columns, 1)
    labels = {
        by: style.label_column(rows_["value"].head(MOST), _LIMIT) for by, rows_ in panels.items()
    }
    left = style.MARGIN + max(width for _, width in labels.values()) + 0.06
    width = style.width() - style.MARGIN - (_NARROW if style.narrow() else _NUMBERS) - left
    pitch = max(0.17, _STEP * (len(own) + 1))
    under = style.heading_height(title, subtitle, 3) + 0.08
    start = under + 0.13 * -(-len(keys) // columns) + 0.1
    height = {by: pitch * min(len(rows_), MOST) for by, rows_ in panels.items()}
    total = start + sum(_HEAD + each + _FOOT for each in height.values())

    with style.style():
        figure = style.sheet(total)
        style.heading(figure, title, subtitle, 3)
        style.legend(figure, keys, style.MARGIN, under, columns)
        top = start
        for by, sizes_ in panels.items():
            _title(figure, top, by, len(sizes_))
            axes = style.panel(figure, left, top + _HEAD, width, height[by])
            _panel(
                axes, groups[groups["by"] == by], sizes_.head(MOST), labels[by][0], looks, others
            )
            top += _HEAD + height[by] + _FOOT
    return figure


def _title(figure: Figure, top: float, by: str, number: int) -> None:
    head = _TITLES[by]
    style.write(figure, style.MARGIN, top, head, weight="bold")
    if number > MOST:
        style.write(
            figure,
            style.MARGIN + style.text_width(head, bold=True) + 0.08,
            top,
            f"the {MOST} of {number:,} with the most questions",
            color=style.FAINT,
        )


def _panel(
    axes: Axes,
    groups: pd.DataFrame,
    sizes: pd.DataFrame,
    labels: list[str],
    looks: list[rows.Metric],
    others: list[str],
) -> None:
    """Draw the groups ``sizes`` of one panel, with the best model's numbers next to them."""
    rows.dress(axes, labels, "accuracy (%)")
    rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
    places = np.arange(len(sizes))
    axes.vlines(
        sizes["always_yes"],
        places - 0.42,
        places + 0.42,
        color=style.INK,
        linewidth=0.9,
        label="always yes",
        clip_on=False,
        zorder=2,
    )
    order = sizes["value"].tolist()
    rest = groups[groups["model"].isin(others) & groups["value"].isin(order)]
    if others:
        at = rest["value"].map({value: place for place, value in enumerate(order)})
        axes.plot(
            rest["accuracy"],
            at + _OTHERS.offset,
            linestyle="none",
            marker=_OTHERS.marker,
            markersize=3.2,
            markeredgewidth=0,
            color=_OTHERS.color,
            label=_OTHERS.label,
            clip_on=False,
            zorder=2.5,
        )
    inches = axes.get_position().height * axes.figure.get_size_inches()[1]  # type: ignore[union-attr]
    for look in looks:
        of_model = groups[groups["model"] == look.label].set_index("value").reindex(order)
        rows.marks(axes, of_model, look, "accuracy", ("low", "high"), len(order) / inches)
    rows.numbers(axes, [f"{n:,}" for n in sizes["n"]], 0.42, "n")
    rows.numbers(axes, [rows.points(x) for x in sizes["accuracy"]], 0.9, "accuracy")
    if style.narrow():
        return
    bounds = zip(sizes["low"], sizes["high"], strict=True)
    rows.numbers(axes, [rows.interval(*pair) for pair in bounds], _NUMBERS - 0.05, "interval")


def _keys(looks: list[rows.Metric], others: bool) -> list[Line2D]:
    """Legend entries for what is drawn."""
    entries = [
        rows.key(look, style.elide(style.plain(look.label), 2.0, style.SMALL)) for look in looks
    ]
    if others:
        entries.append(rows.key(_OTHERS))
    entries.append(
        Line2D(
            [],
            [],
            linestyle="none",
            marker="|",
            color=style.INK,
            markersize=6,
            markeredgewidth=0.9,
            label="always yes",
        )
    )
    return entries

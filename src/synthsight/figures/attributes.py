"""Accuracy by what else is known of images, and against all other images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from synthsight.figures import rows, style

MOST = 60
"""Maximum number of values with a row: whole attributes, in their order."""

TITLE = "Accuracy by what else is known of the images"

_LIMIT = 1.9  # inches for the labels of values
_GAP = 0.25  # inches between the panels
_NUMBERS = 1.2  # inches for a difference and its interval
_HEAD = 0.3  # inches for an attribute's name and the headings of its numbers
_FOOT = 0.36
_LOOK = rows.Metric("images with the value", style.BLUE, "o", 0.0, (1, 1))


def attributes(table: pd.DataFrame, rule: str, level: float) -> Figure:
    """Draw the mean over models on the images with each value, and its difference from the rest.

    Args:
        table: The attributes table.
        rule: Matching rule, such as ``words/simple``.
        level: Confidence level of the intervals, for the heading.
    """
    found = table[(table["model"] == style.ALL) & (table["rule"] == rule)]
    found = style.generated(found[found["hit"] == "top1"])
    names = list(dict.fromkeys(found["attribute"]))
    if not names:
        return _nothing(rule)
    blocks: list[tuple[str, pd.DataFrame]] = []
    drawn = 0
    for name in names:
        part = found[found["attribute"] == name].sort_values("place", ignore_index=True)
        if not blocks or drawn + len(part) <= MOST:
            blocks.append((name, part))
            drawn += len(part)
    subtitle = (
        f"Under {style.plain(rule)}, generated images, top-1. Left: mean over models and "
        f"categories on the images with the value; bars: {style.percent(level)} intervals. Right: "
        "difference from all other images with a value of the attribute, over the categories that "
        "both have. Of twenty intervals one excludes zero by chance; the table has p corrected "
        "for all."
    )
    if len(blocks) < len(names):
        subtitle += f" {len(blocks)} of {len(names)} attributes are shown."
    texts = [
        f"{value} ({n:,})"
        for _, part in blocks
        for value, n in zip(part["value"], part["n"], strict=True)
    ]
    # One column of a page has no room for numbers beside the marks: the table has them.
    numbers = 0.0 if style.narrow() else _NUMBERS
    labels, label_width = style.label_column(texts, _LIMIT if numbers else _LIMIT / 2)
    left = style.MARGIN + label_width + 0.06
    width = (style.width() - style.MARGIN - left - _GAP - numbers) / 2
    limit = max(float(np.nanmax(found[["low", "high"]].abs().to_numpy(), initial=0.0)), 0.02) * 1.05
    top = style.heading_height(TITLE, subtitle, 4) + 0.1
    heights = [len(part) * rows.row_height(max(drawn, 4)) for _, part in blocks]

    with style.style():
        figure = style.sheet(top + sum(heights) + len(blocks) * (_HEAD + _FOOT))
        style.heading(figure, TITLE, subtitle, 4)
        start = 0
        for (name, part), height in zip(blocks, heights, strict=True):
            room = style.room() - numbers
            head = style.elide(f"{style.plain(name)}{_HOW[part['kind'].iloc[0]]}", room, bold=True)
            style.write(figure, style.MARGIN, top, head, weight="bold")
            axes = style.panel(figure, left, top + _HEAD, width, height)
            rows.dress(axes, labels[start : start + len(part)], "top-1 accuracy (%)")
            rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
            rows.marks(axes, part, _LOOK, "mean", ("mean_low", "mean_high"))
            beside = style.panel(figure, left + width + _GAP, top + _HEAD, width, height)
            _differences(beside, part, limit, written=numbers > 0)
            start += len(part)
            top += _HEAD + height + _FOOT
    return figure


#: What is said behind an attribute's name of how its images are divided.
_HOW: Mapping[Any, str] = {"value": "", "number": ", in four parts", "words": ", number of words"}


def _nothing(rule: str) -> Figure:
    """A sheet that says that there is nothing to compare."""
    subtitle = (
        f"Under {style.plain(rule)} there is nothing to compare: no attribute has two values among "
        "the generated images, or no top-1 hits are known."
    )
    with style.style():
        figure = style.sheet(style.heading_height(TITLE, subtitle, 3) + style.MARGIN)
        style.heading(figure, TITLE, subtitle, 3)
    return figure


def _differences(axes: Axes, table: pd.DataFrame, limit: float, written: bool) -> None:
    """Draw differences with their intervals around zero, and write the numbers beside."""
    rows.dress(axes, [""] * len(table), "difference (points)")
    axes.set_xlim(-limit, limit)
    ticks = [t for t in MaxNLocator(4, symmetric=True).tick_values(-limit, limit) if abs(t) < limit]
    axes.set_xticks(ticks, [f"{100 * tick:.3g}".replace("-", "\N{MINUS SIGN}") for tick in ticks])
    axes.axvline(0, color=style.INK, linewidth=0.6, zorder=2)
    rows.marks(axes, table, _LOOK, "difference", ("low", "high"))
    if not written:
        return
    rows.numbers(axes, [rows.points(each) for each in table["difference"]], 0.32, "points")
    pairs = zip(table["low"], table["high"], strict=True)
    rows.numbers(axes, [rows.interval(*pair) for pair in pairs], _NUMBERS - 0.03, "interval")

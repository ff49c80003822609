"""Accuracy under each matching rule: how much the choice of rule matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthsight.figures import rows, style
from synthsight.labels.matching import Mark, find_rule

MOST = 40
"""Maximum number of categories: half of them with the highest top-1, half with the lowest."""

_LIMIT = 1.5  # inches for the names of rows
_NUMBERS = 0.42  # inches right of an axis, for its column of numbers
_GAP = 0.12  # inches between the two metrics
_HEAD = 0.34  # inches from the top of a panel's title to its rows
_FOOT = 0.42  # inches for tick labels, the x label and the space to the next panel
_STEP = 0.045  # inches between the marks of two rules in a row


def rules(accuracy: pd.DataFrame, rule: str) -> Figure:
    """Draw every model's mean, and the best model by category, under each matching rule.

    Args:
        accuracy: The accuracy table.
        rule: The primary rule, which determines the best model and the order of the rows.

    Raises:
        ValueError: If the table has no mean under the primary rule.
        UnknownNameError: If it has a rule that :data:`synthsight.labels.matching.RULES` lacks.
    """
    means = style.ranked(accuracy, rule)
    best = style.best_model(accuracy, rule)
    pooled = accuracy[accuracy["generator"] == style.ALL]
    others = sorted(set(map(str, pooled["rule"])) - {rule})
    shown = [rule, *others]
    marks = {name: find_rule(name).mark for name in shown}
    every = style.by_category(accuracy, rule, best)["category"].tolist()
    half = MOST // 2
    categories = every if len(every) <= MOST else every[:half] + every[-half:]
    parts: list[tuple[str, list[str], pd.DataFrame]] = [
        (
            f"a  Every model: mean over {style.count(len(every), 'category', 'categories')}",
            means["model"].tolist(),
            pooled[pooled["category"] == style.ALL].assign(row=lambda table: table["model"]),
        ),
        (
            f"b  By category{_ends(len(every))}: {style.plain(best)}",
            categories,
            pooled[(pooled["model"] == best) & (pooled["category"] != style.ALL)].assign(
                row=lambda table: table["category"]
            ),
        ),
    ]

    one = len(shown) == 1
    title = "How much the matching rule decides"
    subtitle = (
        f"{'The one rule' if one else 'Primary rule'}: {style.plain(rule)}. Accuracy on generated "
        "images; models by mean top-1, "
        "categories by the top-1 of the best model, both under "
        + ("it. " if one else "the primary rule. ")
        + (
            ""
            if one
            else "Numbers: largest minus smallest accuracy among the rules, in percentage points."
        )
        + (open_ := _open(parts[0][2]) + rows.unknown(means))
    )
    lines = 3 if open_ else 2
    keys = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=mark.marker,
            color=mark.color,
            markersize=3.4,
            markeredgewidth=0,
            label=style.elide(
                style.plain(name) + (" (primary)" if name == rule and not one else ""), 1.5
            ),
        )
        for name, mark in marks.items()
    ]
    columns = style.legend_columns(style.labels_of(keys), 4)
    under = style.heading_height(title, subtitle, lines) + 0.08
    top = under + 0.14 * -(-len(keys) // columns) + 0.1
    labels = [style.label_column(names, _LIMIT) for _, names, _ in parts]
    left = style.MARGIN + max(width for _, width in labels) + 0.06
    across = len(rows.shown())  # metrics side by side
    width = (style.width() - style.MARGIN - left - _GAP * (across - 1)) / across - _NUMBERS
    heights = [
        len(names) * max(rows.row_height(len(names)), _STEP * (len(shown) + 0.8))
        for _, names, _ in parts
    ]

    with style.style():
        figure = style.sheet(top + sum(heights) + len(parts) * (_HEAD + _FOOT))
        style.heading(figure, title, subtitle, lines)
        style.legend(figure, keys, style.MARGIN, under, columns)
        for (head, names, table), (texts, _), height in zip(parts, labels, heights, strict=True):
            room = style.room()
            style.write(
                figure, style.MARGIN, top, style.elide(head, room, bold=True), weight="bold"
            )
            for side, metric in enumerate(rows.shown()):
                start = left + side * (width + _NUMBERS + _GAP)
                axes = style.panel(figure, start, top + _HEAD, width, height)
                style.write(figure, start, top + _HEAD - 0.14, rows.METRICS[metric].label)
                rows.dress(axes, texts if side == 0 else [""] * len(texts), "accuracy (%)")
                rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
                values = table.pivot_table(index="row", columns="rule", values=metric)
                _draw(axes, values.reindex(index=names, columns=shown), marks, height / len(names))
            top += _HEAD + height + _FOOT
    return figure


def _ends(categories: int) -> str:
    """Which categories are shown, in brackets after a blank, if it is not all of them."""
    if categories <= MOST:
        return ""
    return f" ({MOST // 2} of {categories} with the highest top-1, {MOST // 2} with the lowest)"


def _open(means: pd.DataFrame) -> str:
    """A sentence, after a blank, on each rule that predictions of models leave open; or nothing."""
    unknown = means[means["top1"].isna()].groupby("rule")["model"].nunique()
    return "".join(
        f" Under {style.plain(str(rule))} nothing is known of {style.count(int(number), 'model')}."
        for rule, number in unknown.items()
    )


def _draw(axes: Axes, values: pd.DataFrame, marks: Mapping[str, Mark], height: float) -> None:
    """Draw a mark for each rule on each row, joined by a line, and the largest difference."""
    table = values.to_numpy(dtype=float)
    low, high = values.min(axis=1).to_numpy(), values.max(axis=1).to_numpy()
    axes.hlines(np.arange(len(table)), low, high, color="#BFBFBF", linewidth=0.8, zorder=1)
    for position, (name, mark) in enumerate(marks.items()):
        # Marks of equal accuracy are placed below one another, not on top.
        offset = (position - (table.shape[1] - 1) / 2) * _STEP / height
        axes.plot(
            table[:, position],
            np.arange(len(table)) + offset,
            linestyle="none",
            marker=mark.marker,
            color=mark.color,
            markersize=3.4,
            markeredgewidth=0,
            label=name,
            clip_on=False,
            zorder=3,
        )
    if table.shape[1] > 1:
        rows.numbers(axes, _texts(high - low), _NUMBERS - 0.06, "points")


def _texts(differences: Sequence[float] | np.ndarray) -> list[str]:
    return [rows.points(float(value)) for value in differences]

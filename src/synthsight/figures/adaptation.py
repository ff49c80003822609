"""What models get before and after they are trained on the run's images."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synthsight.figures import rows, style
from synthsight.statistics.hits import name_of_real

MOST = 40
"""Maximum number of adapted models with a row: those that gain most on generated images."""

_LIMIT = 1.75  # inches for the names of models
_FOOT = 0.42  # inches under the rows, for the axis
_HEAD = 0.3  # inches for a panel's title and the headings of its numbers
_NUMBERS = 1.5  # inches right of the rows, for the gain, its interval and its deviation
_NARROW = 1.14  # the same in a narrow figure, without the deviation
_KEY = 0.22  # inches for the legend


@dataclass(frozen=True)
class _Panel:
    """The models on one source of images.

    Attributes:
        title: what the images are.
        table: a row for each model, in their order; missing where it has none.
    """

    title: str
    table: pd.DataFrame


_BEFORE = rows.Metric("before", style.FAINT, "o", -0.16, (1, 1))
_AFTER = rows.Metric("after, trained on such images", style.BLUE, "o", 0.16, (1, 1))
_OTHER = rows.Metric("after, not trained on such images", style.ORANGE, "s", 0.16, (1, 1))


def adaptation(table: pd.DataFrame, photographs: Collection[str], level: float) -> Figure:
    """Draw the mean top-1 accuracy of each adapted model and of what it was made from.

    All generated images are one panel, photographs are another below it. The rule is
    ``restricted``, under which a model of any classes chooses among the run's categories.

    Args:
        table: The adaptation table.
        photographs: The sources of real photographs.
        level: Confidence level of the intervals, for the heading.
    """
    found = table[table["category"] == style.ALL]
    real = name_of_real(photographs)
    first = found[found["generator"] == style.ALL]
    if first.empty:  # nothing but photographs
        first = found[found["generator"] == real]
    order = first.sort_values(["gain", "after", "model"], ascending=[False, False, True])
    models = order["model"].tolist()[:MOST]
    panels = []
    for name in (style.ALL, real):
        part = found[found["generator"] == name].set_index("model").reindex(models).reset_index()
        if part["n"].notna().any():
            head = "All generated images" if name == style.ALL else f"Real photographs: {name}"
            panels.append(_Panel(style.plain(head), part))

    title = "What models gain by being trained on these images"
    shown = (
        f"The {MOST} of {style.count(len(order), 'adapted model')} that gain most."
        if len(order) > len(models)
        else f"{style.count(len(models), 'adapted model')}."
    )
    subtitle = (
        f"{shown} Mean top-1 over categories under the rule restricted: the best of the run's "
        "categories. Each image is predicted by a network that was trained without it and all that "
        f"belong to it. Bars and brackets: {style.percent(level)} intervals, about other images "
        "for the networks as trained"
        + ("." if style.narrow() else "; ±: deviation of the gain between the networks.")
    )
    lines = 4
    if (table["named"] == 0).any():
        subtitle += " Before, a model gets none of the categories of which it has no class."
        lines += 1
    labels, label_width = style.label_column(models, _LIMIT)
    left = style.MARGIN + label_width + 0.06
    width = style.width() - style.MARGIN - (_NARROW if style.narrow() else _NUMBERS) - left
    height = len(models) * rows.row_height(len(models))
    top = style.heading_height(title, subtitle, lines) + 0.08
    looks = [_BEFORE] if _has(found, "before") else []
    looks += [_AFTER] if (found["trained"] != "none").any() else []
    looks += [_OTHER] if (found["trained"] == "none").any() else []

    keys = list(map(rows.key, looks))
    columns = style.legend_columns(style.labels_of(keys), 3)
    key_height = _KEY + style.legend_height(style.labels_of(keys), columns)

    with style.style():
        figure = style.sheet(top + key_height + len(panels) * (_HEAD + height + _FOOT))
        style.heading(figure, title, subtitle, lines)
        style.legend(figure, keys, style.MARGIN, top, columns)
        top += key_height
        for panel in panels:
            head = style.elide(panel.title, style.room(), bold=True)
            style.write(figure, style.MARGIN, top, head, weight="bold")
            axes = style.panel(figure, left, top + _HEAD, width, height)
            rows.dress(axes, labels, "top-1 accuracy (%)")
            rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
            _draw(axes, panel.table)
            top += _HEAD + height + _FOOT
    return figure


def _has(table: pd.DataFrame, column: str) -> bool:
    return bool(table[column].notna().any())


def _draw(axes: Axes, table: pd.DataFrame) -> None:
    """Draw a mark before and one after for each model, joined, and write the gain beside."""
    for row, (before, after) in enumerate(zip(table["before"], table["after"], strict=True)):
        if before == before and after == after:
            axes.plot(
                [before, after],
                [row + _BEFORE.offset, row + _AFTER.offset],
                color=style.FAINT,
                linewidth=0.6,
                zorder=2,
            )
    rows.marks(axes, table, _BEFORE, "before", None)
    trained = (table["trained"] != "none").to_numpy()
    columns = ["after", "after_low", "after_high"]
    for look, here in ((_AFTER, trained), (_OTHER, ~trained)):
        part = table.copy()
        part.loc[~here, columns] = np.nan
        rows.marks(axes, part, look, "after", ("after_low", "after_high"))
    rows.numbers(axes, [rows.points(value) for value in table["gain"]], 0.36, "gain")
    bounds = zip(table["low"], table["high"], strict=True)
    rows.numbers(axes, [rows.interval(*pair) for pair in bounds], 1.13, "interval")
    if style.narrow():
        return
    spread = [f"±{rows.points(value)}" if value == value else "" for value in table["sd"]]
    rows.numbers(axes, spread, _NUMBERS - 0.03, "±")

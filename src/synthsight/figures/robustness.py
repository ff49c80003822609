"""Which models do better on generated images than photographs let expect (Taori et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from scipy.special import ndtri

from synthsight.figures import rows, style
from synthsight.figures.counted import uncounted
from synthsight.figures.placing import leader, place
from synthsight.figures.probits import limits_of, ticks_of
from synthsight.statistics.moments import Floats
from synthsight.statistics.reference import MEASURED
from synthsight.statistics.robustness import with_half

BESIDE = 24
"""Maximum number of models whose rows stand beside the points; those of more stand below."""
NAMED = 12
"""Up to this number of models all are named at their points; of more, those off the line."""
MOST = 12
"""Maximum number of generators with a panel: those with the most images."""

_TICKS = 0.44  # inches left of an axis with percentages, for these and its label
_HEAD = 0.34  # inches from the top of a panel's title to its rows
_FOOT = 0.42  # inches for tick labels, the x label and the space to the next panel
_NUMBERS = 1.14  # inches right of the rows' axis, for the distances and their intervals
_KEY = 0.24  # inches for the legend
_NAME = 0.1  # inches of a name's height
_SIDE, _HEIGHT = 3.1, 4.7  # inches of the panel of points: beside the rows, and above them
_COLUMNS = 4  # panels of generators side by side
_CELL = 1.2  # inches that one of them needs
_SHORT = 1.9  # inches of rows that leave room for generators below them
_WIDEST = 2.2  # inches of a generator's panel, at most
_BROAD = 6.8  # inches of a figure that has room for rows beside the points
_BETWEEN = 0.2  # inches between these, for the ends of their tick labels


@dataclass(frozen=True)
class _Look:
    """How models on one side of the line are drawn."""

    label: str
    color: str
    marker: str


_LOOKS = {
    1: _Look("above the line", style.GREEN, "^"),
    0: _Look("interval includes the line", style.FAINT, "o"),
    -1: _Look("below the line", style.VERMILLION, "v"),
}


def robustness(
    table: pd.DataFrame,
    reference: pd.DataFrame,
    rule: str,
    level: float = 0.95,
    adapted: Sequence[str] = (),
) -> Figure:
    """Draw accuracy on generated images against that on photographs, and the line over all models.

    Both axes are on the probit scale, on which the line is straight; a mark is where the fit has
    it, with half an image more right and half wrong. Top-1 is drawn: all generated images, with the
    models' distances from the line in rows, and, if there are several, each generator.

    Args:
        table: The robustness table; without rows no category has both, and the figure says so.
        reference: The reference table, whose measured means have the intervals and the generators.
        rule: Matching rule, such as ``words/simple``.
        level: Confidence level of the intervals, for the heading.
        adapted: Models that were trained on the images, and have no part in it.

    Raises:
        ValueError: If the table has rows, but none under this rule.
    """
    title = "Effective robustness: generated images against real photographs"
    if table.empty:
        return _nothing(title, rule)
    found = style.of_rule(table, rule, "robustness")
    found = found[found["hit"] == "top1"].sort_values(
        ["residual", "model"], ascending=[False, True], ignore_index=True
    )
    means = reference[
        (reference["kind"] == MEASURED)
        & (reference["category"] == style.ALL)
        & (reference["rule"] == rule)
    ]
    sources = _generators(means)
    shown = sorted(sources[:MOST]) if len(sources) > 1 else []
    line = (float(found["slope"].iloc[0]), float(found["intercept"].iloc[0]))
    sides = np.where(found["low"] > 0, 1, np.where(found["high"] < 0, -1, 0)).tolist()
    models = found["model"].tolist()
    points = _points(style.generated(means), models)

    every = len(models) <= NAMED
    slope = f"{line[0]:.2f}".replace("-", "\N{MINUS SIGN}")
    categories = style.count(int(found["categories"].iloc[0]), "category", "categories")
    subtitle = (
        f"Rule {style.plain(rule)}; {style.count(len(models), 'model')} by mean top-1 over "
        f"{categories} on the probit scale. Line: least squares over the models, slope {slope}. "
        f"Bars, and the numbers in brackets: {style.percent(level)} intervals. "
        + _expected(line[0])
        + (
            "."
            if every
            else "; a names models off the line, as far as there is room, and b all of them."
        )
        + (
            f" c has the {MOST} of {len(sources)} generators with the most images."
            if len(sources) > len(shown) > 0
            else ""
        )
        + uncounted(sorted({*adapted} - {*models}))
    )
    beside = len(models) <= BESIDE and style.width() > _BROAD
    labels, label_width = style.label_column(models, 1.15 if beside else 1.65)
    under = style.heading_height(title, subtitle, 5) + 0.08
    keys = _keys(sides)
    columns = style.legend_columns(style.labels_of(keys), 5)
    top = under + _KEY + style.legend_height(style.labels_of(keys), columns)
    left = style.MARGIN + _TICKS
    wide = style.width() - style.MARGIN - left
    width, height = (_SIDE, _SIDE) if beside else (wide, min(_HEIGHT, wide))
    start = (left + width + 0.25 if beside else style.MARGIN) + label_width + 0.06
    long = len(models) * rows.row_height(len(models))
    rows_at = top if beside else top + _HEAD + height + _FOOT
    beginning = start - label_width - 0.06 if beside else style.MARGIN
    bottom = (max(top + height, top + long) if beside else rows_at + long) + _HEAD + _FOOT
    # A few generators have room below a few rows, beside the points.
    corner = beside and 0 < len(shown) <= 2 and long < _SHORT
    first = beginning + _TICKS if corner else left
    below = rows_at + _HEAD + long + _FOOT if corner else bottom
    wide = style.width() - style.MARGIN - first
    panels = min(style.side_by_side(_CELL, _BETWEEN, _COLUMNS, wide), max(len(shown), 1))
    cell = min((wide - _BETWEEN * (panels - 1)) / panels, _WIDEST)
    lines = -(-len(shown) // panels)
    end = below + lines * (_HEAD + cell + _FOOT) + (0.16 if shown else 0)

    with style.style():
        figure = style.sheet(max(bottom, end))
        style.heading(figure, title, subtitle, 5)
        style.legend(figure, keys, style.MARGIN, under, columns)
        _title(figure, style.MARGIN, top, f"a  All generated images: {len(models)} models")
        axes = style.panel(figure, left, top + _HEAD - 0.1, width, height)
        limits = limits_of(points)
        _dress(axes, limits, (width, height))
        axes.set_ylabel("top-1 on generated images (%)", labelpad=2)
        _draw(axes, points, sides, line)
        _name(axes, points, sides, labels, every, (width, height), line)
        _title(figure, beginning, rows_at, "b  Distance from the line")
        axes = style.panel(
            figure, start, rows_at + _HEAD, style.width() - style.MARGIN - _NUMBERS - start, long
        )
        _distances(axes, found, sides, labels)
        if shown:
            head = "c  By generator; the line is that of a"
            _title(figure, beginning if corner else style.MARGIN, below, head)
            parts = [_points(means[means["generator"] == name], models) for name in shown]
            limits = limits_of(pd.concat([points, *parts]))
            for number, (name, part) in enumerate(zip(shown, parts, strict=True)):
                row, column = divmod(number, panels)
                at = first + column * (cell + _BETWEEN)
                above = below + 0.16 + row * (_HEAD + cell + _FOOT)
                style.write(figure, at, above, style.elide(style.plain(name), cell))
                axes = style.panel(figure, at, above + 0.16, cell, cell)
                _dress(axes, limits, (cell, cell), labelled=column == 0)
                if column == 0:
                    axes.set_ylabel("top-1 on generated (%)", labelpad=2)
                _draw(axes, part, sides, line)
    return figure


def _expected(slope: float) -> str:
    """What the line says, without the full stop."""
    if slope > 0:
        return (
            "Above the line a model does better on generated images than its accuracy on "
            "photographs lets expect"
        )
    return (
        f"The line {'falls' if slope < 0 else 'is level'}: here accuracy on photographs says "
        "nothing of that on generated images"
    )


def _nothing(title: str, rule: str) -> Figure:
    subtitle = f"Rule {style.plain(rule)}. No category has both, so there is nothing to show."
    with style.style():
        figure = style.sheet(style.heading_height(title, subtitle) + style.MARGIN)
        style.heading(figure, title, subtitle)
    return figure


def _title(figure: Figure, left: float, top: float, text: str) -> None:
    style.write(figure, left, top, text, weight="bold")


def _generators(means: pd.DataFrame) -> list[str]:
    """The generators that share a category with the photographs, most images first."""
    sizes = means[means["generator"] != style.ALL].groupby("generator")["n"].max().reset_index()
    order = sizes.sort_values(["n", "generator"], ascending=[False, True])
    return [str(name) for name in order["generator"]]


def _points(means: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Probits of a source's means, a row for each model: ``x, x_low, x_high`` and so on for y."""
    found = means.set_index("model").reindex(list(models))
    columns = {}
    for axis, metric, number in (("x", "reference_top1", "n_reference"), ("y", "top1", "n")):
        n = found[number].to_numpy(dtype=float)
        for end in ("", "_low", "_high"):
            columns[f"{axis}{end}"] = ndtri(with_half(found[f"{metric}{end}"].to_numpy(float), n))
    return pd.DataFrame(columns, index=found.index)


def _dress(
    axes: Axes, limits: tuple[float, float], size: tuple[float, float], labelled: bool = True
) -> None:
    """Give both axes the same range, and percentages on the probit scale."""
    axes.set(xlim=limits, ylim=limits)
    for ticks, place_them in (
        (ticks_of(limits, size[0], 0.32), axes.set_xticks),
        (ticks_of(limits, size[1], 0.2), axes.set_yticks),
    ):
        place_them([float(ndtri(tick / 100)) for tick in ticks], [f"{tick:g}" for tick in ticks])
    if not labelled:
        axes.tick_params(axis="y", labelleft=False)
    axes.spines["left"].set_visible(True)
    axes.grid(True)
    named = "top-1 on photographs (%)" if size[0] > 1.4 or not style.narrow() else "photographs (%)"
    axes.set_xlabel(named, labelpad=2)
    axes.plot(limits, limits, **_EQUAL)


_EQUAL: dict[str, Any] = {
    "color": style.FAINT,
    "linewidth": 0.8,
    "dashes": (2.5, 1.5),
    "label": "equal accuracy",
    "zorder": 1.5,
}
_LEADER: dict[str, Any] = {"color": style.FAINT, "linewidth": 0.4, "zorder": 2.5}
_LINE: dict[str, Any] = {
    "color": style.BLUE,
    "linewidth": 1.0,
    "label": "line over the models",
    "zorder": 2,
}


def _draw(
    axes: Axes, points: pd.DataFrame, sides: Sequence[int], line: tuple[float, float]
) -> None:
    """Draw the line, and a mark with both intervals for each model."""
    ends = np.array(axes.get_xlim())
    axes.plot(ends, line[1] + line[0] * ends, **_LINE)
    pale = 0.35 if len(points) > BESIDE else 0.7
    for side, look in _LOOKS.items():
        part = points[[each == side for each in sides]]
        if part.empty:
            continue
        _, _, bars = axes.errorbar(
            part["x"],
            part["y"],
            xerr=_error(part, "x"),
            yerr=_error(part, "y"),
            fmt=look.marker,
            color=look.color,
            markersize=3.4,
            markeredgewidth=0,
            elinewidth=0.6,
            label=look.label,
            zorder=3,
        )
        for bar in bars:
            bar.set_alpha(pale)


def _error(points: pd.DataFrame, axis: str) -> Floats:
    value = points[axis].to_numpy(dtype=float)
    low, high = (points[f"{axis}{end}"].to_numpy(dtype=float) for end in ("_low", "_high"))
    return np.vstack([np.clip(value - low, 0, None), np.clip(high - value, 0, None)])


def _name(
    axes: Axes,
    points: pd.DataFrame,
    sides: Sequence[int],
    labels: Sequence[str],
    every: bool,
    size: tuple[float, float],
    line: tuple[float, float],
) -> None:
    """Write names beside their points, those off the line first, where there is room."""
    limits = axes.get_xlim()
    scale = np.array(size) / (limits[1] - limits[0])
    inches = (points[["x", "y"]].to_numpy(dtype=float) - limits[0]) * scale
    widths = [style.text_width(label, style.SMALL) + 0.02 for label in labels]
    # Rows are sorted by distance, so the ends are the furthest off.
    middle = (len(sides) - 1) / 2
    order = sorted(range(len(sides)), key=lambda row: (sides[row] == 0, -abs(row - middle)))
    order = [row for row in order if every or sides[row] != 0]
    bars = []
    for axis in (0, 1):
        ends = points[[f"{'xy'[axis]}_low", f"{'xy'[axis]}_high"]].to_numpy(dtype=float)
        for at, span in zip(inches, (ends - limits[0]) * scale[axis], strict=True):
            low, high = at - 0.01, at + 0.01
            low[axis], high[axis] = span
            bars.append((low[0], low[1], high[0], high[1]))
    # Both lines, in pieces small enough to be boxes.
    across = np.linspace(*limits, 200)
    for up in (across, line[1] + line[0] * across):
        for x, y in np.column_stack([across - limits[0], up - limits[0]]) * scale:
            bars.append((x - 0.01, y - 0.01, x + 0.01, y + 0.01))
    at = list(map(tuple, inches))
    found = place(at, widths, order, _NAME, (0, 0, *size), bars, further=True)
    for row, (x, y) in found.items():
        end = leader(at[row], (x, y, x + widths[row], y + _NAME))
        if end is not None:
            ends = np.array([at[row], end]) / size
            axes.plot(*ends.T, transform=axes.transAxes, **_LEADER)
        axes.text(
            x / size[0],
            y / size[1],
            labels[row],
            fontsize=style.SMALL,
            color=_LOOKS[sides[row]].color,
            transform=axes.transAxes,
            path_effects=[withStroke(linewidth=1.5, foreground="white")],
            zorder=4,
        )


def _distances(
    axes: Axes, found: pd.DataFrame, sides: Sequence[int], labels: Sequence[str]
) -> None:
    """Draw how far each model is from the line, and write the numbers beside."""
    rows.dress(axes, labels, "points above the line")
    ends = found[["residual", "low", "high"]].abs().to_numpy(dtype=float)
    limit = max(float(ends.max()), 0.02) * 1.05
    axes.set_xlim(-limit, limit)
    ticks = [t for t in MaxNLocator(2, symmetric=True).tick_values(-limit, limit) if abs(t) < limit]
    axes.set_xticks(ticks, [f"{100 * tick:.3g}".replace("-", "\N{MINUS SIGN}") for tick in ticks])
    axes.axvline(0, color=style.BLUE, linewidth=1.0, zorder=2)
    for side, look in _LOOKS.items():
        here = np.flatnonzero([each == side for each in sides])
        if not here.size:
            continue
        part = found.iloc[here]
        value = part["residual"].to_numpy(dtype=float)
        axes.errorbar(
            value,
            here,
            xerr=np.vstack([value - part["low"], part["high"] - value]),
            fmt=look.marker,
            color=look.color,
            markersize=3.4,
            markeredgewidth=0,
            elinewidth=0.8,
            label=look.label,
            zorder=3,
        )
    rows.numbers(axes, [rows.points(value) for value in found["residual"]], 0.36, "points")
    bounds = zip(found["low"], found["high"], strict=True)
    rows.numbers(axes, [rows.interval(*pair) for pair in bounds], _NUMBERS - 0.03, "interval")


def _keys(sides: Sequence[int]) -> list[Line2D]:
    """Legend entries for what is drawn."""
    marks = [
        rows.key(rows.Metric(look.label, look.color, look.marker, 0, (1, 1)))
        for side, look in _LOOKS.items()
        if side in sides
    ]
    return [*marks, Line2D([], [], **_LINE), Line2D([], [], **_EQUAL)]

"""Accuracy by generator, and the differences between generators."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from synthsight.figures import rows, style
from synthsight.figures.counted import uncounted

MOST = 60
"""Maximum number of rows of differences; beyond it, only the means over models are drawn."""

_LIMIT = 1.5  # inches for the names of rows
_GAP = 0.12  # inches between the two metrics
_NUMBERS = 1.08  # inches right of an axis, for the differences and their intervals
_HEAD = 0.34  # inches from the top of a panel's title to its rows
_FOOT = 0.42  # inches for tick labels, the x label and the space to the next panel
_STEP = 0.045  # inches between the marks of two generators in a row
_KEYS = 4  # generators on a line of the legend
_COLORS = (
    style.BLUE,
    style.ORANGE,
    style.GREEN,
    style.VERMILLION,
    style.PURPLE,
    style.SKY,
    style.GREY,
)
_MARKERS = "osD^vPX*<>"


def generators(
    accuracy: pd.DataFrame,
    differences: pd.DataFrame,
    photographs: Collection[str],
    rule: str,
    level: float = 0.95,
    adapted: Sequence[str] = (),
) -> Figure:
    """Draw every model's mean by generator, and the differences between any two generators.

    Real photographs come last, and are called that.

    Args:
        accuracy: The accuracy table.
        differences: The generators table.
        photographs: The sources of real photographs.
        rule: Matching rule, such as ``words/simple``.
        level: Confidence level of the intervals, for the heading.
        adapted: Models that were trained on the images, which are no part of the mean over models.

    Raises:
        ValueError: If the accuracy table has no row under this rule.
    """
    models = style.ranked(accuracy, rule)["model"].tolist()
    means = style.of_rule(accuracy, rule, "accuracy")
    means = means[(means["category"] == style.ALL) & (means["generator"] != style.ALL)]
    names = sorted(map(str, means["generator"].unique()), key=lambda n: (n in photographs, n))
    real = [name for name in names if name in photographs]
    compared = differences[differences["rule"] == rule]
    blocks = _blocks(compared, models, real)

    number = style.count(len(names) - len(real), "generator")
    title = f"Accuracy by generator: {number}" + (" and real photographs" if real else "")
    sources = "sources" if real else "generators"
    subtitle = (
        f"Rule {style.plain(rule)}; {style.count(len(models), 'model')} by mean top-1. Bars, and "
        f"the numbers in brackets: {style.percent(level)} intervals. "
        + (
            f"Differences are means over the categories that both {sources} have, each category "
            "counting the same, in percentage points."
            if blocks
            else f"No two {sources} have a category in common, so none are compared."
        )
        + rows.unknown(style.ranked(accuracy, rule))
        + uncounted(adapted, where="in the mean over models")
    )
    lines = 2 + bool(rows.unknown(style.ranked(accuracy, rule))) + bool(adapted)
    keys = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=marker,
            color=color,
            markersize=3.4,
            markeredgewidth=0,
            label=style.elide(style.plain(name), 1.45 - 0.3 * (name in real), style.SMALL)
            + (" (real)" if name in real else ""),
        )
        for name, (color, marker) in zip(names, _looks(len(names)), strict=True)
    ]
    model_labels, label_width = style.label_column(models, _LIMIT)
    row_labels = [style.label_column([label for label, _ in block], _LIMIT) for _, block in blocks]
    left = style.MARGIN + max([label_width, *(width for _, width in row_labels)]) + 0.06
    across = len(rows.shown())  # metrics side by side
    room = style.width() - style.MARGIN - left - _GAP * (across - 1)
    height = len(models) * max(rows.row_height(len(models)), _STEP * (len(names) + 0.8))
    under = style.heading_height(title, subtitle, lines) + 0.08
    columns = style.legend_columns(style.labels_of(keys), _KEYS)
    top = under + 0.13 * -(-len(keys) // columns) + 0.1
    total = top + _HEAD + height + _FOOT
    total += sum(_HEAD + len(b) * rows.row_height(len(b)) + _FOOT for _, b in blocks)
    limit = _limit(compared)

    with style.style():
        figure = style.sheet(total)
        style.heading(figure, title, subtitle, lines)
        style.legend(figure, keys, style.MARGIN, under, columns)
        whose = "source" if real else "generator"
        _title(figure, top, f"Every model: mean over each {whose}'s categories")
        for side, metric in enumerate(rows.shown()):
            width = room / across - (_GAP if across > 1 else 0)
            start = left + side * (width + 2 * _GAP)
            axes = style.panel(figure, start, top + _HEAD, width, height)
            style.write(figure, start, top + _HEAD - 0.14, rows.METRICS[metric].label)
            rows.dress(axes, model_labels if side == 0 else [""] * len(models), "accuracy (%)")
            rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
            for position, name in enumerate(names):
                table = means[means["generator"] == name].set_index("model").reindex(models)
                offset = (position - (len(names) - 1) / 2) * _STEP * len(models) / height
                look = _looks(len(names))[position]
                _marks(axes, table, metric, offset, name, look)
        top += _HEAD + height + _FOOT

        for (head, block), (labels, _) in zip(blocks, row_labels, strict=True):
            _title(figure, top, head)
            width = room / across - _NUMBERS
            height = len(block) * rows.row_height(len(block))
            for side, metric in enumerate(rows.shown()):
                start = left + side * (width + _NUMBERS + _GAP)
                axes = style.panel(figure, start, top + _HEAD, width, height)
                style.write(figure, start, top + _HEAD - 0.14, rows.METRICS[metric].label)
                _differences(
                    axes,
                    pd.DataFrame([found.get(metric, {}) for _, found in block]).reindex(
                        columns=["difference", "low", "high"]
                    ),
                    labels if side == 0 else [""] * len(block),
                    metric,
                    limit,
                )
            top += _HEAD + height + _FOOT
    return figure


_Row = tuple[str, dict[str, dict[str, float]]]


def _blocks(
    compared: pd.DataFrame, models: Sequence[str], real: Sequence[str]
) -> list[tuple[str, list[_Row]]]:
    """Arrange the differences in titled blocks of labelled rows, each by metric.

    Real photographs are what is subtracted, whichever comes first in the table.

    Each pair of generators has a block of all models; if that would be too long, only the means
    over models are kept, all in one block.
    """
    found: dict[tuple[str, str], dict[str, dict[str, dict[str, float]]]] = {}
    for line in compared.sort_values(["a", "b"]).to_dict("records"):
        a, b = str(line["a"]), str(line["b"])
        values = [float(line[name]) for name in ("difference", "low", "high")]
        if a in real and b not in real:  # what is generated comes first, so that a loss is negative
            a, b, values = b, a, [-values[0], -values[2], -values[1]]
        pair = found.setdefault((a, b), {}).setdefault(str(line["model"]), {})
        pair[str(line["hit"])] = dict(zip(("difference", "low", "high"), values, strict=True))
    names = {
        pair: " \N{MINUS SIGN} ".join(
            style.plain(name) + (" (real)" if name in real else "") for name in pair
        )
        for pair in found
    }
    if len(found) * (len(models) + 1) > MOST:
        every = [(names[pair], by_model.get(style.ALL, {})) for pair, by_model in found.items()]
        between = "sources" if real else "generators"
        return [(f"Differences between {between}: mean over the models", every)]
    several = len(models) > 1
    return [
        (
            names[pair],
            [
                *([("mean over the models", by_model.get(style.ALL, {}))] if several else []),
                *((model, by_model.get(model, {})) for model in models),
            ],
        )
        for pair, by_model in found.items()
    ]


def _looks(number: int) -> list[tuple[str, str]]:
    """Colour and marker of each generator; both cycle, which gives 70 distinct pairs."""
    return [
        (_COLORS[index % len(_COLORS)], _MARKERS[index % len(_MARKERS)]) for index in range(number)
    ]


def _title(figure: Figure, top: float, text: str) -> None:
    room = style.room()
    style.write(figure, style.MARGIN, top, style.elide(text, room, bold=True), weight="bold")


def _limit(compared: pd.DataFrame) -> float:
    """Return the half width of the axis of differences, one for all blocks."""
    bounds = compared[["difference", "low", "high"]].abs().to_numpy(dtype=float)
    return max(float(np.nanmax(bounds, initial=0.0)), 0.02) * 1.05


def _marks(
    axes: Axes, table: pd.DataFrame, metric: str, offset: float, name: str, look: tuple[str, str]
) -> None:
    color, marker = look
    value = table[metric].to_numpy(dtype=float)
    below = np.clip(value - table[f"{metric}_low"].to_numpy(dtype=float), 0, None)
    above = np.clip(table[f"{metric}_high"].to_numpy(dtype=float) - value, 0, None)
    axes.errorbar(
        value,
        np.arange(len(table)) + offset,
        xerr=np.vstack([below, above]),
        fmt=marker,
        color=color,
        markersize=3.4,
        markeredgewidth=0,
        elinewidth=0.7,
        label=name,
        clip_on=False,
        zorder=3,
    )


def _differences(
    axes: Axes, table: pd.DataFrame, labels: Sequence[str], metric: str, limit: float
) -> None:
    """Draw differences with their intervals around zero, and write the numbers next to them."""
    rows.dress(axes, labels, "difference (points)")
    axes.set_xlim(-limit, limit)
    ticks = [
        t
        for t in MaxNLocator(2 if style.narrow() else 4, symmetric=True).tick_values(-limit, limit)
        if abs(t) < limit
    ]
    axes.set_xticks(ticks, [f"{100 * tick:.3g}".replace("-", "\N{MINUS SIGN}") for tick in ticks])
    axes.axvline(0, color=style.INK, linewidth=0.6, zorder=2)
    value = table["difference"].to_numpy(dtype=float)
    low, high = table["low"].to_numpy(dtype=float), table["high"].to_numpy(dtype=float)
    look = rows.METRICS[metric]
    axes.errorbar(
        value,
        np.arange(len(table)),
        xerr=np.vstack([np.clip(value - low, 0, None), np.clip(high - value, 0, None)]),
        fmt=look.marker,
        # Colours are the generators' here.
        color=style.INK,
        markerfacecolor=style.INK if metric == "top1" else "white",
        markersize=3.2,
        markeredgewidth=0.7,
        elinewidth=0.8,
        label=look.label,
        zorder=3,
    )
    rows.numbers(axes, [rows.points(each) for each in value], 0.3, "points")
    intervals = [rows.interval(*pair) for pair in zip(low, high, strict=True)]
    rows.numbers(axes, intervals, _NUMBERS - 0.03, "interval")

"""How much classifiers know of photographs, by the number of images that they are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, NullLocator

from synthsight.figures import style
from synthsight.statistics.trained import best_first, of_generated, photographs, sources

MOST = 12
"""Maximum number of models with a panel: those with which photographs tell most of photographs."""
BANDS = 5
"""Up to this number of sources, intervals are bands; those of more are bars beside the curves."""

_COLUMNS = 4  # panels side by side
_TICKS = 0.44  # inches left of the panels, for percentages and their label
_BETWEEN = 0.14  # inches between panels
_HEAD, _FOOT = 0.2, 0.4  # inches above a panel for its title, below it for ticks and label
_LARGEST = 2.3  # inches of a panel's side
_KEYS = 4  # sources on a line of the legend
_STEP = 0.06  # inches between the bars of two sources

_GENERATED = (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE, style.SKY, style.VERMILLION)
_MARKERS = "osD^vPX*<>"


def transfer_curves(table: pd.DataFrame, level: float = 0.95) -> Figure:
    """Draw accuracy on photographs against the images of each category trained on, by source.

    Without photographs it is the accuracy on all generated images.

    Args:
        table: The transfer table.
        level: Confidence level of the intervals.

    Raises:
        ValueError: If the table has no row.
    """
    real = photographs(table)
    test = real if real is not None else of_generated(table)
    if test is None:
        raise ValueError("the transfer table has no row")
    found = table[table["test"] == test].sort_values("per_category")
    names = [name for name in sources(table) if name in set(found["train"])]
    looks = dict(zip(names, _looks(names, real), strict=True))
    models = best_first(table)
    shown = models[:MOST]
    numbers = sorted(set(found["per_category"]))

    what = "photographs" if real is not None else "generated images"
    title = f"What a number of images teaches about {what}"
    subtitle = _subtitle(found, models, shown, test, real, level)
    under = style.heading_height(title, subtitle, 4) + 0.08
    keys = _keys(looks, real)
    side_by_side = style.legend_columns(style.labels_of(keys), _KEYS)
    top = under + 0.13 * -(-(len(names) + 1) // side_by_side) + 0.08
    columns = min(2 if style.narrow() else _COLUMNS, len(shown))
    room = style.width() - style.MARGIN - _TICKS - style.MARGIN - _BETWEEN * (columns - 1)
    side = min(room / columns, _LARGEST if columns > 1 else 1.6 * _LARGEST)
    tall = min(side, _LARGEST)
    lines = -(-len(shown) // columns)
    drawn = found[found["model"].isin(shown)]
    with style.style():
        figure = style.sheet(top + lines * (_HEAD + tall + _FOOT))
        style.heading(figure, title, subtitle, 4)
        style.legend(figure, keys, style.MARGIN, under, side_by_side)
        for number, model in enumerate(shown):
            row, column = divmod(number, columns)
            left = style.MARGIN + _TICKS + column * (side + _BETWEEN)
            above = top + row * (_HEAD + tall + _FOOT)
            style.write(
                *(figure, left, above, style.elide(style.plain(model), side, bold=True)),
                weight="bold",
            )
            axes = style.panel(figure, left, above + _HEAD, side, tall)
            strip = _STEP * (len(looks) + 1) if len(looks) > BANDS else 0.0
            _dress(axes, numbers, side, strip, drawn, labelled=column == 0)
            if column == 0:
                axes.set_ylabel(f"accuracy on {what} (%)", labelpad=2)
            of_model = found[found["model"] == model]
            for position, (name, look) in enumerate(looks.items()):
                rows = of_model[of_model["train"] == name]
                if len(numbers) > 1:
                    _curve(axes, rows, look, band=not strip)
                if len(numbers) == 1:
                    middle = position - (len(looks) - 1) / 2
                    _bar(axes, rows, look, 0.5 + middle * _STEP / side)
                elif strip:
                    place = 1 - (len(looks) - position) * _STEP / side
                    _bar(axes, rows.tail(1), look, place)
    return figure


def _subtitle(
    found: pd.DataFrame,
    models: Sequence[str],
    shown: Sequence[str],
    test: str,
    real: str | None,
    level: float,
) -> str:
    categories = style.count(int(found["categories"].max()), "category", "categories")
    numbers = sorted(set(found["per_category"]))
    many = f"{numbers[0]:,} images of each" if len(numbers) == 1 else "equal numbers of images"
    where = (
        f"the photographs ({style.plain(test)})"
        if real is not None
        else "all generated images"
        if test == style.ALL
        else f"images of {style.plain(test)}"
    )
    said = (
        f"Linear classifiers trained on {many} of {categories} from each source, tested on other "
        f"images of {where.removeprefix('images of ')}. "
        f"{_bars(len(numbers), found['train'].nunique())}: {style.percent(level)} intervals, about "
        "other images to train on and to test on."
    )
    if len(shown) < len(models):
        order = "with which photographs tell most of photographs" if real else "that tell most"
        said += f" The features of {len(shown)} of {len(models)} models, those {order}."
    return said


def _bars(numbers: int, trained: int) -> str:
    """How intervals are drawn."""
    if numbers == 1:
        return "Bars"
    return "Bands" if trained <= BANDS else "Bars, at the largest number alone"


def _looks(names: Sequence[str], real: str | None) -> list[tuple[str, str]]:
    """Colour and marker of each source; photographs are black discs, all generated images grey."""
    looks = []
    for index, name in enumerate(names):
        if name == real:
            looks.append((style.INK, "o"))
        elif name == style.ALL:
            looks.append((style.FAINT, "s"))
        else:
            looks.append(
                (_GENERATED[index % len(_GENERATED)], _MARKERS[(index + 2) % len(_MARKERS)])
            )
    return looks


def _dress(
    axes: Axes,
    numbers: Sequence[int],
    side: float,
    strip: float,
    drawn: pd.DataFrame,
    labelled: bool,
) -> None:
    """Set up the axes of a panel: chance as a dashed line, and only numbers that were tried.

    Args:
        axes: The axes.
        numbers: Images of each category, ascending.
        side: Width of the panel in inches.
        strip: Of these, what stays free at the right.
        drawn: All rows that any panel shows.
        labelled: Whether the vertical axis has labels.
    """
    ends = drawn[["top1", "low", "high", "chance"]].to_numpy(dtype=float)
    low = max(0.0, float(np.nanmin(ends)) - 0.03)
    axes.set_ylim(low, min(1.015, float(np.nanmax(ends)) + 0.03))
    ticks = [t / 10 for t in range(0, 11, 1 if axes.get_ylim()[1] - low < 0.5 else 2)]
    ticks = [tick for tick in ticks if low <= tick <= axes.get_ylim()[1]]
    axes.set_yticks(ticks, [f"{100 * tick:.0f}" for tick in ticks])
    axes.tick_params(axis="y", labelleft=labelled)
    axes.spines["left"].set_visible(True)
    axes.grid(axis="y")
    if len(numbers) > 1:
        span = np.log(numbers[-1] / numbers[0]) / (0.84 - strip / side)  # of the whole axis
        axes.set_xscale("log")
        first = np.log(numbers[0]) - 0.08 * span
        axes.set_xlim(np.exp(first), np.exp(first + span))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        kept: list[int] = []
        for number in reversed(numbers):  # the largest is what sentences are about
            away = np.log(kept[-1] / number) / span * side if kept else np.inf
            wide = style.text_width(f"{number:,}") if kept else 0.0
            if away > wide + 0.06:
                kept.append(number)
        axes.set_xticks(kept, [f"{number:,}" for number in kept])
    else:
        axes.set_xlim(-1, 1)  # one place in the middle
        axes.set_xticks([0], [f"{numbers[0]:,}"])
    axes.set_xlabel("images each" if side < 1.2 else "images of each category", labelpad=2)
    for chance in sorted(set(drawn["chance"])):
        axes.axhline(chance, label="chance", **_CHANCE)


_CHANCE: dict[str, Any] = {
    "color": style.FAINT,
    "linewidth": 0.8,
    "dashes": (2.5, 1.5),
    "zorder": 1.5,
}


def _curve(axes: Axes, rows: pd.DataFrame, look: tuple[str, str], band: bool) -> None:
    """Draw one source's curve, with its intervals as a band or without them."""
    color, marker = look
    x, value, low, high = (
        rows[name].to_numpy(dtype=float) for name in ("per_category", "top1", "low", "high")
    )
    if band:
        axes.fill_between(x, low, high, color=color, alpha=0.14, linewidth=0, zorder=2)
    axes.plot(
        *(x, value),
        color=color,
        marker=marker,
        linewidth=1.0,
        markersize=3.4,
        markeredgewidth=0,
        zorder=3,
    )


def _bar(axes: Axes, rows: pd.DataFrame, look: tuple[str, str], place: float) -> None:
    """Draw a mark with its interval; ``place`` is a share of the panel's width."""
    color, marker = look
    value, low, high = (rows[name].to_numpy(dtype=float) for name in ("top1", "low", "high"))
    x = axes.transData.inverted().transform(axes.transAxes.transform((place, 0)))[0]
    axes.errorbar(
        *([x] * len(rows), value),
        yerr=np.vstack([(value - low).clip(0), (high - value).clip(0)]),
        color=color,
        marker=marker,
        linestyle="none",
        markersize=3.4,
        markeredgewidth=0,
        elinewidth=0.8,
        zorder=3,
    )


def _keys(looks: dict[str, tuple[str, str]], real: str | None) -> list[Line2D]:
    """Legend entries for the sources and for chance."""
    entries = []
    for name, (color, marker) in looks.items():
        label = "all generated" if name == style.ALL else style.plain(name)
        suffix = " (real)" if name == real else ""
        label = f"trained on {style.elide(label, 0.9, style.SMALL)}{suffix}"
        entries.append(
            Line2D(
                *([], []),
                color=color,
                marker=marker,
                linewidth=1.0,
                markersize=3.4,
                markeredgewidth=0,
                label=label,
            )
        )
    return [*entries, Line2D([], [], label="chance", **_CHANCE)]

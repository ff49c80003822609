"""What classifiers know that are trained on one source: a matrix for each model's features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from synthsight.figures import style
from synthsight.statistics.trained import at_most, best_first, photographs, sources

MOST_SOURCES = 24
"""Maximum number of sources in a matrix; the photographs are always among them."""
WITH_INTERVALS = 15
"""Up to this number of sources, cells have their intervals; beyond, they are too narrow."""

_PAGE = 9.0  # inches of a page that the matrices may take
_WIDEST, _NARROWEST = 0.5, 0.24  # inches of a cell's width
_HIGH, _LOW = 0.31, 0.19  # inches of a cell's height, with its interval and without
_NAMES = 1.0  # inches for the names of the sources, beside and above a matrix
_NAMES_NARROW, _SOURCES_NARROW = 0.75, 8  # the same in a narrow figure, and sources in a matrix
_APART = 0.07  # inches between generated sources and photographs
_BETWEEN = 0.3  # inches between matrices
_HEAD = 0.3  # inches for a matrix's title
_KEY = 0.26  # inches for the legend


def transfer(table: pd.DataFrame, level: float = 0.95) -> Figure:
    """Draw the accuracy of classifiers trained on each source and tested on each.

    A matrix for each model whose features are used, those that tell most of photographs first, as
    many as a page has room for. Cells are at the largest number of images of each category.

    Args:
        table: The transfer table.
        level: Confidence level of the intervals.

    Raises:
        ValueError: If the table has no row.
    """
    if table.empty:
        raise ValueError("the transfer table has no row")
    found = at_most(table)
    models = best_first(table)
    real = photographs(table)
    every = sources(table)
    most = _SOURCES_NARROW if style.narrow() else MOST_SOURCES
    names = every if len(every) <= most else _fewer(every, real, most)
    limit = _NAMES_NARROW if style.narrow() else _NAMES
    labels = style.elide_all([_named(name, real) for name in names], limit, style.SMALL)
    grid = _Grid(len(names), real in names, labels)
    shown = models[: grid.columns * grid.rows]

    title = "Trained on one source, tested on another"
    subtitle = _subtitle(found, models, shown, real, level) + (
        "" if len(names) == len(every) else f" {len(names)} of {len(every)} sources are shown."
    )
    under = style.heading_height(title, subtitle, 4) + 0.08
    top = under + _KEY + (0.16 if style.narrow() else 0)
    lines = -(-len(shown) // grid.columns)
    chance = float(found["chance"].min())
    with style.style():
        figure = style.sheet(top + lines * (grid.height + _BETWEEN) - _BETWEEN + style.MARGIN)
        style.heading(figure, title, subtitle, 4)
        _key(figure, under, chance, real is not None)
        axes = style.canvas(figure)
        for number, model in enumerate(shown):
            row, column = divmod(number, grid.columns)
            at = (
                style.MARGIN + column * (grid.width + _BETWEEN),
                top + row * (grid.height + _BETWEEN),
            )
            cells = {
                (str(each["train"]), str(each["test"])): each
                for each in found[found["model"] == model].to_dict("records")
            }
            _matrix(axes, grid, at, style.plain(model), cells, names, labels, chance)
    return figure


class _Grid:
    """Where the parts of a matrix are, in inches.

    Attributes:
        cell: width of a cell.
        tall: height of a cell.
        beside: room for the names to the left.
        above: room for title and names above.
        upright: whether the names above stand upright.
        intervals: whether cells have their intervals.
        places: where each row and column begins, in cells and inches.
        columns: matrices side by side.
        rows: matrices one below the other on a page.
    """

    def __init__(self, number: int, apart: bool, labels: Sequence[str]) -> None:
        widest = max(style.text_width(label, style.SMALL) for label in labels)
        self.beside = max(widest, style.text_width("trained on", style.SMALL)) + 0.05
        room = style.room() - self.beside - _APART * apart
        self.cell = max(min(_WIDEST, room / number), _NARROWEST)
        self.intervals = number <= WITH_INTERVALS
        self.tall = _HIGH if self.intervals else _LOW
        words = [word for label in labels for word in label.split()]
        self.upright = max(style.text_width(w, style.SMALL) for w in words) > self.cell - 0.03
        self.above = _HEAD + (widest + 0.05 if self.upright else 2 * style.LINE)
        self.apart = _APART if apart and number > 1 else 0.0
        self.number = number
        self.width = self.beside + number * self.cell + self.apart
        self.height = self.above + number * self.tall + self.apart
        full = style.room()
        self.columns = max(1, int((full + _BETWEEN) / (self.width + _BETWEEN)))
        self.rows = max(1, int((_PAGE + _BETWEEN) / (self.height + _BETWEEN)))

    def place(self, index: int, size: float) -> float:
        """Where a row or column begins, from the matrix's first."""
        return index * size + (self.apart if index == self.number - 1 else 0.0)


def _subtitle(
    found: pd.DataFrame,
    models: Sequence[str],
    shown: Sequence[str],
    real: str | None,
    level: float,
) -> str:
    numbers = sorted(set(found["per_category"]))
    each = f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"
    categories = style.count(int(found["categories"].max()), "category", "categories")
    said = (
        f"Linear classifiers trained on {each} images of each of {categories} from the source of "
        "the row, tested on other images from the source of the column. Accuracy in per cent, "
        f"below it its {style.percent(level)} interval, about other images to train on and to test "
        "on."
    )
    if len(shown) < len(models):
        order = "with which photographs tell most of photographs" if real else "that tell most"
        said += f" The features of {len(shown)} of {len(models)} models, those {order}."
    return said


def _fewer(names: Sequence[str], real: str | None, most: int) -> list[str]:
    """The first generators, all generated images together, and the photographs."""
    last = [name for name in names if name in (style.ALL, real)]
    return [name for name in names if name not in last][: most - len(last)] + last


def _named(name: str, real: str | None) -> str:
    if name == style.ALL:
        return "all generated"
    return f"{style.plain(name)} (real)" if name == real else style.plain(name)


def shades() -> Colormap:
    """White to dark blue: its lightness falls evenly, so that it can be printed in grey."""
    return ListedColormap(colormaps["Blues"](np.linspace(0, 0.95, 256)), "shades")


def _matrix(
    axes: Axes,
    grid: _Grid,
    at: tuple[float, float],
    title: str,
    cells: Mapping[tuple[str, str], Mapping[Any, Any]],
    names: Sequence[str],
    labels: Sequence[str],
    chance: float,
) -> None:
    """Draw one model's matrix with its top left corner at a place in inches."""
    left, top = at
    small: dict[str, Any] = {"fontsize": style.SMALL}
    head = style.elide(title, grid.width, bold=True)
    axes.text(left, top, head, va="top", fontsize=style.NORMAL, weight="bold")
    x0, y0 = left + grid.beside, top + grid.above
    axes.text(x0, top + 0.15, "tested on", va="top", color=style.FAINT, **small)
    axes.text(
        x0 - 0.05, y0 - 0.03, "trained on", ha="right", va="bottom", color=style.FAINT, **small
    )
    under: dict[str, Any] = {"ha": "center", "va": "bottom", "rotation": 90 * grid.upright, **small}
    for index, label in enumerate(labels):
        x = x0 + grid.place(index, grid.cell) + grid.cell / 2
        y = y0 + grid.place(index, grid.tall) + grid.tall / 2
        lines = [label] if grid.upright else style.wrap(label, grid.cell, style.SMALL)
        for number, line in enumerate(reversed(lines)):
            axes.text(x, y0 - 0.03 - 0.9 * number * style.LINE, line, **under)
        axes.text(x0 - 0.05, y, label, ha="right", va="center", **small)
    for down, train in enumerate(names):
        for across, test in enumerate(names):
            row = cells.get((train, test))
            if row is not None and row["top1"] == row["top1"]:
                x = x0 + grid.place(across, grid.cell)
                y = y0 + grid.place(down, grid.tall)
                _cell(axes, grid, (x, y), row, chance)


def _cell(
    axes: Axes, grid: _Grid, at: tuple[float, float], row: Mapping[Any, Any], chance: float
) -> None:
    """Draw one accuracy, and its interval if there is one and room for it."""
    (x, y), value = at, float(row["top1"])
    share = (value - chance) / (1 - chance) if chance < 1 else 1.0
    shade = shades()(min(max(share, 0.0), 1.0))
    own = row["train"] == row["test"]
    axes.add_patch(
        Rectangle(
            (x + 0.012, y + 0.012),
            grid.cell - 0.024,
            grid.tall - 0.024,
            facecolor=shade,
            edgecolor=style.INK if own else "#C9C9C9",
            linewidth=1.1 if own else 0.4,
        )
    )
    middle = x + grid.cell / 2
    low, high = float(row["low"]), float(row["high"])
    bounds = grid.intervals and low == low and high == high
    look: dict[str, Any] = {"ha": "center", "va": "center", "color": _ink(shade)}
    number = f"{100 * value:.1f}" if grid.cell > 0.3 else f"{100 * value:.0f}"
    size = style.LARGE - 1 if grid.intervals else style.SMALL
    axes.text(middle, y + grid.tall * (0.33 if bounds else 0.5), number, fontsize=size, **look)
    if bounds:
        ends = f"{100 * low:.0f}\N{EN DASH}{100 * high:.0f}"
        axes.text(middle, y + grid.tall * 0.73, ends, fontsize=style.SMALL, **look)


def _ink(shade: tuple[float, float, float, float]) -> str:
    """White or black, whichever stands out more from a shade (its relative luminance, WCAG 2)."""
    linear = [((c + 0.055) / 1.055) ** 2.4 if c > 0.04045 else c / 12.92 for c in shade[:3]]
    return "white" if np.dot([0.2126, 0.7152, 0.0722], linear) < 0.179 else style.INK


_FRAME = "trained and tested on different images of one source"


def _key(figure: Figure, top: float, chance: float, real: bool) -> None:
    """Explain the shades and the frames."""
    width = 1.5
    words = f"chance, {100 * chance:.1f}%"
    style.write(figure, style.MARGIN, top, words, fontsize=style.SMALL)
    start = style.MARGIN + style.text_width(words, style.SMALL) + 0.06
    bar = style.panel(figure, start, top + 0.005, width, 0.1)
    bar.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=shades())
    bar.set_xticks([])
    bar.set_yticks([])
    for spine in bar.spines.values():
        spine.set(visible=True, linewidth=0.4)
    style.write(figure, start + width + 0.06, top, "100%", fontsize=style.SMALL)
    frame = Line2D(
        *([], []),
        linestyle="none",
        marker="s",
        markersize=6,
        markerfacecolor="white",
        markeredgecolor=style.INK,
        markeredgewidth=1.1,
        label=("different images of one source" if style.narrow() else _FRAME)
        + (", photographs last" if real else ""),
    )
    if style.narrow():
        style.legend(figure, [frame], style.MARGIN, top + 0.18, 1)
    else:
        style.legend(figure, [frame], start + width + 0.6, top, 1)

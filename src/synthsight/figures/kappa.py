"""How often any two models get the same images, beyond chance (Geirhos et al. 2020)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from synthsight.figures import style

NUMBERED = 15
"""With more models than this, cells have no numbers."""

_LIMIT = 1.55  # inches for the names of models
_TREE = 0.75  # inches for the dendrogram
_GAP = 0.14  # inches between the heat map and the dendrogram
_KEY = 0.36  # inches under the heat map for the numbers of the columns
_CELL = 0.25  # inches of a cell's width, if a number is to fit
_BAR = 0.09  # inches of the colour bar's height
_FOOT = 0.4  # inches from the colour bar's top to the end
_COLORS = "YlGnBu"
_MISSING = "#E5E5E5"


@dataclass(frozen=True)
class _Clusters:
    """Models in the order of the tree's leaves, and the tree's lines."""

    order: list[int]
    lines: list[NDArray[np.float64]]
    height: float


def kappa(table: pd.DataFrame, rule: str) -> Figure:
    """Draw Cohen's kappa of correctness between any two models, with similar models side by side.

    Average linkage of ``1 - kappa`` gives the order and the tree, for which an undefined kappa
    counts as 0. Top-1 hits are drawn.

    Args:
        table: The kappa table.
        rule: Matching rule, such as ``words/simple``.

    Raises:
        ValueError: If the table has rows, but none under this rule.
    """
    title = "How often two models get the same images right, beyond chance"
    if table.empty:
        return _no_pair(title, rule)
    pairs = style.of_rule(style.generated(table), rule, "kappa")
    pairs = pairs[pairs["hit"] == "top1"]
    if pairs.empty:  # of fewer than two models
        return _no_pair(title, rule)
    models = sorted({*map(str, pairs["a"]), *map(str, pairs["b"])})
    matrix = _matrix(pairs, models)
    clusters = _cluster(matrix)
    names = [models[index] for index in clusters.order]
    matrix = matrix[np.ix_(clusters.order, clusters.order)]

    subtitle = (
        f"Cohen's kappa of top-1 correctness on generated images, rule {style.plain(rule)}; "
        f"{style.count(len(names), 'model')}, clustered. 1: the same images right and wrong; 0: as "
        "often as expected by chance; below 0: less often. Columns have the numbers of the rows."
    )
    undefined = int(pairs["kappa"].isna().sum())
    if undefined:
        subtitle += f" Grey: undefined, {style.count(undefined, 'pair')}."
    digits = len(str(len(names)))
    labels, label_width = style.label_column(names, _LIMIT)
    number_width = style.text_width("0" * digits) + 0.08
    left = style.MARGIN + label_width + number_width + 0.04
    width = style.width() - style.MARGIN - left - _TREE - _GAP
    # Cells are square, unless names need more height or there are so few models that they would be
    # tall.
    pitch = min(max(width / len(names), style.LINE), 0.4)
    numbered = len(names) <= NUMBERED and width / len(names) > _CELL
    height = pitch * len(names)
    top = style.heading_height(title, subtitle, 3) + 0.12
    low, high = _range(matrix)

    with style.style():
        figure = style.sheet(top + height + _KEY + _FOOT)
        style.heading(figure, title, subtitle, 3)
        axes = style.panel(figure, left, top, width, height)
        mesh = axes.pcolormesh(np.ma.masked_invalid(matrix), cmap=_COLORS, vmin=low, vmax=high)
        _dress(axes, len(names), width)
        for row, label in enumerate(labels):
            above = top + (row + 0.5) * pitch
            right = left - 0.04
            style.write(figure, right, above, f"{row + 1}", ha="right", va="center_baseline")
            right -= number_width - 0.02
            style.write(figure, right, above, label, ha="right", va="center_baseline")
        _blanks(axes, matrix)
        if numbered:
            _numbers(axes, matrix, low, high)
        _tree(style.panel(figure, left + width + _GAP, top, _TREE, height), clusters, len(names))
        bar = style.panel(figure, left, top + height + _KEY, min(width, 2.5), _BAR)
        Colorbar(bar, mesh, orientation="horizontal", drawedges=False)
        bar.set_xlabel("kappa", labelpad=1)
    return figure


def _no_pair(title: str, rule: str) -> Figure:
    """Say that a single model has no other to agree with."""
    subtitle = (
        f"Rule {style.plain(rule)}. There is no pair of models to compare: kappa needs two or more."
    )
    with style.style():
        figure = style.sheet(style.heading_height(title, subtitle) + style.MARGIN)
        style.heading(figure, title, subtitle)
    return figure


def _matrix(pairs: pd.DataFrame, models: Sequence[str]) -> NDArray[np.float64]:
    """Return kappa as a symmetric matrix; the diagonal, and pairs without kappa, are NaN."""
    place = {model: index for index, model in enumerate(models)}
    matrix = np.full((len(models), len(models)), np.nan)
    rows = pairs["a"].map(lambda name: place[str(name)]).to_numpy()
    columns = pairs["b"].map(lambda name: place[str(name)]).to_numpy()
    values = pairs["kappa"].to_numpy(dtype=float)
    matrix[rows, columns] = values
    matrix[columns, rows] = values
    return matrix


def _cluster(matrix: NDArray[np.float64]) -> _Clusters:
    distance = 1 - np.nan_to_num(matrix, nan=0.0)
    np.fill_diagonal(distance, 0.0)
    # Rounding may make 1 - 1 slightly negative, which linkage refuses.
    condensed = np.clip(squareform(distance, checks=False), 0.0, None)
    links = hierarchy.linkage(condensed, method="average", optimal_ordering=True)
    tree = hierarchy.dendrogram(links, no_plot=True)
    # scipy puts the leaves at 5, 15, 25, ...
    lines = [
        np.column_stack([across, np.array(along) / 10])
        for along, across in zip(tree["icoord"], tree["dcoord"], strict=True)
    ]
    return _Clusters([int(leaf) for leaf in tree["leaves"]], lines, float(links[-1, 2]))


def _range(matrix: NDArray[np.float64]) -> tuple[float, float]:
    """Round the range of kappa outwards to tenths, so that the colours span all of it.

    They span a fifth at least, and end at 1, which no kappa exceeds.
    """
    found = matrix[np.isfinite(matrix)]
    if not found.size:
        return 0.0, 1.0
    low = math.floor(round(10 * float(found.min()), 6)) / 10
    high = math.ceil(round(10 * float(found.max()), 6)) / 10
    low = min(low, 0.8)
    return low, max(high, round(low + 0.2, 1))


def _dress(axes: Axes, models: int, width: float) -> None:
    """Number the columns, as many of them as there is room for."""
    axes.set_xlim(0, models)
    axes.set_ylim(models, 0)
    axes.set_yticks([])
    room = style.text_width(str(models)) + 0.05
    step = next((s for s in (1, 2, 5, 10, 20, 50) if s * width / models >= room), models)
    shown = [column for column in range(1, models + 1) if column % step == 0]
    axes.set_xticks([column - 0.5 for column in shown], [str(column) for column in shown])
    axes.tick_params(axis="x", length=0)
    axes.spines["bottom"].set_visible(False)


def _blanks(axes: Axes, matrix: NDArray[np.float64]) -> None:
    """Fill the cells without a kappa, other than the diagonal, in grey."""
    for row, column in np.argwhere(np.isnan(matrix)):
        if row != column:
            axes.add_patch(
                Rectangle((column, row), 1, 1, facecolor=_MISSING, edgecolor="none", zorder=1)
            )


def _numbers(axes: Axes, matrix: NDArray[np.float64], low: float, high: float) -> None:
    for (row, column), value in np.ndenumerate(matrix):
        if row == column:
            continue
        text = "\N{EN DASH}" if np.isnan(value) else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
        dark = not np.isnan(value) and (value - low) / (high - low) > 0.55
        axes.text(
            column + 0.5,
            row + 0.5,
            text,
            ha="center",
            va="center_baseline",
            fontsize=style.SMALL,
            color="white" if dark else style.INK,
        )


def _tree(axes: Axes, clusters: _Clusters, models: int) -> None:
    axes.add_collection(LineCollection(clusters.lines, colors=style.FAINT, linewidths=0.6))
    axes.set_ylim(models, 0)
    axes.set_xlim(0, max(clusters.height, 0.05) * 1.08)
    axes.set_yticks([])
    ticks = [0.0, round(max(clusters.height, 0.05), 2)]
    axes.set_xticks(ticks, [f"{tick:.2f}" if tick else "0" for tick in ticks])
    axes.set_xlabel("1 \N{MINUS SIGN} kappa", labelpad=1)

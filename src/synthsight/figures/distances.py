"""How far generated images are from photographs, and that accuracy is not all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from synthsight.figures import rows, style
from synthsight.figures.placing import place
from synthsight.statistics.moments import Floats

MOST = 6
"""Maximum number of models whose features are shown: the first by name."""
MOST_ROWS = 30
"""Maximum number of rows in the lower part; of more, fewer models are shown."""
NAMED = 14
"""Up to this number of generators all are named at their points."""

_COLUMNS = 3  # panels of points side by side
_TICKS = 0.44  # inches left of an axis with percentages, for these and its label
_BETWEEN = 0.2  # inches between panels
_HEAD = 0.34  # inches from the top of a part's title to its rows
_FOOT = 0.42  # inches for tick labels, the x label and the space to the next part
_LARGEST = 2.6  # inches of a panel's side
_NAME = 0.1  # inches of a name's height


@dataclass(frozen=True)
class _Measure:
    """A column of the table, how it is drawn, and in which of the axes of a row."""

    column: str
    look: rows.Metric
    axes: int


_MEASURES = (
    _Measure("kid", rows.Metric("KID", style.INK, "o", 0, (1, 1)), 0),
    _Measure("precision", rows.Metric("precision", style.BLUE, "o", -0.22, (1, 1)), 1),
    _Measure("recall", rows.Metric("recall", style.ORANGE, "s", 0, (1, 1)), 1),
    _Measure("coverage", rows.Metric("coverage", style.GREEN, "^", 0.22, (1, 1)), 1),
    _Measure("c2st", rows.Metric("told from photographs", style.VERMILLION, "D", 0, (1, 1)), 2),
)
_AXES = ("KID", "per cent", "told apart (%)")


def distances(
    table: pd.DataFrame, accuracy: pd.DataFrame, rule: str, level: float = 0.95
) -> Figure:
    """Draw accuracy on each generator's images against how much of the photographs they cover.

    The accuracy is that of the best model. A generator that repeats itself is easy to recognise,
    and covers little: it stands to the upper left. Half of the photographs against the other half
    stand for what can be reached. Below are the distances, in the features of one model after the
    other.

    Args:
        table: The distances table; the row whose generator is its reference is about the halves.
        accuracy: The accuracy table.
        rule: Matching rule, such as ``words/simple``.
        level: Confidence level of the intervals, for the heading.

    Raises:
        ValueError: If the table has no row, or the accuracy table none under this rule.
    """
    if table.empty:
        raise ValueError("the distances table has no row")
    best = style.best_model(accuracy, rule)
    of_best = style.of_rule(accuracy, rule, "accuracy")
    of_best = of_best[(of_best["model"] == best) & (of_best["category"] == style.ALL)]
    means = of_best.set_index("generator")[["top1", "top1_low", "top1_high"]]
    table = table.join(means, on="generator").assign(
        half=(table["generator"] == table["reference"]).to_numpy()
    )
    table = table.sort_values(["half", "generator"], kind="stable")
    models = sorted(set(map(str, table["model"])))
    blocks = {model: table[table["model"] == model] for model in models}
    longest = max(len(block) for block in blocks.values())
    shown = models[: max(1, min(MOST, MOST_ROWS // longest // (3 if style.narrow() else 1)))]

    title = "How far generated images are from photographs"
    subtitle = _subtitle(table, models, shown, best, rule, level)
    under = style.heading_height(title, subtitle, 5) + 0.08
    keys = style.legend_columns(style.labels_of(_keys()), 6)
    top = under + 0.24 + style.legend_height(style.labels_of(_keys()), keys)
    columns = min(2 if style.narrow() else _COLUMNS, len(shown))
    room = style.room() - _TICKS - _BETWEEN * (columns - 1)
    side = min(room / columns, _LARGEST)
    lines = -(-len(shown) // columns)
    below = top + lines * (_HEAD + side + _FOOT)
    labels = {model: _labels(block) for model, block in blocks.items()}
    every = sorted({label for model in shown for label in labels[model]})
    width = max(style.text_width(label) for label in every)
    heights = [len(blocks[model]) * rows.row_height(len(blocks[model])) for model in shown]
    across = 1 if style.narrow() else 3  # measures side by side
    down = 3 // across
    with style.style():
        figure = style.sheet(below + sum(_HEAD + down * (height + _FOOT) for height in heights))
        style.heading(figure, title, subtitle, 5)
        style.legend(figure, _keys(), style.MARGIN, under, keys)
        for number, model in enumerate(shown):
            row, column = divmod(number, columns)
            left = style.MARGIN + _TICKS + column * (side + _BETWEEN)
            above = top + row * (_HEAD + side + _FOOT)
            head = style.elide(style.plain(model), side, bold=True)
            style.write(figure, left, above, head, weight="bold")
            axes = style.panel(figure, left, above + _HEAD - 0.14, side, side)
            _points(axes, blocks[model], labels[model], table, side, column == 0)
        above = below
        for model, height in zip(shown, heights, strict=True):
            head = f"Distance in the features of {style.plain(model)}"
            head = style.elide(head, style.room(), bold=True)
            style.write(figure, style.MARGIN, above, head, weight="bold")
            start = style.MARGIN + width + 0.06
            third = (style.width() - style.MARGIN - start - (across - 1) * _BETWEEN) / across
            for part in range(3):
                at = start + part % across * (third + _BETWEEN)
                under = above + _HEAD - 0.12 + part // across * (height + _FOOT)
                axes = style.panel(figure, at, under, third, height)
                names = labels[model] if part % across == 0 else [""] * len(labels[model])
                _dots(axes, blocks[model], names, part)
            above += _HEAD + down * (height + _FOOT)
    return figure


def _subtitle(
    table: pd.DataFrame,
    models: Sequence[str],
    shown: Sequence[str],
    best: str,
    rule: str,
    level: float,
) -> str:
    counts = sorted(set(table["n"]))
    each = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    said = (
        f"Across: the share of photographs that a generated image is near to (coverage). Upwards: "
        f"top-1 of {style.plain(best)}, the best model, under {style.plain(rule)}; with "
        f"{style.percent(level)} intervals. Upper left: easy to recognise, without diversity. "
        "Dotted: half of the photographs against the other half. A panel for each model whose "
        f"features are compared; {each} images of each source against as many photographs."
    )
    if len(shown) < len(models):
        said += f" The features of {len(shown)} of {len(models)} models, the first by name."
    return said


def _labels(block: pd.DataFrame) -> list[str]:
    names = [
        f"{style.plain(row.generator)} (real, halves)"
        if row.half
        else "all generated"
        if row.generator == style.ALL
        else style.plain(row.generator)
        for row in block.itertuples()
    ]
    return style.elide_all(names, min(1.5, style.width() / 3))


def _points(
    axes: Axes,
    block: pd.DataFrame,
    labels: Sequence[str],
    table: pd.DataFrame,
    side: float,
    labelled: bool,
) -> None:
    """Draw one model's panel of accuracy against coverage."""
    ends = table[["top1", "top1_low", "top1_high"]].to_numpy(dtype=float)
    known = bool(np.isfinite(ends).any())
    low = max(0.0, float(np.nanmin(ends)) - 0.05) if known else 0.0
    high = min(1.015, float(np.nanmax(ends)) + 0.05) if known else 1.0
    axes.set(xlim=(-0.03, 1.03), ylim=(low, high))
    across = [0, 0.25, 0.5, 0.75, 1] if side > 1.3 else [0, 0.5, 1]
    axes.set_xticks(across, [f"{100 * tick:.0f}" for tick in across])
    ticks = list(MaxNLocator(5).tick_values(low, high))
    ticks = [tick for tick in ticks if low <= tick <= min(high, 1)]
    axes.set_yticks(ticks, [f"{100 * tick:.0f}" for tick in ticks])
    axes.tick_params(axis="y", labelleft=labelled)
    axes.spines["left"].set_visible(True)
    axes.grid(True)
    axes.set_xlabel("coverage of the photographs (%)" if side > 1.6 else "coverage (%)", labelpad=2)
    if labelled:
        axes.set_ylabel("top-1 of the best model (%)" if side > 1.3 else "top-1 (%)", labelpad=2)
    for half, color, marker in ((False, style.FAINT, "o"), (True, style.INK, "D")):
        part = block[block["half"] == half]
        if half:
            for coverage in part["coverage"]:
                axes.axvline(coverage, color=style.INK, linewidth=0.8, dashes=(1, 1.5), zorder=1.5)
        part = part[part["top1"].notna()]
        if part.empty:
            continue
        axes.errorbar(
            part["coverage"],
            part["top1"],
            xerr=_error(part, "coverage"),
            yerr=_error(part, "top1"),
            fmt=marker,
            color=color,
            markersize=3.6,
            markeredgewidth=0,
            elinewidth=0.8,
            zorder=3,
        )
    _name(axes, block, labels, side, (low, high))


def _error(part: pd.DataFrame, value: str) -> Floats:
    middle, low, high = (
        part[name].to_numpy(dtype=float) for name in (value, f"{value}_low", f"{value}_high")
    )
    return np.vstack([np.clip(middle - low, 0, None), np.clip(high - middle, 0, None)])


def _name(
    axes: Axes,
    block: pd.DataFrame,
    labels: Sequence[str],
    side: float,
    limits: tuple[float, float],
) -> None:
    """Write names beside their points where there is room."""
    names = [label.removesuffix(" (real, halves)") for label in labels]
    drawn = np.flatnonzero(block["top1"].notna().to_numpy())
    scale = side / (limits[1] - limits[0])
    x = (block["coverage"].to_numpy(dtype=float)[drawn] + 0.03) / 1.06 * side
    up = {
        end: (block[f"top1{end}"].to_numpy(dtype=float)[drawn] - limits[0]) * scale
        for end in ("", "_low", "_high")
    }
    ends = block[["coverage_low", "coverage_high"]].to_numpy(dtype=float)[drawn]
    left, right = (np.where(np.isfinite(e), (e + 0.03) / 1.06 * side, x) for e in ends.T)
    names = [style.elide(names[row], 0.9, style.SMALL) for row in drawn]
    order = list(range(len(drawn)))
    if len(order) > NAMED:  # the halves, and the ends of the coverage
        by_coverage = list(np.argsort(x, kind="stable"))
        order = [len(drawn) - 1, *by_coverage[: NAMED // 2], *by_coverage[-NAMED // 2 :]]
        order = list(dict.fromkeys(map(int, order)))
    found = place(
        list(zip(x, up[""], strict=True)),
        [style.text_width(name, style.SMALL) + 0.02 for name in names],
        order,
        _NAME,
        (0, 0, side, side),
        [
            *(
                (a - 0.01, b, a + 0.01, c)
                for a, b, c in zip(x, up["_low"], up["_high"], strict=True)
            ),
            *((a, b - 0.01, c, b + 0.01) for a, b, c in zip(left, up[""], right, strict=True)),
        ],
    )
    for row, (start, bottom) in found.items():
        axes.text(
            *(start / side, bottom / side, names[row]),
            fontsize=style.SMALL,
            transform=axes.transAxes,
            path_effects=[withStroke(linewidth=1.5, foreground="white")],
            zorder=4,
        )


def _dots(axes: Axes, block: pd.DataFrame, labels: Sequence[str], part: int) -> None:
    """Draw one of the three columns of a model's rows; KID has a scale of its own in each model."""
    rows.dress(axes, labels, _AXES[part])
    if part == 0:
        ends = block[["kid", "kid_low", "kid_high"]].to_numpy(dtype=float)
        low, high = min(float(np.nanmin(ends)), 0.0), max(float(np.nanmax(ends)), 1e-9)
        pad = 0.04 * (high - low)
        axes.set_xlim(low - pad, high + pad)
        ticks = [t for t in MaxNLocator(4).tick_values(low, high) if low <= t <= high]
        axes.set_xticks(ticks, [f"{tick:.3g}".replace("-", "\N{MINUS SIGN}") for tick in ticks])
        axes.axvline(0, color=style.INK, linewidth=0.6, zorder=2)
    elif part == 1:
        rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
    else:
        low = min(0.5, float(np.nanmin(block["c2st"].to_numpy(dtype=float), initial=0.5)))
        axes.set_xlim(low - 0.02, 1.01)
        ticks = [tick for tick in (0.25, 0.5, 0.75, 1) if tick >= low - 0.02]
        axes.set_xticks(ticks, [f"{100 * tick:.0f}" for tick in ticks])
        axes.axvline(0.5, color=style.INK, linewidth=0.6, zorder=2)
    for measure in _MEASURES:
        if measure.axes == part:
            name = measure.column
            bounds = None if name == "c2st" else (f"{name}_low", f"{name}_high")
            rows.marks(axes, block, measure.look, name, bounds)


def _keys() -> list[Line2D]:
    return [rows.key(measure.look) for measure in _MEASURES]

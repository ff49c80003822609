"""Accuracies as marks on horizontal rows, shared by the overview, the model pages and others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from synthsight.figures import style
from synthsight.statistics.reference import MEASURED


@dataclass(frozen=True)
class Metric:
    """How a metric is drawn.

    Attributes:
        label: Its displayed name.
        color: Its colour.
        marker: Its shape, redundant with the colour.
        offset: Position of its mark in a row, in rows below the middle.
        dashes: The dash pattern of its mean, in points.
    """

    label: str
    color: str
    marker: str
    offset: float
    dashes: tuple[float, float]


METRICS = {
    "top1": Metric("top-1", style.BLUE, "o", -0.2, (2.5, 1.5)),
    "top5": Metric("top-5", style.ORANGE, "s", 0.2, (6.0, 1.5)),
}
"""The two metrics, by their column in the tables."""

_MARKER_SIZE = 3.2


def row_height(rows: int) -> float:
    """Height of one row in inches: roomy for few rows, as tight as print allows for many."""
    if rows <= 3:
        return 0.3
    return 0.17 if rows <= 40 else 0.13


def dress(axes: Axes, labels: Sequence[str], xlabel: str) -> None:
    """Label the rows from the top down and shade every second one to guide the eye."""
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), labels)
    for row in range(1, len(labels), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=style.BAND, linewidth=0, zorder=0)
    axes.grid(axis="x")
    axes.set_xlabel(xlabel, labelpad=2)


def inches(axes: Axes) -> float:
    """How wide axes are."""
    return float(axes.get_position().width * axes.figure.get_size_inches()[0])  # type: ignore[union-attr]


def shown() -> list[str]:
    """The metrics that panels side by side are of: a narrow figure has room for top-1 alone."""
    return list(METRICS)[:1] if style.narrow() else list(METRICS)


def bars() -> str:
    """How a subtitle begins the sentence that says what intervals are."""
    return "Bars:" if style.narrow() else "Bars, and the numbers in brackets:"


def percent_axis(axes: Axes, ticks: Sequence[float]) -> None:
    """Show fractions from 0 to 1 as percentages."""
    if style.narrow() and len(ticks) > 3 and inches(axes) < 1.3:
        ticks = (0, 0.5, 1)
    axes.set_xlim(-0.015, 1.015)
    axes.set_xticks(ticks, [f"{100 * tick:.0f}" for tick in ticks])


def marks(
    axes: Axes,
    table: pd.DataFrame,
    look: Metric,
    value: str,
    bounds: tuple[str, str] | None,
    row: float = 1,
) -> None:
    """Draw a column of ``table``, its first row at the top; missing values are left out.

    Args:
        axes: Where to draw; the x axis is a fraction.
        table: The values and their bounds.
        look: How the marks are drawn.
        value: Column of the values.
        bounds: Columns of the lower and the upper bounds, drawn as bars; None for no bars.
        row: The unit of the look's offset, in rows.
    """
    numbers = table[value].to_numpy(dtype=float)
    error = None
    if bounds is not None:
        low, high = (table[bound].to_numpy(dtype=float) for bound in bounds)
        # Because of rounding, a mean of fractions may lie slightly outside its bounds.
        error = np.vstack([np.clip(numbers - low, 0, None), np.clip(high - numbers, 0, None)])
    axes.errorbar(
        numbers,
        np.arange(len(table)) + look.offset * row,
        xerr=error,
        fmt=look.marker,
        color=look.color,
        markersize=_MARKER_SIZE,
        markeredgewidth=0,
        elinewidth=0.8,
        label=look.label,
        clip_on=False,
        zorder=3,
    )


def accuracies(axes: Axes, table: pd.DataFrame, *, intervals: bool = True) -> None:
    """Draw top-1 and top-5 accuracy of each row of ``table``, the first at the top.

    Args:
        axes: Where to draw; the x axis is a fraction.
        table: Columns ``top1, top1_low, top1_high`` and the same for ``top5``, in 0..1.
        intervals: Whether to draw the bounds as bars.
    """
    for metric, look in METRICS.items():
        bounds = (f"{metric}_low", f"{metric}_high") if intervals else None
        marks(axes, table, look, metric, bounds)


def unknown(means: pd.DataFrame) -> str:
    """A sentence, after a blank, on the models whose top-5 hits are not known; or nothing.

    Args:
        means: Columns ``model`` and ``top5``, a row for each model.
    """
    models = means.loc[means["top5"].isna(), "model"].tolist()
    if not models:
        return ""
    who = style.plain(models[0]) if len(models) == 1 else style.count(len(models), "model")
    return f" Top-5 is not known of {'the model' if len(means) == 1 else who}."


def percent(fraction: float) -> str:
    """Format a fraction in per cent, with one decimal; a missing number becomes a dash."""
    return "\N{EN DASH}" if fraction != fraction else f"{100 * fraction:.1f}"


def averages(axes: Axes, mean: pd.Series) -> None:
    """Draw the means over categories as dashed lines, top-5 with longer dashes."""
    for metric, look in METRICS.items():
        if np.isnan(float(mean[metric])):
            continue
        axes.axvline(
            float(mean[metric]),
            color=look.color,
            linewidth=0.9,
            dashes=look.dashes,
            label=f"mean {look.label}",
            zorder=2,
        )


def key(look: Metric, label: str | None = None) -> Line2D:
    """Legend entry for marks, with another label if one is given."""
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=look.marker,
        color=look.color,
        markersize=_MARKER_SIZE,
        markeredgewidth=0,
        label=label or look.label,
    )


def keys(*, means: bool = False, hollow: str | None = None) -> list[Line2D]:
    """Legend entries for what this module draws.

    Args:
        means: Whether to explain the dashed lines.
        hollow: What hollow marks are accuracies on, if there are any.
    """
    entries = [key(look) for look in METRICS.values()]
    if hollow is not None:
        entries.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker="o",
                markerfacecolor="none",
                markeredgecolor=style.FAINT,
                markeredgewidth=0.7,
                markersize=_MARKER_SIZE,
                label=f"hollow: {hollow}",
            )
        )
    if means:
        entries.append(
            Line2D([], [], color=style.FAINT, linewidth=0.9, dashes=(2.5, 1.5), label="means")
        )
    return entries


def reference(kinds: pd.Series) -> str:
    """What references of these kinds are, for :func:`keys`."""
    return "real photographs" if (kinds == MEASURED).any() else "reference, as stated"


def hollow(axes: Axes, metric: str, value: float, row: int, shown: float) -> None:
    """Mark the accuracy of the reference, joined to the one shown to make the gap visible."""
    look = METRICS[metric]
    height = row + look.offset
    color = look.color
    axes.plot([shown, value], [height, height], color=color, linewidth=0.6, linestyle=":", zorder=2)
    axes.plot(
        [value],
        [height],
        linestyle="none",
        marker=look.marker,
        markerfacecolor="white",
        markeredgecolor=color,
        markeredgewidth=0.7,
        markersize=_MARKER_SIZE,
        label=f"{look.label} of the reference",
        clip_on=False,
        zorder=3,
    )


def numbers(axes: Axes, texts: Sequence[str], right: float, head: str) -> None:
    """Write a column of numbers next to the rows, under a heading.

    Args:
        axes: Axes whose rows :func:`dress` has labelled.
        texts: A number for each row, from the top down.
        right: Where the column ends, in inches to the right of the axes.
        head: The column's heading, on one line.
    """
    figure = axes.figure
    width, height = figure.get_size_inches()  # type: ignore[union-attr]
    place = axes.get_position()
    x = 1 + right / (place.width * width)
    axes.text(
        x,
        1 + 0.03 / (place.height * height),
        head,
        ha="right",
        va="bottom",
        fontsize=style.SMALL,
        color=style.FAINT,
        transform=axes.transAxes,
    )
    for row, text in enumerate(texts):
        axes.text(
            x,
            row,
            text,
            ha="right",
            va="center_baseline",
            fontsize=style.SMALL,
            transform=axes.get_yaxis_transform(),
        )


def points(fraction: float) -> str:
    """Format a difference of fractions in percentage points, with one decimal and a true minus.

    A missing number becomes a dash.
    """
    if fraction != fraction:
        return "\N{EN DASH}"
    return f"{round(100 * fraction, 1) + 0.0:.1f}".replace("-", "\N{MINUS SIGN}")


def interval(low: float, high: float) -> str:
    """Format the bounds of a difference in percentage points; empty if there are none."""
    return "" if low != low or high != high else f"({points(low)}, {points(high)})"

"""The panels of the overview: models, agreement, numbers of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from synthsight.figures import rows, style

# Colours and hatches of generators; if there are more, the rest is pooled as "others".
_GENERATOR_LOOKS = (
    (style.SKY, ""),
    (style.PURPLE, "/////"),
    (style.YELLOW, "....."),
    (style.GREY, "\\\\\\\\\\"),
    (style.BLUE, "xxxxx"),
    (style.ORANGE, "-----"),
)
_OTHER_LOOK = ("#FFFFFF", "")


def counts(images: pd.DataFrame, categories: Sequence[str]) -> pd.DataFrame:
    """Count generated images by category and generator (columns), the rarest generators pooled."""
    named = images["generator"].astype(object)
    table = pd.crosstab(images["category"], named.where(named.notna(), "unknown"))
    if not images["generator"].notna().any():
        table.columns = pd.Index(["images"] * table.shape[1])
    table = table.reindex(list(categories), fill_value=0).astype(int)
    if table.shape[1] > len(_GENERATOR_LOOKS):
        order = table.sum().sort_values(ascending=False, kind="stable").index
        kept = sorted(order[: len(_GENERATOR_LOOKS) - 1])
        pooled = table.drop(columns=kept)
        table = table[kept].assign(**{f"{pooled.shape[1]} others": pooled.sum(axis=1)})
    return table


def models(
    axes: Axes,
    means: pd.DataFrame,
    labels: Sequence[str],
    references: pd.DataFrame,
) -> None:
    """Draw each model's means, with those of its reference, and write them beside."""
    rows.dress(axes, labels, "accuracy (%)")
    rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
    for metric in rows.METRICS:
        known = references[f"reference_{metric}"].reindex(means["model"]).astype(float)
        for row, (value, shown) in enumerate(zip(known, means[metric], strict=True)):
            if not np.isnan(value) and not np.isnan(shown):
                rows.hollow(axes, metric, value, row, float(shown))
    rows.accuracies(axes, means)
    # The numbers are next to the marks, for those who want to quote them.
    for position, metric in ((0.32, "top1"), (0.61, "top5")):
        x = 1 + position / (axes.get_position().width * style.width())
        transform = axes.get_yaxis_transform()
        look = rows.METRICS[metric]
        axes.annotate(
            look.label,
            (x, 1),
            xycoords="axes fraction",
            xytext=(0, 2),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=style.SMALL,
            color=style.FAINT,
        )
        for row, value in enumerate(means[metric]):
            axes.text(
                x,
                row,
                rows.percent(float(value)),
                ha="right",
                va="center_baseline",
                fontsize=style.SMALL,
                transform=transform,
            )


def _agreement_looks(one: bool) -> dict[str, tuple[str, str, str, float]]:
    """Label, colour, hatch and offset of each column of the agreement table."""
    every, none = ("gets it", "misses it") if one else ("all get it", "none gets it")
    return {
        "none_top1": (f"{none}, top-1", style.VERMILLION, "", -0.2),
        "none_top5": (f"{none}, top-5", "#F4C7A8", "//////", 0.2),
        "all_top1": (f"{every}, top-1", style.GREEN, "", -0.2),
        "all_top5": (f"{every}, top-5", "#A9DCCB", "//////", 0.2),
    }


def agreement_keys(one: bool, table: pd.DataFrame) -> list[Patch]:
    """Legend entries for what :func:`agreement` draws."""
    return [
        Patch(facecolor=color, hatch=hatch, edgecolor=style.INK, linewidth=0.4, label=label)
        for column, (label, color, hatch, _) in _agreement_looks(one).items()
        if table[column].notna().any()
    ]


def agreement(axes: Axes, table: pd.DataFrame, labels: Sequence[str], one: bool) -> None:
    """Draw the share that no model gets left of zero, and the share that all get right of it."""
    sides = ("the model misses", "the model gets") if one else ("no model gets", "all models get")
    said = f"← {sides[0]}    images (%)    {sides[1]} →"
    if style.text_width(said) > rows.inches(axes):
        said = "← misses  images (%)  gets →" if one else "← none  images (%)  all →"
    rows.dress(axes, labels, said)
    axes.set_xlim(-1.03, 1.03)
    ticks = (-1, -0.5, 0, 0.5, 1)
    axes.set_xticks(ticks, [f"{abs(100 * tick):.0f}" for tick in ticks])
    axes.axvline(0, color=style.INK, linewidth=0.6, zorder=4)
    for column, (label, color, hatch, offset) in _agreement_looks(one).items():
        if table[column].isna().all():
            continue
        side = -1 if column.startswith("none") else 1
        axes.barh(
            np.arange(len(table)) + offset,
            side * table[column].to_numpy(dtype=float),
            height=0.36,
            color=color,
            hatch=hatch,
            edgecolor=style.INK,
            linewidth=0.3,
            label=label,
            zorder=2,
        )


def _generator_looks(counts: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Label, colour and hatch of each generator."""
    looks = list(_GENERATOR_LOOKS[: counts.shape[1]])
    if counts.shape[1] and str(counts.columns[-1]).endswith(" others"):
        looks[-1] = _OTHER_LOOK
    return [
        (style.elide(style.plain(name), 0.85, style.SMALL), color, hatch)
        for name, (color, hatch) in zip(counts.columns, looks, strict=True)
    ]


def generator_keys(counts: pd.DataFrame) -> list[Patch]:
    """Legend entries for generators, if there are several."""
    if counts.shape[1] < 2:
        return []
    return [
        Patch(facecolor=color, hatch=hatch, edgecolor=style.INK, linewidth=0.4, label=label)
        for label, color, hatch in _generator_looks(counts)
    ]


def photographs_key() -> Patch:
    """The legend entry for the number of photographs."""
    return Patch(**_PHOTOGRAPHS)


_PHOTOGRAPHS: dict[str, Any] = {
    "facecolor": "white",
    "edgecolor": style.INK,
    "linewidth": 0.4,
    "label": "+ real photographs",
}


def images(axes: Axes, counts: pd.DataFrame, photographs: pd.Series, labels: Sequence[str]) -> None:
    """Draw a stacked bar of each category's generated images, and one below of its photographs."""
    only = str(counts.columns[0]) if counts.shape[1] == 1 else "images"
    rows.dress(
        axes,
        labels,
        "images" if only == "images" else f"images, all from {style.plain(only)}",
    )
    start = np.zeros(len(counts))
    taken = photographs.to_numpy(dtype=float)
    height, middle = (0.46, -0.15) if taken.any() else (0.7, 0.0)
    for name, (label, color, hatch) in zip(counts.columns, _generator_looks(counts), strict=True):
        values = counts[name].to_numpy(dtype=float)
        axes.barh(
            np.arange(len(counts)) + middle,
            values,
            left=start,
            height=height,
            color=color,
            hatch=hatch,
            edgecolor=style.INK,
            linewidth=0.3,
            label=label,
            zorder=2,
        )
        start += values
    longest = max(float(start.max(initial=0)), float(taken.max(initial=0)), 1.0)
    axes.set_xlim(0, longest * (1.32 if taken.any() else 1.16))
    if taken.any():
        has = np.flatnonzero(taken)
        axes.barh(has + 0.23, taken[has], height=0.24, zorder=2, **_PHOTOGRAPHS)
    ticks = [t for t in MaxNLocator(5, integer=True).tick_values(0, longest) if t <= longest]
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    for row, (total, others) in enumerate(zip(start, taken, strict=True)):
        axes.annotate(
            f"{int(total):,}" + (f" + {int(others):,}" if others else ""),
            (max(total, others), row),
            xytext=(2 if total > others else 4, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=style.SMALL,
        )

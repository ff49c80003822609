"""How stable the ranking of the models is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from numpy.typing import NDArray

from synthsight.figures import rows, style
from synthsight.figures.counted import uncounted

NUMBERED = 15
"""With more models than this, cells have no numbers."""

_LIMIT = 1.65  # inches for the names of models
_MEAN = 0.45  # inches right of the heat map for the means
_KEY = 0.42  # inches under the heat map for the ranks
_CELL = 0.19  # inches of a cell's width, if a number is to fit
_BAR = 0.09  # inches of the colour bar's height
_FOOT = 0.4  # inches from the colour bar's top to the end


def ranking(table: pd.DataFrame, rule: str, adapted: Sequence[str] = ()) -> Figure:
    """Draw how often each model holds each rank over the draws.

    Models come in the order of their mean; top-1 is drawn.

    Args:
        table: The ranking table; a rank that a model never holds may be left out.
        rule: Matching rule, such as ``words/simple``.
        adapted: Models that were trained on the images, and have no rank.

    Raises:
        ValueError: If the table has no row under this rule.
    """
    found = style.of_rule(style.generated(table), rule, "ranking")
    found = found[found["hit"] == "top1"]
    means = found[["model", "mean"]].drop_duplicates("model")
    means = means.sort_values(["mean", "model"], ascending=[False, True], ignore_index=True)
    models = means["model"].tolist()
    shares = found.pivot_table(index="model", columns="rank", values="share")
    shares = shares.reindex(index=models, columns=range(1, len(models) + 1)).fillna(0.0)
    values = shares.to_numpy(dtype=float)
    # With many models no rank is held often, so the colours span only the range found, in tenths.
    highest = max(math.ceil(round(10 * float(values.max()), 6)), 1) / 10

    labels, label_width = style.label_column(models, _LIMIT)
    left = style.MARGIN + label_width + 0.06
    width = style.width() - style.MARGIN - _MEAN - left
    numbered = len(models) <= NUMBERED and width / len(models) > _CELL
    title = "How firm the ranking of the models is"
    subtitle = (
        "Share of draws of other generated images like these in which a model has a rank by mean "
        f"top-1; rule {style.plain(rule)}. Models in the order of their mean, which stands at the "
        "right" + ("; cells: per cent, empty where never." if numbered else ".")
    ) + (unranked := uncounted(sorted({*adapted} - {*models}), "ranked"))
    lines = 2 + bool(unranked)
    pitch = 0.22 if len(models) <= NUMBERED else 0.13
    height = pitch * len(models)
    top = style.heading_height(title, subtitle, lines) + 0.3

    with style.style():
        figure = style.sheet(top + height + _KEY + _FOOT)
        style.heading(figure, title, subtitle, lines)
        axes = style.panel(figure, left, top, width, height)
        mesh = axes.pcolormesh(
            np.arange(len(models) + 1) + 0.5,
            np.arange(len(models) + 1) - 0.5,
            np.ma.masked_equal(values, 0.0),
            cmap="Blues",
            vmin=0,
            vmax=highest,
        )
        axes.set_ylim(len(models) - 0.5, -0.5)
        axes.set_yticks(range(len(models)), labels)
        axes.set_xlim(0.5, len(models) + 0.5)
        # Hairlines lead from a row's name to its cells, which are near the diagonal.
        axes.hlines(
            np.arange(len(models) + 1) - 0.5,
            0.5,
            len(models) + 0.5,
            color="#D9D9D9",
            linewidth=0.4,
            zorder=0,
        )
        step = next(s for s in (1, 2, 5, 10, 20, 50, 100, len(models)) if len(models) / s <= 25)
        if style.narrow():
            wanted = style.text_width(str(len(models))) + 0.04
            steps = (1, 2, 5, 10, 20, 50, 100, len(models))
            step = next((s for s in steps if s * width / len(models) >= wanted), len(models))
        ranks = [rank for rank in range(1, len(models) + 1) if rank % step == 0]
        ranks = [1, *ranks] if step > 1 and (step - 1) * width / len(models) > 0.15 else ranks
        axes.set_xticks(ranks, [str(rank) for rank in ranks])
        axes.set_xlabel("rank", labelpad=1)
        if numbered:
            _numbers(axes, values, highest)
        means_text = [f"{100 * mean:.1f}" for mean in means["mean"]]
        rows.numbers(axes, means_text, _MEAN - 0.02, "mean (%)")
        bar = style.panel(figure, left, top + height + _KEY, min(width, 2.5), _BAR)
        Colorbar(bar, mesh, orientation="horizontal")
        ticks = [0, highest / 2, highest]
        bar.set_xticks(ticks, [f"{100 * tick:.0f}" for tick in ticks])
        bar.set_xlabel("share of the draws (%)", labelpad=1)
    return figure


def _numbers(axes: Axes, values: NDArray[np.float64], highest: float) -> None:
    """Write the shares in per cent; one that would round to 0 or 100 becomes <1 or >99."""
    for (row, column), share in np.ndenumerate(values):
        if share == 0:
            continue
        percent = f"{100 * share:.0f}"
        if share < 0.005:
            percent = "<1"
        elif 0.995 <= share < 1:
            percent = ">99"
        axes.text(
            column + 1,
            row,
            percent,
            ha="center",
            va="center_baseline",
            fontsize=style.SMALL,
            color="white" if share > 0.6 * highest else style.INK,
        )

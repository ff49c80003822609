"""How many models get each image."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from synthsight.figures import rows, style
from synthsight.figures.counted import uncounted

_LEFT = 0.38  # inches for the tick labels and the label of the shares
_GAP = 0.5  # inches between the two metrics, for the labels of the second
_HEAD = 0.36  # inches from the top of a panel's title to its bars
_HEIGHT = 1.0  # inches of the tallest bar
_FOOT = 0.42


def difficulty(
    table: pd.DataFrame,
    photographs: Collection[str],
    rule: str,
    adapted: Sequence[str] = (),
) -> Figure:
    """Draw a histogram of the number of models that get an image, top-1 and top-5.

    All categories are pooled. A panel follows for each generator, if there are several, and for
    the real photographs, which are not among the images of the first one.

    Args:
        table: The difficulty table.
        photographs: The sources of real photographs.
        rule: Matching rule, such as ``words/simple``.
        adapted: Models that were trained on the images, and are not counted.

    Raises:
        ValueError: If the table has no row under this rule.
    """
    found = style.of_rule(table, rule, "difficulty")
    found = found[found["category"] == style.ALL]
    models = int(found["models"].max())
    number_of = {str(hit): int(part["models"].max()) for hit, part in found.groupby("hit")}
    sources = sorted(set(map(str, found["generator"])) - {style.ALL})
    generators = [name for name in sources if name not in photographs]
    real = [name for name in sources if name in photographs]
    # The histogram of a single generator is that of all generated images.
    shown = [style.ALL, *(generators if len(generators) > 1 else []), *real]
    highest = found.groupby("hit")["share"].max()

    title = "How many models get each image"
    metrics = rows.shown()
    across = len(metrics)
    width = (style.room() - _LEFT - _GAP * (across - 1)) / across
    widest = style.text_width(f"{int(found['n'].max()):,}", style.SMALL)
    numbered = widest + 0.02 < width / (models + 1.2)
    subtitle = (
        f"Rule {style.plain(rule)}. Share of the images that "
        + (
            "the one model misses (0) and gets (1)"
            if models == 1
            else f"exactly that many of the {models} models get"
        )
        + "; all categories pooled."
        + (" Numbers: images." if numbered else "")
        + _fewer(number_of)
        + uncounted(adapted)
    )
    top = style.heading_height(title, subtitle, 2 + bool(adapted)) + 0.12

    with style.style():
        figure = style.sheet(top + len(shown) * (_HEAD + _HEIGHT + _FOOT))
        style.heading(figure, title, subtitle, 2 + bool(adapted))
        for name in shown:
            part = found[found["generator"] == name]
            head = "all generated images" if name == style.ALL else style.plain(name)
            head += " (real photographs)" if name in real else ""
            for side, metric in enumerate(metrics):
                if metric not in number_of:
                    continue
                bars = part[part["hit"] == metric].groupby("models")[["n", "share"]].sum()
                bars = bars.reindex(range(number_of[metric] + 1), fill_value=0)
                images = style.count(int(bars["n"].sum()), "image")
                end = f", {rows.METRICS[metric].label}: {images}"
                left = style.MARGIN + _LEFT + side * (width + _GAP)
                room = width + _LEFT - style.text_width(end, bold=True)
                text = style.elide(head, room, bold=True) + end
                style.write(figure, left - _LEFT, top, text, weight="bold")
                axes = style.panel(figure, left, top + _HEAD, width, _HEIGHT)
                _bars(axes, bars, metric, float(highest[metric]), numbered)
            top += _HEAD + _HEIGHT + _FOOT
    return figure


def _fewer(number_of: Mapping[str, int]) -> str:
    """A sentence, after a blank, on hits that are not known of all models; or nothing."""
    top1, top5 = (number_of.get(hit, 0) for hit in rows.METRICS)
    if top1 == top5:
        return ""
    return f" Top-5 is known of {top5} of them." if top5 else " Top-5 is not known."


def _bars(axes: Axes, bars: pd.DataFrame, metric: str, highest: float, numbered: bool) -> None:
    """Draw the shares by number of models; all panels of a metric share one y range."""
    look = rows.METRICS[metric]
    models = len(bars) - 1
    axes.bar(
        np.arange(len(bars)),
        bars["share"].to_numpy(dtype=float),
        width=0.8 if models <= 40 else 1.0,
        color=look.color,
        label=look.label,
        zorder=2,
    )
    axes.set_xlim(-0.6, models + 0.6)
    ticks = [float(tick) for tick in MaxNLocator(4).tick_values(0, max(highest, 0.01))]
    top = next((tick for tick in ticks if tick >= highest), 1.0)
    axes.set_ylim(0, min(top, 1.0))
    axes.grid(axis="y")
    step = 1 if models <= 20 else 5 if models <= 60 else 10
    if style.narrow():
        each = rows.inches(axes) / (models + 1.2)
        wanted = style.text_width(str(models)) + 0.04
        step = next((s for s in (1, 2, 5, 10, 20, 50) if s * each >= wanted), 100)
    steps = np.arange(0, models + 1, step)
    axes.set_xticks(steps, [str(step) for step in steps])
    axes.set_xlabel("models that get the image", labelpad=1)
    ticks = [tick for tick in ticks if 0 <= tick <= min(top, 1.0)]
    axes.set_yticks(ticks, [f"{100 * tick:.3g}" for tick in ticks])
    axes.set_ylabel("images (%)", labelpad=2)
    if numbered:
        for number, (images, share) in enumerate(zip(bars["n"], bars["share"], strict=True)):
            axes.annotate(
                f"{int(images):,}",
                (number, share),
                xytext=(0, 1.5),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=style.SMALL,
                # Keeps grid lines from crossing the digits.
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.2},
            )

"""Is a classifier right as often as its confidence says? Reliability diagrams."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthsight.figures import style

MOST = 20
"""Maximum number of panels, for the most accurate models."""

TITLE = "Are models right as often as their confidence says?"

_COLUMNS = 4
_LEFT = 0.42  # inches for the labels left of the panels
_GAP = 0.3  # inches between panels
_LEAST = 1.15  # inches of a panel at least, for what is written above it
_FOOT = 0.42
_KEY = 0.2


@dataclass(frozen=True)
class _Look:
    """How the images of a source are drawn."""

    name: str
    color: str
    marker: str


_GENERATED = _Look("generated images", style.BLUE, "o")
_REAL = _Look("real photographs", style.VERMILLION, "s")


def calibration(table: pd.DataFrame, bins: pd.DataFrame, rule: str, level: float) -> Figure:
    """Draw accuracy against confidence for each model, of generated images and of photographs.

    Args:
        table: The table of calibration.
        bins: That of its bins.
        rule: Matching rule, such as ``words/simple``.
        level: Confidence level of the intervals, for the heading.
    """
    of_rule = table[table["rule"] == rule]
    known = of_rule[of_rule["ece"].notna()]
    generated = style.generated(known)
    order = generated if len(generated) else known
    models = order.sort_values(["top1", "model"], ascending=[False, True])["model"].tolist()
    if not models:
        return _nothing(rule, of_rule)
    shown = models[:MOST]
    subtitle = (
        f"Under {style.plain(rule)}. Marks: a tenth of the images each, where there are enough, at "
        "their mean confidence (the probability of the first guess) and their accuracy; bars: "
        f"{style.percent(level)} intervals. Below the dashed line a model is overconfident. ECE: "
        "the mean distance to the line over images; its interval leaves out what chance adds; "
        "over: confidence minus accuracy."
    )
    if len(shown) < len(models):
        subtitle += f" The {MOST} most accurate of {len(models):,} models are shown."
    without = sorted({*of_rule["model"]} - {*known["model"]})
    if without:
        subtitle += f" Without probabilities: {style.plain(', '.join(without))}."
    room = style.room() - _LEFT
    columns = min(_COLUMNS, len(shown), max(1, int((room + _GAP) / (_LEAST + _GAP))))
    side = min((room - _GAP * (columns - 1)) / columns, 2.8)
    lines = math.ceil(len(shown) / columns)
    names = [style.wrap(style.plain(name), side, bold=True, lines=2) for name in shown]
    looks = [_GENERATED] * bool(len(generated)) + [_REAL] * bool(len(known) > len(generated))
    head = style.LINE * (max(map(len, names)) + 2 * len(looks)) + 0.06
    pitch = head + side + _FOOT
    top = style.heading_height(TITLE, subtitle, 5) + 0.1

    with style.style():
        figure = style.sheet(top + _KEY + lines * pitch)
        style.heading(figure, TITLE, subtitle, 5)
        style.legend(figure, list(map(_key, looks)), style.MARGIN, top, 2)
        for number, (lines_of, name) in enumerate(zip(names, shown, strict=True)):
            line, column = divmod(number, columns)
            left = style.MARGIN + _LEFT + column * (side + _GAP)
            above = top + _KEY + line * pitch
            own, own_bins = known[known["model"] == name], bins[bins["model"] == name]
            texts = [(text, style.INK, "bold") for text in lines_of]
            axes = style.panel(figure, left, above + head, side, side)
            _dress(axes, labelled=column == 0)
            for look in looks:
                is_real = look is _REAL
                for row in own[(own["generator"] != style.ALL) == is_real].to_dict("records"):
                    texts += [(text, look.color, "normal") for text in _said(row)]
                    part = own_bins[own_bins["generator"] == row["generator"]]
                    _draw(axes, part[part["rule"] == rule].sort_values("bin"), look)
            # Under each other, the last right above the panel.
            for step, (text, color, weight) in enumerate(reversed(texts), start=1):
                place = above + head - 0.06 - step * style.LINE
                style.write(figure, left, place, text, color=color, weight=weight)
    return figure


def _said(row: Mapping[str, Any]) -> list[str]:
    """What is written above a panel about one source."""
    bounds = ""
    if row["ece_low"] == row["ece_low"]:
        bounds = f" ({row['ece_low']:.3f} to {row['ece_high']:.3f})"
    return [
        f"ECE {row['ece']:.3f}{bounds}",
        f"over {row['over']:+.3f}".replace("-", "\N{MINUS SIGN}"),
    ]


def _nothing(rule: str, of_rule: pd.DataFrame) -> Figure:
    """A sheet that says why there are no diagrams."""
    subtitle = (
        "No model's probabilities are known."
        if len(of_rule)
        else f"Under {style.plain(rule)} it is not known how sure a model is of its guess: "
        "choose another rule as matching.primary to see it."
    )
    with style.style():
        figure = style.sheet(style.heading_height(TITLE, subtitle, 3) + style.MARGIN)
        style.heading(figure, TITLE, subtitle, 3)
    return figure


def _key(look: _Look) -> Line2D:
    return Line2D(
        [], [], color=look.color, marker=look.marker, markersize=3.2, linewidth=0, label=look.name
    )


def _dress(axes: Axes, labelled: bool) -> None:
    """Show confidence and accuracy along the axes of a panel, and where they are equal."""
    ticks = (0, 0.5, 1)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks] if labelled else [""] * len(ticks))
    axes.spines["left"].set_visible(True)
    axes.grid()
    axes.set_aspect("equal")
    axes.set_xlabel("confidence", labelpad=1)
    if labelled:
        axes.set_ylabel("top-1 accuracy", labelpad=2)
    axes.plot([0, 1], [0, 1], color=style.FAINT, linewidth=0.8, dashes=(2.5, 1.5), zorder=2)


def _draw(axes: Axes, bins: pd.DataFrame, look: _Look) -> None:
    """Draw the bins of one source with their intervals."""
    value = bins["top1"].to_numpy(dtype=float)
    low, high = (bins[name].to_numpy(dtype=float) for name in ("low", "high"))
    axes.errorbar(
        bins["confidence"].to_numpy(dtype=float),
        value,
        yerr=np.vstack([np.clip(value - low, 0, None), np.clip(high - value, 0, None)]),
        fmt=look.marker,
        color=look.color,
        markersize=3.0,
        markeredgewidth=0,
        elinewidth=0.7,
        label=look.name,
        clip_on=False,
        zorder=3,
    )

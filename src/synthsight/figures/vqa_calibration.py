"""How far a model's P(yes) can be trusted: reliability diagrams."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synthsight.figures import style

MOST = 12
"""Maximum number of panels, for the most accurate models."""

_COLUMNS, _NARROW = 4, 2  # panels side by side, and in a narrow figure
_MOST_NARROW = 6  # panels in a narrow figure
_LEFT = 0.42  # inches for the labels left of the panels
_GAP = 0.3  # inches between panels
_COUNTS = 0.3  # height of a panel's counts, as a share of its width
_SPACE = 0.06  # inches between a diagram and its counts
_FOOT = 0.4


def vqa_calibration(
    calibration: pd.DataFrame, table: pd.DataFrame, level: float = 0.95, unit: str = "image"
) -> Figure:
    """Draw how often the answer is yes against P(yes), and how many questions get each P(yes).

    Args:
        calibration: The calibration table from :mod:`synthsight.statistics.vqa`.
        table: Its table of models.
        level: Confidence level of the intervals, for the heading.
        unit: What is drawn by chance, likewise: an image, or a group of images.
    """
    ranked = table.sort_values(["accuracy", "model"], ascending=[False, True], ignore_index=True)
    words = ranked.loc[ranked["ece"].isna(), "model"].tolist()
    ranked = ranked[ranked["ece"].notna()]
    if ranked.empty:
        return _nothing()
    most = _MOST_NARROW if style.narrow() else MOST
    shown = ranked.head(most)
    title = "Is the answer yes as often as P(yes) says?"
    subtitle = (
        "Discs: the questions in a tenth of the range of P(yes), at their mean P(yes) and the "
        f"share whose answer is yes; bars: {style.percent(level)} intervals, clustered by {unit}. "
        "On the dashed line P(yes) is as it should be. Below: the number of questions. ECE: the "
        "mean distance to the line over questions."
    )
    if len(shown) < len(ranked):
        subtitle += f" The {most} most accurate of {len(ranked):,} models are shown."
    if words:
        who = style.plain(words[0]) if len(words) == 1 else style.count(len(words), "model")
        subtitle += f" Not shown, since P(yes) is not known of all questions: {who}."
    columns = min(_NARROW if style.narrow() else _COLUMNS, len(shown))
    room = style.room() - _LEFT
    side = min((room - _GAP * (columns - 1)) / columns, 2.8)
    lines = math.ceil(len(shown) / columns)
    names = [style.wrap(style.plain(name), side, bold=True, lines=2) for name in shown["model"]]
    head = style.LINE * (max(len(name) for name in names) + 1) + 0.06
    # The counts of a single model stand beside its diagram, where there would be nothing.
    beside = columns == 1 and not style.narrow()
    pitch = head + side * (1 if beside else 1 + _COUNTS) + (0 if beside else _SPACE) + _FOOT
    top = style.heading_height(title, subtitle, 4) + 0.1

    with style.style():
        figure = style.sheet(top + lines * pitch)
        style.heading(figure, title, subtitle, 4)
        for number, (name, row) in enumerate(zip(names, shown.to_dict("records"), strict=True)):
            line, column = divmod(number, columns)
            left = style.MARGIN + _LEFT + column * (side + _GAP)
            above = top + line * pitch
            under = above + head - 0.06 - style.LINE
            for step, text in enumerate(reversed(name), start=1):
                style.write(figure, left, under - step * style.LINE, text, weight="bold")
            style.write(figure, left, under, f"ECE {row['ece']:.3f}, Brier {row['brier']:.3f}")
            bins = calibration[calibration["model"] == row["model"]].sort_values("bin")
            diagram = style.panel(figure, left, above + head, side, side)
            _diagram(diagram, bins, labelled=column == 0)
            if beside:
                _axis(diagram, labelled=True)
                diagram.set_xlabel("P(yes)", labelpad=1)
                start = left + side + _LEFT + 0.2
                wide = style.width() - style.MARGIN - start
                counts = style.panel(figure, start, above + head, wide, side)
            else:
                below = above + head + side + _SPACE
                counts = style.panel(figure, left, below, side, side * _COUNTS)
            _counts(counts, bins, labelled=column == 0, written=columns == 1)
    return figure


def _nothing() -> Figure:
    """A sheet that says why there are no diagrams."""
    title = "Is the answer yes as often as P(yes) says?"
    subtitle = "No model's P(yes) is known of all questions: their answers are words."
    with style.style():
        figure = style.sheet(style.heading_height(title, subtitle, 4) + style.MARGIN)
        style.heading(figure, title, subtitle, 4)
    return figure


def _axis(axes: Axes, labelled: bool) -> None:
    """Show P(yes) along the axes."""
    axes.set_xlim(0, 1)
    ticks = (0, 0.5, 1)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks] if labelled else [""] * len(ticks))
    axes.spines["left"].set_visible(True)


def _diagram(axes: Axes, bins: pd.DataFrame, labelled: bool) -> None:
    """Draw the bins that have questions, with their intervals."""
    _axis(axes, labelled=False)
    axes.set_ylim(0, 1)
    axes.set_yticks((0, 0.5, 1), ["0", "0.5", "1"] if labelled else ["", "", ""])
    axes.grid()
    axes.set_aspect("equal")
    if labelled:
        axes.set_ylabel("share of yes", labelpad=2)
    axes.plot([0, 1], [0, 1], color=style.FAINT, linewidth=0.8, dashes=(2.5, 1.5), zorder=2)
    found = bins[bins["n"] > 0]
    value = found["share_yes"].to_numpy(dtype=float)
    axes.errorbar(
        found["mean_p_yes"].to_numpy(dtype=float),
        value,
        yerr=np.vstack(
            [
                np.clip(value - found["low"].to_numpy(dtype=float), 0, None),
                np.clip(found["high"].to_numpy(dtype=float) - value, 0, None),
            ]
        ),
        fmt="o",
        color=style.BLUE,
        markersize=3.2,
        markeredgewidth=0,
        elinewidth=0.8,
        label="share of yes",
        clip_on=False,
        zorder=3,
    )


def _counts(axes: Axes, bins: pd.DataFrame, labelled: bool, written: bool) -> None:
    """Draw the number of questions in each bin."""
    _axis(axes, labelled=True)
    most = int(bins["n"].max())
    axes.set_ylim(0, most * 1.25)
    axes.set_yticks((most,), [f"{most:,}"])
    axes.bar(
        bins["low_edge"],
        bins["n"],
        width=bins["high_edge"] - bins["low_edge"],
        align="edge",
        color=style.SKY,
        edgecolor="white",
        linewidth=0.5,
        label="questions",
    )
    axes.set_xlabel("P(yes)", labelpad=1)
    if labelled:
        axes.set_ylabel("questions", labelpad=2)
    if written:
        for row in bins.to_dict("records"):
            middle = (row["low_edge"] + row["high_edge"]) / 2
            axes.text(
                middle, row["n"], f"{row['n']:,}", ha="center", va="bottom", fontsize=style.SMALL
            )

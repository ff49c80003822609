"""How well people recognise images, beside the models on exactly the same images."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthsight.figures import rows, style
from synthsight.figures.counted import uncounted
from synthsight.statistics.people import CEILING, MAJORITY, MEAN, MODEL, RATER

_LIMIT = 1.75  # inches for the names of rows
_NUMBERS = (0.42, 1.15)
"""Where the columns of numbers end, in inches right of the axis: the difference, its interval."""
_RIGHT = 1.2
_FOOT = 0.4
_SWARM = 0.34  # inches of the row of raters
_BAR = 0.2  # inches of a bar of counts
_GAP = 0.44  # inches between the two parts

_PEOPLE = rows.Metric("people", style.VERMILLION, "D", 0, (1, 1))
_MODELS = rows.Metric("models", style.BLUE, "o", 0, (1, 1))

#: What people's rows are called.
_NAMES = {MEAN: "mean of raters", MAJORITY: "majority of raters", CEILING: "ceiling"}

#: Who gets images: column, name, colour, and colour of the numbers on it.
_WHO = (
    ("people_and_models", "people and a model", style.SKY, style.INK),
    ("people_only", "people only", style.VERMILLION, "white"),
    ("models_only", "a model only", style.BLUE, "white"),
    ("neither", "neither", "#D9D9D9", style.INK),
)

_BOUNDS = ("low", "high")


def people(
    table: pd.DataFrame,
    groups: pd.DataFrame,
    photographs: Collection[str],
    rule: str,
    level: float = 0.95,
    adapted: Sequence[str] = (),
) -> Figure:
    """Draw the accuracy of people and of models on the images that people rated.

    Generated images are drawn or, where people rated none, photographs. Below, how many images
    people get and no model does, and so on, for each source.

    Args:
        table: The table of people; means over categories are drawn.
        groups: The table of who gets images; counts over categories are drawn.
        photographs: The sources whose images are real photographs.
        rule: Matching rule of the models, such as ``words/simple``.
        level: Confidence level of the intervals, for the heading.
        adapted: Models that were trained on the images, which get no image where images are counted
            that a model gets.
    """
    known = table["generator"].drop_duplicates().tolist()
    source = style.ALL if style.ALL in known else known[0]
    found = table[(table["generator"] == source) & (table["category"] == style.ALL)]
    raters = found[found["kind"] == RATER].sort_values(["accuracy", "name"])
    together = found[found["kind"].isin(list(_NAMES))]
    models = found[(found["kind"] == MODEL) & (found["rule"] == rule)]
    models = models.sort_values(["accuracy", "name"], ascending=[False, True])
    shown = pd.concat([together, models], ignore_index=True)
    alone = len(raters) == 1  # who is mean and majority at once
    shown = shown[~((shown["kind"] == MAJORITY) & alone)].reset_index(drop=True)
    counts = groups[groups["category"] == style.ALL]
    counts = counts.iloc[counts["generator"].isin(list(photographs)).argsort(kind="stable")]

    mean = together[together["kind"] == MEAN].iloc[0]
    title = "People and models on the same images"
    of_source = "" if source == style.ALL else f" of {style.plain(source)}"
    kind = "generated image" if source == style.ALL else "image"
    what = style.count(int(mean["n"]), kind + of_source, f"{kind}s{of_source}")
    subtitle = (
        f"{what} that {style.count(len(raters), 'person', 'people')} "
        f"rated; means over categories. Models: first guess, rule {style.plain(rule)}. Bars, and "
        f"numbers in brackets: {style.percent(level)} intervals, about other images"
        + ("" if alone else " and, for mean, ceiling and differences, other raters")
        + f". Difference: model minus {'the rater' if alone else 'mean'}, in percentage points."
        + ("" if alone else " Ceiling: how often a rater says what most others say.")
        + (" Below:" + said if (said := uncounted(adapted)) else "")
    )
    called = {**_NAMES, MEAN: "the rater"} if alone else _NAMES
    names = [
        f"each of {len(raters)} raters",
        *(called.get(row["kind"], row["name"]) for row in shown.to_dict("records")),
    ]
    sources = [_named(name, photographs) for name in counts["generator"]]
    labels, label_width = style.label_column([*names, *sources], _LIMIT)
    left = style.MARGIN + label_width + 0.06
    width = style.width() - style.MARGIN - _RIGHT - left
    pitch = max(rows.row_height(len(shown)), 0.15)
    height = len(shown) * pitch
    under = style.heading_height(title, subtitle, 3 + bool(adapted)) + 0.08
    swarm_height = 0 if alone else _SWARM
    top = under + 0.24 + swarm_height
    end = top + height + _FOOT
    below = (_GAP + _BAR * len(counts)) if len(counts) else 0
    if below:
        names_ = [name for _, name, _, _ in _WHO]
        more = style.legend_height(names_, style.legend_columns(names_, len(names_)))
        below += more + 0.14 * (len(_heading()) - 1)

    with style.style():
        figure = style.sheet(end + below + (0.1 if below else 0))
        style.heading(figure, title, subtitle, 3 + bool(adapted))
        keys = [rows.key(_PEOPLE, "people"), rows.key(_MODELS, "models")]
        style.legend(figure, keys, style.MARGIN, under, 2)
        panels = []
        if swarm_height:
            panels.append(style.panel(figure, left, top - swarm_height, width, swarm_height))
            _swarm(panels[0], raters["accuracy"].to_numpy(float), labels[0])
        axes = style.panel(figure, left, top, width, height)
        rows.dress(axes, labels[1 : len(names)], "accuracy (%)")
        rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
        for each in (*panels, axes):
            each.axvline(mean["accuracy"], color=style.VERMILLION, linewidth=0.6, zorder=1)
        axes.axhline(int((shown["kind"] != MODEL).sum()) - 0.5, color=style.FAINT, linewidth=0.5)
        for look, of_people in ((_PEOPLE, True), (_MODELS, False)):
            part = shown.where((shown["kind"] != MODEL) == of_people)
            rows.marks(axes, part, look, "accuracy", _BOUNDS)
        differences = shown["difference"].astype(float)
        texts = ["" if np.isnan(value) else rows.points(value) for value in differences]
        rows.numbers(axes, texts, _NUMBERS[0], "difference")
        pairs = zip(shown["difference_low"], shown["difference_high"], strict=True)
        rows.numbers(axes, [rows.interval(*pair) for pair in pairs], _NUMBERS[1], "interval")
        if below:
            _counts(figure, counts, labels[len(names) :], left, end + _GAP - 0.06)
    return figure


def _named(generator: str, photographs: Collection[str]) -> str:
    if generator == style.ALL:
        return "all generated"
    return f"{generator} (real)" if generator in photographs else generator


def _swarm(axes: Axes, values: np.ndarray, label: str) -> None:
    """Draw each rater as a small mark, side by side where they would cover each other."""
    places: list[float] = []
    taken: dict[int, int] = {}
    for value in values:
        cell = round(float(value) * 60)
        number = taken[cell] = taken.get(cell, 0) + 1
        places.append((number // 2) * (-1) ** number)
    most = max((abs(place) for place in places), default=0)
    heights = np.array(places) / max(most, 3) * 0.8
    axes.plot(
        values,
        heights,
        linestyle="none",
        marker=_PEOPLE.marker,
        color=_PEOPLE.color,
        alpha=0.55,
        markersize=2.4,
        markeredgewidth=0,
        clip_on=False,
        zorder=3,
    )
    axes.set_ylim(1, -1)
    rows.percent_axis(axes, ())
    axes.set_yticks([0], [label])
    axes.spines["bottom"].set_visible(False)


def _heading() -> list[str]:
    text = "Who gets an image: people (more than half of the raters), a model (one at least)"
    return style.wrap(text, style.room(), bold=True)


def _counts(
    figure: Figure, counts: pd.DataFrame, labels: list[str], left: float, top: float
) -> None:
    """Draw for each source how many images people get and no model does, and so on."""
    handles = [
        Line2D([], [], linestyle="none", marker="s", color=color, markersize=4.5, label=name)
        for _, name, color, _ in _WHO
    ]
    columns = style.legend_columns(style.labels_of(handles), len(handles))
    line = top - 0.28
    for part in _heading():
        style.write(figure, style.MARGIN, line, part, weight="bold")
        line += 0.14
    style.legend(figure, handles, style.MARGIN, line, columns)
    top = line + 0.14 + style.legend_height(style.labels_of(handles), columns)
    width = style.width() - style.MARGIN - left
    axes = style.panel(figure, left, top + 0.06, width, _BAR * len(counts))
    axes.set_ylim(len(counts) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_yticks(range(len(counts)), labels)
    for row, of_source in enumerate(counts.to_dict("records")):
        start = 0.0
        for column, _, color, ink in _WHO:
            share = of_source[column] / of_source["n"]
            axes.barh(row, share, left=start, height=0.8, color=color, linewidth=0)
            text = f"{of_source[column]:,}"
            if style.text_width(text, style.SMALL) < share * width - 0.04:
                middle = start + share / 2
                written = axes.text(middle, row, text, color=ink, fontsize=style.SMALL)
                written.set(ha="center", va="center_baseline")
            start += share

"""The main result on one page (Borji 2022, Figure 2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from synthsight.figures import rows, style
from synthsight.statistics.adapted import of_others
from synthsight.statistics.reference import MEASURED, of_models

_GUTTER = 0.25  # inches between the two columns
_COLUMN = (style.room() - _GUTTER) / 2
_FOOT = 0.42  # inches for tick labels, the x label and the space to the next panel
_MODEL_LIMIT, _CATEGORY_LIMIT = 1.65, 1.35  # inches for the names of rows
_RIGHT = 0.12  # inches right of an axis, for half of its last tick label
_NUMBERS = 0.62  # inches right of the models' axis, for their means as numbers
_TALLEST_ROW = 0.3

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


def overview(
    accuracy: pd.DataFrame,
    agreement: pd.DataFrame,
    manifest: pd.DataFrame,
    reference: pd.DataFrame,
    photographs: Collection[str],
    rule: str,
    level: float = 0.95,
) -> Figure:
    """Draw accuracy by model and by category, agreement, and the number of images.

    Top left: every model's mean over categories, with its reference accuracy on real photographs
    as a hollow mark. Top right: the best model by category. Bottom left: the share of each
    category's images that all models get, and that none gets. Bottom right: images by category
    and generator, with the number of real photographs as a hollow mark. All else is about
    generated images. The panels by category share the same order.

    Args:
        accuracy: The accuracy table.
        agreement: The agreement table.
        manifest: The manifests of all categories, one after the other.
        reference: The reference table.
        photographs: The sources of real photographs.
        rule: Matching rule, such as ``words/simple``.
        level: Confidence level of the intervals, for the heading.

    Raises:
        ValueError: If the accuracy table has no row under this rule.
    """
    means = style.ranked(accuracy, rule)
    best = style.best_model(accuracy, rule)
    by_category = style.by_category(accuracy, rule, best)
    images = manifest[manifest["status"] == "ok"]
    real = images["generator"].isin(photographs)
    # Categories that were given but have no usable image still belong in the image counts.
    empty = sorted(set(manifest["category"]) - set(by_category["category"]))
    categories = [*by_category["category"], *empty]
    by_category = by_category.set_index("category").reindex(categories).reset_index()
    agreed = style.generated(agreement)
    agreed = agreed[agreed["rule"] == rule].set_index("category").reindex(categories)
    counts = _counts(images[~real], categories)
    taken = images[real].groupby("category").size().reindex(categories, fill_value=0)

    model_labels, model_width = style.label_column(means["model"].tolist(), _MODEL_LIMIT)
    category_labels, category_width = style.label_column(categories, _CATEGORY_LIMIT)

    references = of_models(reference, rule).set_index("model")
    known = bool(references["reference_top1"].notna().any())
    n_categories = style.count(int(by_category["top1"].notna().sum()), "category", "categories")
    others = len(of_others(means))
    one = others == 1
    unseen = " that was not trained on such images" if others < len(means) else ""
    titles = (
        f"a  Every model: mean over {n_categories}",
        f"b  By category: {_best(of_others(means))}, {style.plain(best)}",
        f"c  Generated images that the model{unseen} gets or misses"
        if one
        else f"c  Generated images that all or none of the {others} models"
        f"{unseen.replace('was', 'were')} get",
        "d  Generated images by category" + (" and generator" if counts.shape[1] > 1 else ""),
    )
    heads = [_wrapped(title) for title in titles]
    keys: tuple[Sequence[Line2D | Patch], ...] = (
        rows.keys(hollow=_hollow(references, int(by_category["top1"].notna().sum()), known)),
        rows.keys(means=True),
        _agreement_keys(one, agreed),
        [*_generator_keys(counts), *([_photographs_key()] if taken.any() else [])],
    )
    columns = (3, 3, 2, 3)
    left_panels = [
        (len(model_labels), model_width + _NUMBERS),
        (len(categories), category_width + _RIGHT),
    ]
    right_panels = [(len(categories), category_width + _RIGHT)] * 2

    title = "How well the models recognise generated images"
    excluded = int((manifest["status"] != "ok").sum())
    subtitle = (
        f"Rule {style.plain(rule)}; {style.count(len(means), 'model')}, {n_categories}, "
        f"{style.count(int(means['n'].max()), 'generated image')}"
        + (f", {style.count(int(real.sum()), 'real photograph')}" if real.any() else "")
        + (f", {style.count(excluded, 'excluded file')}" if excluded else "")
        + f". Best model by mean top-1{unseen}: {style.plain(best)}; the categories of b, c and d "
        f"stand in the order of its top-1. Bars through marks: {style.percent(level)} intervals."
        + rows.unknown(means)
    )
    lines = 2 + bool(rows.unknown(means)) + bool(unseen)

    # Heights of the two rows of panels, set by the longer list of each.
    tops, heads_at, heights, under = [], [], [], style.heading_height(title, subtitle, lines) + 0.12
    for index in (0, 1):
        sizes = (left_panels[index][0], right_panels[index][0])
        head = max(
            _head_height(heads[2 * index + side], keys[2 * index + side], columns[2 * index + side])
            for side in (0, 1)
        )
        room = max(size * rows.row_height(size) for size in sizes)
        heads_at.append(under)
        tops.append(under + head)
        heights.append([min(room, size * _TALLEST_ROW) for size in sizes])
        under += head + room + _FOOT

    with style.style():
        figure = style.sheet(under)
        style.heading(figure, title, subtitle, lines)
        grid: list[Axes] = []
        for index in range(4):
            row, side = divmod(index, 2)
            beside = (left_panels, right_panels)[side][row][1]
            label_width = model_width if index == 0 else category_width
            column_left = style.MARGIN + side * (_COLUMN + _GUTTER)
            left = column_left + label_width + 0.05
            width = _COLUMN - beside - 0.05
            axes = style.panel(figure, left, tops[row], width, heights[row][side])
            _head(figure, column_left, heads_at[row], heads[index], keys[index], columns[index])
            grid.append(axes)

        _models(grid[0], means, model_labels, references)
        rows.dress(grid[1], category_labels, "accuracy (%)")
        rows.percent_axis(grid[1], (0, 0.25, 0.5, 0.75, 1))
        rows.averages(grid[1], means[means["model"] == best].iloc[0])
        rows.accuracies(grid[1], by_category)
        _agreement(grid[2], agreed, category_labels, one)
        _images(grid[3], counts, taken, category_labels)
    return figure


def _hollow(references: pd.DataFrame, categories: int, known: bool) -> str | None:
    """What hollow marks are, and of how many categories if not of those of the filled ones."""
    if not known:
        return None
    said = rows.reference(references["kind"])
    measured = references.loc[references["kind"] == MEASURED, "categories"]
    if len(measured) and (number := int(measured.iloc[0])) < categories:
        said += f" of {style.count(number, 'category', 'categories')}"
    return said


def _counts(images: pd.DataFrame, categories: Sequence[str]) -> pd.DataFrame:
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


def _wrapped(title: str) -> list[str]:
    return style.wrap(title, _COLUMN, style.NORMAL + 0.5, bold=True)


def _legend_rows(keys: Sequence[Line2D | Patch], columns: int) -> int:
    return -(-len(keys) // columns)


def _head_height(head: Sequence[str], keys: Sequence[Line2D | Patch], columns: int) -> float:
    return 0.13 * len(head) + 0.13 * _legend_rows(keys, columns) + 0.1


def _head(
    figure: Figure,
    left: float,
    top: float,
    head: Sequence[str],
    keys: Sequence[Line2D | Patch],
    columns: int,
) -> None:
    """Write a panel's title, and its legend below."""
    for line in head:
        style.write(figure, left, top, line, fontsize=style.NORMAL + 0.5, weight="bold")
        top += 0.13
    if keys:
        style.legend(figure, keys, left, top + 0.02, columns)


def _best(means: pd.DataFrame) -> str:
    """What the model is that is drawn by category: ties go by name."""
    tied = int((means["top1"] == means["top1"].max()).sum())
    return "best model" if tied == 1 else f"one of {tied} best models"


def _models(
    axes: Axes,
    means: pd.DataFrame,
    labels: Sequence[str],
    references: pd.DataFrame,
) -> None:
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


def _agreement_keys(one: bool, table: pd.DataFrame) -> list[Patch]:
    return [
        Patch(facecolor=color, hatch=hatch, edgecolor=style.INK, linewidth=0.4, label=label)
        for column, (label, color, hatch, _) in _agreement_looks(one).items()
        if table[column].notna().any()
    ]


def _agreement(axes: Axes, table: pd.DataFrame, labels: Sequence[str], one: bool) -> None:
    """Draw the share that no model gets left of zero, and the share that all get right of it."""
    rows.dress(
        axes,
        labels,
        "← the model misses    images (%)    the model gets →"
        if one
        else "← no model gets    images (%)    all models get →",
    )
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


def _generator_keys(counts: pd.DataFrame) -> list[Patch]:
    if counts.shape[1] < 2:
        return []
    return [
        Patch(facecolor=color, hatch=hatch, edgecolor=style.INK, linewidth=0.4, label=label)
        for label, color, hatch in _generator_looks(counts)
    ]


def _photographs_key() -> Line2D:
    return Line2D([], [], **_PHOTOGRAPHS)


_PHOTOGRAPHS: dict[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "markerfacecolor": "white",
    "markeredgecolor": style.INK,
    "markeredgewidth": 0.7,
    "markersize": 3.2,
    "label": "+ real photographs",
}


def _images(
    axes: Axes, counts: pd.DataFrame, photographs: pd.Series, labels: Sequence[str]
) -> None:
    """Draw a stacked bar of each category's generated images, and a mark for its photographs."""
    only = str(counts.columns[0]) if counts.shape[1] == 1 else "images"
    rows.dress(
        axes,
        labels,
        "images" if only == "images" else f"images, all from {style.plain(only)}",
    )
    start = np.zeros(len(counts))
    for name, (label, color, hatch) in zip(counts.columns, _generator_looks(counts), strict=True):
        values = counts[name].to_numpy(dtype=float)
        axes.barh(
            np.arange(len(counts)),
            values,
            left=start,
            height=0.7,
            color=color,
            hatch=hatch,
            edgecolor=style.INK,
            linewidth=0.3,
            label=label,
            zorder=2,
        )
        start += values
    taken = photographs.to_numpy(dtype=float)
    longest = max(float(start.max(initial=0)), float(taken.max(initial=0)), 1.0)
    axes.set_xlim(0, longest * (1.32 if taken.any() else 1.16))
    if taken.any():
        has = np.flatnonzero(taken)
        axes.plot(taken[has], has, zorder=3, clip_on=False, **_PHOTOGRAPHS)
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

"""The main result on one page (Borji 2022, Figure 2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from synthsight.figures import overview_panels as panels
from synthsight.figures import rows, style
from synthsight.statistics.adapted import of_others
from synthsight.statistics.reference import MEASURED, of_models

_FEW = 25
"""Up to this number of categories the panels by category stand in two columns."""
_MORE = 8
"""Likewise of models more than categories."""
_MOST, _MOST_NARROW = (30, 40), (12, 12)
"""Models and categories, at most: the best models, the first and the last categories."""
_BROAD = 6.4  # inches of a figure that has room for two columns
_GUTTER = 0.25  # inches between the two columns
_GAP = 0.2  # inches between panels that share their names
_PAD = 0.05  # inches between names and axes
_FOOT = 0.42  # inches for tick labels, the x label and the space to the next panel
_MODEL_LIMIT, _CATEGORY_LIMIT = 1.65, 1.35  # inches for the names of rows
_RIGHT = 0.12  # inches right of an axis, for half of its last tick label
_NUMBERS = 0.62  # inches right of the models' axis, for their means as numbers
_TALLEST_ROW, _TIGHT = 0.42, 0.13


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
    and generator, with the number of real photographs as a hollow bar. All else is about
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
    counts = panels.counts(images[~real], categories)
    taken = images[real].groupby("category").size().reindex(categories, fill_value=0)

    references = of_models(reference, rule).set_index("model")
    known = bool(references["reference_top1"].notna().any())
    with_top1 = int(by_category["top1"].notna().sum())
    n_categories = style.count(with_top1, "category", "categories")
    every, n_models = len(categories), len(means)
    kept = _kept(every)
    categories = [categories[place] for place in kept]
    by_category, agreed, counts = (part.iloc[kept] for part in (by_category, agreed, counts))
    taken = taken.iloc[kept]
    listed = means.head(_MOST_NARROW[0] if _stacked() else _MOST[0])
    others = len(of_others(means))
    one = others == 1
    unseen = " that was not trained on such images" if others < n_models else ""
    some = "" if len(listed) == n_models else f" ({len(listed)} of {n_models})"
    titles = (
        f"a  Every model: mean over {n_categories}"
        if not some
        else f"a  The best models{some}: mean over {n_categories}",
        f"b  By category: {_best(of_others(means))}, {style.plain(best)}",
        f"c  Generated images that the model{unseen} gets or misses"
        if one
        else f"c  Generated images that all or none of the {others} models"
        f"{unseen.replace('was', 'were')} get",
        "d  Generated images by category" + (" and generator" if counts.shape[1] > 1 else ""),
    )
    keys: tuple[Sequence[Line2D | Patch], ...] = (
        rows.keys(hollow=_hollow(references, with_top1, known)),
        rows.keys(means=True),
        panels.agreement_keys(one, agreed),
        [
            *panels.generator_keys(counts),
            *([panels.photographs_key()] if taken.any() else []),
        ],
    )

    title = "How well the models recognise generated images"
    excluded = int((manifest["status"] != "ok").sum())
    half = len(kept) // 2
    subtitle = (
        f"Rule {style.plain(rule)}; {style.count(n_models, 'model')}, {n_categories}, "
        f"{style.count(int(means['n'].max()), 'generated image')}"
        + (f", {style.count(int(real.sum()), 'real photograph')}" if real.any() else "")
        + (f", {style.count(excluded, 'excluded file')}" if excluded else "")
        + f". Best model by mean top-1{unseen}: {style.plain(best)}; the categories of b, c and d "
        "stand in the order of its top-1"
        + (
            f": the {half} with the highest and the {half} with the lowest"
            if len(kept) < every
            else ""
        )
        + f". Bars through marks: {style.percent(level)} intervals."
        + rows.unknown(means)
    )
    lines = 2 + bool(rows.unknown(means)) + bool(unseen) + (len(kept) < every)
    start = style.heading_height(title, subtitle, lines) + 0.12
    layout = _layout(listed["model"].tolist(), categories, titles, keys, start)

    with style.style():
        figure = style.sheet(layout.height)
        style.heading(figure, title, subtitle, lines)
        for place in layout.places:
            axes = style.panel(figure, *place.axes)
            if place.head:
                _head(figure, place, keys[place.index])
            labels = place.labels
            if place.index == 0:
                panels.models(axes, listed.iloc[place.rows], labels, references)
            elif place.index == 1:
                rows.dress(axes, labels, "accuracy (%)")
                rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
                rows.averages(axes, means[means["model"] == best].iloc[0])
                rows.accuracies(axes, by_category)
            elif place.index == 2:
                panels.agreement(axes, agreed, labels, one)
            else:
                panels.images(axes, counts, taken, labels)
            if place.index and len(kept) < every:
                axes.axhline(half - 0.5, color=style.FAINT, linewidth=0.6, dashes=(2.5, 1.5))
    return figure


def _stacked() -> bool:
    """Whether one panel stands below the other."""
    return style.width() < _BROAD


def _kept(categories: int) -> list[int]:
    """Which categories are shown: all, or the first and the last of more than there is room for."""
    most = (_MOST_NARROW if _stacked() else _MOST)[1]
    if categories <= most:
        return list(range(categories))
    return [*range(most // 2), *range(categories - most // 2, categories)]


def _hollow(references: pd.DataFrame, categories: int, known: bool) -> str | None:
    """What hollow marks are, and of how many categories if not of those of the filled ones."""
    if not known:
        return None
    said = rows.reference(references["kind"])
    measured = references.loc[references["kind"] == MEASURED, "categories"]
    if len(measured) and (number := int(measured.iloc[0])) < categories:
        said += f" of {style.count(number, 'category', 'categories')}"
    return said


@dataclass(frozen=True)
class _Place:
    """Where a panel, or a part of one, is drawn.

    Attributes:
        index: which of the four panels.
        axes: left, top, width and height of its axes, in inches.
        rows: which of the models it has, if it is of models.
        labels: the labels of its rows; empty ones where another panel has them.
        at: where its title begins.
        head: the lines of its title; none of a panel's second part.
        columns: of its legend.
    """

    index: int
    axes: tuple[float, float, float, float]
    rows: slice
    labels: Sequence[str]
    at: tuple[float, float]
    head: Sequence[str]
    columns: int


@dataclass(frozen=True)
class _Layout:
    """All panels, and the height of the figure."""

    places: list[_Place]
    height: float


def _layout(
    models: Sequence[str],
    categories: Sequence[str],
    titles: Sequence[str],
    keys: Sequence[Sequence[Line2D | Patch]],
    start: float,
) -> _Layout:
    """Put panels side by side where there is room, and share the names of many categories.

    A few categories: two rows of two panels. Many: the models in two columns, and below them three
    panels that share one column of names. In a narrow figure one panel stands below the other.
    """
    model_labels, model_width = style.label_column(models, _MODEL_LIMIT)
    category_labels, category_width = style.label_column(categories, _CATEGORY_LIMIT)
    many = len(categories) > _FEW or len(models) > len(categories) + _MORE
    many = many and not _stacked()
    column = (style.room() - _GUTTER) / 2 if not _stacked() else style.room()
    half = -(-len(models) // 2) if many and len(models) > 8 else len(models)
    cuts = [slice(0, half), *([slice(half, len(models))] if half < len(models) else [])]
    third = (style.room() - category_width - _PAD - 2 * _GAP - _RIGHT) / 3
    # Index of the panel, where it begins, room for names and for numbers, its width, its rows.
    lines: list[list[tuple[int, float, float, float, float, slice]]]
    all_rows = slice(0, len(categories))
    of_models = [
        (0, number * (column + _GUTTER), model_width, _NUMBERS, column, cut)
        for number, cut in enumerate(cuts)
    ]
    if many:
        shared = [(1, 0.0, category_width, 0.0, category_width + _PAD + third, all_rows)]
        for index in (2, 3):
            at = category_width + _PAD + (index - 1) * (third + _GAP)
            shared.append((index, at, 0.0, 0.0, third, all_rows))
        lines = [of_models, shared]
    else:
        of_categories = [
            (
                *(index, (index % 2) * (column + _GUTTER), category_width, _RIGHT),
                *(column, all_rows),
            )
            for index in (1, 2, 3)
        ]
        lines = [[of_models[0], of_categories[0]], of_categories[1:]]
        if _stacked():
            lines = [[(*each[:1], 0.0, *each[2:])] for line in lines for each in line]

    places, under = [], start
    for line in lines:
        heads, columns = {}, {}
        for index, at, beside, _, width, _ in line:
            own = beside + _PAD if many and beside and index else 0.0
            from_left = at + own
            space = style.room() - from_left if many and index == 0 else width - own
            heads[index] = style.wrap(titles[index], space, style.NORMAL + 0.5, bold=True, lines=4)
            labels = style.labels_of(keys[index])
            columns[index] = style.legend_columns(labels, (3, 3, 2, 3)[index], space)
        tall = max(_head_height(heads[index], keys[index], columns[index]) for index, *_ in line)
        sizes = [cut.stop - cut.start for *_, cut in line]
        tight = many and len(categories) > _FEW
        pitches = [_TIGHT if tight else rows.row_height(size) for size in sizes]
        room = max(size * pitch for size, pitch in zip(sizes, pitches, strict=True))
        for (index, at, beside, numbers, width, cut), size in zip(line, sizes, strict=True):
            names = model_labels[cut] if index == 0 else category_labels
            left = style.MARGIN + at
            pad = _PAD if beside else 0.0
            second = index == 0 and cut.start > 0
            shares = many and index > 1
            pitch = _TIGHT if tight else _TALLEST_ROW
            places.append(
                _Place(
                    index,
                    (
                        *(left + beside + pad, under + tall),
                        width - (beside + numbers) - pad,
                        min(room, size * pitch),
                    ),
                    cut,
                    [""] * size if shares else names,
                    (left + (beside + pad if many and index else 0.0), under),
                    [] if second else heads[index],
                    columns[index],
                )
            )
        under += tall + room + _FOOT
    return _Layout(places, under)


def _head_height(head: Sequence[str], keys: Sequence[Line2D | Patch], columns: int) -> float:
    return 0.13 * len(head) + 0.13 * -(-len(keys) // columns) + 0.1


def _head(figure: Figure, place: _Place, keys: Sequence[Line2D | Patch]) -> None:
    """Write a panel's title, and its legend below."""
    left, top = place.at
    for line in place.head:
        style.write(figure, left, top, line, fontsize=style.NORMAL + 0.5, weight="bold")
        top += 0.13
    if keys:
        style.legend(figure, keys, left, top + 0.02, place.columns)


def _best(means: pd.DataFrame) -> str:
    """What the model is that is drawn by category: ties go by name."""
    tied = int((means["top1"] == means["top1"].max()).sum())
    return "best model" if tied == 1 else f"one of {tied} best models"

"""Every model by category (Borji 2022, Figures 5 and 6)."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.figure import Figure

from synthsight.figures import rows, style
from synthsight.statistics.adapted import of_others

_GAP = 0.18  # inches between panels: room for the ends of two axes' tick labels
_FOOT = 0.32
_RIGHT = 0.08


def models(
    accuracy: pd.DataFrame,
    rule: str,
    page: int,
    per_page: int,
    level: float = 0.95,
    categories_per_page: int | None = None,
) -> Figure:
    """Draw one page of models, one panel each, with a common order of categories.

    Models are sorted by mean top-1 accuracy; categories by the best model's top-1 accuracy, as in
    the overview, on every page.

    Args:
        accuracy: The accuracy table.
        rule: Matching rule, such as ``words/simple``.
        page: Page number, from 1.
        per_page: Models on a page; the paper has five.
        level: Confidence level of the intervals, for the heading.
        categories_per_page: Categories on a page, if there are more than a page has room for; then
            the same models have a page after the other until all categories have been shown.

    Raises:
        ValueError: If there is no such page, or no row under this rule.
    """
    means = style.ranked(accuracy, rule)
    best = style.best_model(accuracy, rule)
    every = style.by_category(accuracy, rule, best)["category"].tolist()
    each = categories_per_page or len(every)
    parts = math.ceil(len(every) / each)
    pages = math.ceil(len(means) / per_page) * parts
    if not 1 <= page <= pages:
        raise ValueError(f"there is no page {page}: {len(means)} models make {pages} page(s)")
    place, part = divmod(page - 1, parts)
    shown = means.iloc[place * per_page : (place + 1) * per_page]
    categories = every[part * each : (part + 1) * each]

    title = "Accuracy of every model on generated images, by category"
    if pages > parts:
        title += f", {_span('model', place * per_page, len(shown), len(means))}"
    if parts > 1:
        title += f", {_span('categories', part * each, len(categories), len(every))}"
    others = len(of_others(means))
    unseen = " that was not trained on such images" if others < len(means) else ""
    subtitle = (
        f"Rule {style.plain(rule)}. Models by mean top-1, categories by that of "
        f"{style.plain(best)}, the best model{unseen}. "
        f"Bars: {style.percent(level)} intervals. Dashed lines, and the numbers under each "
        f"name: mean top-1 / top-5 over {style.count(len(every), 'category', 'categories')}."
        + rows.unknown(shown)
    )
    lines = 3 + bool(rows.unknown(shown))

    labels, label_width = style.label_column(categories, 1.3)
    left = style.MARGIN + label_width + 0.06
    room = style.width() - style.MARGIN - _RIGHT - left
    across = min(2 if style.narrow() else per_page, len(shown))
    down = math.ceil(len(shown) / across)
    width = (room - _GAP * (across - 1)) / across
    names = [style.wrap(style.plain(name), width, bold=True, lines=4) for name in shown["model"]]
    name_lines = max(len(name) for name in names)
    height = len(categories) * rows.row_height(len(categories))
    keys = rows.keys(means=True)
    columns = style.legend_columns(style.labels_of(keys), 3)
    under_keys = 0.22 + style.legend_height(style.labels_of(keys), columns)
    head = style.LINE * (name_lines + 1) + 0.06
    first = style.heading_height(title, subtitle, lines) + under_keys + head
    pitch = height + _FOOT + 0.1 + head

    with style.style():
        figure = style.sheet(first + (down - 1) * pitch + height + _FOOT + style.MARGIN)
        under = style.heading(figure, title, subtitle, lines)
        style.legend(figure, keys, style.MARGIN, under + 0.04, columns)
        for position, (name, (_, mean)) in enumerate(zip(names, shown.iterrows(), strict=True)):
            row, column = divmod(position, across)
            start, top = left + column * (width + _GAP), first + row * pitch
            axes = style.panel(figure, start, top, width, height)
            table = style.by_category(accuracy, rule, str(mean["model"]))
            table = table.set_index("category").reindex(categories).reset_index()
            rows.dress(axes, labels if column == 0 else [""] * len(labels), "accuracy (%)")
            rows.percent_axis(axes, (0, 0.5, 1) if width < 2.5 else (0, 0.25, 0.5, 0.75, 1))
            rows.averages(axes, mean)
            rows.accuracies(axes, table)
            line = top - 0.06 - style.LINE * (len(name) + 1)
            for text in name:
                style.write(figure, start, line, text, weight="bold")
                line += style.LINE
            both = " / ".join(rows.percent(float(mean[metric])) for metric in rows.METRICS)
            unit = "%" if mean[list(rows.METRICS)].notna().all() else ""
            said = f"mean {both}{unit}"
            fits = style.text_width(said) <= width
            style.write(figure, start, line, said if fits else f"{both}{unit}")
    return figure


def _span(noun: str, before: int, number: int, total: int) -> str:
    """``models 6 to 10 of 12``, ``model 11 of 11``."""
    if number == 1:
        return f"{'category' if noun == 'categories' else noun} {before + 1} of {total}"
    return f"{noun.removesuffix('s')}s {before + 1} to {before + number} of {total}"

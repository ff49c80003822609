"""Every model by category (Borji 2022, Figures 5 and 6)."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.figure import Figure

from synthsight.figures import rows, style

_GAP = 0.18  # inches between panels: room for the ends of two axes' tick labels
_FOOT = 0.32
_RIGHT = 0.08


def models(
    accuracy: pd.DataFrame, rule: str, page: int, per_page: int, level: float = 0.95
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

    Raises:
        ValueError: If there is no such page, or no row under this rule.
    """
    means = style.ranked(accuracy, rule)
    pages = math.ceil(len(means) / per_page)
    if not 1 <= page <= pages:
        raise ValueError(f"there is no page {page}: {len(means)} models make {pages} page(s)")
    shown = means.iloc[(page - 1) * per_page : page * per_page]
    best = style.best_model(accuracy, rule)
    categories = style.by_category(accuracy, rule, best)["category"].tolist()

    title = "Accuracy of every model on generated images, by category"
    if pages > 1:
        first = (page - 1) * per_page + 1
        last = first + len(shown) - 1
        place = f"models {first} to {last}" if last > first else f"model {first}"
        title += f", {place} of {len(means)}"
    subtitle = (
        f"Rule {style.plain(rule)}. Models by mean top-1, categories by the best model's top-1. "
        f"Bars: {style.percent(level)} intervals. Dashed lines, and the numbers under each "
        f"name: mean top-1 / top-5 over {style.count(len(categories), 'category', 'categories')}."
        + rows.unknown(shown)
    )
    lines = 3 if rows.unknown(shown) else 2

    labels, label_width = style.label_column(categories, 1.3)
    left = style.MARGIN + label_width + 0.06
    room = style.width() - style.MARGIN - _RIGHT - left
    width = (room - _GAP * (len(shown) - 1)) / len(shown)
    names = [style.wrap(style.plain(name), width, bold=True, lines=4) for name in shown["model"]]
    name_lines = max(len(name) for name in names)
    height = len(categories) * rows.row_height(len(categories))
    top = style.heading_height(title, subtitle, lines) + 0.22 + style.LINE * (name_lines + 1) + 0.06

    with style.style():
        figure = style.sheet(top + height + _FOOT + style.MARGIN)
        under = style.heading(figure, title, subtitle, lines)
        style.legend(figure, rows.keys(means=True), style.MARGIN, under + 0.04, 3)
        for position, (name, (_, mean)) in enumerate(zip(names, shown.iterrows(), strict=True)):
            start = left + position * (width + _GAP)
            axes = style.panel(figure, start, top, width, height)
            table = style.by_category(accuracy, rule, str(mean["model"]))
            table = table.set_index("category").reindex(categories).reset_index()
            rows.dress(axes, labels if position == 0 else [""] * len(labels), "accuracy (%)")
            rows.percent_axis(axes, (0, 0.5, 1) if width < 2.5 else (0, 0.25, 0.5, 0.75, 1))
            rows.averages(axes, mean)
            rows.accuracies(axes, table)
            line = top - 0.06 - style.LINE * (len(name) + 1)
            for text in name:
                style.write(figure, start, line, text, weight="bold")
                line += style.LINE
            both = " / ".join(rows.percent(float(mean[metric])) for metric in rows.METRICS)
            unit = "%" if mean[list(rows.METRICS)].notna().all() else ""
            style.write(figure, start, line, f"mean {both}{unit}")
    return figure

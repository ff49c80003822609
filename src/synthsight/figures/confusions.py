"""Which wrong classes each category is most often mistaken for."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from synthsight.figures import style
from synthsight.figures.counted import uncounted

SHOWN = 3
"""Classes of each category on the figure; a narrow one has room for the first alone."""
MOST = 34
"""Maximum number of categories: those of which a wrong class is the most frequent."""

_LIMIT = 1.35  # inches for the names of categories
_GAP = 0.14  # inches between the columns
_NUMBER = 0.3  # inches for a share
_PITCH = 0.26  # inches of a row: the name of a class, and its bar below
_BAR = 0.07  # inches of a bar's height
_KEY = 0.2  # inches for the legend
_FIRST, _NEXT = style.VERMILLION, style.ORANGE


def confusions(table: pd.DataFrame, rule: str, adapted: Sequence[str] = ()) -> Figure:
    """Draw the most frequent wrong classes of each category over all models.

    The category whose first wrong class is the most frequent comes first, ties by name; of more
    than :data:`MOST` the first ones are drawn.

    Args:
        table: The confusions table; its rows for all models together are drawn.
        rule: Matching rule, such as ``words/simple``.
        adapted: Models that were trained on the images, and are not counted.
    """
    title = "What each category is most often taken for"
    # A rule without rows is one under which nothing is wrong: the table lists only mistakes.
    of_all = style.generated(table)
    found = of_all[(of_all["rule"] == rule) & (of_all["model"] == style.ALL)]
    found = found.sort_values(
        ["category", "share", "predicted"], ascending=[True, False, True]
    ).assign(place=lambda rows: rows.groupby("category").cumcount())
    first = found[found["place"] == 0].sort_values(["share", "category"], ascending=[False, True])
    of_run = first["category"].tolist()
    categories = of_run[:MOST]
    shown = 1 if style.narrow() else SHOWN  # classes of a category
    if categories:
        which = "most frequent wrong first prediction"
        which = f"The {which}" if shown == 1 else f"The {shown} {which}s"
        subtitle = (
            f"{which} over all models, with {'its' if shown == 1 else 'their'} share "
            f"of the category's generated images (%); rule {style.plain(rule)}."
            + (f" {MOST} of {len(of_run)} categories." if len(of_run) > MOST else "")
            + uncounted(adapted)
        )
    else:
        subtitle = f"Rule {style.plain(rule)}. No first prediction is wrong."
    labels, label_width = style.label_column(categories, _LIMIT)
    left = style.MARGIN + label_width + 0.1
    cell = (style.width() - style.MARGIN - left - _GAP * (shown - 1)) / shown
    under = style.heading_height(title, subtitle, 2 + bool(adapted)) + (0.1 if categories else 0)
    keyed = bool(categories) and shown > 1
    top = under + (_KEY if keyed else 0)
    longest = float(found["share"].max()) if categories else 0.0

    with style.style():
        figure = style.sheet(top + len(categories) * _PITCH + style.MARGIN)
        style.heading(figure, title, subtitle, 2 + bool(adapted))
        if keyed:
            style.legend(figure, _keys(), style.MARGIN, under, 2)
        axes = style.canvas(figure)
        for row, (category, label) in enumerate(zip(categories, labels, strict=True)):
            above = top + row * _PITCH
            if row % 2:
                axes.add_patch(
                    Rectangle(
                        (style.MARGIN, above - 0.02),
                        style.room(),
                        _PITCH,
                        facecolor=style.BAND,
                        linewidth=0,
                    )
                )
            style.write(
                figure, left - 0.1, above + _PITCH / 2 - 0.02, label, ha="right", va="center"
            )
            of_category = found[(found["category"] == category) & (found["place"] < shown)]
            for place, line in enumerate(of_category.itertuples(index=False)):
                start = left + place * (cell + _GAP)
                name = style.elide(style.plain(line.predicted), cell - _NUMBER, head=1.0)
                style.write(figure, start, above + 0.012, name)
                share = float(line.share)
                style.write(
                    figure, start + cell - 0.02, above + 0.012, f"{100 * share:.1f}", ha="right"
                )
                axes.add_patch(
                    Rectangle(
                        (start, above + 0.14),
                        cell * share / longest,
                        _BAR,
                        facecolor=_FIRST if place == 0 else _NEXT,
                        linewidth=0,
                        label=str(category),
                    )
                )
    return figure


def _keys() -> list[Patch]:
    """Legend entries for the two colours."""
    return [
        Patch(facecolor=_FIRST, linewidth=0, label="the most frequent wrong class"),
        Patch(facecolor=_NEXT, linewidth=0, label="the next ones"),
    ]

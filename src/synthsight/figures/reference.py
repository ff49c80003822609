"""Accuracy on real photographs and on generated images, by model and by category."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from synthsight.figures import rows, style
from synthsight.statistics.reference import MEASURED, of_models

MOST = 60
"""Maximum number of categories of :func:`drops`: those with the largest drops."""

_LIMIT = 1.65  # inches for the names of models
_NUMBERS = {"top1": (0.52, 1.2), "top5": (1.82, 2.5)}
"""Where the columns of numbers end, in inches right of the axis: the drop and its interval."""
_ALONE = {"top1": (0.48,), "top5": (0.97,)}
"""The same in a narrow figure, which has no room for intervals."""
_FOOT = 0.42


def reference(table: pd.DataFrame, rule: str, level: float = 0.95) -> Figure:
    """Draw the reference accuracy next to that on generated images, and the drop.

    The reference is the accuracy on the run's real photographs, or the one stated for the weights.

    A model whose accuracy on real photographs is unknown has neither hollow marks nor a drop.

    Args:
        table: The reference table; its rows for all generators together are drawn.
        rule: Matching rule, such as ``words/simple``.
        level: Confidence level of the intervals, for the heading.

    Raises:
        ValueError: If the table has no row under this rule.
    """
    found = style.of_rule(table, rule, "reference")
    means = of_models(found, rule)
    means = means.sort_values(["top1", "model"], ascending=[False, True], ignore_index=True)
    known = means[["reference_top1", "reference_top5"]].notna().any(axis=1)

    measured = (means["kind"] == MEASURED).any()
    title = (
        "Accuracy on real photographs and on generated images"
        if measured
        else "Accuracy as stated for the weights, and on generated images"
    )
    subtitle = (
        f"Rule {style.plain(rule)}; {style.count(len(means), 'model')} by mean top-1 on generated "
        f"images. {rows.bars()} {style.percent(level)} intervals. Drop: "
        + (
            "the mean over categories of the run's real photographs minus that of its generated "
            "images, in percentage points."
            if measured
            else "the accuracy stated for the weights, over all of their classes, minus the mean "
            "over categories of generated images, in percentage points."
        )
    )
    if not known.all():
        unknown = int((~known).sum())
        subtitle += (
            f" No reference is known for {style.count(unknown, 'model')}."
            if known.any()
            else " No reference is known."
        )
    subtitle += rows.unknown(means)
    return _draw(means, means["model"].tolist(), title, subtitle)


def drops(
    table: pd.DataFrame, rule: str, level: float = 0.95, adapted: Sequence[str] = ()
) -> Figure:
    """Draw the best model's accuracy by category, on real photographs and on generated images.

    The category with the largest drop comes first, ties by name. A run without photographs has no
    rows.

    Args:
        table: The reference table; its measured rows for all generators together are drawn.
        rule: Matching rule, such as ``words/simple``.
        level: Confidence level of the intervals, for the heading.
        adapted: Models that were trained on the images, none of which is the best one.

    Raises:
        ValueError: If the table has no row under this rule.
    """
    found = style.of_rule(table, rule, "reference")
    found = style.generated(found[found["kind"] == MEASURED])
    title = "Where generation hurts: real photographs and generated images by category"
    if found.empty:
        subtitle = f"Rule {style.plain(rule)}. No category has both, so there is nothing to show."
        return _draw(found, [], title, subtitle)
    means = found[found["category"] == style.ALL]
    others = means[~means["model"].isin(adapted)]
    unseen = " that was not trained on such images" if 0 < len(others) < len(means) else ""
    means = means if others.empty else others
    best = means.sort_values(["top1", "model"], ascending=[False, True])["model"].iloc[0]
    cells = found[(found["model"] == best) & (found["category"] != style.ALL)].sort_values(
        ["drop_top1", "category"], ascending=[False, True], ignore_index=True
    )
    every, cells = len(cells), cells.head(MOST)
    subtitle = (
        f"Rule {style.plain(rule)}; {style.plain(best)}, the best model{unseen} by mean top-1 on "
        f"generated images. {rows.bars()} {style.percent(level)} intervals. Drop: "
        "accuracy on real photographs minus that on generated images, in percentage points."
        + (f" The {MOST} of {every} categories with the largest drops." if every > MOST else "")
    )
    return _draw(cells, cells["category"].tolist(), title, subtitle)


def _draw(found: pd.DataFrame, names: list[str], title: str, subtitle: str) -> Figure:
    """Draw rows of the reference table, from the top, under their names."""
    known = bool(found[["reference_top1", "reference_top5"]].notna().to_numpy().any())
    labels, label_width = style.label_column(names, _LIMIT)
    left = style.MARGIN + label_width + 0.06
    ends = _ALONE if style.narrow() else _NUMBERS
    width = style.width() - style.MARGIN - ends["top5"][-1] - left
    height = len(found) * max(rows.row_height(len(found)), 0.15)
    under = style.heading_height(title, subtitle, 4) + 0.08
    hollow = rows.reference(found["kind"]) if known else None
    keys = rows.keys(hollow=hollow)
    columns = style.legend_columns(style.labels_of(keys), 3)
    top = under + 0.36 + style.legend_height(style.labels_of(keys), columns)

    with style.style():
        figure = style.sheet(top + height + _FOOT)
        style.heading(figure, title, subtitle, 4)
        if not names:
            return figure
        style.legend(figure, keys, style.MARGIN, under, columns)
        axes = style.panel(figure, left, top, width, height)
        rows.dress(axes, labels, "accuracy (%)")
        rows.percent_axis(axes, (0, 0.25, 0.5, 0.75, 1))
        for metric in rows.METRICS:
            real = found[f"reference_{metric}"].astype(float)
            for row, (value, shown) in enumerate(zip(real, found[metric], strict=True)):
                if not np.isnan(value) and not np.isnan(shown):
                    rows.hollow(axes, metric, value, row, float(shown))
            drop = found[f"drop_{metric}"].astype(float)
            bounds = zip(
                found[f"drop_{metric}_low"].astype(float),
                found[f"drop_{metric}_high"].astype(float),
                strict=True,
            )
            at, *at_interval = ends[metric]
            label = rows.METRICS[metric].label
            rows.numbers(axes, [rows.points(value) for value in drop], at, f"drop {label}")
            for end in at_interval:
                rows.numbers(axes, [rows.interval(*pair) for pair in bounds], end, "interval")
        rows.accuracies(axes, found)
    return figure

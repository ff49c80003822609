"""What a reader should know about models that were trained on the run's images, in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from synthsight.report.phrases import count, percent, points, signed
from synthsight.tables import ALL

#: Models that have a sentence, at most; the table has all.
_MOST = 8


def of_adapted(note: Mapping[str, Any]) -> list[str]:
    """About a model that was trained on the run's images; nothing of another.

    Args:
        note: about its weights, or about what it was made from.
    """
    about = note.get("adapted")
    if about is None:
        return []
    said = [
        f"{note['name']} chooses among the run's {about['categories']:,} categories under every "
        f"rule: compare it with {about['base']} and others under restricted alone"
    ]
    losses = about.get("losses", [])
    worse = sum(loss > math.log(about["categories"]) for loss in losses)
    if worse:
        said.append(
            f"{worse} of {count(len(losses), 'network')} of {note['name']} did no better in the "
            "end than guessing, on the images that they were trained on: write a lower "
            "`learning_rate`, or more `epochs`"
        )
    return said


def adapted_answers(table: pd.DataFrame | None) -> list[str]:
    """What models gain, a sentence each, those that gain most on generated images first.

    Args:
        table: from :func:`synthsight.statistics.adaptation.adaptation`; None without one.
    """
    if table is None or table.empty:
        return []
    means = table[table["category"] == ALL]
    generators = means["generator"].unique().tolist()
    first = ALL if ALL in generators else generators[0]
    main = means[means["generator"] == first]
    main = main.sort_values(["gain", "after", "model"], ascending=[False, False, True])
    single = table[(table["category"] != ALL) & (table["generator"] == first)]
    categories = single["category"].nunique()
    said = [_answer(row, categories) for row in main.head(_MOST).to_dict("records")]
    if len(main) > _MOST:
        said.append(f"The table has {len(main) - _MOST} more.")
    return said


def _answer(row: Mapping[Any, Any], categories: int) -> str:
    """What one model gets of so many categories, and how much more that is."""
    images = "the generated images" if row["generator"] == ALL else f"those of {row['generator']}"
    trained = {
        "all": "trained on other images from the same sources",
        "some": "trained on other images from some of the same sources",
        "none": "trained on images from other sources",
    }[row["trained"]]
    right = f"{percent(row['after'])} of {images} right under restricted"
    gets = f"{row['model']}, {trained}, gets {right}"
    if row["gain"] != row["gain"]:
        return f"{gets}. {row['base']} names no classes, so nothing is known from before."
    more = f"{points(abs(row['gain']))} {'more' if row['gain'] >= 0 else 'less'} than {row['base']}"
    beyond = "" if row["low"] > 0 or row["high"] < 0 else ": no more than chance may do"
    bounds = f"a gain of {signed(row['low'])} to {signed(row['high'])}"
    return f"{gets}, {more} ({bounds}){beyond}{_over_named(row, categories)}."


def _over_named(row: Mapping[Any, Any], categories: int) -> str:
    """What is gained over the categories that the base can choose, if these are not all.

    Args:
        row: of the mean over categories.
        categories: that this is of.
    """
    named = int(row["named"])
    if named == categories:
        return ""
    if not named:
        return f"; {row['base']} has classes for none of the categories, and so gets nothing right"
    over = "that one" if named == 1 else f"those {named:,}"
    return (
        f"; {row['base']} has classes for only {named:,} of the "
        f"{count(categories, 'category', 'categories')}, and gets nothing right in the others: "
        f"over {over} the gain is {points(row['named_gain'])} "
        f"({signed(row['named_low'])} to {signed(row['named_high'])})"
    )

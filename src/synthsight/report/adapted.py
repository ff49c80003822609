"""What a reader should know about models that were trained on the run's images, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

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
    return [
        f"{note['name']} chooses among the run's {about['categories']:,} categories under every "
        f"rule: compare it with {about['base']} and others under restricted alone"
    ]


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
    said = [_answer(row) for row in main.head(_MOST).to_dict("records")]
    if len(main) > _MOST:
        said.append(f"The table has {len(main) - _MOST} more.")
    return said


def _answer(row: Mapping[Any, Any]) -> str:
    """What one model gets, and how much more that is."""
    images = "the generated images" if row["generator"] == ALL else f"those of {row['generator']}"
    trained = {
        "all": "trained on others of them",
        "some": "trained on others of some of their generators",
        "none": "trained on images of other sources",
    }[row["trained"]]
    right = f"{100 * row['after']:.1f}% of {images} right under restricted"
    gets = f"{row['model']}, {trained}, gets {right}"
    if row["gain"] != row["gain"]:
        return f"{gets}. {row['base']} names no classes, so nothing is known from before."
    points = 100 * row["gain"]
    low, high = 100 * row["low"], 100 * row["high"]
    more = f"{abs(points):.1f} points {'more' if points >= 0 else 'less'} than {row['base']}"
    beyond = "" if low > 0 or high < 0 else ": no more than chance may do"
    return f"{gets}, {more} (a gain of {low:.1f} to {high:.1f}){beyond}."

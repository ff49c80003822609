"""What the page says of people: who gets images, and what people say of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from synthsight.statistics.people import CEILING, MAJORITY, MEAN, MODEL, RATER
from synthsight.tables import ALL

#: What the rows of people are called, in their order.
NAMES = {
    MEAN: "mean of raters",
    MAJORITY: "majority of raters",
    CEILING: "ceiling: a rater against most others",
}

#: With more raters than this, they are in the table alone.
MOST_RATERS = 12

#: Who gets images: column of the table, words, and the explorer's filters that show these images.
WHO = (
    ("people_only", "People, and no model", {"people": "right", "outcome": "none"}),
    ("people_and_models", "People, and a model at least", {"people": "right", "outcome": "right"}),
    ("models_only", "A model at least, and people do not", {"people": "wrong", "outcome": "right"}),
    ("neither", "Neither people nor a model", {"people": "wrong", "outcome": "none"}),
)


def explorer_people(images: Sequence[str], table: pd.DataFrame) -> dict[str, list[Any]]:
    """What people say of the images of the explorer.

    Args:
        images: their names, in the order of the page.
        table: the table ``people_images``.

    Returns:
        A list each, with null for images that nobody rated: ``raters``, how many; ``right``, how
        many of them are; ``response``, what most say, null if several are said equally often.
    """
    rated = {str(row["image"]): row for row in table.to_dict("records")}
    known = [rated.get(image) for image in images]
    return {
        "raters": [None if row is None else int(row["raters"]) for row in known],
        "right": [None if row is None else int(row["right"]) for row in known],
        "response": [
            None if row is None or pd.isna(row["response"]) else str(row["response"])
            for row in known
        ],
    }


def source_of(table: pd.DataFrame) -> str:
    """The source that the page speaks of: all generated images or, without any, the first other.

    Args:
        table: the table ``people``.
    """
    return ALL if (table["generator"] == ALL).any() else str(table["generator"].iloc[0])


def people_section(tables: Mapping[str, pd.DataFrame], rule: str) -> dict[str, Any] | None:
    """What the section on people's labels shows; None without labels.

    Returns:
        ``source``; ``n`` images and ``raters``; ``rows``, people first, then models from the best,
        with ``name``, ``people`` (whether it is about people) and the columns of the table;
        ``groups``: ``words``, ``filters``, and the numbers ``n`` and ``share`` of images.
    """
    if "people" not in tables:
        return None
    table = tables["people"]
    source = source_of(table)
    found = table[(table["generator"] == source) & (table["category"] == ALL)]
    mean = found[found["kind"] == MEAN].iloc[0]
    alone = int(mean["raters"]) == 1
    called = {MEAN: "the rater"} if alone else NAMES
    people = [
        {**row, "name": called[row["kind"]], "people": True}
        for row in found.to_dict("records")
        if row["kind"] in called
    ]
    raters = found[found["kind"] == RATER].sort_values(
        ["accuracy", "name"], ascending=[False, True]
    )
    if not alone and len(raters) <= MOST_RATERS:
        people += [{**row, "people": True} for row in raters.to_dict("records")]
    models = found[(found["kind"] == MODEL) & (found["rule"] == rule)]
    models = models.sort_values(["accuracy", "name"], ascending=[False, True])
    counts = tables["people_groups"]
    of_source = counts[(counts["generator"] == source) & (counts["category"] == ALL)]
    return {
        "source": source,
        "n": int(mean["n"]),
        "raters": int(mean["raters"]),
        "rows": [*people, *({**row, "people": False} for row in models.to_dict("records"))],
        "groups": [
            {
                "words": words,
                "filters": {**filters, **({} if source == ALL else {"generator": source})},
                "n": int(row[column]),
                "share": row[column] / row["n"],
            }
            for row in of_source.to_dict("records")
            for column, words, filters in WHO
        ],
    }

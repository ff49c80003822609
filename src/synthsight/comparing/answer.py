"""The answer of a comparison in a few sentences, for terminal and page."""

from __future__ import annotations

import pandas as pd

from synthsight.comparing.comparison import Comparison
from synthsight.comparing.configuration import IMAGES, PARTS
from synthsight.comparing.differences import EVERY, PAIRED, SHARED
from synthsight.report.phrases import count, percent, signed
from synthsight.tables import ALL
from synthsight.wording import one_line

#: Models that a sentence names.
_NAMED = 3


def answers(found: Comparison) -> list[str]:
    """What the comparison says: of classifiers, of models that answer questions, of the rest."""
    rows = means(found, "top1")
    said = []
    if len(rows):
        source = rows["generator"].iloc[0]
        of = "generated images" if source == ALL else str(source)
        what = f"top-1 accuracy on {of} under {found.rule}"
        said += _of_models(main(rows), found, what)
        said += _of_sample(rows, "images")
        said += _of_shared(rows, found, what)
    if len(found.questions):
        what = "accuracy on yes/no questions"
        said += _of_models(main(found.questions), found, what)
        said += _of_sample(found.questions, "questions")
        said += _of_shared(found.questions, found, what)
    if not said:
        said.append(
            "The runs have no category and source of images in common under a common rule, so "
            "there is no difference to tell."
        )
    return [*said, differing(found)]


def means(found: Comparison, measure: str) -> pd.DataFrame:
    """The rows of means over categories under the rule, of generated images where there are any.

    Args:
        found: the comparison.
        measure: ``top1`` or ``top5``.
    """
    rows = found.differences
    chosen = (rows["rule"] == found.rule) & (rows["measure"] == measure)
    rows = rows[chosen & (rows["category"] == ALL)]
    sources = sorted(rows["generator"].unique(), key=lambda name: (name != ALL, name))
    return rows[rows["generator"] == sources[0]] if sources else rows


def main(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows over all images, or questions, of both runs: paired where all are the same."""
    return rows[rows["over"] == EVERY]


def differing(found: Comparison) -> str:
    """How much of the configuration differs, by its parts."""
    counts = found.configuration["part"].value_counts()
    named = [
        f"{counts[part]:,} under {part}" for part in PARTS if part in counts and part != IMAGES
    ]
    images = found.configuration[found.configuration["part"] == IMAGES]
    if len(images):
        names = images["key"].str.rpartition(": ")[0].nunique()
        named.append(f"images of {count(names, 'category', 'categories')}")
    if not named:
        return "Nothing that the runs know of themselves differs between them."
    listed = ", ".join(named)
    return f"What differs: {listed}; the table configuration has each."


def _of_models(rows: pd.DataFrame, found: Comparison, what: str) -> list[str]:
    """How many models do better, or worse, and which differ most."""
    counted = rows[~rows["model"].isin(found.adapted)]
    rows = counted if len(counted) else rows
    if len(rows) == 1:
        return [f"From {found.a} to {found.b}, the {what} of {_one(rows.iloc[0], found)}."]
    start = f"From {found.a} to {found.b}, the {what}"
    better, worse = rows["low"] > 0, rows["high"] < 0
    same = int(((rows["only_a"] == 0) & (rows["only_b"] == 0)).sum())
    if same == len(rows):
        return [f"{start} does not change: each of the {same} models is right in the same cases."]
    if not (better | worse).any():
        said = [
            f"{start} changes clearly for none of {len(rows)} models: every interval includes 0."
        ]
    else:
        up, down = int(better.sum()), int(worse.sum())
        rest = "" if up + down == len(rows) else "; of the others the interval includes 0"
        said = [f"{start} rises for {up} of {len(rows)} models and falls for {down}{rest}."]
    if same:
        said.append(f"{same:,} of them {'is' if same == 1 else 'are'} right in the same cases.")
    told = rows[better | worse]
    largest = told.reindex(told["difference"].abs().sort_values(ascending=False).index)
    named = [_one(row, found) for _, row in largest.head(_NAMED).iterrows()]
    if named:
        said.append(f"{'Largest: ' if len(told) > len(named) else ''}{'; '.join(named)}.")
    return said


def _one(row: pd.Series, found: Comparison) -> str:
    """A model's change, in words."""
    if row["only_a"] is not pd.NA and row["only_a"] == row["only_b"] == 0:
        return f"{row['model']} stays at {percent(row['value_a'])}, right in the same cases"
    return (
        f"{row['model']} goes from {percent(row['value_a'])} to {percent(row['value_b'])}, "
        f"{change(row)} ({interval(row, found.level)})"
    )


def change(row: pd.Series) -> str:
    """A difference in percentage points, with its sign."""
    text = signed(row["difference"])
    return f"{text if text.startswith('-') or text == '0.0' else '+' + text} points"


def interval(row: pd.Series, level: float) -> str:
    """The interval of a difference."""
    return f"{100 * level:g}% interval {signed(row['low'])} to {signed(row['high'])}"


def _of_sample(rows: pd.DataFrame, noun: str) -> list[str]:
    """Whether the images, or questions, are the same, and what follows."""
    every = main(rows).iloc[0]
    n_a, n_b, same = (f"{int(every[name]):,}" for name in ("n_a", "n_b", "same"))
    if every["method"] == PAIRED:
        return [f"The {same} {noun} are the same in both runs, so the differences are paired."]
    if not every["same"]:
        return [
            f"None of the {noun} are the same ({n_a} and {n_b}), so the differences are of two "
            "samples."
        ]
    return [
        f"{same} of {n_a} and {n_b} {noun} are the same: the differences over all of them are of "
        "two samples, and further ones over the shared are paired."
    ]


def _of_shared(rows: pd.DataFrame, found: Comparison, what: str) -> list[str]:
    """What the paired rows say where some images, or questions, are shared."""
    shared = rows[(rows["method"] == PAIRED) & (rows["over"] == SHARED)]
    shared = shared[~shared["model"].isin(found.adapted)] if len(shared) > 1 else shared
    if shared.empty:
        return []
    clear = shared[(shared["low"] > 0) | (shared["high"] < 0)]
    if clear.empty:
        return ["Over the shared ones, the interval of every model includes 0."]
    largest = clear.reindex(clear["difference"].abs().sort_values(ascending=False).index)
    named = "; ".join(_one(row, found) for _, row in largest.head(_NAMED).iterrows())
    return [
        f"Over the shared ones, {count(len(clear), 'model')} of {len(shared)} "
        f"{'differs' if len(clear) == 1 else 'differ'}: {one_line(named)}."
    ]

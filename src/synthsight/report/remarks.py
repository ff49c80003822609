"""What a reader should know about a run's numbers before trusting them, in sentences."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthsight.classifiers.score import TOP
from synthsight.images.duplicates import across_categories, within_categories
from synthsight.images.manifest import ImageRecord
from synthsight.labels.matching import find_rule
from synthsight.tables import metadata_of, read_batches, read_schema

#: Rows read at a time: the first of them nearly always settle the matter.
_ROWS = 8192


def remarks(
    records: Iterable[ImageRecord],
    scores: Sequence[str | os.PathLike[str]],
    notes: Iterable[Mapping[str, Any]],
    duplicates: pd.DataFrame,
    vqa: pd.DataFrame | None = None,
) -> list[str]:
    """All remarks on a run; none if nothing stands out.

    Args:
        records: the manifests of all categories.
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model.
        notes: the notes about the weights of all models.
        duplicates: the table of this name.
        vqa: the table ``vqa``, if questions were asked.
    """
    counts = Counter(record.category for record in records if record.status == "ok")
    said = [across_categories(duplicates), within_categories(duplicates, counts.total())]
    said += [same_best_class(path) for path in scores]
    said += dict.fromkeys(always_right(path, len(counts)) for path in scores)
    said += same_weights(notes)
    said += [] if vqa is None else same_answer(vqa)
    return [f"{sentence}." for sentence in said if sentence is not None]


def same_best_class(scores: str | os.PathLike[str]) -> str | None:
    """About a model with the same best class for all images of several categories."""
    schema = read_schema(scores)
    names = json.loads(metadata_of(schema, "class_names", scores))
    seen: set[int] = set()
    categories: set[str] = set()
    images = 0
    rule: str | None = None
    for batch in read_batches(scores, ["category", "rule", "predicted"], _ROWS):
        # Under a choice among categories the best class is that of the category chosen.
        rules = [each for each in batch["rule"].unique().to_pylist() if not find_rule(each).choice]
        rule = rule or next(iter(rules), None)
        if rule in rules:
            part = pa.table(batch).filter(pc.field("rule") == rule)
            images += part.num_rows
            categories |= set(part["category"].unique().to_pylist())
            seen |= set(pc.unique(pc.list_element(part["predicted"], 0)).to_pylist())
        if len(seen) > 1:
            return None
    if len(categories) < 2:
        return None
    model = metadata_of(schema, "model", scores)
    (number,) = seen
    return (
        f"{model} gives all {images:,} images the same best class, {names[number]!r}: its weights "
        "or its preprocessing are most likely not what belongs to it"
    )


def always_right(scores: str | os.PathLike[str], categories: int) -> str | None:
    """About hits among so few classes or categories that they cannot be missed.

    Args:
        scores: of a model.
        categories: how many the run has.
    """
    schema = read_schema(scores, ["rule"])
    classes = len(json.loads(metadata_of(schema, "class_names", scores)))
    if classes <= TOP:
        model = metadata_of(schema, "model", scores)
        return f"{model} has {classes} classes, so its top-5 is always right where one of them is"
    for rule, choices in _choices(scores).items():
        if choices == 1:
            return (
                f"Under {rule} there is nothing to choose from, since one category alone has a "
                "class: every model is right about all of its images, and that says nothing"
            )
        if 0 < choices < TOP or 0 < choices == categories:
            return (
                f"Top-5 under {rule} is always right, except for categories without a class: there "
                f"are {choices} categories to choose from"
            )
    return None


def _choices(scores: str | os.PathLike[str]) -> dict[str, int]:
    """By rule, for rules that choose among categories: how many they choose from, or the top 5."""
    found: dict[str, int] = {}
    for batch in read_batches(scores, ["rule", "predicted"], _ROWS):
        for rule in batch["rule"].unique().to_pylist():
            if rule not in found and find_rule(rule).choice:
                part = pa.table(batch).filter(pc.field("rule") == rule)
                found[rule] = len(part["predicted"][0])
    return found


def same_weights(notes: Iterable[Mapping[str, Any]]) -> list[str]:
    """About models that are one: weights of several names with the same sha256."""
    names: dict[str, list[str]] = {}
    for note in notes:
        if digest := note.get("safetensors_sha256"):
            names.setdefault(digest, []).append(str(note["name"]))
    return [
        f"{' and '.join(sorted(same))} have the same weights, so they differ in their settings at "
        "most, and agree more than two models would"
        for _, same in sorted(names.items())
        if len(same) > 1
    ]


def same_answer(vqa: pd.DataFrame) -> list[str]:
    """About VQA models that answer every question alike.

    Args:
        vqa: the table of this name.
    """
    sentences = []
    for row in vqa.to_dict("records"):
        yes = row["yes_yes"] + row["no_yes"]
        if row["n"] > 1 and row["n_yes"] and row["n_no"] and yes in (0, row["n"]):
            sentences.append(
                f"{row['model']} answers {'yes' if yes else 'no'} to all {row['n']:,} questions, "
                "whatever they are about"
            )
    return sentences

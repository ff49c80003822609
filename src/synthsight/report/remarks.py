"""What a reader should know about a run's numbers before trusting them, in sentences."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthsight.classifiers.judging import TOP
from synthsight.images.groups import PATTERNS, lacking
from synthsight.images.manifest import ImageRecord
from synthsight.images.pairs import (
    across_categories,
    across_photographs,
    left_out,
    within_categories,
)
from synthsight.labels.matching import find_rule
from synthsight.people.marks import of_marks
from synthsight.report.adapted import of_adapted
from synthsight.report.endpoints import of_endpoint
from synthsight.report.imported import of_predictions
from synthsight.statistics.answers import read_answers
from synthsight.tables import metadata_of, read_batches, read_schema
from synthsight.vqa.elsewhere.notes import of_answers

#: Rows read at a time: the first of them nearly always settle the matter.
_ROWS = 8192

#: Images, or questions, of which a sound model may well say the same, if there are fewer.
_ENOUGH = 10

#: How many of them must have another truth than a model that says the same of all of them.
_WRONG = 3


#: The share of questions from which on it is said that not every model answered them.
_MANY = 0.05

#: Models that a sentence names.
_NAMED = 5

#: A mean probability of yes and no together below which a model is said to answer otherwise.
_LITTLE = 0.5


def remarks(
    records: Iterable[ImageRecord],
    scores: Sequence[str | os.PathLike[str]],
    notes: Iterable[Mapping[str, Any]],
    duplicates: pd.DataFrame,
    vqa: pd.DataFrame | None = None,
    versions: Mapping[str, Iterable[str]] | None = None,
    by: str = PATTERNS[0],
    excluded: Collection[str] = frozenset(),
    others: Mapping[str, str] = MappingProxyType({}),
    asked: int = 0,
) -> list[str]:
    """All remarks on a run; none if nothing stands out.

    Args:
        records: the manifests of all categories.
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model.
        notes: the notes about the weights of all models.
        duplicates: the table of this name.
        vqa: the table ``vqa``, if questions were asked.
        versions: of each library behind the results, and devices, as they state them.
        by: what tells groups of images, in words.
        excluded: images that are left out: as duplicates, or those of ``others``.
        others: images that are left out for other reasons, with these.
        asked: how many questions were put, whether or not they were answered.
    """
    usable, lost, counts = Counter[Any](), Counter[Any](), Counter[str]()
    for record in records:
        if record.status == "ok":
            usable[record.generator, record.category] += 1
            if record.image in excluded and record.image not in others:
                lost[record.generator, record.category] += 1
            elif record.image not in excluded:
                counts[record.category] += 1
    pairs = duplicates[~duplicates[["a", "b"]].isin(list(excluded)).any(axis=1)]
    notes = list(notes)
    said = [mixed_versions(versions or {}), left_out(usable, lost), *of_marks(others.values())]
    said += [across_categories(pairs), across_photographs(pairs)]
    said += [within_categories(pairs, counts.total())]
    imported = {note["name"] for note in notes if "predictions" in note}
    adapted = {note["name"] for note in notes if "adapted" in note}
    said += [same_best_class(path, imported, adapted) for path in scores]
    said += dict.fromkeys(always_right(path, len(counts)) for path in scores)
    said += [sentence for note in notes for sentence in of_predictions(note)]
    said += [sentence for note in notes for sentence in (*of_answers(note), *of_endpoint(note))]
    said += [chooses(note) for note in notes]
    said += [sentence for note in notes for sentence in of_adapted(note)]
    said += [cut_off(note) for note in notes]
    said += same_weights(notes)
    said += [ungrouped(path, by) for path in scores[:1]]  # all are about the same images
    said += [other_checksum(note) for note in notes]
    if vqa is not None:
        said += [*same_answer(vqa), *answers_otherwise(vqa), few_answered(vqa, asked)]
    return [f"{sentence}." for sentence in said if sentence is not None]


def chooses(note: Mapping[str, Any]) -> str | None:
    """About a zero-shot classifier whose classes are the run's categories.

    Args:
        note: about its weights.
    """
    architecture = note.get("architecture") or {}  # a VQA model's has none
    text = (architecture.get("arguments") or {}).get("text") or {}
    if not text.get("of_run"):
        return None
    return (
        f"{note['name']} was asked for the run's {text['classes']:,} categories alone, so under "
        "every rule it chooses among these: compare it with models of other classes under "
        "restricted alone"
    )


def cut_off(note: Mapping[str, Any]) -> str | None:
    """About a zero-shot classifier whose prompts are longer than what its text encoder reads.

    Args:
        note: about its weights.
    """
    text = note.get("text") or {}
    if not text.get("cut_off"):
        return None
    return (
        f"{text['cut_off']:,} of {text['prompts']:,} prompts for {note['name']} are longer than it "
        "reads, and their ends were cut off: choose shorter `templates` or other `names`"
    )


def mixed_versions(versions: Mapping[str, Iterable[str]]) -> str | None:
    """About results of which some were made with other versions, or on another device.

    Args:
        versions: by library; one has several where results differ.
    """
    sorted_ = {name: sorted(set(found)) for name, found in sorted(versions.items())}
    mixed = [f"{name}: {' and '.join(each)}" for name, each in sorted_.items() if len(each) > 1]
    if not mixed:
        return None
    return (
        f"Not all results were made with the same software. {'; '.join(mixed)}. Differences "
        "between images, models or categories may be due to that. `snakemake --forceall` makes "
        "all of them alike"
    )


def same_best_class(
    scores: str | os.PathLike[str],
    imported: Collection[str] = frozenset(),
    adapted: Collection[str] = frozenset(),
) -> str | None:
    """About a model with the same best class for all images of several categories.

    Nothing is said of few images, or where that class is wrong for few of them: a sound model may
    see one thing in them.

    Args:
        scores: the model's.
        imported: the models whose predictions were made elsewhere, which have no weights here.
        adapted: the models that were trained on the images, with weights of what they are made of.
    """
    schema = read_schema(scores)
    names = json.loads(metadata_of(schema, "class_names", scores))
    seen: set[int] = set()
    categories: set[str] = set()
    images = wrong = 0
    rule: str | None = None
    for batch in read_batches(scores, ["category", "rule", "top1_hit", "predicted"], _ROWS):
        # Under a choice among categories the best class is that of the category chosen.
        rules = [each for each in batch["rule"].unique().to_pylist() if not find_rule(each).choice]
        rule = rule or next(iter(rules), None)
        if rule in rules:
            part = pa.table(batch).filter(pc.field("rule") == rule)
            part = part.filter(pc.greater(pc.list_value_length(part["predicted"]), 0))
            images += part.num_rows
            wrong += part["top1_hit"].to_pylist().count(False)
            categories |= set(part["category"].unique().to_pylist())
            seen |= set(pc.unique(pc.list_element(part["predicted"], 0)).to_pylist())
        if len(seen) > 1:
            return None
    if len(categories) < 2 or images < _ENOUGH or wrong < _WRONG:
        return None
    model = metadata_of(schema, "model", scores)
    (number,) = seen
    causes = (
        "the file of its predictions, or the column that is read, is most likely not what was meant"
        if model in imported
        else "it has learned nothing: lower the `learning_rate` that it is trained with, or raise "
        "its `epochs`; of a new last layer see whether its features tell images apart"
        if model in adapted
        else "its weights or its preprocessing are most likely not what belongs to it"
    )
    return f"{model} gives all {images:,} images the same best class, {names[number]!r}: {causes}"


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
                lengths = pc.list_value_length(part["predicted"]).drop_null()
                if len(lengths):  # else what is chosen is not known
                    found[rule] = pc.max(lengths).as_py()
    return found


def ungrouped(scores: str | os.PathLike[str], by: str = PATTERNS[0]) -> str | None:
    """About images that no group was found for, if there was one for others.

    Args:
        scores: of a model.
        by: what tells groups, in words.
    """
    images, alone, _ = _grouped(scores)
    if not 0 < alone < images:
        return None
    return (
        f"{alone:,} of {images:,} images have no {lacking(by)}, and each counts as a group of its "
        "own: if they belong together, intervals are too narrow"
    )


def unit_of_images(scores: str | os.PathLike[str], by: str) -> str:
    """What is drawn by chance where images come in groups: how many these are, and what tells it.

    Args:
        scores: of a model.
        by: what tells groups, in words.
    """
    images, alone, groups = _grouped(scores)
    return f"{images:,} images are {alone + groups:,} draws, by {by}"


def unit_of_questions(answers: Sequence[str | os.PathLike[str]], by: str) -> str:
    """The same, of images with questions that all models answered; copies are one image.

    Args:
        answers: scored answers of all models, with a column ``group``.
        by: what tells groups, in words.
    """
    found = read_answers(answers)
    images, units = (len(np.unique(of)) for of in (found.images, found.units))
    return f"{images:,} images with questions are {units:,} draws, by {by}"


def _grouped(scores: str | os.PathLike[str]) -> tuple[int, int, int]:
    """The number of a model's images, of those without a group, and of groups."""
    images = alone = 0
    rule: str | None = None
    seen: set[str] = set()
    for batch in read_batches(scores, ["rule", "group"], _ROWS):
        table = pa.table(batch)
        rule = table["rule"][0].as_py() if rule is None and len(table) else rule
        groups = table.filter(pc.field("rule") == rule)["group"]
        images += len(groups)
        alone += groups.null_count
        seen |= set(groups.unique().drop_null().to_pylist())
    return images, alone, len(seen)


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


def other_checksum(note: Mapping[str, Any]) -> str | None:
    """About weights that an earlier version used although their checksum was not the stated one."""
    if note.get("checksum") != "differs":
        return None
    return (
        f"The weights of {note['name']} do not have the checksum that {note['source']} states: "
        "they are incomplete, or others"
    )


def same_answer(vqa: pd.DataFrame) -> list[str]:
    """About VQA models that answer every question alike, if there are enough of both answers.

    Args:
        vqa: the table of this name.
    """
    sentences = []
    for row in vqa.to_dict("records"):
        yes = row["yes_yes"] + row["no_yes"]
        wrong = row["n_no"] if yes else row["n_yes"]
        if row["n"] >= _ENOUGH and wrong >= _WRONG and yes in (0, row["n"]):
            sentences.append(
                f"{row['model']} answers {'yes' if yes else 'no'} to all {row['n']:,} questions, "
                "whatever they are about"
            )
    return sentences


def answers_otherwise(vqa: pd.DataFrame) -> list[str]:
    """About VQA models that mostly begin their answers with something else than yes or no.

    Args:
        vqa: the table of this name.
    """
    return [
        f"{row['model']} gives yes and no together a probability of {100 * row['mass']:.0f}% only, "
        "on average: it would mostly begin its answer otherwise (by thinking, or with a sentence), "
        "so P(yes) says little of it. Another `prompt` may help"
        for row in vqa.to_dict("records")
        if row["mass"] < _LITTLE
    ]


def few_answered(vqa: pd.DataFrame, asked: int) -> str | None:
    """About questions that are in no number, since not every model has answered them.

    Nothing is said of few: they are in the table, model by model.

    Args:
        vqa: the table of this name.
        asked: how many questions were put.
    """
    rows = vqa.to_dict("records")
    lost = asked - int(rows[0]["n"])
    if lost <= 0 or lost < _MANY * asked:
        return None
    silent = sorted((-int(row["unanswered"]), str(row["model"]), row) for row in rows)
    each = [f"{name} lacks {_lacks(row, -count)}" for count, name, row in silent if count]
    more = f"; and {len(each) - _NAMED} more models lack some" if len(each) > _NAMED else ""
    return (
        f"{lost:,} of {asked:,} questions are in no accuracy, since not every model has an answer "
        f"to them: {'; '.join(each[:_NAMED])}{more}. What is left may be easier, or harder, than "
        "all"
    )


def _lacks(row: Mapping[Any, Any], count: int) -> str:
    """To how many questions a model has no answer, and the bounds of its accuracy over all.

    These are about answers with the image: those without seeing it are no part of them.
    """
    if row["all_right"] <= row["all_wrong"]:
        return f"{count:,} without seeing the image"
    blind = pd.notna(row["gain"])
    return (
        f"{count:,}{' with the image or without' if blind else ''} ({_unparsed(row)}with all "
        f"{'that it lacks with the image' if blind else 'of them'} wrong it would get "
        f"{100 * row['all_wrong']:.1f}% of its questions, with all right "
        f"{100 * row['all_right']:.1f}%)"
    )


def _unparsed(row: Mapping[Any, Any]) -> str:
    """How many of a model's answers are neither yes nor no, if any."""
    return f"to {int(row['unparsed']):,} it says neither yes nor no; " if row["unparsed"] else ""

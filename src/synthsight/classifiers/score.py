"""From logits to hits: the top-5 classes of each image, and whether a rule accepts them."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight import origin
from synthsight.alike import described_alike
from synthsight.classifiers.judging import (
    TOP,
    Answers,
    Known,
    Logits,
    Ranks,
    choose,
)
from synthsight.errors import SynthsightError
from synthsight.files import MAKE_AGAIN, atomic
from synthsight.images.sources import read_sources
from synthsight.labels.matching import Target, accepted_classes, find_rule
from synthsight.labels.spaces import LabelSpace
from synthsight.predictions.stored import About, read_about, read_category
from synthsight.tables import read_batches, read_parquet, read_schema

#: Images scored at a time, which bounds the memory.
_ROWS = 8192

SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("category", pa.string()),
        ("generator", pa.string()),
        ("group", pa.string()),
        ("real", pa.bool_()),
        ("rule", pa.string()),
        ("top1_hit", pa.bool_()),
        ("top5_hit", pa.bool_()),
        ("predicted", pa.list_(pa.int32())),
        ("probability", pa.list_(pa.float32())),
    ]
)


class ScoreError(SynthsightError):
    """Logits that do not match the labels or the images."""


def score(
    logits: Mapping[str, str | os.PathLike[str]],
    sources: str | os.PathLike[str],
    targets: Mapping[str, Target],
    labels: LabelSpace,
    rules: Sequence[str],
    output: str | os.PathLike[str],
    aggregation: str = "max",
    model: str | None = None,
    excluded: Collection[str] = frozenset(),
    predictions: str | os.PathLike[str] | None = None,
) -> None:
    """Score one model: one row per image and rule, category by category.

    Within a category the rows come in blocks of images, each block rule by rule, in the same order
    for every model. Under a rule that asks for a choice the five predictions are the best class of
    each of the five best categories, with the categories' probabilities.

    A hit that does not follow from imported predictions is null, and then so it is for all images
    of the model under that rule: top-5 where an image has fewer than five ranks, though there are
    more classes; a choice that the ranked classes leave open.

    Args:
        logits: each category's Parquet file; of imported predictions only the categories count.
        sources: where the images of all categories come from, a file of
            :func:`synthsight.images.sources.write_sources`. A row has the image's ``group``, null
            where it is the image itself, and whether it is ``real``.
        targets: what is to be recognised in each category.
        labels: the model's label space.
        rules: names of :data:`synthsight.labels.matching.RULES`.
        output: the Parquet file, written atomically. Its schema's metadata hold ``model`` and
            ``class_names`` (JSON, the simple names).
        aggregation: for rules that ask for a choice, see
            :class:`synthsight.classifiers.judging.Choice`.
        model: the model whose logits these must be; None if any will do.
        excluded: images that have logits and are left out all the same, as duplicates.
        predictions: a file of imported predictions, :mod:`synthsight.predictions.stored`, in place
            of logits.

    Raises:
        ScoreError: the logits are another model's or for other labels; their number is not that of
            the classes; the images are not those that are usable, or one occurs twice.
        synthsight.files.FileError: they were not all made with the same weights and settings, or a
            file is damaged.
    """
    categories = sorted(targets if predictions is not None else logits)
    first = predictions if predictions is not None else logits[categories[0]] if logits else None
    about = None if predictions is None else read_about(predictions)
    described = _described(logits) if about is None else _described_by(about)
    for key, wanted in (("model", model), ("label_space", labels.name)):
        found = described.get(key, wanted)
        if wanted is not None and found != wanted:
            raise ScoreError(
                f"{first} holds logits for {key.replace('_', ' ')} {found!r}, not {wanted!r}; "
                f"{MAKE_AGAIN}"
            )
    read_schema(sources)  # what it says is part of the output's own record
    accepted = {
        rule: np.array([accepted_classes(targets[name], labels, rule) for name in categories])
        for rule in rules
    }
    known: dict[str, Known] = {}
    if about is not None and about.kind == "ranks":
        assert predictions is not None
        known = _known(predictions, about, accepted, len(labels), aggregation)
    with atomic(output) as temporary:
        names = {"model": described["model"], "class_names": json.dumps(labels.simple)}
        schema = SCHEMA.with_metadata({**names, **origin.metadata(output)})
        writer = pq.ParquetWriter(temporary, schema, compression="zstd")
        for number, category in enumerate(categories):
            path = logits[category] if predictions is None else predictions
            sourced = _sources(sources, category)
            _check_images(path, category, predictions is not None, sourced, sources, excluded)
            parts = (
                read_batches(path, ["image", "logits"], _ROWS)
                if predictions is None
                else read_category(path, category)
            )
            for part in parts:
                images, kept = _images(part, category, sourced, excluded)
                if not images:
                    continue
                answers = _answers(kept, len(labels), known, aggregation)
                of_images = [sourced[image] for image in images]
                for rule, table in accepted.items():
                    columns = [
                        images,
                        [category] * len(images),
                        [each.generator for each in of_images],
                        [each.group for each in of_images],
                        [each.real for each in of_images],
                        [rule] * len(images),
                        *answers.judge(rule, table, number),
                    ]
                    arrays = [
                        c if isinstance(c, pa.Array) else pa.array(c, f.type)
                        for c, f in zip(columns, schema, strict=True)
                    ]
                    writer.write_table(pa.table(arrays, schema=schema))
        writer.close()


def _known(
    predictions: str | os.PathLike[str],
    about: About,
    accepted: Mapping[str, npt.NDArray[np.bool_]],
    classes: int,
    aggregation: str,
) -> dict[str, Known]:
    """Which hits follow from imported ranks under each rule, for all images with a prediction."""
    five = about.ranks >= min(TOP, classes)
    known = {rule: Known(True, five) for rule in accepted if not find_rule(rule).choice}
    for rule in accepted.keys() - known:
        table = accepted[rule]
        choices = int(table.any(axis=1).sum())
        least = choices
        for category in about.rows:
            for part in read_category(predictions, category):
                columns = (part[name].to_pylist() for name in ("predicted", "probability"))
                for predicted, probability in zip(*columns, strict=True):
                    if predicted:
                        told = choose(predicted, probability, table, aggregation)
                        least = min(least, len(told))
        known[rule] = Known(least >= min(1, choices), least >= min(TOP, choices))
    return known


def _described_by(about: About) -> dict[str, Any]:
    """What imported predictions say, by the keys that logits say it by."""
    return {"model": about.model, "label_space": about.label_space}


def _check_images(
    path: str | os.PathLike[str],
    category: str,
    imported: bool,
    known: Mapping[str, _Source],
    sources: str | os.PathLike[str],
    excluded: Collection[str],
) -> None:
    """Check that what a model says of a category is about its usable images, each once."""
    filters = [("category", "=", category)] if imported else None
    rows = read_parquet(path, ["image"], filters=filters).column("image").to_pylist()
    rows = [image for image in rows if image not in excluded]
    if len(rows) != len(known):
        raise ScoreError(
            f"{path} has {len(rows)} images, but {sources} has {len(known)} of {category!r}"
        )
    if len(set(rows)) < len(known):
        raise ScoreError(f"{path} contains an image twice")


def _described(logits: Mapping[str, str | os.PathLike[str]]) -> Mapping[str, Any]:
    """What all logits say of their making: one model, with the same weights and settings."""
    if not logits:
        raise ScoreError("no logits to score")
    return described_alike([path for _, path in sorted(logits.items())], ["image", "logits"])


class _Source(NamedTuple):
    """Where an image comes from; ``group`` is None where it is the image itself."""

    generator: str | None
    group: str | None
    real: bool


def _sources(sources: str | os.PathLike[str], category: str) -> dict[str, _Source]:
    """Where each usable image of a category comes from."""
    table = read_sources(sources, category)
    columns = (table[name].to_pylist() for name in ("image", "generator", "group", "real"))
    return {
        image: _Source(generator, None if group == image else group, real)
        for image, generator, group, real in zip(*columns, strict=True)
    }


def _images(
    part: pa.RecordBatch, category: str, known: Mapping[str, _Source], excluded: Collection[str]
) -> tuple[list[str], pa.RecordBatch]:
    """The images in a part of a file, checked against what is usable, and their rows."""
    if excluded:
        kept = [image not in excluded for image in part.column("image").to_pylist()]
        part = part.filter(pa.array(kept, pa.bool_()))
    images = part.column("image").to_pylist()
    unknown = [image for image in images if image not in known]
    if unknown:
        raise ScoreError(
            f"{unknown[0]!r} has logits but is not among the usable images of {category!r}"
        )
    return images, part


def _answers(
    part: pa.RecordBatch, classes: int, known: Mapping[str, Known], aggregation: str
) -> Answers:
    """What a model says of the images in a part of a file."""
    if "predicted" in part.schema.names:
        predicted, probability = (
            part.column(name).to_pylist() for name in ("predicted", "probability")
        )
        return Ranks(predicted, probability, known, aggregation)
    column = part.column("logits")
    if column.type.list_size != classes:
        raise ScoreError(
            f"the model has {column.type.list_size} logits, but its labels name {classes} classes"
        )
    there = column.is_valid().to_numpy(zero_copy_only=False)
    values = np.zeros((len(part), classes), np.float32)
    values[there] = column.flatten().to_numpy().reshape(-1, classes)
    return Logits(values, there, aggregation)

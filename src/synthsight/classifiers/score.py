"""From logits to hits: the top-5 classes of each image, and whether a rule accepts them."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight import origin
from synthsight.errors import SynthsightError
from synthsight.files import MAKE_AGAIN, atomic
from synthsight.images.sources import read_sources
from synthsight.labels.matching import Target, accepted_classes, find_rule
from synthsight.labels.spaces import LabelSpace
from synthsight.tables import metadata_of, read_batches, read_parquet, read_schema
from synthsight.wording import one_line

#: Predictions kept and scored: the paper's top 5.
TOP = 5

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


def top_k(
    logits: npt.NDArray[np.float32], k: int = TOP
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """The k best classes, best first, with their softmax probabilities.

    Ties go to the class with the lower index, so that the order is well defined.

    Args:
        logits: (n, classes).
        k: how many; all classes if there are fewer.

    Returns:
        Indices int32 (n, k) and probabilities float32 (n, k).
    """
    k = min(k, logits.shape[1])
    if k < logits.shape[1]:
        candidates = np.argpartition(-logits, k - 1, axis=1)[:, :k]
        threshold = np.take_along_axis(logits, candidates, axis=1).min(axis=1)
        tied = (logits >= threshold[:, None]).sum(axis=1) > k
        candidates[tied] = np.argsort(-logits[tied], axis=1, kind="stable")[:, :k]
    else:
        candidates = np.tile(np.arange(k), (len(logits), 1))
    candidates.sort(axis=1)
    values = np.take_along_axis(logits, candidates, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    best = np.take_along_axis(candidates, order, axis=1)
    probabilities = np.take_along_axis(softmax(logits), best, axis=1)
    return best.astype(np.int32), probabilities.astype(np.float32)


def softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Probabilities, (n, classes), in double precision."""
    exponents: npt.NDArray[np.float64] = np.exp(
        logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    )
    exponents /= exponents.sum(axis=1, keepdims=True)
    return exponents


@dataclass(frozen=True)
class Choice:
    """The choice among the run's categories that rules such as ``restricted`` ask for.

    Attributes:
        accepted: bool (categories, classes), the classes of each category; one may have none.
        aggregation: ``max`` or ``mean``, how a category's probability follows from those of its
            classes: with ``max`` the choice is the arg max over the union of all classes; with
            ``mean`` (as in model-vs-human, Geirhos et al. 2021) a category gains nothing by having
            many classes.
    """

    accepted: npt.NDArray[np.bool_]
    aggregation: str

    def rank(
        self, logits: npt.NDArray[np.float32], k: int = TOP, own: int | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The k best categories of each image, best first; fewer if fewer have classes.

        Args:
            logits: (n, classes).
            k: how many.
            own: the images' category, which comes first among those that tie by the same class:
                that class is right for each of them, and names must not decide.

        Returns:
            Categories int64 (n, k), the best class of each int32 (n, k), and the categories'
            probabilities float32 (n, k), aggregated over their classes. Logits decide, not
            probabilities, most of which are zero if logits are far apart. Ties go to the category
            whose best class has the lower index, as ties between classes do.
        """
        probabilities = softmax(logits)
        open_to_choice = np.flatnonzero(self.accepted.any(axis=1))
        values = np.empty((len(logits), len(open_to_choice)))
        strengths = np.empty(values.shape)
        best = np.empty(values.shape, np.int32)
        for column, category in enumerate(open_to_choice):
            classes = np.flatnonzero(self.accepted[category])
            of_category = logits[:, classes].astype(np.float64)
            best[:, column] = classes[of_category.argmax(axis=1)]
            strengths[:, column] = (
                of_category.max(axis=1)
                if self.aggregation == "max"
                else np.logaddexp.reduce(of_category, axis=1) - np.log(len(classes))
            )
            values[:, column] = getattr(probabilities[:, classes], self.aggregation)(axis=1)
        others = np.broadcast_to(open_to_choice != own, values.shape)
        order = np.lexsort((others, best, -strengths), axis=1)[:, :k]
        return (
            open_to_choice[order],
            np.take_along_axis(best, order, axis=1),
            np.take_along_axis(values, order, axis=1).astype(np.float32),
        )


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
) -> None:
    """Score one model: one row per image and rule, category by category.

    Within a category the rows come in blocks of images, each block rule by rule, in the same order
    for every model. Under a rule that asks for a choice the five predictions are the best class of
    each of the five best categories, with the categories' probabilities.

    Args:
        logits: each category's Parquet file.
        sources: where the images of all categories come from, a file of
            :func:`synthsight.images.sources.write_sources`. A row has the image's ``group``, null
            where it is the image itself, and whether it is ``real``.
        targets: what is to be recognised in each category.
        labels: the model's label space.
        rules: names of :data:`synthsight.labels.matching.RULES`.
        output: the Parquet file, written atomically. Its schema's metadata hold ``model`` and
            ``class_names`` (JSON, the simple names).
        aggregation: for rules that ask for a choice, see :class:`Choice`.
        model: the model whose logits these must be; None if any will do.
        excluded: images that have logits and are left out all the same, as duplicates.

    Raises:
        ScoreError: the logits are another model's or for other labels, or were not all made with
            the same weights and settings; their number is not that of the classes; the images are
            not those that are usable, or one occurs twice.
    """
    categories = sorted(logits)
    described = _described(logits)
    for key, wanted in (("model", model), ("label_space", labels.name)):
        found = described.get(key, wanted)
        if wanted is not None and found != wanted:
            raise ScoreError(
                f"{logits[categories[0]]} holds logits for {key.replace('_', ' ')} {found!r}, not "
                f"{wanted!r}; {MAKE_AGAIN}"
            )
    read_schema(sources)  # what it says is part of the output's own record
    accepted = {
        rule: np.array([accepted_classes(targets[name], labels, rule) for name in categories])
        for rule in rules
    }
    with atomic(output) as temporary:
        names = {"model": described["model"], "class_names": json.dumps(labels.simple)}
        schema = SCHEMA.with_metadata({**names, **origin.metadata(output)})
        writer = pq.ParquetWriter(temporary, schema, compression="zstd")
        for number, category in enumerate(categories):
            path = logits[category]
            rows = read_parquet(path, ["image"]).column("image").to_pylist()
            rows = [image for image in rows if image not in excluded]
            known = _sources(sources, category)
            if len(rows) != len(known):
                raise ScoreError(
                    f"{path} has {len(rows)} images, but {sources} has {len(known)} of {category!r}"
                )
            if len(set(rows)) < len(known):
                raise ScoreError(f"{path} contains an image twice")
            for part in read_batches(path, ["image", "logits"], _ROWS):
                images, values = _read_part(part, category, known, len(labels), excluded)
                if not images:
                    continue
                about = [known[image] for image in images]
                top = top_k(values)
                for rule, table in accepted.items():
                    best, probabilities = top
                    hits = table[number][best]
                    if find_rule(rule).choice:
                        chosen, best, probabilities = Choice(table, aggregation).rank(
                            values, own=number
                        )
                        hits = chosen == number
                    columns = [
                        images,
                        [category] * len(images),
                        [each.generator for each in about],
                        [each.group for each in about],
                        [each.real for each in about],
                        [rule] * len(images),
                        hits[:, :1].any(axis=1),
                        hits.any(axis=1),
                        list(best),
                        list(probabilities),
                    ]
                    arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
                    writer.write_table(pa.table(arrays, schema=schema))
        writer.close()


def _described(logits: Mapping[str, str | os.PathLike[str]]) -> Mapping[str, Any]:
    """What all logits say of their making: one model, with the same weights and settings."""
    found: dict[str, Any] | None = None
    for _, path in sorted(logits.items()):
        schema = read_schema(path, ["image", "logits"])
        described: dict[str, Any] = json.loads(metadata_of(schema, "synthsight", path))
        if found is None:
            found, first = described, path
        differing = [key for key in {**found, **described} if found.get(key) != described.get(key)]
        if differing:
            key = differing[0]
            raise ScoreError(
                f"{path} and {first} were not made alike ({key} is "
                f"{one_line(described.get(key), 60)!r} and {one_line(found.get(key), 60)!r}); "
                f"delete the one that is wrong and run the workflow again"
            )
    if found is None:
        raise ScoreError("no logits to score")
    return found


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


def _read_part(
    part: pa.RecordBatch,
    category: str,
    known: Mapping[str, _Source],
    classes: int,
    excluded: Collection[str],
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Images and logits in a part of a file, checked against what is usable and the labels."""
    column = part.column("logits")
    if column.type.list_size != classes:
        raise ScoreError(
            f"the model has {column.type.list_size} logits, but its labels name {classes} classes"
        )
    if excluded:
        kept = [image not in excluded for image in part.column("image").to_pylist()]
        part = part.filter(pa.array(kept, pa.bool_()))
        column = part.column("logits")
    images = part.column("image").to_pylist()
    unknown = [image for image in images if image not in known]
    if unknown:
        raise ScoreError(
            f"{unknown[0]!r} has logits but is not among the usable images of {category!r}"
        )
    return images, column.flatten().to_numpy().reshape(len(images), classes)

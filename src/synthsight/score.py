"""From logits to hits: the five best classes of each image, and whether a rule takes them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.files import atomic
from synthsight.labels import LabelSpace
from synthsight.matching import accepted_classes

#: Predictions kept and looked at: the paper's top 5.
TOP = 5

#: Images scored at a time: the bound on memory.
_ROWS = 8192

SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("category", pa.string()),
        ("generator", pa.string()),
        ("rule", pa.string()),
        ("top1_hit", pa.bool_()),
        ("top5_hit", pa.bool_()),
        ("predicted", pa.list_(pa.int32())),
        ("probability", pa.list_(pa.float32())),
    ]
)


class ScoreError(RuntimeError):
    """Logits that do not belong to the labels or to the manifest."""


def top_k(
    logits: npt.NDArray[np.float32], k: int = TOP
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """The k best classes, best first, with their softmax probabilities.

    Of classes with equal logits the one with the lower index goes first, so that the order is
    defined.

    Args:
        logits: (n, classes).
        k: how many; all classes where there are fewer.

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
    exponents = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities = np.take_along_axis(exponents, best, axis=1) / exponents.sum(
        axis=1, keepdims=True
    )
    return best.astype(np.int32), probabilities.astype(np.float32)


def score(
    logits: Mapping[str, str | os.PathLike[str]],
    manifests: Mapping[str, str | os.PathLike[str]],
    also: Mapping[str, Sequence[str]],
    labels: LabelSpace,
    rules: Sequence[str],
    output: str | os.PathLike[str],
) -> None:
    """Score one model: a row per image and rule, category by category.

    Within a category the rows come in blocks of images, each block rule by rule: in the same order
    for every model.

    Args:
        logits: Parquet of each category.
        manifests: Parquet of each category.
        also: further names that are accepted for a category.
        labels: the model's classes.
        rules: keys of :data:`synthsight.matching.RULES`.
        output: the Parquet file, written atomically. Its schema's metadata hold ``model`` and
            ``class_names`` (JSON, the simple names).

    Raises:
        ScoreError: the logits have another number of classes than the labels, or other images
            than the manifest, or one twice.
    """
    with atomic(output) as temporary:
        writer = None
        for category in sorted(logits):
            file = pq.ParquetFile(logits[category])
            metadata = json.loads(file.schema_arrow.metadata[b"synthsight"])
            generators = _generators(manifests[category])
            if file.metadata.num_rows != len(generators):
                raise ScoreError(
                    f"{logits[category]} has {file.metadata.num_rows} images, the manifest of "
                    f"{category!r} {len(generators)}"
                )
            if len(set(file.read(["image"]).column("image").to_pylist())) < len(generators):
                raise ScoreError(f"{logits[category]} has an image twice")
            accepted = {
                rule: accepted_classes(category, also.get(category, ()), labels, rule)
                for rule in rules
            }
            if writer is None:
                names = {"model": metadata["model"], "class_names": json.dumps(labels.simple)}
                schema = SCHEMA.with_metadata(names)
                writer = pq.ParquetWriter(temporary, schema, compression="zstd")
            for part in file.iter_batches(_ROWS):
                writer.write_table(
                    _score_part(part, category, generators, accepted, len(labels), schema)
                )
        if writer is None:
            raise ScoreError("no logits to score")
        writer.close()


def _generators(manifest: str | os.PathLike[str]) -> dict[str, str | None]:
    """The generator of each usable image of a manifest."""
    table = pq.read_table(manifest, columns=["image", "generator"], filters=[("status", "=", "ok")])
    return dict(
        zip(table.column("image").to_pylist(), table.column("generator").to_pylist(), strict=True)
    )


def _score_part(
    part: pa.RecordBatch,
    category: str,
    generators: Mapping[str, str | None],
    accepted: Mapping[str, npt.NDArray[np.bool_]],
    classes: int,
    schema: pa.Schema,
) -> pa.Table:
    column = part.column("logits")
    if column.type.list_size != classes:
        raise ScoreError(
            f"the model gives {column.type.list_size} logits, its labels name {classes} classes"
        )
    images = part.column("image").to_pylist()
    unknown = [image for image in images if image not in generators]
    if unknown:
        raise ScoreError(f"{unknown[0]!r} has logits but is not in the manifest of {category!r}")
    best, probabilities = top_k(column.flatten().to_numpy().reshape(len(images), classes))
    tables = []
    for rule, accepts in accepted.items():
        hits = accepts[best]
        columns = [
            images,
            [category] * len(images),
            [generators[image] for image in images],
            [rule] * len(images),
            hits[:, 0],
            hits.any(axis=1),
            list(best),
            list(probabilities),
        ]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
        tables.append(pa.table(arrays, schema=schema))
    return pa.concat_tables(tables)

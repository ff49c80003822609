"""Imported predictions as they are kept: a row group, or several, for each category."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthsight import origin
from synthsight.files import MAKE_AGAIN, FileError, atomic
from synthsight.tables import metadata_of, read_parquet, read_schema, reading

#: Rows of a row group, which bounds the memory.
ROWS = 8192

#: The key of a file's metadata, as of logits.
KEY = "synthsight"

#: How the table ``excluded`` begins the reason for images that are left out without a prediction.
REASON = "no prediction of "

#: What stands in a file whose source ranks classes.
RANKED = (("predicted", pa.list_(pa.int32())), ("probability", pa.list_(pa.float32())))


@dataclass(frozen=True)
class About:
    """What a file of imported predictions says of itself.

    Attributes:
        model: the model's name.
        label_space: whose classes are meant.
        kind: ``ranks`` or ``logits``.
        ranks: how many classes each image with a prediction has at least; with logits, all.
        missing: what was to be done about images without a prediction: ``refuse``, ``wrong`` or
            ``exclude``.
        rows: by category, how many rows there are, in the order of the file.
    """

    model: str
    label_space: str
    kind: str
    ranks: int
    missing: str
    rows: Mapping[str, int]


def schema_of(kind: str, classes: int) -> pa.Schema:
    """The columns of a file, with ``logits`` of all classes or with ranked ones."""
    values = [("logits", pa.list_(pa.float32(), classes))] if kind == "logits" else list(RANKED)
    return pa.schema([("image", pa.string()), ("category", pa.string()), *values])


def write_stored(
    output: str | os.PathLike[str], about: About, parts: Iterable[pa.Table], schema: pa.Schema
) -> None:
    """Write predictions, atomically.

    Args:
        output: the Parquet file.
        about: what it says of itself.
        parts: tables of at most :data:`ROWS` rows of one category each, category by category.
        schema: from :func:`schema_of`.
    """
    described = {KEY: json.dumps(asdict(about)), **origin.metadata(output)}
    schema = schema.with_metadata(described)
    with (
        atomic(output) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for part in parts:
            writer.write_table(part.replace_schema_metadata(schema.metadata), row_group_size=ROWS)


def read_about(path: str | os.PathLike[str]) -> About:
    """What a file says of itself.

    Raises:
        FileError: it is damaged, or says nothing.
    """
    found: dict[str, Any] = json.loads(metadata_of(read_schema(path, ["image"]), KEY, path))
    try:
        return About(**found)
    except TypeError:
        raise FileError(f"{path} does not say how it was made; {MAKE_AGAIN}") from None


def read_category(path: str | os.PathLike[str], category: str) -> Iterator[pa.RecordBatch]:
    """The predictions about the images of a category, in parts, sorted by image."""
    about = read_about(path)
    before = 0
    for name, rows in about.rows.items():
        groups = -(-rows // ROWS)
        if name == category:
            break
        before += groups
    else:
        return
    with reading(path):
        file = pq.ParquetFile(path)
    with file:
        for group in range(before, before + groups):
            with reading(path):
                part = file.read_row_group(group)
            yield from part.combine_chunks().to_batches()


def without_prediction(
    manifests: Iterable[str | os.PathLike[str]], path: str | os.PathLike[str]
) -> tuple[str, list[str]]:
    """The model of a file, and the usable images that have no prediction in it, by name."""
    model = read_about(path).model
    there = set(read_parquet(path, ["image"])["image"].to_pylist())
    usable = [
        image
        for manifest in manifests
        for image in read_parquet(
            manifest, ["image", "status"], filters=pc.field("status") == "ok"
        )["image"].to_pylist()
    ]
    return model, sorted(image for image in usable if image not in there)

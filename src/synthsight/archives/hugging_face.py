"""Hugging Face Parquet: images as bytes in a column, classes named in the schema's metadata.

The library ``datasets`` writes an image as ``struct<bytes: binary, path: string>`` and, under the
key ``huggingface`` of the schema's metadata, JSON with the features: ``info.features.COLUMN`` has a
``_type`` such as ``Image`` or ``ClassLabel``, and the latter has ``names``. Features of nested
columns are nested in the same way. Nothing of that library is used here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthsight.archives.containers import UnpackError
from synthsight.archives.rows import (
    ROLES,
    Reading,
    Row,
    Writer,
    choose,
    folders_of,
    listed,
    named_labels,
    no_names,
    unread,
)
from synthsight.archives.unpack import MAX_MEMBERS

#: Bytes of images that are read at a time, about, and the most rows.
_BATCH, _ROWS = 2**24, 256

#: Levels of nested columns that are looked into.
_LEVELS = 8

#: Bytes that are read from the file at once, instead of all of a column's in a row group.
_BUFFER = 2**20

#: The names of files in several parts, as ``datasets`` calls them.
_SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}$")


@dataclass(frozen=True)
class Table:
    """What a Parquet file of images holds.

    Attributes:
        columns: for each role its column, a dotted path; None where there is none.
        names: the folders of the classes by number; None if nothing names them.
        by_schema: whether the file itself names them.
        makers: the names of generators by number; None if they are given as texts.
        notes: on columns that are not read.
    """

    columns: Mapping[str, str | None]
    names: tuple[str, ...] | None
    by_schema: bool
    makers: tuple[str, ...] | None
    notes: tuple[str, ...]


def split_of(file: str) -> str | None:
    """The split that the name of a file states, such as ``train``; None if it states none."""
    found = _SHARD.match(Path(file).stem)
    return found[1] if found else None


def describe(file: pq.ParquetFile, reading: Reading, source: str) -> Table:
    """Find the columns of a Parquet file of images.

    Raises:
        UnpackError: it holds no images, or several columns are possible, or nothing says what the
            images show; the message says what to write.
    """
    if file.metadata.num_rows > MAX_MEMBERS:
        raise UnpackError(f"it states more than {MAX_MEMBERS:,} rows")
    types = dict(_flat(file.schema_arrow, ()))
    features = dict(_features(_metadata(file.schema_arrow), ()))
    kinds = {name: features.get(name, {}).get("_type") for name in types}
    images = [name for name, kind in types.items() if _holds_images(kind)]
    said = [name for name in images if kinds[name] == "Image"]
    structs = [name for name in images if pa.types.is_struct(types[name])]
    image = choose("image", reading.columns, list(types), source, said or structs or images)
    if image is None:
        texts = [name for name, kind in kinds.items() if kind == "Image"]
        about = f"; {texts[0]!r} holds no bytes" if texts else ""
        raise UnpackError(
            f"{source} has no column with the bytes of images{about}; it has "
            f"{listed(list(types))}. Files that only name or link to images cannot be used"
        )
    if not _holds_images(types[image]):
        raise UnpackError(f"the column {image!r} of {source} holds {types[image]}, not bytes")
    chosen: dict[str, str | None] = {"image": image}
    others = [name for name in types if name != image and not name.startswith(f"{image}.")]
    labels = [name for name in others if kinds[name] == "ClassLabel"]
    for role in ROLES[1:]:
        better = labels if role == "category" else ()
        # What no number needs is no reason to refuse a set.
        spare = role in ("group", "prompt") and role not in reading.columns
        known = [name for name in others if _is_value(types[name])] if spare else others
        chosen[role] = choose(role, reading.columns, known, source, better)
    category = chosen["category"]
    if category is None:
        raise UnpackError(
            f"no column of {source} is called like one of categories, and none has ClassLabel "
            f"names; it has {listed(list(types))}. Write which says what an image shows in "
            "images.archive.columns: {category: NAME}"
        )
    for role in ROLES[1:]:
        name = chosen[role]
        if name is not None and not _is_value(types[name]):
            raise UnpackError(
                f"the column {name!r} of {source} holds {types[name]}, which cannot be the {role}"
            )
    names: tuple[str, ...] | None = None
    found = _class_names(features.get(category, {}), category, source)
    if reading.labels is not None:
        names = named_labels(reading.labels)
    elif found is not None:
        names = folders_of(found, f"the column {category!r} of {source}")
    if names is None and pa.types.is_integer(types[category]):
        raise no_names(f"the column {category!r} of {source}")
    generator = chosen["generator"]
    makers = None
    if generator is not None:
        makers = _class_names(features.get(generator, {}), generator, source)
    by_schema = reading.labels is None and found is not None
    notes = tuple(unread(others, chosen))
    return Table(chosen, names, by_schema, None if makers is None else tuple(makers), notes)


def read_rows(path: Path, reading: Reading, source: str, writer: Writer) -> Table:
    """Write the images of a Parquet file.

    Rows are read a few at a time, however many a row group has.

    Args:
        path: the file.
        reading: how to read it.
        source: what messages call it.
        writer: takes the rows.

    Raises:
        UnpackError: see :func:`describe`, and what the writer refuses.
    """
    with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
        table = describe(file, reading, source)
        generators = table.columns["generator"] is not None
        for row in _rows(file, table, source):
            writer.write(row, table.names, generators)
    return table


def _rows(file: pq.ParquetFile, table: Table, source: str) -> Iterator[Row]:
    number = 0
    wanted = [name for name in table.columns.values() if name is not None]
    batches = file.iter_batches(_batch_rows(file), columns=wanted, use_threads=False)
    for batch in batches:
        columns = {
            role: _nested(batch, name) for role, name in table.columns.items() if name is not None
        }
        for index in range(batch.num_rows):
            number += 1
            content, name = _image(columns["image"][index])
            values = {
                role: column[index].as_py() for role, column in columns.items() if role != "image"
            }
            if table.makers is not None:
                values["generator"] = _by_number(table.makers, values["generator"])
            category = values["category"]
            yield Row(
                file=source,
                row=f"row {number}",
                content=content,
                name=name,
                category=category if isinstance(category, int) else _said(category),
                generator=_said(values.get("generator")),
                group=_said(values.get("group")),
                prompt=_said(values.get("prompt")),
            )


def _batch_rows(file: pq.ParquetFile) -> int:
    """How many rows are read at a time, by the sizes that the file states."""
    about = file.metadata
    groups = [about.row_group(index) for index in range(about.num_row_groups)]
    largest = max((g.total_byte_size // max(1, g.num_rows) for g in groups), default=1)
    return int(min(_ROWS, max(1, _BATCH // max(1, largest))))


def _image(value: Any) -> tuple[bytes | None, str]:
    """The bytes of an image and the name of its file, from a value of its column."""
    if not isinstance(value, pa.StructScalar):
        return _bytes(value), ""
    if not value.is_valid:
        return None, ""
    path = value["path"].as_py() if "path" in value else None
    return _bytes(value["bytes"]), path if isinstance(path, str) else ""


def _bytes(value: pa.Scalar) -> bytes | None:
    content = value.as_py()
    return content if isinstance(content, bytes) else None


def _by_number(names: Sequence[str], value: Any) -> str | None:
    """The name of a class; None if there is none of this number."""
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None


def _said(value: Any) -> str | None:
    """What a column says of an image, as text; None if it says nothing."""
    text = "" if value is None else str(value).strip()
    return text or None


def _nested(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column by its dotted path; names of columns may have dots themselves."""
    for top in batch.schema.names:
        if name == top:
            return batch.column(top)
        if name.startswith(f"{top}."):
            return _within(batch.column(top), name[len(top) + 1 :])
    raise UnpackError(f"the column {name!r} cannot be read")


def _within(array: pa.Array, name: str) -> pa.Array:
    for each in array.type:
        if name == each.name:
            return pc.struct_field(array, each.name)
        if name.startswith(f"{each.name}."):
            return _within(pc.struct_field(array, each.name), name[len(each.name) + 1 :])
    raise UnpackError(f"the column {name!r} cannot be read")


# The schema ------------------------------------------------------------------------------------


def _flat(fields: Sequence[pa.Field], above: tuple[str, ...]) -> Iterator[tuple[str, pa.DataType]]:
    """All columns with their types, nested ones by dotted paths."""
    for each in fields:
        path = (*above, each.name)
        yield ".".join(path), each.type
        if pa.types.is_struct(each.type) and not _holds_images(each.type) and len(path) < _LEVELS:
            yield from _flat(list(each.type), path)


def _holds_images(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _is_binary(kind.field(index).type)
    return _is_binary(kind)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _is_value(kind: pa.DataType) -> bool:
    """Whether a column's values can be told as text or a whole number."""
    if pa.types.is_dictionary(kind):
        return _is_value(kind.value_type)
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )


def _metadata(schema: pa.Schema) -> Any:
    """The features that ``datasets`` has written into a schema; empty if there are none."""
    try:
        about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        return about["info"]["features"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return {}


def _features(value: Any, above: tuple[str, ...]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The features of all columns, nested ones by dotted paths."""
    if not isinstance(value, Mapping) or len(above) > _LEVELS:
        return
    for name, inner in value.items():
        if not isinstance(inner, Mapping):
            continue
        if isinstance(inner.get("_type"), str):
            yield ".".join((*above, name)), inner
        else:
            yield from _features(inner, (*above, name))


def _class_names(feature: Mapping[str, Any], column: str, source: str) -> list[str] | None:
    """The names of a ClassLabel; None if the column is none."""
    names = feature.get("names")
    if feature.get("_type") != "ClassLabel" or names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UnpackError(f"the names of the classes of {column!r} in {source} are not texts")
    return names

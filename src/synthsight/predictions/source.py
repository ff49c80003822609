"""Files of predictions as rows, whatever format they are in."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthsight.contents import another_kind, encoding_of
from synthsight.errors import SynthsightError
from synthsight.json_rows import is_json_lines
from synthsight.predictions.layout import Layout, LayoutError, find_layout
from synthsight.tabular import FORMATS, SEPARATORS, Form, read_rows

#: How the rows of JSON say which image they are about, where the image is a key.
_KEY = "image"

#: The keys of JSON in which pandas keeps names and values apart (`orient="split"`).
_SPLIT = {"columns", "data"}

#: Rows of a matrix read at a time.
_ROWS = 4096

Row = tuple[int, Mapping[str, Any]]

#: Numbers of rows, their images, and float32 (rows, classes), or None where there are no numbers.
Part = tuple[npt.NDArray[np.int64], list[Any], npt.NDArray[np.float32] | None]


class SourceError(SynthsightError):
    """A file of predictions that cannot be read."""


@dataclass(frozen=True)
class Source:
    """A file of predictions whose columns are known.

    Attributes:
        path: the file.
        layout: what its columns hold.
        kind: the format, for people.
        keyed: whether it is JSON that :func:`read_rows` does not read: a mapping by image, or with
            columns and data.
    """

    path: Path
    layout: Layout
    kind: str
    keyed: bool = False

    @property
    def matrix(self) -> str | None:
        """The column of a Parquet file with a list of numbers for all classes, if it has one.

        Lists that are written as text are none, nor is a number of one class: their rows are read
        as those of other formats.
        """
        if self.kind != "Parquet" or {"label", "index", "guesses"} & {
            *self.layout.single,
            *self.layout.numbered,
        }:
            return None
        name = self.layout.single.get("logits") or self.layout.single.get("probability")
        if name is None:
            return None
        kind = pq.read_schema(self.path).field(name).type
        return name if _is_list_of_numbers(kind) else None

    def rows(self) -> Iterator[Row]:
        """Yield the line of each row (for Parquet, its number from 1), and what its columns hold.

        Raises:
            SourceError: it cannot be read.
            synthsight.tabular.TableError: likewise.
        """
        if self.keyed:
            yield from _read_keyed(self.path)
            return
        columns = self.layout.columns
        json_ = self.path.suffix.lower() in (".json", ".jsonl")
        wanted = columns[:1] if json_ else columns
        form = Form({name: name for name in wanted}, (), "columns", *_WORDS)
        yield from read_rows(self.path, form)

    def matrices(self) -> Iterator[Part]:
        """Yield the numbers of rows, their images, and numbers (rows, classes), part by part.

        Rows without numbers come in parts of their own.

        Raises:
            SourceError: it cannot be read, or rows differ in how many numbers they have.
        """
        assert self.matrix is not None
        names = [self.layout.single["image"], self.matrix]
        first, length = 1, None
        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(_ROWS, columns=names):
                    column = batch.column(batch.schema.get_field_index(self.matrix))
                    images = batch.column(batch.schema.get_field_index(names[0])).to_pylist()
                    rows = np.arange(first, first + len(images))
                    first += len(images)
                    sizes = pc.fill_null(pc.list_value_length(column), 0)
                    lengths = np.asarray(sizes.to_numpy(zero_copy_only=False), np.int64)
                    there = lengths > 0
                    if not there.all():
                        yield rows[~there], _kept(images, ~there), None
                    if not there.any():
                        continue
                    rows, images, lengths = rows[there], _kept(images, there), lengths[there]
                    length = int(lengths[0]) if length is None else length
                    wrong = np.flatnonzero(lengths != length)
                    if len(wrong):
                        raise SourceError(
                            f"{self.path}, row {rows[wrong[0]]}: {lengths[wrong[0]]} numbers in "
                            f"{self.matrix!r}, and {length} in the rows before"
                        )
                    flat = column.filter(pa.array(there)).flatten().cast(pa.float32())
                    yield rows, images, flat.to_numpy(zero_copy_only=False).reshape(len(rows), -1)
        except SourceError:
            raise
        except Exception as error:  # the reader raises nearly anything on damaged files
            raise SourceError(f"{self.path} is not a readable Parquet file: {error}") from error


def _kept(images: list[Any], kept: npt.NDArray[np.bool_]) -> list[Any]:
    return [images[place] for place in np.flatnonzero(kept)]


def _is_list_of_numbers(kind: pa.DataType) -> bool:
    is_list = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(test(kind) for test in is_list):
        return False
    return bool(pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))


_WORDS = ("a file of predictions", "predictions")


def open_source(path: Path, stated: Mapping[str, str]) -> Source:
    """Find out how a file of predictions is built.

    Args:
        path: CSV, TSV, JSON, JSON lines or Parquet.
        stated: names of columns that a configuration states, by role.

    Raises:
        SourceError: it is no such file, or its columns do not say what was predicted.
        synthsight.tabular.TableError: it cannot be read.
    """
    kind, names = _names_of(path)
    keyed = kind in ("JSON by image", "JSON of pandas")
    if kind == "JSON by image":
        stated = {role: name for role, name in stated.items() if role != "image"}
    try:
        return Source(path, find_layout(names, stated), kind, keyed)
    except LayoutError as error:
        raise SourceError(f"{path}: {error}") from None


def _names_of(path: Path) -> tuple[str, list[str]]:
    """The format of a file, in words, and the names of its columns."""
    ending = path.suffix.lower()
    try:
        found = another_kind(path)
        if found is not None and found.name == "parquet":
            if ending != ".parquet":
                raise SourceError(f"{path}: it is {found.words}: call it .parquet")
            with pq.ParquetFile(path) as file:
                return "Parquet", list(file.schema_arrow.names)
        if ending in (".csv", ".tsv"):
            return ending[1:].upper(), _header(path)
        if ending in (".json", ".jsonl"):
            return _names_in_json(path, ending)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeError, pa.ArrowException):
        pass  # what reads it says which line, and what is wrong
    if ending in FORMATS:
        form = Form({}, (), "columns", *_WORDS)
        next(read_rows(path, form), None)
    raise SourceError(
        f"{path}: the extension must be one of {' '.join(FORMATS)}, and the content must be that"
    )


def _header(path: Path) -> list[str]:
    """The names in the first line of a table, with the separator that makes most sense of it."""
    with path.open(encoding=encoding_of(path), newline="") as lines:
        first = next((line for line in lines if line.strip()), "")
        if first.strip().strip('"').startswith("sep="):
            first = next(lines, "")
    options = []
    for separator in ("\t", *SEPARATORS) if path.suffix.lower() == ".tsv" else (",", *SEPARATORS):
        try:
            names = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
        except csv.Error:  # a field too large, as the whole header is with another separator
            continue
        options.append([name for name in names if name])
    return max(options, key=len, default=[])


def _names_in_json(path: Path, ending: str) -> tuple[str, list[str]]:
    """The kind of JSON, and its columns: those of any row, since each may leave some out."""
    seen: dict[str, None] = {}
    with path.open(encoding=encoding_of(path)) as lines:
        start = lines.read(1)
        while start and start.isspace():
            start = lines.read(1)
    if start == "{" and ending == ".json" and not is_json_lines(path):
        kinds: dict[str, None] = {}
        for kind, (_, row) in _keyed(path):
            kinds[kind] = None
            seen.update(dict.fromkeys(row))
        if kinds:
            return next(iter(kinds)), list(seen)
        raise SourceError(f"{path} has no predictions")
    for _, row in read_rows(path, Form({}, (), "columns", *_WORDS)):
        seen.update(dict.fromkeys(row))
    return "JSON" if ending == ".json" else "JSON lines", list(seen)


def _read_keyed(path: Path) -> Iterator[Row]:
    for _, row in _keyed(path):
        yield row


def _keyed(path: Path) -> Iterator[tuple[str, Row]]:
    """The rows of a JSON mapping, each with what kind of mapping it is."""
    text = path.read_text(encoding=encoding_of(path))
    decoder = json.JSONDecoder()
    counted, line = 0, 1
    seen: dict[str, int] = {}
    split: dict[str, Any] = {}
    for position, key, value in _entries(path, text, decoder):
        line, counted = line + text.count("\n", counted, position), position
        if key in seen:
            raise SourceError(f"{path}, line {line}: {key!r} stands in line {seen[key]}, too")
        seen[key] = line
        if key in {*_SPLIT, "index"} and isinstance(value, list):
            split[key] = value
            continue
        yield "JSON by image", (line, _row_of(path, line, key, value))
    if split.keys() >= _SPLIT:
        names = [str(name) for name in split["columns"]]
        for number, values in enumerate(split["data"], start=1):
            if not isinstance(values, list) or len(values) != len(names):
                raise SourceError(f"{path}: row {number} of `data` has not {len(names)} values")
            yield "JSON of pandas", (number, dict(zip(names, values, strict=True)))


def _entries(path: Path, text: str, decoder: json.JSONDecoder) -> Iterator[tuple[int, str, Any]]:
    """The keys and values of a JSON mapping one by one, with where they begin."""

    def skip(position: int) -> int:
        while position < len(text) and text[position] in " \t\r\n":
            position += 1
        return position

    def wrong(position: int, message: str) -> SourceError:
        return SourceError(f"{path}, line {text.count(chr(10), 0, position) + 1}: {message}")

    position = skip(skip(0) + 1)
    while text[position : position + 1] != "}":
        start = position
        try:
            key, position = decoder.raw_decode(text, position)
            position = skip(position)
            if not isinstance(key, str) or text[position : position + 1] != ":":
                raise wrong(position, "expected a key and a colon")
            value, position = decoder.raw_decode(text, skip(position + 1))
        except json.JSONDecodeError as error:
            raise wrong(error.pos, error.msg) from error
        except (RecursionError, ValueError) as error:
            raise wrong(start, str(error) or "nested too deeply") from error
        yield start, key, value
        position = skip(position)
        if text[position : position + 1] == ",":
            position = skip(position + 1)
        elif text[position : position + 1] != "}":
            raise wrong(position, "expected a comma or the end of the mapping")
    end = skip(position + 1)
    if end != len(text):
        lines = text[end] == "{"
        hint = ". With a mapping in each line, call the file .jsonl" if lines else ""
        raise wrong(end, f"text after the end of the mapping{hint}")


def _row_of(path: Path, line: int, image: str, value: Any) -> Mapping[str, Any]:
    """What a mapping says of an image: a class, several by rank, or columns.

    Several may be mappings with label and score; all go by one name, since a file may have both.
    """
    if isinstance(value, Mapping):
        if all(isinstance(inner, Mapping) for inner in value.values()) and value:
            raise SourceError(
                f"{path}, line {line}: {image!r} seems to be a column, not an image: with pandas, "
                'write df.to_json(..., orient="records")'
            )
        return {_KEY: image, **{name: inner for name, inner in value.items() if name != _KEY}}
    return {_KEY: image, "label": value}

"""Reading tables that people write, in five formats, as rows with their line numbers.

A file is read from its start to its end and never held as a whole, except one list of JSON.
:func:`read_rows` refuses files that cannot be read at all; which rows can be used is decided where
they are: questions in :mod:`synthsight.vqa.questions`, images in :mod:`synthsight.images.rows`.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.contents import IMAGES, another_kind, encoding_of, kind_of
from synthsight.errors import SynthsightError
from synthsight.json_rows import JsonError, json_rows
from synthsight.wording import did_you_mean, one_line

#: Extensions of the files that are read.
FORMATS = (".csv", ".tsv", ".json", ".jsonl", ".parquet")

#: The kinds of content, as :mod:`synthsight.contents` calls them, that text files may have. A table
#: may begin like JSON only by mistake; JSON that begins otherwise is told by its line.
_TEXT = ("text", "utf-16", "empty")
_TEXTS = {".csv": _TEXT, ".tsv": _TEXT}

#: The extensions of kinds that are read under these.
_ENDINGS = {"parquet": ".parquet", "json": ".json"}

#: Separators that a table may have besides the one of its extension, as Excel writes them.
SEPARATORS = (";", "\t", ",", "|")

#: Bound on the rows of a Parquet file, which can hold any number of them in a few bytes.
MAX_ROWS = 10_000_000

#: Rows of a Parquet file that are in memory at a time, at most, and their bytes, about.
_BATCH, _BYTES = 10_000, 2**24

#: Bytes that are read of a Parquet file at once, instead of all of a column's in a row group.
_BUFFER = 2**20

#: What is told the names of a file's columns, as soon as they are known.
_Names = Callable[[Sequence[str]], None]


class TableError(SynthsightError):
    """A table that cannot be read at all."""


@dataclass(frozen=True)
class Form:
    """What a table has to hold, and how messages call it.

    Attributes:
        columns: the file's name for each column.
        optional: columns that may be absent if they keep their default names.
        key: where a configuration states the names of columns, such as ``vqa.columns``.
        file: what such a file is, such as ``a file of questions``.
        rows: what its rows are, such as ``questions``.
        known: other columns that such files have: by these, too, the separator is told.
        embedded: what to do where a column holds the images themselves; may be empty.
        cell: bound on the characters of a cell; None for that of :mod:`csv`.
    """

    columns: Mapping[str, str]
    optional: Sequence[str]
    key: str
    file: str
    rows: str
    known: Sequence[str] = ()
    embedded: str = ""
    cell: int | None = None


def read_rows(
    path: Path, form: Form, notes: list[str] | None = None, found: list[str] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and content of each row.

    Args:
        path: CSV, TSV, JSON (a list of mappings, or one in each line) or Parquet, by extension;
            text is UTF-8, or UTF-16 with a byte order mark.
        form: what it has to hold.
        notes: receives a line on each column with a name close to that of one that is absent.
        found: receives the names of the file's columns.

    Yields:
        Line numbers from 1 (for Parquet, row numbers from 1), and each row by the file's own names.

    Raises:
        TableError: the file cannot be read, has no rows, or lacks a column. If the format names
            the columns once, this is said before the first row, otherwise after the last.
    """
    checked = False

    def check(names: Sequence[str]) -> None:
        nonlocal checked
        checked = True
        _check_columns(path, names, form)
        _check_optional(path, names, form, notes)
        if found is not None:
            found.extend(names)

    seen: dict[str, None] = {}
    empty = True
    for line, row in _read_rows(path, form, check):
        empty = False
        if not checked:
            seen.update(dict.fromkeys(row))
        yield line, row
    if empty:
        raise TableError(f"{path} has no {form.rows}")
    if not checked:
        check(list(seen))


def _read_rows(path: Path, form: Form, check: _Names) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and content of each row."""
    ending = path.suffix.lower()
    if ending not in FORMATS:
        kind = another_kind(path, "text", "utf-16")
        what = f" (it is {kind.words})" if kind else ""
        raise TableError(
            f"{path}: the extension must be one of {' '.join(FORMATS)}{what}. Save a table of a "
            "spreadsheet as CSV, and call one that is text .csv or .tsv"
        )
    try:
        if path.exists() and not path.is_file():
            raise TableError(f"{path} is not a regular file")
        if ending == ".parquet":
            yield from _read_parquet(path, form, check)
            return
        kind = another_kind(path, *_TEXTS.get(ending, (*_TEXT, "json")))
        if kind is not None:
            hint = f": call it {_ENDINGS[kind.name]}" if kind.name in _ENDINGS else ""
            raise TableError(f"{path}: it is {kind}, not {form.file} in {ending}{hint}")
        with path.open(encoding=encoding_of(path)) as lines:
            if ending in (".csv", ".tsv"):
                yield from _read_table(path, lines, "," if ending == ".csv" else "\t", form, check)
            else:
                yield from json_rows(lines)
    except JsonError as error:
        raise TableError(f"{path}, line {error.line}: {error}") from error
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeError as error:
        raise TableError(_undecodable(path)) from error


def _undecodable(path: Path) -> str:
    """That a file is not the text that it should be, with the line on which it is not.

    Other encodings are not tried: Windows has a dozen, which differ in letters alone, so that the
    wrong one would be read without a fault.
    """
    if encoding_of(path) == "utf-16":
        return f"{path} begins as text in UTF-16, and is damaged: save it as UTF-8"
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                part = line[max(0, error.start - 20) : error.start + 20]
                shown = one_line(part.decode("cp1252", "replace"))
                return (
                    f'{path}, line {number}: not UTF-8 text; save it as UTF-8, in Excel as "CSV '
                    f'UTF-8" (as Windows-1252 it would say ...{shown}...)'
                )
    return f"{path}: not UTF-8 text; save it as UTF-8"  # it has changed


def _read_table(
    path: Path, lines: Iterator[str], separator: str, form: Form, check: _Names
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a table; the separator may be another, if the header says so.

    Excel writes semicolons where commas are decimal, and perhaps a line ``sep=;`` in front.
    """
    first = next(lines, "")
    stated = re.fullmatch(r'"?sep=(.|\t)"?\s*', first)
    if stated:
        yield from _read_delimited(path, lines, stated[1], 2, form, check)
        return
    wanted = [name for key, name in form.columns.items() if key not in form.optional]
    wanted += form.known

    def known(other: str) -> int:
        try:
            header = next(csv.reader([first], delimiter=other), [])
        except csv.Error:  # a field too large, as the whole header is with another separator
            return 0
        return len({name.strip() for name in header}.intersection(wanted))

    # Of separators with which as many columns are found, the first: that of the extension.
    separator = max((separator, *SEPARATORS), key=known)
    yield from _read_delimited(path, chain([first], lines), separator, 1, form, check)


def _read_delimited(
    path: Path, lines: Iterable[str], separator: str, line: int, form: Form, check: _Names
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a table that begins on a line; empty rows and columns are passed over."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    header: list[str] | None = None
    nameless: list[int] = []
    before = line - 1  # a row begins on `line`: quoted line breaks make one span several lines
    bound = csv.field_size_limit()
    csv.field_size_limit(max(bound, form.cell or 0))
    try:
        for row in reader:
            start, line = line, reader.line_num + 1 + before
            if not any(row) or not any(map(str.strip, row)):
                continue
            if header is None:
                header = [name.strip() for name in row]
                twice = [name for name, count in Counter(header).items() if count > 1 and name]
                if twice:
                    raise TableError(f"{path}, line {start}: two columns {twice[0]!r}")
                check([name for name in header if name])
                nameless = [place for place, name in enumerate(header) if not name]
                continue
            if len(row) != len(header):
                raise TableError(
                    f"{path}, line {start}: {len(row)} values, but the header has {len(header)}. "
                    "Text that contains the separator belongs in double quotes"
                )
            found = dict(zip(header, row, strict=True))
            if nameless:
                cell = next((row[place] for place in nameless if row[place].strip()), None)
                if cell is not None:
                    raise TableError(
                        f"{path}, line {start}: {cell[:80]!r} is in a column without a name. Name "
                        "the column, or remove it"
                    )
                del found[""]
            yield start, found
    except csv.Error as error:
        large = "field larger" in str(error) and form.embedded
        hint = f". If it is an image, {form.embedded}" if large else ""
        raise TableError(f"{path}, line {line}: {error}{hint}") from error
    finally:
        csv.field_size_limit(bound)
    if header is None:
        raise TableError(f"{path} is empty; its first line must name the columns")


def _read_parquet(path: Path, form: Form, check: _Names) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield rows with the columns asked for; others are not read."""
    number = 0
    try:
        with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            names = file.schema_arrow.names
            rows = file.metadata.num_rows
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise TableError(f"{path}: two columns {twice[0]!r}")
            if rows > MAX_ROWS:
                raise TableError(f"{path}: {rows:,} rows, the limit is {MAX_ROWS:,}")
            if rows:
                check(names)
            wanted = [name for name in names if name in form.columns.values()]
            held = next((name for name in wanted if _holds_images(file, name)), None)
            if held is not None:
                raise TableError(
                    f"{path}: the column {held!r} holds the images themselves, not their paths"
                    + (f": {form.embedded}" if form.embedded else "")
                )
            for batch in file.iter_batches(_batch_rows(file, wanted), columns=wanted):
                for number, row in enumerate(batch.to_pylist(), start=number + 1):  # noqa: B020
                    yield number, row
    except TableError:
        raise
    except FileNotFoundError:
        raise
    except Exception as error:  # the reader raises nearly anything on damaged files
        kind = another_kind(path, "parquet", "empty")
        what = f" (it is {kind})" if kind else ""
        raise TableError(f"{path} is not a readable Parquet file{what}: {error}") from error


def _holds_images(file: pq.ParquetFile, name: str) -> bool:
    """Whether a column holds images as bytes: its type tells, or the first bytes that it has."""
    kind = file.schema_arrow.field(name).type
    while pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind) or not may_hold_images(kind):
        return may_hold_images(kind)
    batches = file.iter_batches(1, columns=[name], use_threads=False)
    values = (value for batch in batches for value in batch.column(0).to_pylist())
    first = next((value for value in values if value), b"")
    return isinstance(first, bytes) and kind_of(first).name in IMAGES


def may_hold_images(kind: pa.DataType) -> bool:
    """Whether a column is of bytes, which text may be, too; or of bytes with more about them."""
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and may_hold_images(kind.field(place).type)
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(test(kind) for test in tests)


def _batch_rows(file: pq.ParquetFile, names: Sequence[str]) -> int:
    """How many rows are read at a time, by the sizes that the file states of some columns."""
    about, largest = file.metadata, 1
    for group in map(about.row_group, range(about.num_row_groups)):
        columns = map(group.column, range(group.num_columns))
        size = sum(
            each.total_uncompressed_size
            for each in columns
            if each.path_in_schema.partition(".")[0] in names or each.path_in_schema in names
        )
        largest = max(largest, size // max(1, group.num_rows))
    return int(min(_BATCH, max(1, _BYTES // largest)))


def _check_columns(path: Path, names: Sequence[str], form: Form) -> None:
    """Check that every required column is among some names."""
    for key, name in form.columns.items():
        if name not in names and not (key in form.optional and name == key):
            hint = did_you_mean(name, map(str, names))
            raise TableError(
                f"{path} has no column {name!r}{hint}. It has: {_shown(names)}. State "
                f"the column's name in {form.key}.{key}"
            )


def _check_optional(path: Path, names: Sequence[str], form: Form, notes: list[str] | None) -> None:
    """Refuse another spelling of a column that may be absent, and note a name close to its own."""
    others = [name for name in names if name not in form.columns.values()]
    for key in form.optional:
        name = form.columns.get(key, key)
        same = [other for other in others if folded(other) == folded(name)]
        if same:
            raise TableError(
                f"{path} has a column {same[0]!r}; did you mean {name!r}? It would not be read: "
                f"name it {name!r}, or state {form.key}.{key}"
            )
        if name not in names and notes is not None:
            hint = did_you_mean(name, others, cutoff=0.8).replace("did you mean", "is it")
            if hint:
                notes.append(f"{path} has no column {name!r}{hint} Then state {form.key}.{key}")


def folded(name: str) -> str:
    """A column's name without case, blanks and marks: names of which this is equal look alike."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


def _shown(names: Sequence[str], keep: int = 30) -> str:
    shown = ", ".join(name[:80] for name in map(str, names[:keep]))
    return shown if len(names) <= keep else f"{shown} and {len(names) - keep} more"

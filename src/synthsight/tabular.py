"""Reading tables that people write, in five formats, as rows with their line numbers.

A file is read from its start to its end and never held as a whole, except one list of JSON.
:func:`read_rows` refuses files that cannot be read at all; which rows can be used is decided where
they are: questions in :mod:`synthsight.vqa.questions`, images in :mod:`synthsight.images.rows`.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from synthsight.contents import another_kind
from synthsight.errors import SynthsightError
from synthsight.wording import did_you_mean

#: Extensions of the files that are read.
FORMATS = (".csv", ".tsv", ".json", ".jsonl", ".parquet")

#: The kinds of content, as :mod:`synthsight.contents` calls them, that text files may have. A table
#: may begin like JSON only by mistake; JSON that begins otherwise is told by its line.
_TEXTS = {".csv": ("text", "empty"), ".tsv": ("text", "empty")}

#: The extensions of kinds that are read under these.
_ENDINGS = {"parquet": ".parquet", "json": ".json, or .jsonl with a mapping in each line"}

#: Separators that a table may have besides the one of its extension, as Excel writes them.
SEPARATORS = (";", "\t", ",", "|")

#: Bound on the rows of a Parquet file, which can hold any number of them in a few bytes.
MAX_ROWS = 10_000_000

#: Rows of a Parquet file that are in memory at a time.
_BATCH = 10_000

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
    """

    columns: Mapping[str, str]
    optional: Sequence[str]
    key: str
    file: str
    rows: str


def read_rows(
    path: Path, form: Form, notes: list[str] | None = None, found: list[str] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and content of each row.

    Args:
        path: CSV, TSV, JSON (a list of mappings), JSONL or Parquet, by extension; text is UTF-8.
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
        kind = another_kind(path, "text")
        what = f" (it is {kind.words})" if kind else ""
        raise TableError(
            f"{path}: the extension must be one of {' '.join(FORMATS)}{what}. Save a table of a "
            "spreadsheet as CSV"
        )
    try:
        if path.exists() and not path.is_file():
            raise TableError(f"{path} is not a regular file")
        if ending == ".parquet":
            yield from _read_parquet(path, form.columns, check)
            return
        kind = another_kind(path, *_TEXTS.get(ending, ("text", "json", "empty")))
        if kind is not None:
            hint = f": call it {_ENDINGS[kind.name]}" if kind.name in _ENDINGS else ""
            raise TableError(f"{path}: it is {kind}, not {form.file} in {ending}{hint}")
        with path.open(encoding="utf-8-sig") as lines:
            if ending in (".csv", ".tsv"):
                yield from _read_table(path, lines, "," if ending == ".csv" else "\t", form, check)
            elif ending == ".jsonl":
                yield from _read_json_lines(path, lines)
            else:
                yield from _read_json_list(path, lines.read())
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path}, line {_undecodable(path)}: not UTF-8 text; save it as UTF-8"
        ) from error


def _undecodable(path: Path) -> int:
    """The first line of a file that is not UTF-8."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1  # the file has changed


def _read_json_lines(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, content in enumerate(lines, start=1):
        if content.strip():
            if line == 1 and content.strip() == "[":
                raise TableError(f"{path}, line 1: it is one JSON list: call it .json")
            yield line, _mapping(path, line, _json(path, content, line))


def _read_table(
    path: Path, lines: Iterator[str], separator: str, form: Form, check: _Names
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a table; the separator may be another, if the header says so.

    Excel writes semicolons where commas are decimal, and perhaps a line ``sep=;`` in front.
    """
    first = next(lines, "")
    stated = re.fullmatch(r'"?sep=(.|\t)"?\s*', first)
    if stated:
        yield from _read_delimited(path, lines, stated[1], 2, check)
        return
    wanted = [name for key, name in form.columns.items() if key not in form.optional]

    def known(other: str) -> int:
        try:
            header = next(csv.reader([first], delimiter=other), [])
        except csv.Error:  # a field too large, as the whole header is with another separator
            return 0
        return len({name.strip() for name in header}.intersection(wanted))

    # Of separators with which as many columns are found, the first: that of the extension.
    separator = max((separator, *SEPARATORS), key=known)
    yield from _read_delimited(path, chain([first], lines), separator, 1, check)


def _read_delimited(
    path: Path, lines: Iterable[str], separator: str, line: int, check: _Names
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a table that begins on a line; empty rows and columns are passed over."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    header: list[str] | None = None
    before = line - 1  # a row begins on `line`: quoted line breaks make one span several lines
    try:
        for row in reader:
            start, line = line, reader.line_num + 1 + before
            if not any(cell.strip() for cell in row):
                continue
            if header is None:
                header = [name.strip() for name in row]
                twice = [name for name, count in Counter(header).items() if count > 1 and name]
                if twice:
                    raise TableError(f"{path}, line {start}: two columns {twice[0]!r}")
                check([name for name in header if name])
                continue
            if len(row) != len(header):
                raise TableError(
                    f"{path}, line {start}: {len(row)} values, but the header has {len(header)}. "
                    "Text that contains the separator belongs in double quotes"
                )
            nameless = [cell for name, cell in zip(header, row, strict=True) if not name]
            if any(cell.strip() for cell in nameless):
                cell = next(cell for cell in nameless if cell.strip())
                raise TableError(
                    f"{path}, line {start}: {cell[:80]!r} is in a column without a name. Name the "
                    "column, or remove it"
                )
            yield start, {name: cell for name, cell in zip(header, row, strict=True) if name}
    except csv.Error as error:
        raise TableError(f"{path}, line {line}: {error}") from error
    if header is None:
        raise TableError(f"{path} is empty; its first line must name the columns")


def _read_json_list(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the elements one by one, so that the line of each is known."""
    decoder = json.JSONDecoder(object_pairs_hook=_once)

    def skip(position: int) -> int:
        while position < len(text) and text[position] in " \t\r\n":
            position += 1
        return position

    def wrong(position: int, message: str) -> TableError:
        return TableError(f"{path}, line {text.count(chr(10), 0, position) + 1}: {message}")

    position = skip(0)
    if text[position : position + 1] != "[":
        lines = text[position : position + 1] == "{" and "}\n{" in text.replace("\r", "")
        hint = ". With a mapping in each line, call the file .jsonl" if lines else ""
        raise wrong(position, f"expected a list of mappings: [{{...}}, {{...}}]{hint}")
    position = skip(position + 1)
    line, counted = 1, 0
    while text[position : position + 1] != "]":
        line, counted = line + text.count("\n", counted, position), position
        try:
            element, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise wrong(error.pos, error.msg) from error
        except RecursionError as error:
            raise wrong(position, "nested too deeply") from error
        except ValueError as error:
            raise wrong(position, str(error)) from error
        yield line, _mapping(path, line, element)
        position = skip(position)
        if text[position : position + 1] == ",":
            position = skip(position + 1)
        elif text[position : position + 1] != "]":
            raise wrong(position, "expected a comma or the end of the list")
    if skip(position + 1) != len(text):
        raise wrong(skip(position + 1), "text after the end of the list")


def _json(path: Path, text: str, line: int) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise TableError(f"{path}, line {line}: {error.msg}") from error
    except RecursionError as error:
        raise TableError(f"{path}, line {line}: nested too deeply") from error
    except ValueError as error:
        raise TableError(f"{path}, line {line}: {error}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON mapping, in which no key may occur twice."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        twice = next(
            name for name, count in Counter(name for name, _ in pairs).items() if count > 1
        )
        raise ValueError(f"the key {twice!r} occurs twice in a mapping")
    return mapping


def _mapping(path: Path, line: int, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TableError(f"{path}, line {line}: expected a mapping with the columns as keys")
    return value


def _read_parquet(
    path: Path, columns: Mapping[str, str], check: _Names
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield rows with the columns asked for."""
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            rows = file.metadata.num_rows
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise TableError(f"{path}: two columns {twice[0]!r}")
            if rows > MAX_ROWS:
                raise TableError(f"{path}: {rows:,} rows, the limit is {MAX_ROWS:,}")
            if rows:
                check(names)
            wanted = [name for name in names if name in columns.values()]
            for batch in file.iter_batches(batch_size=_BATCH, columns=wanted):
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

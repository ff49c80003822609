"""A table of images, read once and divided into its categories.

It may have millions of rows, of which none but those of one category need be in memory, and each
category has a job of its own. So the rows are kept by category, in a folder that is called by what
the table holds: as long as that is the same, the table is not read again. Files of images are not
looked at here, see :mod:`synthsight.images.rows`.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthsight.canonical import canonical_json
from synthsight.files import read_kept, sweep, temporary_name
from synthsight.tabular import Form, TableError, read_rows
from synthsight.values import NO, YES, is_allowed, is_writable, text_of
from synthsight.wording import did_you_mean, one_line

#: Columns of a table, and those that it need not have.
COLUMNS = ("image", "category", "generator", "group", "prompt", "real", "split")
OPTIONAL = COLUMNS[2:]

#: What real photographs are called of which no generator is given.
REAL = "real"

#: The columns of a category's rows.
SCHEMA = pa.schema(
    [
        ("line", pa.int64()),
        *((name, pa.string()) for name in ("image", "generator", "group", "prompt", "split")),
    ]
)

#: Bound on the number of categories: more are there only if the column is another one.
MAX_CATEGORIES = 30_000

#: Rows that are in memory at a time while a table is divided.
_ROWS = 100_000

#: Rows that a message lists.
LISTED = 20

#: Days after which what is kept of a table is removed if no start has used it.
_DAYS = 30

#: What else than text a column may hold.
_NUMBERS = ("category", "generator", "group", "split", "real")

#: Threads cost more than they save where batches are small.
_ALONE = pa.ipc.IpcReadOptions(use_threads=False)

_INDEX = "index.json"


@dataclass
class Part:
    """What a table says of one category.

    Attributes:
        file: of its rows, in the folder of the table.
        line: of the first row.
        rows: their number.
        generators: the line of the first row of each; an empty name where none is given.
    """

    file: str
    line: int
    rows: int = 0
    generators: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Divided:
    """A table's rows by category.

    Attributes:
        folder: where they are kept.
        parts: by category, sorted by name.
        columns: which of the columns that need not be there are.
        real: the generators whose images are real photographs.
        notes: what the user should know of the table.
    """

    folder: Path
    parts: dict[str, Part]
    columns: tuple[str, ...]
    real: tuple[str, ...]
    notes: tuple[str, ...]

    def rows(self, category: str) -> pa.Table:
        """The rows of a category in the order of lines; the columns are :data:`SCHEMA`'s.

        Raises:
            TableError: what is kept of them is damaged; it is removed.
        """
        path = self.folder / self.parts[category].file
        batches = []
        try:
            with pa.OSFile(str(path)) as file:
                while file.tell() < file.size():
                    batches += list(pa.ipc.open_stream(file, options=_ALONE))
        except (pa.ArrowException, OSError) as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise TableError(f"{path} was damaged: start again, and it is made anew") from error
        return pa.Table.from_batches(batches, SCHEMA)


def divide(
    path: Path, content: str, columns: Mapping[str, str], split: str | None, kept: Path
) -> Divided:
    """Divide a table into its categories, unless that was done at an earlier start.

    Args:
        path: the table, in a format that :mod:`synthsight.tabular` reads.
        content: the sha256 of its bytes.
        columns: the table's names for :data:`COLUMNS`.
        split: the one of which rows are taken; None for all rows.
        kept: folder for what is kept.

    Raises:
        TableError: it cannot be read, lacks a column, or rows are not what they have to be; all of
            these are counted, the first are listed with their lines.
    """
    key = sha256(canonical_json([1, str(path), content, dict(columns), split]).encode())
    folder = kept / key.hexdigest()
    index = read_kept(folder / _INDEX, lambda found: isinstance(found, dict))
    if index is None:
        index = _divide(path, columns, split, folder)
        sweep_old(kept)
    with suppress(OSError):
        os.utime(folder)  # it is in use
    parts = {name: Part(**about) for name, about in index["parts"].items()}
    return Divided(folder, parts, *(tuple(index[each]) for each in ("columns", "real", "notes")))


def sweep_old(kept: Path) -> None:
    """Remove what no start has used for a long time."""
    with suppress(OSError), os.scandir(kept) as scan:
        for entry in scan:
            with suppress(OSError):
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > _DAYS * 86_400:
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        os.unlink(entry.path)


def _divide(
    path: Path, columns: Mapping[str, str], split: str | None, folder: Path
) -> dict[str, Any]:
    """Read a table, and write its rows by category; returns what its index holds."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    temporary = temporary_name(folder)
    temporary.mkdir()
    try:
        index = _Reading(path, columns, split, temporary).index()
        (temporary / _INDEX).write_text(json.dumps(index), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        with suppress(OSError):  # another start has just made it
            os.rename(temporary, folder)
        return index
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class _Reading:
    """A table while it is read."""

    def __init__(
        self, path: Path, columns: Mapping[str, str], split: str | None, folder: Path
    ) -> None:
        self.path, self.columns, self.split, self.folder = path, columns, split, folder
        self.parts: dict[str, Part] = {}
        self.waiting: dict[str, list[tuple[Any, ...]]] = {}
        self.faults: list[str] = []
        self.faulty = 0
        self.splits: Counter[str] = Counter()
        #: The first line of each generator's generated images, and of its real ones.
        self.kinds: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self.unnamed = 0
        self.there: list[str] = []  # the file's columns

    def index(self) -> dict[str, Any]:
        """Read it all."""
        notes: list[str] = []
        optional = OPTIONAL if self.split is None else [c for c in OPTIONAL if c != "split"]
        form = Form(
            *(self.columns, optional, "images.columns", "a table of images", "rows"),
            embedded="name it in images.archive, and not in images.table",
        )
        rows = read_rows(self.path, form, notes, self.there)
        for count, row in enumerate(self._rows(rows), start=1):
            self._take(*row)
            if count % _ROWS == 0:
                self._flush()
        self._flush()
        self._check()
        keys = [key for key in OPTIONAL if self.columns[key] in self.there]
        return {
            "parts": {name: asdict(part) for name, part in sorted(self.parts.items())},
            "columns": keys,
            "real": sorted(self.kinds[True]),
            "notes": [*notes, *self._notes()],
        }

    def _rows(
        self, rows: Iterator[tuple[int, dict[str, Any]]]
    ) -> Iterator[tuple[int, dict[str, str]]]:
        """Rows as text, those left out that are wrong."""
        for line, row in rows:
            cells: dict[str, str] = {}
            fault = None
            for key, name in self.columns.items():
                cell = row.get(name)
                text = cell.strip() if type(cell) is str else text_of(cell)
                if type(cell) is not str and not is_allowed(
                    cell, number=key in _NUMBERS, truth=key == "real"
                ):
                    fault = f"the {key} must be {_allowed(key)}; found {type(cell).__name__}: "
                    fault += one_line(text, 80)
                if not (text.isascii() or is_writable(text)):
                    fault = f"the {key} contains half a character (a lone surrogate)"
                cells[key] = text
            if fault is None:
                fault = self._fault(cells)
            if fault is None:
                yield line, cells
            else:
                self._wrong(line, fault)

    def _fault(self, cells: Mapping[str, str]) -> str | None:
        if not cells["image"]:
            return "no image"
        if not cells["category"]:
            return "no category"
        if cells["real"].lower() not in YES | NO | {""}:
            return f"real must be yes or no (or true/false, 1/0); found {cells['real']!r}"
        return None

    def _wrong(self, line: int, fault: str) -> None:
        self.faulty += 1
        if self.faulty <= LISTED:
            self.faults.append(f"line {line}: {fault}")

    def _take(self, line: int, cells: Mapping[str, str]) -> None:
        self.splits[cells["split"]] += 1
        if self.split is not None and cells["split"] != self.split:
            return
        name, generator = cells["category"], cells["generator"]
        real = cells["real"].lower() in YES
        if real and not generator:
            self.unnamed += 1
            generator = REAL
        self.kinds[real].setdefault(generator, line)
        part = self.parts.get(name)
        if part is None:
            if len(self.parts) == MAX_CATEGORIES:
                raise TableError(
                    f"{self.path}: more than {MAX_CATEGORIES:,} categories; does the column "
                    f"{self.columns['category']!r} say what the images show?"
                )
            part = self.parts[name] = Part(f"{len(self.parts)}.arrows", line)
        part.rows += 1
        part.generators.setdefault(generator, line)
        texts = (cells[key] for key in ("group", "prompt", "split"))
        self.waiting.setdefault(name, []).append((line, cells["image"], generator, *texts))

    def _flush(self) -> None:
        """Append what is in memory to the files of the categories."""
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        for name, rows in self.waiting.items():
            texts = (
                [text or None for text in column] for column in list(zip(*rows, strict=True))[1:]
            )
            arrays = [[row[0] for row in rows], *texts]
            batch = pa.record_batch(
                [pa.array(a, f.type) for a, f in zip(arrays, SCHEMA, strict=True)], schema=SCHEMA
            )
            with (
                open(self.folder / self.parts[name].file, "ab") as file,
                pa.ipc.new_stream(file, SCHEMA, options=options) as writer,
            ):
                writer.write_batch(batch)
        self.waiting = {}

    def _check(self) -> None:
        """Raise if something is wrong with rows, or none is left."""
        if self.faulty:
            more = [f"... and {self.faulty - LISTED} more"] if self.faulty > LISTED else []
            lines = "\n    ".join([*self.faults, *more])
            raise TableError(f"{self.faulty} rows of {self.path} are wrong\n    {lines}")
        generated, real = self.kinds
        for generator in sorted(generated.keys() & real.keys()):
            raise TableError(
                f"{self.path}: the generator {generator!r} has real photographs (line "
                f"{real[generator]}) and generated images (line {generated[generator]}): give the "
                f"photographs a {self.columns['generator']} of their own"
            )
        if not self.parts:
            known = sorted(filter(None, self.splits))
            hint = did_you_mean(str(self.split), known)
            hint = hint or f"; splits there: {', '.join(known[:LISTED]) or 'none'}"
            raise SplitError(f"{self.path} has no row of the split {self.split!r}{hint}")

    def _notes(self) -> Iterator[str]:
        if self.split is None and len(self.splits) > 1:
            counted = ", ".join(
                f"{count:,} {name!r}" if name else f"{count:,} without one"
                for name, count in self.splits.most_common(LISTED)
            )
            yield (
                f"{self.path} has several splits, and images of all are used ({counted}): "
                "images.split takes one of them"
            )
        if self.unnamed:
            yield (
                f"{self.path}: {self.unnamed:,} real photographs without a generator's name are "
                f"called {REAL!r}"
            )


class SplitError(TableError):
    """A table without any row of the split that is wanted."""


def _allowed(key: str) -> str:
    return {"real": "yes or no", "image": "text", "prompt": "text"}.get(key, "text or a number")

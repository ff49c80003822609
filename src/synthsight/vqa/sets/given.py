"""What a set of questions says, before its images are looked for; kept between starts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.canonical import canonical_json
from synthsight.files import Digests, atomic
from synthsight.images.table import sweep_old

#: The version of what is kept: another one is made anew.
_VERSION = 1

_ABOUT = b"synthsight"


@dataclass(frozen=True)
class Given:
    """A question as a set has it.

    Attributes:
        line: see :class:`synthsight.vqa.question.Question`.
        cells: the values of the columns of questions; that of ``image`` says which image is meant,
            as the form of the set says it.
        reason: why it cannot be asked, whatever its image; None if nothing speaks against it.
    """

    line: int
    cells: Mapping[str, Any]
    reason: str | None = None


@dataclass(frozen=True)
class Read:
    """The questions of a set.

    Attributes:
        given: those that are for yes and no.
        passed: how many others there are, by what they are instead.
        notes: what the user should know of the files.
    """

    given: tuple[Given, ...]
    passed: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def kept_or_read(
    files: tuple[Path, ...], how: Any, kept: Path | None, read: Callable[[], Read]
) -> Read:
    """What files hold, read once for each content that they have.

    Args:
        files: those that are read.
        how: what else the result depends on.
        kept: folder of caches; None if nothing is kept.
        read: reads them.
    """
    if kept is None:
        return read()
    digests = Digests(kept / "sha256_questions.json")
    try:
        contents = [[str(file), digests.of(file)] for file in files]
    except OSError:
        return read()  # which says what is wrong
    digests.save()
    key = sha256(canonical_json([_VERSION, contents, how]).encode()).hexdigest()
    path = kept / "questions" / f"{key}.parquet"
    found = _recall(path)
    if found is None:
        found = read()
        with suppress(OSError, pa.ArrowException):
            _keep(path, found)
            sweep_old(path.parent)
    return found


def _keep(path: Path, found: Read) -> None:
    """Keep what was read, if all of it is text."""
    names = sorted({name for each in found.given for name in each.cells})
    columns = [[each.cells.get(name) for each in found.given] for name in names]
    if not all(isinstance(cell, str | None) for column in columns for cell in column):
        return
    arrays = [
        pa.array([each.line for each in found.given], pa.int64()),
        pa.array([each.reason for each in found.given], pa.string()),
        *(pa.array(column, pa.string()) for column in columns),
    ]
    table = pa.table(arrays, names=["", " ", *names])
    about = {"passed": found.passed, "notes": found.notes, "rows": len(found.given)}
    with atomic(path) as temporary:
        pq.write_table(
            table.replace_schema_metadata({_ABOUT: json.dumps(about)}),
            temporary,
            compression="zstd",
        )


def _recall(path: Path) -> Read | None:
    """What is kept; None if nothing is, or it is damaged."""
    try:
        table = pq.read_table(path)
        about = json.loads(table.schema.metadata[_ABOUT])
        lines, reasons, *columns = (column.to_pylist() for column in table.columns)
        names = table.column_names[2:]
        os.utime(path)  # it is in use
        if len(lines) != about["rows"]:
            return None
        cells = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        given = tuple(map(Given, lines, cells, reasons))
        return Read(given, about["passed"], tuple(about["notes"]))
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
        return None

"""Writing a comparison into a folder of its own, and into no other."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow.parquet as pq

from synthsight.comparing.comparison import Comparison
from synthsight.comparing.errors import CompareError
from synthsight.comparing.page import render
from synthsight.files import atomic, hint_at_home
from synthsight.tables import write_table

#: The tables, of which each is a CSV and a Parquet file; the first one tells whose folder it is.
TABLES = ("comparison", "questions", "configuration")

#: The page.
PAGE = "comparison.html"

#: The name under which the first table holds the names of the runs, among its attributes.
_NAME = "synthsight comparison"


def names() -> set[str]:
    """The names of all files of a comparison."""
    return {PAGE, *(f"{name}.{ending}" for name in TABLES for ending in ("csv", "parquet"))}


def check_folder(folder: Path) -> None:
    """Check that a comparison may be written into a folder: a new one, an empty one, or its own.

    Raises:
        CompareError: it may not.
    """
    if home := hint_at_home(folder):
        raise CompareError(f"{folder}: {home}")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise CompareError(f"{folder} is no folder: name another with --output")
    there = {entry.name for entry in folder.iterdir() if not entry.name.startswith(".")}
    if there and (there - names() or not _is_own(folder)):
        strange = sorted(there - names()) or sorted(there)
        raise CompareError(
            f"{folder} is not of a comparison, it holds {strange[0]!r}, and is left as it is: "
            "name another with --output"
        )


def _is_own(folder: Path) -> bool:
    """Whether a comparison has been written there."""
    try:
        metadata = pq.read_schema(folder / f"{TABLES[0]}.parquet").metadata or {}
        return _NAME in json.loads(metadata[b"pandas"])["attributes"]
    except (OSError, ValueError, KeyError):  # pyarrow's errors are ValueErrors
        return False


def write(found: Comparison, folder: str | os.PathLike[str]) -> Path:
    """Write tables and page, each file atomically; what an earlier comparison left is replaced.

    Args:
        found: the comparison.
        folder: where; see :func:`check_folder`.

    Returns:
        The page.

    Raises:
        CompareError: the folder holds something else.
    """
    place = Path(folder)
    check_folder(place)
    differences = found.differences.copy(deep=False)
    differences.attrs[_NAME] = [found.a, found.b]  # which the Parquet file keeps
    tables = (differences, found.questions, found.configuration)
    for name, table in zip(TABLES, tables, strict=True):
        write_table(table, place / f"{name}.csv", place / f"{name}.parquet")
    page = place / PAGE
    with atomic(page) as temporary:
        temporary.write_text(render(found), encoding="utf-8", errors="replace")
    return page

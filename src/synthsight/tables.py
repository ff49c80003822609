"""Tables: CSV for people, Parquet for the next stage, the same numbers in both."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.files import MAKE_AGAIN, FileError, atomic
from synthsight.wording import one_line

#: Stands, in a column of names, for all of them together.
ALL = "*"


def write_table(
    table: pd.DataFrame, csv: str | os.PathLike[str], parquet: str | os.PathLike[str]
) -> None:
    """Write a table as CSV and as Parquet, without its index; each atomically.

    Floats in the CSV have all the digits that it takes to read the same number back.
    """
    with atomic(csv) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    with atomic(parquet) as temporary:
        table.to_parquet(temporary, index=False)


class Outputs:
    """The files that a program is to write its tables to; each is named like its table.

    Args:
        paths: ``.../NAME.csv`` and ``.../NAME.parquet``, one of them or both for each table.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        self._paths = {Path(path).name: Path(path) for path in paths}

    def path(self, name: str) -> Path:
        """The file called ``name``, ending included; KeyError if there is none."""
        return self._paths[name]

    def write(self, name: str, table: pd.DataFrame) -> None:
        """Write a table as CSV and as Parquet (see :func:`write_table`)."""
        write_table(table, self.path(f"{name}.csv"), self.path(f"{name}.parquet"))


def write_records(
    path: str | os.PathLike[str], columns: Sequence[str], records: Iterable[object]
) -> None:
    """Write attributes of records as CSV, atomically.

    All is quoted, since file names and questions may hold line ends of any kind.
    """
    with (
        atomic(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as handle,
    ):
        writer = csv.writer(handle, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        writer.writerows([getattr(record, column) for column in columns] for record in records)


@contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say of errors of pyarrow which file they are about. Nothing but reading belongs inside.

    Raises:
        FileError: the file is damaged, or no file of this kind.
        OSError: it cannot be read (its ``errno`` is set).
    """
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            error.filename = error.filename or os.fspath(path)
            raise
        raise FileError(f"{path} cannot be read ({one_line(error, 200)}); {MAKE_AGAIN}") from error


def read_schema(path: str | os.PathLike[str], columns: Iterable[str] = ()) -> pa.Schema:
    """The columns of a Parquet file, and its metadata.

    Args:
        path: the file.
        columns: those that it must have.

    Raises:
        FileError: it is damaged, or lacks a column.
        OSError: it cannot be read.
    """
    with reading(path):
        schema = pq.read_schema(path)
    missing = [name for name in columns if name not in schema.names]
    if missing:
        raise FileError(f"{path} has no column {missing[0]!r}; {MAKE_AGAIN}")
    return schema


def read_parquet(
    path: str | os.PathLike[str],
    columns: Sequence[str],
    *,
    others: bool = False,
    filters: list[tuple[str, str, Any]] | None = None,
) -> pa.Table:
    """Read a Parquet file that another stage has written.

    Args:
        path: the file.
        columns: what it must have.
        others: whether to read further columns, too.
        filters: which rows, as :func:`pyarrow.parquet.read_table` takes them.

    Raises:
        FileError: it is damaged, or lacks a column.
        OSError: it cannot be read.
    """
    read_schema(path, columns)
    with reading(path):
        return pq.read_table(path, columns=None if others else list(columns), filters=filters)


def read_batches(
    path: str | os.PathLike[str], columns: Sequence[str], rows: int
) -> Iterator[pa.RecordBatch]:
    """Read a Parquet file a part at a time, which bounds the memory.

    Args:
        path: the file.
        columns: those to read.
        rows: how many at a time, at most.

    Raises:
        FileError: it is damaged, or lacks a column.
        OSError: it cannot be read.
    """
    read_schema(path, columns)
    with reading(path):
        file = pq.ParquetFile(path)
    with file:
        parts = file.iter_batches(rows, columns=list(columns))
        while True:
            with reading(path):
                part = next(parts, None)
            if part is None:
                return
            yield part


def read_frame(path: str | os.PathLike[str], columns: Iterable[str]) -> pd.DataFrame:
    """Read a table of :func:`write_table` from its Parquet file, with all of its columns.

    Args:
        path: the file.
        columns: what it must have.

    Raises:
        FileError: it is damaged, or lacks a column.
        OSError: it cannot be read.
    """
    read_schema(path, columns)
    with reading(path):
        return pd.read_parquet(path)


def metadata_of(schema: pa.Schema, key: str, path: str | os.PathLike[str]) -> str:
    """What the metadata of a file say, such as whose scores it holds (``model``).

    Args:
        schema: of the file.
        key: what is asked for.
        path: the file, for the message.

    Raises:
        FileError: they do not say it.
    """
    value = (schema.metadata or {}).get(key.encode())
    if value is None:
        raise FileError(f"{path} does not say its {key}; {MAKE_AGAIN}")
    text: str = value.decode()
    return text

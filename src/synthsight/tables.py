"""Tables: CSV for people, Parquet for the next stage, the same numbers in both."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight import origin
from synthsight.cells import quote_cells, quoted
from synthsight.files import MAKE_AGAIN, FileError, atomic, sha256_of
from synthsight.wording import one_line

if TYPE_CHECKING:  # every start of the workflow reads this module, and writes no table
    import pandas as pd

#: In a column of names, stands for all of them together.
ALL = "*"

#: Rows in a group of vectors, as many as a reader holds at a time; and turned into text at a time.
ROWS = 8192


def write_table(
    table: pd.DataFrame, csv: str | os.PathLike[str], parquet: str | os.PathLike[str]
) -> None:
    """Write a table as CSV and as Parquet, without its index, each atomically.

    Floats in the CSV have all the digits needed to read the same number back. Texts that a
    spreadsheet would run are quoted in it (see :mod:`synthsight.cells`).
    """
    with atomic(csv) as temporary:
        quote_cells(table).to_csv(temporary, index=False, lineterminator="\n")
    write_parquet(parquet, pa.Table.from_pandas(table, preserve_index=False), sha256_of(csv))


def write_parquet(
    path: str | os.PathLike[str], table: pa.Table, beside: str = "", **options: Any
) -> None:
    """Write a table as Parquet, atomically, with its origin in the metadata.

    Args:
        path: the file.
        table: the rows; its schema's metadata are kept.
        beside: the sha256 of the CSV file that is written beside it, if any.
        options: as for :func:`pyarrow.parquet.write_table`.
    """
    described = {**(table.schema.metadata or {}), **origin.metadata(path, beside)}
    with atomic(path) as temporary:
        pq.write_table(table.replace_schema_metadata(described), temporary, **options)


def write_vectors(
    path: str | os.PathLike[str],
    column: str,
    images: Sequence[str],
    vectors: npt.NDArray[np.float32],
    metadata: Mapping[str, Any],
) -> None:
    """Write a vector an image: ``image`` string, and a fixed_size_list<float32>[length].

    Args:
        path: the file, written atomically.
        column: what the vectors are called: ``logits``, ``features``.
        images: paths below the images' root, sorted.
        vectors: float32 (n, length). Of no images a length may not be known: then it is one.
        metadata: stored in the schema under the key ``synthsight``, as JSON.
    """
    with vectors_writer(path, column, max(1, vectors.shape[1]), metadata) as write:
        for start in range(0, max(1, len(images)), ROWS):
            write(images[start : start + ROWS], vectors[start : start + ROWS])


@contextmanager
def vectors_writer(
    path: str | os.PathLike[str], column: str, length: int, metadata: Mapping[str, Any]
) -> Iterator[Callable[[Sequence[str], npt.NDArray[np.float32]], None]]:
    """Write a file like :func:`write_vectors`, of the same bytes, a group of rows at a time.

    Args:
        path: the file, written atomically when the block succeeds.
        column: what the vectors are called.
        length: of each.
        metadata: as in :func:`write_vectors`.

    Yields:
        A function that takes images and vectors of the next group: :data:`ROWS` of them,
        or fewer in the last.
    """
    encoded = {"synthsight": json.dumps(metadata, sort_keys=True), **origin.metadata(path)}
    schema = pa.schema([("image", pa.string()), (column, pa.list_(pa.float32(), length))])
    with (
        atomic(path) as temporary,
        pq.ParquetWriter(
            temporary,
            schema.with_metadata(encoded),
            # Chosen by benchmarks/logits_encoding.py: only the bytes of signs and exponents, put
            # side by side, compress, and the lowest level does it as well as higher ones.
            column_encoding={f"{column}.list.element": "BYTE_STREAM_SPLIT"},
            compression="zstd",
            compression_level=1,
            use_dictionary=False,
        ) as writer,
    ):

        def write(images: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
            values = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), length)
            arrays = [pa.array(images, pa.string()), values]
            writer.write_table(pa.table(arrays, schema=writer.schema), row_group_size=ROWS)

        yield write


class Outputs:
    """The files that a program writes its tables to, each named after its table.

    Args:
        paths: ``.../NAME.csv``, ``.../NAME.parquet`` or both for each table.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        self._paths = {Path(path).name: Path(path) for path in paths}

    def path(self, name: str) -> Path:
        """The file called ``name``, extension included; KeyError if there is none."""
        return self._paths[name]

    def write(self, name: str, table: pd.DataFrame) -> None:
        """Write a table as CSV and as Parquet (see :func:`write_table`)."""
        write_table(table, self.path(f"{name}.csv"), self.path(f"{name}.parquet"))


def write_records(
    text: str | os.PathLike[str],
    parquet: str | os.PathLike[str],
    columns: Sequence[tuple[str, pa.DataType]],
    records: Iterable[object],
) -> None:
    """Write attributes of records as CSV and as Parquet, each atomically.

    Everything in the CSV is quoted, since file names and questions may contain line breaks of any
    kind; texts that a spreadsheet would run, once more (see :mod:`synthsight.cells`).

    Args:
        text: the CSV file.
        parquet: the Parquet file.
        columns: the attributes and their types.
        records: the rows.
    """
    names = [name for name, _ in columns]
    rows = [{name: getattr(record, name) for name in names} for record in records]
    write_rows(text, parquet, pa.Table.from_pylist(rows, schema=pa.schema(columns)))


def write_rows(
    text: str | os.PathLike[str], parquet: str | os.PathLike[str], table: pa.Table
) -> None:
    """Write a table with names of files as CSV and as Parquet, each atomically.

    Everything in the CSV is quoted, as by :func:`write_records`. Besides the table, a part of its
    rows is held in memory at a time.
    """
    with (
        atomic(text) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as handle,
    ):
        writer = csv.writer(handle, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(table.column_names)
        for part in table.to_batches(max_chunksize=ROWS):
            writer.writerows([quoted(each) for each in row.values()] for row in part.to_pylist())
    write_parquet(parquet, table, sha256_of(text))


@contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the file in errors of pyarrow. Only reading belongs in the block.

    Raises:
        FileError: the file is damaged, or of another kind.
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
    """The columns of a Parquet file and its metadata.

    Args:
        path: the file.
        columns: those that it must have.

    Raises:
        FileError: it is damaged, or lacks a column.
        OSError: it cannot be read.
    """
    with reading(path):
        schema = pq.read_schema(path)
    origin.depends_on(path, schema.metadata)
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
        columns: those that it must have.
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
    """Read a Parquet file in parts, which bounds the memory.

    Args:
        path: the file.
        columns: those to read.
        rows: at most how many at a time.

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
    """Read a table written by :func:`write_table` from its Parquet file, with all its columns.

    Args:
        path: the file.
        columns: those that it must have.

    Raises:
        FileError: it is damaged, or lacks a column.
        OSError: it cannot be read.
    """
    read_schema(path, columns)
    from pandas import read_parquet as read

    with reading(path):
        return read(path)


def metadata_of(schema: pa.Schema, key: str, path: str | os.PathLike[str]) -> str:
    """A value in a file's metadata, such as the model whose scores it holds (``model``).

    Args:
        schema: of the file.
        key: the value's key.
        path: the file, for the message.

    Raises:
        FileError: the key is missing.
    """
    value = (schema.metadata or {}).get(key.encode())
    if value is None:
        raise FileError(f"{path} has no {key!r} in its metadata; {MAKE_AGAIN}")
    text: str = value.decode()
    return text


def read_excluded(paths: Iterable[str | os.PathLike[str]]) -> frozenset[str]:
    """The images in the table ``excluded``, duplicates among them where these are left out.

    Args:
        paths: the table, Parquet; none where no duplicates are left out.

    Raises:
        FileError: it is damaged, or lacks a column.
    """
    return frozenset(
        image for path in paths for image in read_parquet(path, ["image"])["image"].to_pylist()
    )

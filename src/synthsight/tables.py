"""Tables: CSV for people, Parquet for the next stage, the same numbers in both."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from synthsight.files import atomic

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

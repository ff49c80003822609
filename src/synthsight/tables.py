"""Tables: CSV for people, Parquet for the next stage, the same numbers in both."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence

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

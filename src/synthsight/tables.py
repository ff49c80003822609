"""Tables: CSV for people, Parquet for the next stage, the same numbers in both."""

from __future__ import annotations

import os

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

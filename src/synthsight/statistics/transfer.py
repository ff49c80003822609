"""The tables ``transfer`` and ``transfer_categories``: all models' in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from synthsight.statistics.columns import TRANSFER, TRANSFER_CATEGORIES
from synthsight.tables import Outputs, read_parquet

#: What rows are sorted by; a table without one of them is sorted by the others.
_ORDER = ["model", "per_category", "train", "test", "category"]


def joined(paths: Sequence[str], columns: Mapping[str, str]) -> pd.DataFrame:
    """The rows of all files, sorted by model, size, sources and category.

    Args:
        paths: Parquet files of the program ``train_heads``, one per model.
        columns: the columns and their types. Without photographs, what compares with them is null.
    """
    tables = [read_parquet(path, list(columns)).to_pandas() for path in paths]
    # Each for itself: a column that is null in one model's file has another type there.
    table = pd.concat([each.astype(dict(columns)) for each in tables], ignore_index=True)
    order = [name for name in _ORDER if name in columns]
    found: pd.DataFrame = table.sort_values(order, ignore_index=True)
    return found


def tabulate(outputs: Outputs, pairs: Sequence[str], categories: Sequence[str]) -> None:
    """Write the tables ``transfer`` and ``transfer_categories``: see :func:`joined`."""
    # All is read before any is written: a table says from which files it was made.
    tables = joined(pairs, TRANSFER), joined(categories, TRANSFER_CATEGORIES)
    for name, table in zip(("transfer", "transfer_categories"), tables, strict=True):
        outputs.write(name, table)

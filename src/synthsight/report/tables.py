"""The run's tables, as the page holds them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthsight.labels.audit import COLUMNS as AUDIT
from synthsight.statistics.columns import BY_TABLE
from synthsight.tables import ALL, read_frame, read_parquet

#: Significant digits of numbers on the page; the tables themselves have full precision.
DIGITS = 6

#: The columns that a table must have, by its name.
_COLUMNS = {**BY_TABLE, "label_audit": AUDIT}

#: Maximum number of rows of a table on the page.
MAX_ROWS = 10_000


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table from its Parquet file.

    Raises:
        synthsight.files.FileError: the file is damaged, or lacks a column.
    """
    return read_frame(path, _COLUMNS.get(Path(path).stem, ()))


#: Of a table with a row an image and rule, perhaps millions, the columns that the page counts.
_COUNTED = {"images": ["real", "rule", "top1", "top5", "models"]}


def read_counted(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table as :func:`read_table` does, of one with a row an image only what is counted.

    Names of images and categories are left out, which would take most of the memory, and the rules'
    names are categories.

    Raises:
        synthsight.files.FileError: the file is damaged, or lacks a column.
    """
    columns = _COUNTED.get(Path(path).stem)
    if columns is None:
        return read_table(path)
    table = read_parquet(path, columns)
    rules = table["rule"].dictionary_encode()
    frame: pd.DataFrame = table.set_column(columns.index("rule"), "rule", rules).to_pandas()
    return frame


#: Maximum number of rows of what the page draws from a table.
MAX_DRAWN = 50_000


#: Tables of which the page draws but some rows: what these have in common, a category or all.
_DRAWN = {
    "accuracy": ["category"],
    "reference": ["category", "generator"],
    "difficulty": ["category", "generator"],
    "kappa": ["generator"],
}


def drawn_rows(name: str, table: pd.DataFrame, rule: str) -> list[int] | None:
    """Which rows of a table the charts need most; the lowest number most. None if all are alike.

    Below 0 are those of means over categories, or of all images, under every rule, so that all
    models are on the page whatever their number, and accuracies by category under the primary rule.

    Args:
        name: the table's.
        table: its rows.
        rule: the primary rule.
    """
    if name not in _DRAWN:
        return None
    over_all = (table[_DRAWN[name]] == ALL).all(axis=1)
    rank = pd.Series(1, table.index).mask(table["generator"] == ALL, 0)
    if name == "accuracy":
        rank = rank.mask((rank == 0) & (table["rule"] == rule), -1)
    return [int(each) for each in rank.mask(over_all, -2)]


def page_table(
    table: pd.DataFrame, rule: str, ranks: Sequence[int] | None = None
) -> dict[str, Any]:
    """A table as columns for the page.

    If it has more than :data:`MAX_ROWS` rows, only those under ``rule`` are kept, and the first of
    them; with ``ranks`` these decide.

    Args:
        table: the table.
        rule: the primary rule.
        ranks: of its rows, where some matter more: those of the lowest rank are kept first, and
            those below 0, which the page draws, up to :data:`MAX_DRAWN`.

    Returns:
        ``columns``: names; ``values``: a list for each column, null where nothing is known;
        ``left_out``: number of rows that were dropped.
    """
    rows = len(table)
    if ranks is None:
        if rows > MAX_ROWS and "rule" in table:
            table = table[table["rule"] == rule]
        table = table.head(MAX_ROWS)
    elif rows > MAX_ROWS:
        order = np.argsort(np.asarray(ranks), kind="stable")
        drawn = int((np.asarray(ranks) < 0).sum())
        table = table.iloc[np.sort(order[: max(MAX_ROWS, min(drawn, MAX_DRAWN))])]
    return {
        "columns": list(map(str, table.columns)),
        "values": [[_json_value(value) for value in table[name].tolist()] for name in table],
        "left_out": rows - len(table),
    }


def _json_value(value: Any) -> str | int | float | bool | None:
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        # A bound of 1e-17 is a zero, and a p-value that small need not be told from 0.
        return float(f"{value:.{DIGITS}g}") if abs(value) > 1e-12 else 0.0
    if isinstance(value, str | int | bool):
        return value
    return None

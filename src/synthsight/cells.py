"""Cells of CSV files that a spreadsheet would run as formulas, quoted.

The Parquet file beside each CSV, which all programs read, holds the texts as they are. A cell that
begins with quotes and what a formula begins with has one more quote than the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # every start of the workflow reads this module, and writes no table
    import pandas as pd

#: What a spreadsheet takes for the beginning of a formula, perhaps behind our own quotes.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")


def quoted(value: object) -> object:
    """A text that a spreadsheet would run, behind a quote; anything else as it is."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def quote_cells(table: pd.DataFrame) -> pd.DataFrame:
    """A copy of a table whose texts no spreadsheet runs; numbers stay numbers."""
    from pandas.api.types import is_numeric_dtype

    changed = table.copy()
    for name in changed.columns:
        if not is_numeric_dtype(changed[name].dtype):
            changed[name] = changed[name].astype(object).map(quoted)
    return changed

"""Values in tables that people write, as text: what a cell may hold, and what it says."""

from __future__ import annotations

import numbers
import reprlib
from typing import Any

#: Words for yes and for no, in lower case.
YES = frozenset({"yes", "y", "true", "t", "1", "1.0"})
NO = frozenset({"no", "n", "false", "f", "0", "0.0"})


def text_of(cell: Any) -> str:
    """A cell as text: true is ``true``, 1.0 is ``1``, a missing value is empty."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, dict | list | tuple):
        return reprlib.repr(cell)  # short, whatever its size: to be shown, not to be used
    if cell is None or cell != cell:  # NaN, which Parquet may hold for a missing value
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "backslashreplace").strip()
    return str(cell).strip()


def is_allowed(cell: Any, *, number: bool = False, truth: bool = False) -> bool:
    """Whether a cell is text, or whatever else its column may hold; anything may be missing.

    Args:
        cell: the cell.
        number: whether it may be a number.
        truth: whether it may be true or false.
    """
    if cell is None or isinstance(cell, str):
        return True
    if isinstance(cell, bytes):
        try:
            cell.decode()
        except UnicodeDecodeError:
            return False
        return True
    if isinstance(cell, bool):
        return truth
    # NaN is what Parquet may hold for a missing value.
    return isinstance(cell, numbers.Number) and (number or bool(cell != cell))


def is_writable(text: str) -> bool:
    """Whether a text can be written as UTF-8; JSON can escape text that cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

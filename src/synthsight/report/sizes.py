"""Sizes of models, as the page says them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def sizes(tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, str]]:
    """``parameters`` and ``input`` of each model in words, or what is known of them.

    Args:
        tables: those of the run, by name; without ``models`` nothing is known.
    """
    table = tables.get("models")
    if table is None:
        return {}
    found = {}
    for row in table.to_dict("records"):
        number, width = row["parameters"], row["input_width"]
        found[str(row["model"])] = {
            "parameters": "not known" if pd.isna(number) else f"{short(number)} parameters",
            "input": "" if pd.isna(width) else f"{width} x {row['input_height']} pixels",
        }
    return found


def have_sizes(tables: Mapping[str, pd.DataFrame]) -> bool:
    """Whether enough sizes of classifiers are known to draw accuracy against them."""
    table = tables.get("models")
    if table is None:
        return False
    return int(table.loc[table["task"] == "classify", "parameters"].notna().sum()) > 1


def short(number: int) -> str:
    """``25.6 million``, with three digits; below a thousand, as it is."""
    for unit, name in ((10**9, " billion"), (10**6, " million"), (10**3, " thousand")):
        if number >= unit:
            part = number / unit
            digits = 2 if part < 9.995 else 1 if part < 99.95 else 0
            return f"{part:.{digits}f}{name}"
    return str(number)

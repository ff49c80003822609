"""Charts of differences with their intervals: rows of text, each with a strip drawn to one scale.

They need no program, so that they print, and are there where scripts are not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthsight.comparing.answer import change, interval
from synthsight.comparing.differences import PAIRED, SHARED
from synthsight.report.phrases import percent

#: Steps between the marks of a scale, in percentage points, from which the first is taken that
#: gives few.
_STEPS = (0.5, 1, 2, 5, 10, 20, 25, 50)

#: Marks on each side of 0, at most.
_MARKS = 3


@dataclass(frozen=True)
class Mark:
    """A difference in a strip; places are per cent of the strip's width.

    Attributes:
        low: where the interval begins.
        at: where the difference is.
        high: where the interval ends.
        paired: whether the difference is paired.
        values: both values, in words.
        text: the difference and its interval, in words.
        about: what it is over, in words.
        verdict: ``better``, ``worse`` or ``unclear``.
        note: what is to be said beside it.
    """

    low: float
    at: float
    high: float
    paired: bool
    values: str
    text: str
    about: str
    verdict: str
    note: str


@dataclass(frozen=True)
class Forest:
    """A chart.

    Attributes:
        title: its title.
        rows: a name, and its marks.
        ticks: places and labels of the scale.
        zero: where no difference is.
        left_out: how many rows there are no place for.
    """

    title: str
    rows: Sequence[tuple[str, Sequence[Mark]]]
    ticks: Sequence[tuple[float, str]]
    zero: float
    left_out: int = 0


def forest(title: str, table: pd.DataFrame, by: str, noun: str, level: float, most: int) -> Forest:
    """A chart of a table of differences, the largest rise first.

    Args:
        title: its title.
        table: rows of differences.
        by: the column that names the rows of the chart.
        noun: what is compared, such as ``images``.
        level: confidence level of the intervals.
        most: how many rows are shown; those of the largest differences are.
    """
    names = table.groupby(by)["difference"].first()
    shown = names.reindex(names.abs().sort_values(ascending=False, kind="stable").index)[:most]
    order = shown.sort_values(ascending=False, kind="stable").index
    table = table[table[by].isin(list(order))]
    reach = _reach(table)
    rows = [
        (
            str(name),
            [_mark(row, reach, noun, level) for _, row in table[table[by] == name].iterrows()],
        )
        for name in order
    ]
    ticks = [
        (_place(value, reach), f"{round(100 * value, 3):+g}" if value else "0")
        for value in _ticks(reach)
    ]
    return Forest(title, rows, ticks, _place(0, reach), len(names) - len(order))


def _reach(table: pd.DataFrame) -> float:
    """How far the scale reaches on both sides of 0: as far as any interval, or difference."""
    ends = table[["low", "high", "difference"]].to_numpy(float)
    largest = float(np.nanmax(np.abs(ends), initial=0.0))
    return max(0.01, min(1.0, 1.04 * largest))


def _ticks(reach: float) -> Iterable[float]:
    step = next((s for s in _STEPS if 100 * reach / s < _MARKS + 1), _STEPS[-1])
    number = math.floor(100 * reach / step + 1e-9)
    return [step * each / 100 for each in range(-number, number + 1)]


def _place(value: float, reach: float) -> float:
    return round(50 + 50 * value / reach * 0.98, 2)


def _mark(row: pd.Series, reach: float, noun: str, level: float) -> Mark:
    low, high = float(row["low"]), float(row["high"])
    pair = row["method"] == PAIRED
    counted = f"{row['n_a']:,} {noun}" if pair else f"{row['n_a']:,} and {row['n_b']:,} {noun}"
    which = " shared" if row["over"] == SHARED else " the same" if pair else ""
    return Mark(
        *(_place(low, reach), _place(float(row["difference"]), reach), _place(high, reach)),
        pair,
        f"{percent(row['value_a'])} to {percent(row['value_b'])}",
        f"{change(row)} ({interval(row, level)})",
        f"{'paired' if pair else 'two samples'}: {counted}{which}",
        "better" if low > 0 else "worse" if high < 0 else "unclear",
        str(row["note"]),
    )

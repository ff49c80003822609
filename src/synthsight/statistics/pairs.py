"""Pairs of models, or rules, on the same items: differences, discordant items, McNemar's test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binom
from statsmodels.stats.multitest import multipletests

from synthsight.statistics.intervals import paired_interval
from synthsight.statistics.moments import Counts, Floats, Moments, Sample, moments_of_units

Hits = npt.NDArray[np.bool_]

#: Items multiplied at a time: sums of this many ones are exact in single precision.
_ROWS = 65536


def compare_pairs(names: Sequence[str], hits: Hits, sample: Sample, level: float) -> pd.DataFrame:
    """Compare each pair of columns of a table of hits.

    Args:
        names: names of the columns, sorted.
        hits: (items, columns).
        sample: the strata and groups of the items.
        level: confidence level, such as 0.95.

    Returns:
        One row per pair: ``a``, ``b``, ``n``, ``a_mean``, ``b_mean`` (unweighted means over the
        strata), ``difference`` = a_mean - b_mean, ``low``, ``high``, and ``only_a`` and ``only_b``,
        the numbers of items that one gets and the other does not.
    """
    a, b = np.triu_indices(len(names), k=1)
    means = sample.moments(hits).mean().mean
    low, high = np.empty(len(a)), np.empty(len(a))
    only = np.empty((2, len(a)), np.int64)
    both = _both_by_stratum(hits, sample) if sample.groups is None else None
    for first in range(len(names) - 1):  # one column at a time, to bound the memory
        rows = a == first
        if both is not None:
            difference, plus, minus = _pairs_of_items(both, sample, first)
        else:
            difference, plus, minus = _pairs_of_groups(hits, sample, first)
        low[rows], high[rows] = paired_interval(difference.mean(), plus.mean(), minus.mean(), level)
        only[:, rows] = plus.hits.sum(axis=0), minus.hits.sum(axis=0)
    return pd.DataFrame(
        {
            "a": np.asarray(names)[a],
            "b": np.asarray(names)[b],
            "n": len(hits),
            "a_mean": means[a],
            "b_mean": means[b],
            "difference": means[a] - means[b],
            "low": low,
            "high": high,
            "only_a": only[0],
            "only_b": only[1],
        }
    )


def count_both(hits: Hits) -> Counts:
    """How many items both columns of each pair get, (columns, columns)."""
    both = np.zeros((hits.shape[1], hits.shape[1]), np.int64)
    for start in range(0, len(hits), _ROWS):
        part = hits[start : start + _ROWS].astype(np.float32)
        both += (part.T @ part).astype(np.int64)
    return both


def _both_by_stratum(hits: Hits, sample: Sample) -> Counts:
    """:func:`count_both` of each stratum, (strata, columns, columns)."""
    return np.stack([count_both(hits[sample.strata == k]) for k in np.unique(sample.strata)])


def _pairs_of_items(both: Counts, sample: Sample, first: int) -> tuple[Moments, Moments, Moments]:
    """As :func:`_pairs_of_groups`, from counts, where each item is a group of its own."""
    size = np.unique(sample.strata, return_counts=True)[1]
    alone, strata = np.full(len(size), -1), np.arange(len(size))
    later = np.arange(first + 1, both.shape[1])
    plus = both[:, first, first, None] - both[:, first, later]
    minus = both[:, later, later] - both[:, first, later]
    columns = ((plus - minus, plus + minus), (plus, plus), (minus, minus))
    difference, only_a, only_b = (
        moments_of_units(strata, alone, size, sums, squares) for sums, squares in columns
    )
    return difference, only_a, only_b


def _pairs_of_groups(hits: Hits, sample: Sample, first: int) -> tuple[Moments, Moments, Moments]:
    """The moments of a column's differences from all later ones, and of what only one gets."""
    plus = hits[:, first, None] & ~hits[:, first + 1 :]
    minus = ~hits[:, first, None] & hits[:, first + 1 :]
    difference = plus.astype(np.int8) - minus.astype(np.int8)
    return sample.moments(difference), sample.moments(plus), sample.moments(minus)


def mcnemar_p(only_a: npt.NDArray[np.int64], only_b: npt.NDArray[np.int64]) -> Floats:
    """Two-sided p of the exact McNemar test, elementwise; 1 where nothing differs.

    The same as ``statsmodels.stats.contingency_tables.mcnemar(exact=True)``, which takes one table
    at a time: twice the smaller tail of a fair coin tossed ``only_a + only_b`` times.
    """
    tail = binom.cdf(np.minimum(only_a, only_b), only_a + only_b, 0.5)
    p: Floats = np.minimum(1.0, 2 * tail)
    return p


def mcnemar_test(pairs: pd.DataFrame) -> pd.DataFrame:
    """Add McNemar's ``p``, and ``p_holm`` corrected for the number of pairs.

    Args:
        pairs: columns ``only_a`` and ``only_b``, counts.
    """
    p = mcnemar_p(pairs["only_a"].to_numpy(np.int64), pairs["only_b"].to_numpy(np.int64))
    return pairs.assign(p=p, p_holm=multipletests(p, method="holm")[1] if len(p) else p)

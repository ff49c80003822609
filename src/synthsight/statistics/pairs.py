"""Pairs of models, or rules, on the same items: differences, discordant items, McNemar's test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binom
from statsmodels.stats.multitest import multipletests

Floats = npt.NDArray[np.float64]


def compare_pairs(
    names: Sequence[str],
    hits: npt.NDArray[np.bool_],
    means: Floats,
    bounds: Callable[[int], tuple[Floats, Floats]],
) -> pd.DataFrame:
    """Compare each pair of columns of a table of hits.

    Args:
        names: names of the columns, sorted.
        hits: (n, columns).
        means: (columns,), the means to compare.
        bounds: returns the bounds of the differences between a column, given by number, and all
            later ones: one column at a time, to bound memory.

    Returns:
        One row per pair: ``a``, ``b``, ``n``, ``a_mean``, ``b_mean``, ``difference`` = a_mean -
        b_mean, ``low``, ``high``, and ``only_a`` and ``only_b``, the numbers of items that one gets
        and the other does not.
    """
    a, b = np.triu_indices(len(names), k=1)
    # Counts as matrix products, in a type that BLAS supports and that holds them exactly.
    numbers = hits.astype(np.float64)
    both = numbers.T @ numbers
    only = np.rint(np.diag(both)[:, None] - both).astype(np.int64)
    low, high = np.empty(len(a)), np.empty(len(a))
    for first in range(len(names) - 1):
        low[a == first], high[a == first] = bounds(first)
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
            "only_a": only[a, b],
            "only_b": only[b, a],
        }
    )


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

"""Are two models, or two rules, really different, and how stable is the ranking of the models?"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from synthsight.statistics.bootstrap import (
    Intervals,
    difference_interval,
    resampled_means,
    stratified_means,
    stream,
)
from synthsight.statistics.columns import COMPARISONS, RANKING
from synthsight.statistics.hits import HITS, read_sample
from synthsight.statistics.pairs import compare_pairs, mcnemar_test
from synthsight.tables import Outputs

#: Resampled means equal to this many decimals are the same number, summed in another order.
_DECIMALS = 12


def compare(
    scores: Sequence[str | os.PathLike[str]], intervals: Intervals
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare all models under each rule and all rules for each model; rank the models.

    The images of a category are resampled once for all models and rules, so all differences are
    paired. Adding a model or rule leaves the bounds of the others unchanged (though its pairs count
    in Holm's correction, and it takes its place in the ranking). The order of files and rows does
    not matter.

    Comparisons of kind ``model`` have an exact McNemar test: of the images that only one of the
    two gets, does each get half? Unlike the means, it counts images, not categories. ``p_holm``
    corrects for all pairs under the same rule and hit (Holm 1979). Comparisons of kind ``rule``
    have no test: two rules judge the same predictions, and one often accepts everything that the
    other does, so a single image that differs proves that the rules do.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model, about
            the same images.
        intervals: level, resamples and seed.

    Returns:
        The comparisons, columns :data:`COMPARISONS`. ``kind`` is ``model`` (``a`` and ``b`` are
        models, ``model`` is null) or ``rule`` (``a`` and ``b`` are rules, ``rule`` is null), with
        a < b; ``n`` images; ``a_mean`` and ``b_mean`` are unweighted means over categories,
        ``difference`` = a_mean - b_mean with the bounds ``low`` and ``high``, as fractions;
        ``only_a`` and ``only_b`` count images that one gets and the other does not.

        The ranking, columns :data:`RANKING`: the ``share`` of resamples in which a model holds a
        rank, 1 being the best. Models tied for k ranks hold each of these for 1/k of the resample,
        so the shares of a model sum to 1, and so do those of a rank.

    Raises:
        HitsError: no files, or files that differ in their images.
    """
    sample = read_sample(scores)
    models, rules, hits = sample.models, sample.rules, sample.hits
    means = stratified_means(sample.flat, sample.strata).reshape(hits.shape[1:])
    rng = stream(intervals.seed, "compare")
    resampled = resampled_means(sample.flat, sample.strata, intervals.resamples, rng)
    resampled = resampled.reshape(-1, *hits.shape[1:])
    comparisons, rankings = [], []
    for (r, rule), (h, hit) in itertools.product(enumerate(rules), enumerate(HITS)):
        of_rule = (hits[:, r, h], means[r, h], resampled[:, r, h])
        pairs = mcnemar_test(_pairs(models, *of_rule, intervals.level))
        comparisons.append(pairs.assign(kind="model", hit=hit, rule=rule, model=None))
        rankings.append(_ranking(models, *of_rule[1:]).assign(rule=rule, hit=hit))
    for (m, model), (h, hit) in itertools.product(enumerate(models), enumerate(HITS)):
        of_model = (hits[:, :, h, m], means[:, h, m], resampled[:, :, h, m])
        pairs = _pairs(rules, *of_model, intervals.level).assign(p=np.nan, p_holm=np.nan)
        comparisons.append(pairs.assign(kind="rule", hit=hit, rule=None, model=model))
    comparison = pd.concat([part[list(COMPARISONS)].astype(COMPARISONS) for part in comparisons])
    ranking = pd.concat(rankings)[RANKING]
    return (
        comparison.sort_values(["kind", "hit", "rule", "model", "a", "b"], ignore_index=True),
        ranking.sort_values(["rule", "hit", "model", "rank"], ignore_index=True),
    )


def rank_shares(resampled: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How often each column holds each rank, the highest value being rank 1.

    Args:
        resampled: (resamples, columns).

    Returns:
        (columns, ranks), shares of the resamples; rows and columns sum to 1. Columns tied for k
        ranks share them equally.
    """
    resamples, columns = resampled.shape
    descending = -np.round(resampled, _DECIMALS)
    first = rankdata(descending, method="min", axis=1).astype(np.int64) - 1
    ranks_held = rankdata(descending, method="max", axis=1).astype(np.int64) - first
    row_of = np.broadcast_to(np.arange(columns), first.shape)
    held = np.zeros(columns * columns)
    for offset in range(int(ranks_held.max())):
        holds = ranks_held > offset
        held += np.bincount(
            row_of[holds] * columns + first[holds] + offset,
            weights=1 / ranks_held[holds],
            minlength=len(held),
        )
    shares: npt.NDArray[np.float64] = held.reshape(columns, columns) / resamples
    return shares


def _pairs(
    names: Sequence[str],
    hits: npt.NDArray[np.bool_],
    means: npt.NDArray[np.float64],
    resampled: npt.NDArray[np.float64],
    level: float,
) -> pd.DataFrame:
    """One row per pair of columns of ``hits`` (n, columns), whose names are sorted."""
    return compare_pairs(
        names,
        hits,
        means,
        lambda first: difference_interval(
            resampled[:, first, None] - resampled[:, first + 1 :], level
        ),
    )


def _ranking(
    models: Sequence[str],
    means: npt.NDArray[np.float64],
    resampled: npt.NDArray[np.float64],
) -> pd.DataFrame:
    """One row per model and rank."""
    count = len(models)
    return pd.DataFrame(
        {
            "model": np.repeat(models, count),
            "mean": np.repeat(means, count),
            "rank": np.tile(np.arange(1, count + 1), count),
            "share": rank_shares(resampled).ravel(),
        }
    )


def tabulate(
    outputs: Outputs, scores: Sequence[str], level: float, resamples: int, seed: int
) -> None:
    """Write the tables ``comparisons`` and ``ranking``: see :func:`compare`."""
    comparisons, ranking = compare(scores, Intervals(level, resamples, seed))
    outputs.write("comparisons", comparisons)
    outputs.write("ranking", ranking)

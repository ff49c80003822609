"""How stable the order of models is: how often each would hold each rank with other images."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from synthsight.statistics.moments import Codes, Floats, Sample
from synthsight.statistics.pairs import Hits, count_both

#: Means equal to this many decimals are the same number, summed in another order.
_DECIMALS = 8


def stream(seed: int, *names: str) -> np.random.Generator:
    """An independent random stream for the draws that ``names`` identify.

    Results then depend only on the seed and on what is drawn, not on what happens to be computed
    before.
    """
    return np.random.default_rng([seed, zlib.crc32("\0".join(names).encode())])


def ranking(
    models: Sequence[str], hits: Hits, sample: Sample, resamples: int, rng: np.random.Generator
) -> pd.DataFrame:
    """How often each model holds each rank, if the means varied as they would with other images.

    The means of all models are drawn together from a normal distribution with the variances that
    the intervals are made from, and the covariances that belong to them.

    Args:
        models: names of the columns, sorted.
        hits: (items, columns).
        sample: the strata and groups of the items.
        resamples: number of draws.
        rng: source of randomness.

    Returns:
        One row per model and rank: ``model``, ``mean``, ``rank``, ``share``.
    """
    count = len(models)
    means = sample.moments(hits).mean().mean
    drawn = draw_means(hits, sample, resamples, rng)
    return pd.DataFrame(
        {
            "model": np.repeat(models, count),
            "mean": np.repeat(means, count),
            "rank": np.tile(np.arange(1, count + 1), count),
            "share": rank_shares(drawn).ravel(),
        }
    )


def draw_means(hits: Hits, sample: Sample, resamples: int, rng: np.random.Generator) -> Floats:
    """Draws of the means of columns of ``hits``, as they would vary together with other items.

    Returns:
        (resamples, columns), about the observed means; they may lie outside 0..1.
    """
    means = sample.moments(hits).mean().mean
    drawn: Floats = means + (
        rng.standard_normal((resamples, hits.shape[1])) @ _root(covariance(hits, sample)).T
    )
    return drawn


def covariance(hits: Hits, sample: Sample) -> Floats:
    """The covariances of the unweighted means over strata of columns, (columns, columns).

    The diagonal is :attr:`synthsight.statistics.moments.Spread.variance`; the rest follows from the
    same formula.
    """
    found = sample.moments(hits)
    cells, spread = found.cells(), found.mean()
    count, columns = len(found.items), hits.shape[1]
    strata = np.unique(sample.strata, return_inverse=True)[1]
    error, second = np.zeros((columns, columns)), np.zeros((columns, columns))
    for k in range(count):
        of_stratum = hits[strata == k]
        items, p = float(found.items[k, 0]), cells.mean[k]
        both = count_both(of_stratum).astype(np.float64)
        second += both / items / count
        products, sizes = found.group_products[k], float(found.group_sizes[k, 0])
        squares = both
        if sample.groups is not None:
            codes = np.unique(sample.groups[strata == k], return_inverse=True)[1]
            sums = np.zeros((codes.max() + 1, columns))
            np.add.at(sums, codes, of_stratum)
            squares = sums.T @ sums  # whole numbers, so exact
        cross = p[:, None] * products
        error += (squares - cross - cross.T + p[:, None] * p * sizes) / (items * count) ** 2
    if sample.groups is not None and found.shared:
        error += _shared(hits, strata, sample.groups) / count**2
    total = second - spread.mean[:, None] * spread.mean
    rest = 1 - spread.pooled[0]
    if rest < 1e-12:  # a single group, whose variation is not known
        return np.zeros((columns, columns))
    found_covariance: Floats = (error + spread.pooled[0] * total) / rest
    return found_covariance


def _shared(hits: Hits, strata: Codes, groups: Codes) -> Floats:
    """What groups that lie in several strata add to the products of errors of a sum of means.

    Its diagonal is ``error`` in :attr:`synthsight.statistics.moments.Moments.shared`. In
    elementwise operations.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    together = np.zeros((codes.max() + 1, hits.shape[1]))
    own = np.zeros((hits.shape[1], hits.shape[1]))
    for stratum in np.unique(strata):
        of_stratum, inside = hits[strata == stratum], codes[strata == stratum]
        error = np.zeros_like(together)
        np.add.at(error, inside, (of_stratum - of_stratum.mean(axis=0)) / len(of_stratum))
        together += error
        own += _products(error)
    return _products(together) - own


def _products(errors: Floats) -> Floats:
    """The sums over rows of the products of columns, (columns, columns)."""
    return np.stack([(errors * errors[:, [j]]).sum(axis=0) for j in range(errors.shape[1])])


def _root(covariances: Floats) -> Floats:
    """The lower triangular L with L L' = ``covariances``, which may be singular (Cholesky).

    In elementwise operations alone, so that the result does not depend on the processor.
    """
    count = len(covariances)
    root = np.zeros((count, count))
    scale = max(float(np.diag(covariances).max(initial=0)), 1e-300)
    for j in range(count):
        rest = covariances[j:, j] - (root[j:, :j] * root[j, :j]).sum(axis=1)
        if rest[0] > 1e-12 * scale:  # else it depends on the columns before it
            root[j:, j] = rest / np.sqrt(rest[0])
    return root


def rank_shares(drawn: Floats) -> Floats:
    """How often each column holds each rank, the highest value being rank 1.

    Args:
        drawn: (draws, columns).

    Returns:
        (columns, ranks), shares of the draws; rows and columns sum to 1. Columns tied for k
        ranks share them equally.
    """
    draws, columns = drawn.shape
    descending = -np.round(drawn, _DECIMALS)
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
    shares: Floats = held.reshape(columns, columns) / draws
    return shares

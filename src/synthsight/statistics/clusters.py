"""Intervals for questions that come in clusters: those about one image are answered alike.

241 questions about 50 images tell less than 241 questions about as many images. What is computed
here takes the image, and not the question, as the unit that chance draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t
from statsmodels.stats.proportion import proportion_confint

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Estimate:
    """Estimates, and what each question adds to their error.

    Attributes:
        value: (columns,).
        residuals: (questions, columns). The error of the estimate is their sum, to first order.
    """

    value: Floats
    residuals: Floats


def mean(values: npt.NDArray[np.bool_] | Floats) -> Estimate:
    """The mean of each column of ``values`` (questions, columns), which must not be empty."""
    value: Floats = values.mean(axis=0)
    return Estimate(value, (values - value) / len(values))


def variance(estimate: Estimate, clusters: Codes) -> Floats:
    """The variance of an estimate from questions that come in clusters; NaN of a single cluster.

    The linearised variance of survey statistics (Cochran 1977; the "sandwich" of cluster-robust
    standard errors): with c clusters, c / (c - 1) times the sum of the squares of the residuals'
    sums over clusters. It is never taken as less than what independent questions would have, the
    sum of the squared residuals: few clusters give such values by chance.

    Args:
        estimate: (columns,).
        clusters: (questions,), the number of each question's cluster.

    Returns:
        (columns,).
    """
    codes, count = _number(clusters)
    if count < 2:
        return np.full(estimate.value.shape, np.nan)
    sums = np.zeros((count, estimate.residuals.shape[1]))
    np.add.at(sums, codes, estimate.residuals)
    between = count / (count - 1) * (sums**2).sum(axis=0)
    apart = (estimate.residuals**2).sum(axis=0)
    larger: Floats = np.maximum(between, apart)
    return larger


def share_interval(estimate: Estimate, clusters: Codes, level: float) -> tuple[Floats, Floats]:
    """Bounds of shares: Wilson's interval with the effective number of questions.

    The effective number is that of independent questions with the same variance, value (1 - value)
    / variance, times (z / t)^2 with t of c - 1 degrees of freedom, because the variance of c
    clusters is itself an estimate (Korn and Graubard 1998). Where the data say nothing of the
    variance, since there is a single cluster or all residuals are 0 (all right, all wrong), each
    cluster counts as one question. That is cautious: with one question wrong instead of none the
    interval can become narrower.

    Args:
        estimate: shares in 0..1, (columns,). A NaN has NaN bounds.
        clusters: see :func:`variance`.
        level: confidence level, as 0.95.
    """
    count = _number(clusters)[1]
    share = np.clip(estimate.value, 0, 1)
    spread = variance(estimate, clusters)
    known = (spread > 0) & (share > 0) & (share < 1)
    ratio = norm.ppf((1 + level) / 2) / t.ppf((1 + level) / 2, max(count - 1, 1))
    effective = share * (1 - share) / np.where(known, spread, 1) * ratio**2
    size = np.where(known, effective, count)
    low, high = proportion_confint(share * size, size, alpha=1 - level, method="wilson")
    return np.clip(low, 0, 1), np.clip(high, 0, 1)  # rounding can take them a little outside


def difference_interval(estimate: Estimate, clusters: Codes, level: float) -> tuple[Floats, Floats]:
    """Bounds of differences of shares, by Student's t with c - 1 degrees of freedom for c clusters.

    Cut to -1..1; NaN of a single cluster.

    Args:
        estimate: differences in -1..1, (columns,).
        clusters: see :func:`variance`.
        level: confidence level, as 0.95.
    """
    count = _number(clusters)[1]
    factor = t.ppf((1 + level) / 2, max(count - 1, 1))
    margin = factor * np.sqrt(variance(estimate, clusters))
    return np.maximum(estimate.value - margin, -1), np.minimum(estimate.value + margin, 1)


def _number(clusters: Codes) -> tuple[npt.NDArray[np.intp], int]:
    """Numbers of the clusters without gaps, and how many there are."""
    found, codes = np.unique(clusters, return_inverse=True)
    return codes, len(found)

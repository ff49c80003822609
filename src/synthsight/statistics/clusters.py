"""Intervals for clustered questions: answers to questions about the same image are correlated.

241 questions about 50 images say less than 241 questions about 241 images. Here the image, not the
question, is the sampling unit.
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
    """Estimates, and the contribution of each question to their error.

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
    """The variance of an estimate from clustered questions; NaN for a single cluster.

    The linearised variance of survey statistics (Cochran 1977; the "sandwich" of cluster-robust
    standard errors): with c clusters, c / (c - 1) times the sum over clusters of the squared sum of
    residuals. It is never taken to be less than the variance for independent questions, the sum of
    the squared residuals: with few clusters, lower values occur by chance.

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
    """Bounds on shares: Wilson's interval with the effective number of questions.

    The effective number is that of independent questions with the same variance, value (1 - value)
    / variance, times (z / t)^2 with t of c - 1 degrees of freedom, because the variance of c
    clusters is itself an estimate (Korn and Graubard 1998). Where the data say nothing about the
    variance, because there is a single cluster or all residuals are 0 (all right or all wrong),
    each cluster counts as one question. That is conservative: with one question wrong rather than
    none, the interval can become narrower.

    Args:
        estimate: shares in 0..1, (columns,). A NaN has NaN bounds.
        clusters: see :func:`variance`.
        level: confidence level, such as 0.95.
    """
    count = _number(clusters)[1]
    share = np.clip(estimate.value, 0, 1)
    spread = variance(estimate, clusters)
    known = (spread > 0) & (share > 0) & (share < 1)
    ratio = norm.ppf((1 + level) / 2) / t.ppf((1 + level) / 2, max(count - 1, 1))
    effective = share * (1 - share) / np.where(known, spread, 1) * ratio**2
    size = np.where(known, effective, count)
    low, high = proportion_confint(share * size, size, alpha=1 - level, method="wilson")
    return np.clip(low, 0, 1), np.clip(high, 0, 1)  # rounding can take them slightly outside


def difference_interval(estimate: Estimate, clusters: Codes, level: float) -> tuple[Floats, Floats]:
    """Bounds on differences of shares, by Student's t with c - 1 degrees of freedom for c clusters.

    Clipped to -1..1; NaN for a single cluster.

    Args:
        estimate: differences in -1..1, (columns,).
        clusters: see :func:`variance`.
        level: confidence level, such as 0.95.
    """
    count = _number(clusters)[1]
    factor = t.ppf((1 + level) / 2, max(count - 1, 1))
    margin = factor * np.sqrt(variance(estimate, clusters))
    return np.maximum(estimate.value - margin, -1), np.minimum(estimate.value + margin, 1)


def _number(clusters: Codes) -> tuple[npt.NDArray[np.intp], int]:
    """The clusters renumbered without gaps, and how many there are."""
    found, codes = np.unique(clusters, return_inverse=True)
    return codes, len(found)

"""Intervals of means and differences that hold with few images, and near 0 and 1.

All follow from one number, the effective sample size: that of independent items from a single
stratum whose mean would have the same variance. ``benchmarks/coverage.py`` measures how often they
hold the true value; docs/methods.md has the results.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, ndtri

from synthsight.statistics.moments import Floats, Spread

#: Below this many effective hits (or misses) an exact bound is looked at as well.
FEW = 20

#: Up to this effective number of groups the two ways in which a difference may err add up; below
#: this effective number of hits (or misses) each group counts once.
_VERY_FEW = 5

#: Steps of a bisection: enough for double precision.
_STEPS = 60


def effective_size(spread: Spread) -> Floats:
    """The number of independent items of one stratum that would say as much about the mean.

    Where all items are alike, the variance is unknown, and it is Kish's number of groups.
    """
    variance = spread.variance
    known = variance > 0
    size: Floats = np.where(known, spread.total / np.where(known, variance, 1) + 1, 1 / spread.kish)
    return size


def share_interval(spread: Spread, level: float) -> tuple[Floats, Floats]:
    """Bounds on means of hits in 0..1, never of width zero.

    Wilson's interval with the effective size, in the spirit of Korn and Graubard 1998; for a single
    stratum of single items it is Wilson's own. Where hits (or misses) are few, or few of them weigh
    much, the bound next to 0 (or 1) is at least as far out as the exact one-sided bound at
    ``level``, with the number of hits and its scale as Fay and Feuer 1997 have them for weighted
    sums (Brown, Cai and DasGupta 2001 do the like for plain shares).

    Args:
        spread: of the means.
        level: confidence level, such as 0.95.

    Returns:
        Lower and upper bounds, in the shape of the means.
    """
    mean = np.clip(spread.mean, 0, 1)
    size = effective_size(spread)
    few = np.minimum(_effective(mean, spread.hits), _effective(1 - mean, spread.misses)) < _VERY_FEW
    size = np.where(few, np.minimum(size, 1 / spread.kish), size)
    z2 = ndtri((1 + level) / 2) ** 2
    centre = (mean + z2 / (2 * size)) / (1 + z2 / size)
    margin = np.sqrt(z2 * mean * (1 - mean) / size + (z2 / (2 * size)) ** 2) / (1 + z2 / size)
    low = np.minimum(centre - margin, _exact_low(mean, spread.hits, level))
    high = np.maximum(centre + margin, 1 - _exact_low(1 - mean, spread.misses, level))
    # Rounding can take them slightly outside, or a hair past the mean.
    return np.clip(np.minimum(low, mean), 0, 1), np.clip(np.maximum(high, mean), 0, 1)


def _effective(share: Floats, squares: Floats) -> Floats:
    """How many equal hits would weigh like these; 0 if there are none."""
    some = share > 1e-12
    number: Floats = np.where(some, share**2 / np.where(some, squares, 1), 0)
    return number


def _exact_low(share: Floats, squares: Floats, level: float) -> Floats:
    """A lower bound on a share from few weighted hits; 1 where they are not few.

    Args:
        share: the sum of the weights of hits.
        squares: the sum of their squares.
        level: of the one-sided bound.
    """
    some = share > 1e-12
    hits = np.where(some, share**2 / np.where(some, squares, 1), 1)
    of = np.where(some, hits / np.where(some, share, 1), 1)
    bound = betaincinv(hits, np.maximum(of - hits, 0) + 1, 1 - level)
    return np.where(some & (hits < FEW - 1e-6), bound, 1.0)  # whichever way 20 is rounded


def paired_interval(
    difference: Spread, plus: Spread, minus: Spread, level: float
) -> tuple[Floats, Floats]:
    """Bounds on differences of means over the same items, a - b, within -1..1.

    Tango's score interval (1998) for paired shares, with the effective size. Where few items
    decide, or few of them weigh much, the exact bounds of :func:`share_interval` on the shares that
    only one of the two gets widen it.

    Args:
        difference: the spread of a - b, item by item.
        plus: that of items that only a gets.
        minus: that of items that only b gets.
        level: confidence level, such as 0.95.
    """
    size = effective_size(difference)
    z = ndtri((1 + level) / 2)
    value, b, c = plus.mean - minus.mean, plus.mean * size, minus.mean * size
    low, high = -_tango_high(c, b, size, z), _tango_high(b, c, size, z)

    def slack(share: Floats, squares: Floats) -> Floats:
        return np.maximum(share - _exact_low(share, squares, level), 0)

    plus_down, plus_up = slack(plus.mean, plus.hits), slack(1 - plus.mean, plus.misses)
    minus_down, minus_up = slack(minus.mean, minus.hits), slack(1 - minus.mean, minus.misses)
    very_few = 1 / difference.kish < _VERY_FEW + 0.5
    down = np.where(very_few, plus_down + minus_up, np.hypot(plus_down, minus_up))
    up = np.where(very_few, minus_down + plus_up, np.hypot(minus_down, plus_up))
    return (
        np.clip(np.minimum(low, value - down), -1, 1),
        np.clip(np.maximum(high, value + up), -1, 1),
    )


def _tango_high(b: Floats, c: Floats, size: Floats, z: float) -> Floats:
    """The upper bound of Tango's interval: the difference at which the score is -z.

    Args:
        b: effective number of items that only the first gets.
        c: likewise, the second.
        size: effective number of items.
        z: normal quantile.
    """
    low, high = (b - c) / size, np.ones_like(b)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        linear = (2 * size - b + c) * middle - b - c
        root = np.maximum(linear**2 + 8 * size * c * middle * (1 - middle), 0)
        only_b = (np.sqrt(root) - linear) / (4 * size)  # the likeliest share at this difference
        variance = np.maximum(size * (2 * only_b + middle * (1 - middle)), 0)
        inside = b - c - size * middle > -z * np.sqrt(variance)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    bound: Floats = (low + high) / 2
    return bound


def unpaired_interval(
    a: Floats,
    bounds_of_a: tuple[Floats, Floats],
    b: Floats,
    bounds_of_b: tuple[Floats, Floats],
) -> tuple[Floats, Floats]:
    """Bounds on differences a - b of means of different items, within -1..1.

    By squaring and adding the distances to the bounds of both (Newcombe 1998). It takes the two as
    independent, which is on the safe side where both are about the same prompts.
    """
    low = a - b - np.hypot(a - bounds_of_a[0], bounds_of_b[1] - b)
    high = a - b + np.hypot(bounds_of_a[1] - a, b - bounds_of_b[0])
    return np.clip(low, -1, 1), np.clip(high, -1, 1)

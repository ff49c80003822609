"""Means of kappas between raters, between models, and of models with raters, with their bounds.

What they are for: :mod:`synthsight.statistics.people_agreement`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import t as student

from synthsight.statistics.agreement import kappa_interval, kappa_of
from synthsight.statistics.moments import Codes, Floats
from synthsight.statistics.ratings import Flags, Ratings

#: A difference of kappas that an experiment should be able to tell, and how surely.
TOLD, POWER = 0.1, 0.8

#: Pairs looked at together, which bounds the memory.
_PAIRS = 2000

#: How often each item is in each draw, (1 + draws, items); the first is the sample itself.
Weights = npt.NDArray[np.float32]
_Counts = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Estimate:
    """The mean of pairs' kappas, in the sample and in draws of other images.

    The mean's interval is the estimate and a multiple of its error, by Student's t. The error has a
    part from images, the spread over draws, and one from raters, the jackknife's: by how much the
    mean changes if a rater is left out. The degrees of freedom are Satterthwaite's, of the two. The
    interval is at least as wide as that between the quantiles of the draws and, of a single pair,
    as that of pairs of models (:func:`synthsight.statistics.agreement.kappa_interval`), which holds
    with few errors; where draws do not differ at all, it is that one, of the mean pair. Raters have
    no part in it if there are fewer than three, or two with a model.

    Attributes:
        drawn: (1 + draws,), the mean, the sample first; NaN where no pair has a kappa.
        left_out: (raters,), the sample's without each rater; none among models.
        kappas: (pairs,), of the sample; NaN where undefined.
        cells: (4, pairs), the numbers of items that both get, one, the other, or neither.
        images: number of items that any pair with a kappa has.
        units: number of groups of items.
        fewest: the number of raters from which on they have a part in the error.
    """

    drawn: Floats
    left_out: Floats
    kappas: Floats
    cells: Floats
    images: int
    units: int
    fewest: int

    def mean(self, level: float) -> dict[str, Any]:
        """The columns of a row of :func:`agreement`."""
        sizes, known = self.cells.sum(axis=0), ~np.isnan(self.kappas)
        about = {
            "n": round(sizes.mean()) if len(sizes) else 0,
            "pairs": int(known.sum()),
            "undefined": int((~known).sum()),
        }
        if not known.any():
            return {**about, **dict.fromkeys(("kappa", "low", "high"), np.nan), "trials": None}
        cells = self.cells[:, known].mean(axis=1, keepdims=True)
        return {**about, **bounds(self, level, cells)}


@dataclass(frozen=True)
class Pairs:
    """The kappas of pairs of raters, or of models; of draws no more than sums over pairs.

    Attributes:
        rated: (items, members), the items of each rater, or model.
        first: (pairs,), the number of one of each pair, sorted.
        second: (pairs,), that of the other, which is larger.
        kappas: see :class:`Estimate`.
        cells: likewise.
        sums: (1 + draws, members), the sum of a member's kappas, each times its weight.
        totals: (1 + draws, members), the sum of the weights of those that are defined.
        units: see :class:`Estimate`.
        fewest: likewise; of raters alone.
    """

    rated: Flags
    first: Codes
    second: Codes
    kappas: Floats
    cells: Floats
    sums: Floats
    totals: Floats
    units: int
    fewest: int

    def all(self) -> Estimate:
        """The mean over all pairs; each is among those of two members."""
        sums, totals = self.sums.sum(axis=1) / 2, self.totals.sum(axis=1) / 2
        return Estimate(
            drawn=_ratio(sums, totals),
            left_out=_ratio(sums[0] - self.sums[0], totals[0] - self.totals[0]),
            kappas=self.kappas,
            cells=self.cells,
            images=int(self._shared.any(axis=1).sum()),
            units=self.units,
            fewest=self.fewest,
        )

    def of_rater(self, rater: int) -> Estimate:
        """The mean over the pairs of one rater, of which the others are drawn."""
        own = (self.first == rater) | (self.second == rater)
        other, (values, weights) = (self.first + self.second - rater)[own], self._weighted
        sums, totals = (
            np.full(self.rated.shape[1], of[0, rater]) for of in (self.sums, self.totals)
        )
        sums[other] -= values[own]
        totals[other] -= weights[own]
        return Estimate(
            drawn=_ratio(self.sums[:, rater], self.totals[:, rater]),
            left_out=np.delete(_ratio(sums, totals), rater),
            kappas=self.kappas[own],
            cells=self.cells[:, own],
            images=int(self._shared[:, rater].sum()),
            units=self.units,
            fewest=2,
        )

    @cached_property
    def _weighted(self) -> tuple[Floats, Floats]:
        """Each pair's kappa in the sample times its weight, and this; 0 where it is undefined."""
        return _weighted(self.kappas, self.cells.sum(axis=0))

    @cached_property
    def _shared(self) -> Flags:
        """(items, members), the items of each that another has, too, in a pair with a kappa."""
        known = ~np.isnan(self.kappas)
        paired = np.zeros((self.rated.shape[1],) * 2, np.float32)
        paired[self.first[known], self.second[known]] = 1
        shared: Flags = self.rated & (self.rated.astype(np.float32) @ (paired + paired.T) > 0)
        return shared


def bounds(about: Estimate, level: float, cells: Floats) -> dict[str, Any]:
    """An estimate with bounds, and how many images would tell a difference from another.

    Args:
        about: the estimate.
        level: confidence level, such as 0.95.
        cells: (4, 1), of a pair with such a kappa, for where draws do not differ.
    """
    value, draws = float(about.drawn[0]), about.drawn[1:][~np.isnan(about.drawn[1:])]
    items = float(draws.var(ddof=1)) if len(draws) > 1 else 0.0
    others = about.left_out[~np.isnan(about.left_out)]
    raters = 0.0
    if len(others) == len(about.left_out) >= about.fewest:
        raters = (len(others) - 1) / len(others) * float(((others - others.mean()) ** 2).sum())
    total = items + raters
    low, high = (float(side[0]) for side in kappa_interval(cells, level))
    if total >= 1e-12:
        parts = items**2 / max(1, about.units - 1) + raters**2 / max(1, len(others) - 1)
        margin = student.ppf((1 + level) / 2, total**2 / parts) * np.sqrt(total)
        inner = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
        outer = (low, high) if len(about.kappas) == 1 else (value, value)
        low = min(value - margin, inner[0], outer[0])
        high = max(value + margin, inner[1], outer[1])
    return {
        "kappa": value,
        "low": max(-1.0, min(low, value)),
        "high": min(1.0, max(high, value)),
        "trials": trials_needed(items, about.images, level),
    }


def trials_needed(variance: float, images: int, level: float) -> int | None:
    """How many images tell two kappas that differ by :data:`TOLD`, with probability :data:`POWER`.

    The variance of kappa by chance of images falls as their number grows, V = v / n. A difference
    d of two kappas like this one, of independent errors, is told at a level if it is z errors from
    zero, and with power if it is z' more: n = (z + z')^2 2 v / d^2. The raters stay the same.

    Args:
        variance: of a kappa, by chance of images.
        images: the number of all that have a part in it, of whichever raters.
        level: of the test, such as 0.95.

    Returns:
        None where the draws do not differ, so that nothing is known of the variance.
    """
    if variance < 1e-12:
        return None
    quantiles = ndtri((1 + level) / 2) + ndtri(POWER)
    return int(np.ceil(quantiles**2 * 2 * variance * images / TOLD**2))


def _weighted(kappas: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Kappas times their weights, and these; 0 where a kappa is undefined."""
    known = ~np.isnan(kappas)
    return np.where(known, kappas, 0) * weights, known * weights


def _ratio(sums: Floats, totals: Floats) -> Floats:
    """Weighted means, NaN where nothing has a weight."""
    some = totals > 0
    mean: Floats = np.where(some, sums / np.where(some, totals, 1), np.nan)
    return mean


def _kappas(both: _Counts, a: _Counts, b: _Counts, n: _Counts) -> tuple[Floats, Floats]:
    """Kappas of pairs in each draw, and their cells in the sample, from counts (draws, pairs)."""
    cells = np.stack([both, a - both, b - both, n - a - b + both]).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = kappa_of(cells)[2]
    alike = (a == b) & ((a == 0) | (a == n))
    return np.where(alike, np.nan, kappa), cells[:, 0]


def among_raters(ratings: Ratings, weights: Weights) -> Pairs:
    """The kappas of all pairs of raters who have rated an item in common."""
    rated, right = (table.astype(np.float32) for table in ratings.table())
    first, second = np.triu(rated.T @ rated, k=1).nonzero()

    def counts(a: Codes, b: Codes) -> tuple[Floats, Floats]:
        return _kappas(
            weights @ (right[:, a] * right[:, b]),
            weights @ (right[:, a] * rated[:, b]),
            weights @ (rated[:, a] * right[:, b]),
            weights @ (rated[:, a] * rated[:, b]),
        )

    return _in_parts(ratings, rated > 0, (first, second), counts, len(weights))


def with_raters(ratings: Ratings, hits: Flags, weights: Weights) -> Iterator[Estimate]:
    """The kappas of each model (a column of ``hits``) with all raters."""
    rated, right = (table.astype(np.float32) for table in ratings.table())
    n, of_raters = weights @ rated, weights @ right
    for column in hits.T.astype(np.float32)[:, :, None]:
        of_model, both = weights @ (rated * column), weights @ (right * column)
        kappas, cells = _kappas(both, of_raters, of_model, n)
        values, totals = _weighted(kappas, cells.sum(axis=0))
        yield Estimate(
            drawn=_ratio(values.sum(axis=1), totals.sum(axis=1)),
            left_out=_ratio(values[0].sum() - values[0], totals[0].sum() - totals[0]),
            kappas=kappas[0],
            cells=cells,
            images=int(rated[:, ~np.isnan(kappas[0])].any(axis=1).sum()),
            units=units_of(ratings),
            fewest=2,
        )


def among_models(ratings: Ratings, hits: Flags, weights: Weights) -> Estimate:
    """The kappas of all pairs of models (columns of ``hits``), on the items that people rated."""
    right = hits.astype(np.float32)
    of_models, n = weights @ right, weights.sum(axis=1, keepdims=True)

    def counts(a: Codes, b: Codes) -> tuple[Floats, Floats]:
        both = weights @ (right[:, a] * right[:, b])
        return _kappas(both, of_models[:, a], of_models[:, b], np.broadcast_to(n, both.shape))

    pairs = np.triu_indices(right.shape[1], k=1)
    found = _in_parts(ratings, np.ones_like(hits), pairs, counts, len(weights))
    return replace(found.all(), left_out=np.empty(0))


def units_of(ratings: Ratings) -> int:
    """The number of groups of items."""
    return int(ratings.groups.max()) + 1


def _in_parts(
    ratings: Ratings,
    rated: Flags,
    pairs: tuple[Codes, Codes],
    counts: Callable[[Codes, Codes], tuple[Floats, Floats]],
    draws: int,
) -> Pairs:
    """The kappas of pairs, as ``counts`` gives them for some in each draw: some at a time."""
    first, second = pairs
    kappas, cells = np.empty(len(first)), np.empty((4, len(first)))
    sums, totals = np.zeros((2, draws, rated.shape[1]))
    for start in range(0, len(first), _PAIRS):
        part = slice(start, start + _PAIRS)
        found, cells[:, part] = counts(first[part], second[part])
        kappas[part] = found[0]
        weighted = _weighted(found, cells[:, part].sum(axis=0))
        for member in np.unique(first[part]):  # the others in its pairs are all different
            own = first[part] == member
            for total, values in zip((sums, totals), weighted, strict=True):
                total[:, member] += values[:, own].sum(axis=1)
                total[:, second[part][own]] += values[:, own]
    return Pairs(rated, first, second, kappas, cells, sums, totals, units_of(ratings), 3)

"""Intervals of means of responses that two things decide by chance: which items, and which people.

The variance of a mean has a part from items (or groups of them), a part from raters, and what is
counted in both: Cameron, Gelbach and Miller 2011, "Robust inference with multiway clustering". How
often the intervals hold the true value is measured by ``benchmarks/people.py``; docs/methods.md has
the results.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.stats import t as student

from synthsight.statistics.intervals import paired_interval, share_interval
from synthsight.statistics.moments import Codes, Floats, Spread
from synthsight.statistics.ratings import Ratings

#: A variance below this is none.
_NONE = 1e-15


@dataclass(frozen=True)
class Design:
    """How responses are crossed by items and raters, and what each of them weighs.

    The mean is over the raters of an item, then over the items of a stratum, then over strata, all
    unweighted, so that an item counts once however many people rated it.

    Attributes:
        ratings: the responses.
    """

    ratings: Ratings

    @cached_property
    def weights(self) -> Floats:
        """(items,), what each item weighs; they sum to 1."""
        sizes = np.bincount(self.ratings.strata)
        weights: Floats = 1 / (len(sizes) * sizes[self.ratings.strata])
        return weights

    def spread(self, values: Floats) -> Spread:
        """The spread of a mean over items, by chance of these alone; arrays (columns,).

        Args:
            values: (items, columns), within 0..1 or, for differences, -1..1.
        """
        ratings, weights = self.ratings, self.weights[:, None]
        sizes = np.bincount(ratings.strata)
        mean = _sums(ratings.strata, values) / sizes[:, None]
        # Of strata and groups only those are looked at that occur together.
        cells = ratings.strata * (ratings.groups.max() + 1) + ratings.groups
        _, first, cell = np.unique(cells, return_index=True, return_inverse=True)
        share, strata = np.bincount(cell, self.weights), ratings.strata[first]
        pooled = (np.bincount(strata, share**2) / np.bincount(strata)).sum()
        columns = np.ones(values.shape[1])
        return Spread(
            mean=mean.mean(axis=0),
            second=(weights * values**2).sum(axis=0),
            error=_squares(ratings.groups, self.deviations(values)),
            pooled=pooled * columns,
            kish=(np.bincount(ratings.groups, self.weights) ** 2).sum() * columns,
            hits=_squares(ratings.groups, weights * values),
            misses=_squares(ratings.groups, weights * (1 - values)),
        )

    def deviations(self, values: Floats) -> Floats:
        """(items, columns), what each item adds to the error of a mean over items: its deviation.

        Args:
            values: (items, columns).
        """
        strata = self.ratings.strata
        mean = _sums(strata, values) / np.bincount(strata)[:, None]
        return self.weights[:, None] * (values - mean[strata])

    def variance(self, values: Floats) -> tuple[Floats, Floats]:
        """The variance of the mean by chance of items and raters, and its degrees of freedom.

        That between groups of items and that between raters, less that between the responses of one
        rater to one group, which is in both; but no less than either. The degrees of freedom are
        Satterthwaite's, of the two parts.

        Args:
            values: (responses, columns), of two raters at least.

        Returns:
            (columns,) each.
        """
        ratings = self.ratings
        of_items = ratings.mean_of_items(values)
        items = self.spread(of_items).variance
        sizes = np.bincount(ratings.strata)[:, None]
        mean = (_sums(ratings.strata, of_items) / sizes)[ratings.strata[ratings.item]]
        weights = (self.weights / ratings.raters_of_item)[ratings.item]
        errors = weights[:, None] * (values - mean)
        count = len(ratings.raters)
        raters = _squares(ratings.rater, errors) * count / (count - 1)
        cells = ratings.groups[ratings.item] * count + ratings.rater
        both = _squares(np.unique(cells, return_inverse=True)[1], errors)
        total = np.maximum(items + raters - both, np.maximum(items, raters))
        units = max(1, ratings.groups.max() + 1 - len(sizes))
        parts = items**2 / units + raters**2 / (count - 1)
        some = parts > _NONE**2
        freedom = np.where(some, total**2 / np.where(some, parts, 1), 1)
        return total, np.maximum(freedom, 1)

    def shares(self, values: Floats, level: float) -> tuple[Floats, Floats, Floats]:
        """The means of shares within 0..1 with bounds, (columns,) each.

        By chance of items alone, a share interval (:mod:`synthsight.statistics.intervals`), which
        holds near 0 and 1; by chance of raters as well, Wilson's with a quantile of Student's t.
        The interval spans both. With one rater there is the first alone.

        Args:
            values: (responses, columns).
            level: confidence level, such as 0.95.
        """
        spread = responses_of(self.spread(self.ratings.mean_of_items(values)))
        low, high = share_interval(spread, level)
        if len(self.ratings.raters) > 1:
            variance, freedom = self.variance(values)
            mean, rest = spread.mean, spread.mean * (1 - spread.mean)
            known = (variance > _NONE) & (rest > _NONE)
            size = np.where(known, rest, 1) / np.where(known, variance, 1)
            squared = student.ppf((1 + level) / 2, freedom) ** 2
            centre = (mean + squared / (2 * size)) / (1 + squared / size)
            margin = np.sqrt(squared * rest / size + (squared / (2 * size)) ** 2)
            margin /= 1 + squared / size
            low = np.where(known, np.minimum(low, centre - margin), low)
            high = np.where(known, np.maximum(high, centre + margin), high)
        return spread.mean, np.clip(low, 0, 1), np.clip(high, 0, 1)

    def differences(
        self, hits: Floats, correct: Floats, level: float
    ) -> tuple[Floats, Floats, Floats]:
        """The means of models less that of people on the same items, with bounds, (columns,) each.

        By chance of items alone, Tango's interval of paired shares; by chance of raters as well,
        the mean and a multiple of its error, by Student's t. The interval spans both.

        Args:
            hits: (items, columns), 1 where a model is right.
            correct: (responses,), 1 where a response is.
            level: confidence level, such as 0.95.
        """
        share = self.ratings.mean_of_items(correct[:, None])
        plus, minus = hits * (1 - share), (1 - hits) * share
        spread = self.spread(hits - share)
        only_model, only_people = self.spread(plus), self.spread(minus)
        second = only_model.mean + only_people.mean
        whole = replace(spread, second=second, error=spread.variance, pooled=np.zeros_like(second))
        low, high = paired_interval(whole, only_model, only_people, level)
        if len(self.ratings.raters) > 1:
            values = hits[self.ratings.item] - correct[:, None]
            variance, freedom = self.variance(values)
            margin = student.ppf((1 + level) / 2, freedom) * np.sqrt(variance)
            low = np.minimum(low, spread.mean - margin)
            high = np.maximum(high, spread.mean + margin)
        return spread.mean, np.clip(low, -1, 1), np.clip(high, -1, 1)


def responses_of(spread: Spread) -> Spread:
    """The spread of a mean of items' shares as one of single responses, right or wrong.

    The variance of the mean is the same, and that of an item is that of a response, on which
    intervals of shares rest.
    """
    return replace(
        spread, second=spread.mean, error=spread.variance, pooled=np.zeros_like(spread.mean)
    )


def _sums(codes: Codes, values: Floats) -> Floats:
    sums = np.zeros((codes.max() + 1, values.shape[1]))
    np.add.at(sums, codes, values)
    return sums


def _squares(codes: Codes, values: Floats) -> Floats:
    """The sum over codes of the squared sums of the rows with each, (columns,)."""
    squares: Floats = (_sums(codes, values) ** 2).sum(axis=0)
    return squares

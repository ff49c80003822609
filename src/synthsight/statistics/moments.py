"""How hits vary within the strata and groups of a sample, the base of every interval.

Items (images, questions) are drawn stratum by stratum (category by category), and come in groups:
several images of one prompt, several questions about one image. The group is the sampling unit;
where nothing is known, each item is a group of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.integer]

#: Numbers summed at a time: the bound on memory.
_ENTRIES = 2**20


@dataclass(frozen=True)
class Sample:
    """The strata and groups of items.

    Attributes:
        strata: (items,), the number of each item's stratum.
        groups: (items,), the number of each item's group; None if each is a group of its own.
    """

    strata: Codes
    groups: Codes | None = None

    def moments(self, hits: npt.NDArray[np.bool_ | np.integer], scale: int = 1) -> Moments:
        """The moments of the columns of ``hits`` (items, columns), whole numbers up to ``scale``.

        Args:
            hits: such as booleans, or in how many of ``scale`` models an image is recognised.
            scale: what a hit of 1 is divided by.
        """
        strata = np.unique(self.strata, return_inverse=True)[1]
        if self.groups is None:
            codes = strata
            strata, groups = np.arange(codes.max() + 1), np.full(codes.max() + 1, -1)
        else:
            groups = np.unique(self.groups, return_inverse=True)[1]
            units = strata * (groups.max() + 1) + groups
            first, codes = np.unique(units, return_index=True, return_inverse=True)[1:]
            strata, groups = strata[first], groups[first]
        sums = _sum_by(codes, hits, len(groups))
        squares = sums if hits.dtype == bool else _sum_by(codes, hits, len(groups), power=2)
        return moments_of_units(strata, groups, np.bincount(codes), sums, squares, scale)


def _sum_by(
    codes: Codes, numbers: npt.NDArray[np.bool_ | np.integer], count: int, power: int = 1
) -> Counts:
    """The sums over rows with the same code of powers of whole numbers, (count, columns).

    Each code from 0 to ``count`` - 1 occurs.
    """
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(count))
    sums = np.empty((count, numbers.shape[1]), np.int64)
    width = max(1, _ENTRIES // len(numbers))
    for first in range(0, numbers.shape[1], width):
        part = numbers[:, first : first + width][order].astype(np.int64)
        sums[:, first : first + width] = np.add.reduceat(part**power, starts, axis=0)
    return sums


def moments_of_units(
    strata: Codes, groups: Codes, size: Counts, sums: Counts, squares: Counts, scale: int = 1
) -> Moments:
    """The moments of units: all items of one group in one stratum, or many groups of one item.

    Args:
        strata: (units,), the number of each unit's stratum, from 0 without gaps.
        groups: (units,), the number of its group; -1 if each of its items is a group of its own.
        size: (units,), its number of items.
        sums: (units, columns), the sum of its items' hits.
        squares: likewise, of the squares of its items' hits.
        scale: see :meth:`Sample.moments`.
    """
    count, alone = int(strata.max()) + 1, groups < 0

    def total(of_units: Counts) -> Counts:
        return _sum_by(strata, of_units.reshape(len(strata), -1), count)

    column = size[:, None]
    found = Moments(
        items=total(size),
        groups=total(np.where(alone, size, 1)),
        group_sizes=total(np.where(alone, size, size**2)),
        hits=total(sums),
        squares=total(squares),
        group_squares=total(np.where(alone[:, None], squares, sums**2)),
        group_products=total(np.where(alone[:, None], sums, column * sums)),
        shared={},
        scale=scale,
    )
    known = groups[~alone]
    if len(np.unique(known)) == len(known):
        return found
    # Groups in several strata: what they add up in these is added before it is squared.
    rows, codes = strata[~alone], np.unique(known, return_inverse=True)[1]
    weight = column[~alone] / found.items[rows]
    share = sums[~alone] / scale / found.items[rows]
    parts = {
        "error": share - weight * (found.hits / found.items / scale)[rows],
        "pooled": weight / np.sqrt(found.groups[rows]),
        "kish": weight,
        "hits": share,
        "misses": weight - share,
    }
    shared = {name: _crossed(part, codes) for name, part in parts.items()}
    return Moments(**{**vars(found), "shared": shared})


def _crossed(parts: Floats, codes: Codes) -> Floats:
    """The squares of the sums of rows with the same code, less the squares of the rows, in all."""
    together = np.zeros((codes.max() + 1, parts.shape[1]))
    np.add.at(together, codes, parts)
    return _total(together**2) - _total(parts**2)


def _total(of_rows: Floats) -> Floats:
    """The sums over rows, added in their order: other columns do not change the last digit."""
    total: Floats = np.cumsum(of_rows, axis=0)[-1]
    return total


@dataclass(frozen=True)
class Moments:
    """Sums over the items and groups of each stratum: whole numbers, so exact in any order.

    Attributes:
        items: (strata, 1), the number of items.
        groups: (strata, 1), the number of groups.
        group_sizes: (strata, 1), the sum of the squares of groups' numbers of items.
        hits: (strata, columns), the sum of hits.
        squares: likewise, of items' squared hits.
        group_squares: likewise, of the squares of groups' sums of hits.
        group_products: likewise, of the products of groups' sums of hits and numbers of items.
        shared: what groups that lie in several strata add to the sums of squares of a
            :class:`Spread` of these names, (columns,) each; empty if there are none.
        scale: what hits are divided by.
    """

    items: Counts
    groups: Counts
    group_sizes: Counts
    hits: Counts
    squares: Counts
    group_squares: Counts
    group_products: Counts
    shared: Mapping[str, Floats]
    scale: int = 1

    def cells(self) -> Spread:
        """Each stratum by itself; arrays (strata, columns)."""
        items = self.items.astype(np.float64)
        mean = self.hits / items / self.scale
        within = (
            self.group_squares / self.scale**2
            - 2 * mean * (self.group_products / self.scale)
            + mean**2 * self.group_sizes
        )
        kish = np.broadcast_to(self.group_sizes / items**2, mean.shape)
        hits = self.group_squares / self.scale**2 / items**2
        return Spread(
            mean=mean,
            second=self.squares / self.scale**2 / items,
            error=np.maximum(within, 0) / items**2,  # rounding can make a zero negative
            pooled=kish / self.groups,
            kish=kish,
            hits=hits,
            misses=kish - 2 * self.group_products / self.scale / items**2 + hits,
        )

    def mean(self) -> Spread:
        """The unweighted mean over the strata; arrays (columns,)."""
        cells, count = self.cells(), len(self.items)
        sums = {name: _total(value) / count**2 for name, value in vars(cells).items()}
        for name, more in self.shared.items():
            sums[name] = np.maximum(sums[name] + more / count**2, 0)
        sums |= {"mean": _total(cells.mean) / count, "second": _total(cells.second) / count}
        return Spread(**sums)


@dataclass(frozen=True)
class Spread:
    """A mean, and what its error follows from; arrays of one shape.

    Each item has a weight, and the weights sum to 1: 1 / n in a stratum of n, and so on in a mean
    of strata. What a group's items weigh together is its weight.

    Attributes:
        mean: the mean of the hits.
        second: of their squares.
        error: the sum over groups of the squared sum of weighted deviations from the mean of the
            stratum.
        pooled: the sum over strata of the mean of its groups' squared weights.
        kish: the sum of groups' squared weights; 1 / kish is Kish's effective number of groups.
        hits: the sum over groups of the squared sum of weighted hits.
        misses: likewise of misses, 1 - hit.
    """

    mean: Floats
    second: Floats
    error: Floats
    pooled: Floats
    kish: Floats
    hits: Floats
    misses: Floats

    def of_fewer(self, share: float) -> Spread:
        """The spread of the same mean if there were that share of the groups alone."""
        squares = ("error", "pooled", "kish", "hits", "misses")
        return replace(self, **{name: getattr(self, name) / share for name in squares})

    @property
    def total(self) -> Floats:
        """The variance of single items about the mean, all strata together."""
        return np.maximum(self.second - self.mean**2, 0)

    @property
    def variance(self) -> Floats:
        """The variance of the mean; 0 where all items are alike, and with a single group.

        Within each stratum, that between its g groups, as if there were one more that varies like
        an item drawn from all strata: (g - 1) / g of the usual estimate and 1 / g of the other. A
        stratum of one group, which says nothing about its variation, has that of all, and one of
        many groups its own. With a single stratum of single items it is m (1 - m) / (n - 1).
        """
        # total is itself too small by the variance, so the equation is solved for that.
        rest = 1 - self.pooled
        alone = rest < 1e-12  # a single group
        return np.where(
            alone, 0, (self.error + self.pooled * self.total) / np.where(alone, 1, rest)
        )

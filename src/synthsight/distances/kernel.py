"""The kernel distance of sources from photographs (KID), with an interval.

Categories count as they are weighted, whatever number of images there is of each: the distance is
that of two mixtures of categories in the same proportions. Without this the plain estimate over
images of several categories is too low, by what the pairs within a category would add.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from synthsight.features.samples import Images, Numbers, Vectors

Floats = npt.NDArray[np.float64]

#: Rows and columns of the kernel that are held at a time.
_BLOCK = 2_048


@dataclass(frozen=True)
class Kid:
    """An estimate of a kernel distance, and its standard error.

    Attributes:
        value: unbiased, so that it may be negative where the distance is about 0.
        error: of the images on both sides, units as a whole. Where the distance is 0 it is too
            large by a factor of up to the square root of 2.
    """

    value: float
    error: float

    def bounds(self, level: float) -> tuple[float, float]:
        """The interval of a level such as 0.95, by the normal distribution."""
        margin = float(ndtri((1 + level) / 2)) * self.error
        return self.value - margin, self.value + margin


def kernel(a: Vectors, b: Vectors) -> Floats:
    """The polynomial kernel ``(a . b / length + 1) ** 3`` (Bińkowski et al. 2018); (n, m)."""
    values: Floats = a.astype(np.float64) @ b.astype(np.float64).T
    values /= a.shape[1]
    values += 1
    cubes: Floats = values * values
    cubes *= values
    return cubes


def kernel_distances(
    images: Images, vectors: Vectors, sides: Mapping[str, Numbers], reference: str, weights: Floats
) -> dict[str, Kid]:
    """The squared maximum mean discrepancy of each side from a reference, unbiased.

    Pairs of images of one unit in one category are left out on both sides and between them, since
    they are no independent draws.

    Args:
        images: all images.
        vectors: their features, (n, length).
        sides: the rows of each side, the reference among them. Sides may share images, but none
            with the reference. Of each category that counts, each has at least two units.
        reference: which one is the reference.
        weights: the share of each category, which sum to 1; 0 for one that does not count.

    Returns:
        By side, without the reference.
    """
    rows = np.unique(np.concatenate(list(sides.values())))
    rows = rows[weights[images.category[rows]] > 0]
    rows = rows[np.argsort(images.category[rows], kind="stable")]
    names = list(sides)
    member = np.stack([np.isin(rows, sides[name]) for name in names], axis=1)
    category, unit = images.category[rows], images.unit[rows]
    sizes = np.stack(
        [np.bincount(category[here], minlength=len(weights)) for here in member.T], axis=1
    )
    shares = member * weights[category, None] / np.maximum(1, sizes[category])
    sums = _sums(vectors[rows], category, unit, member, shares)
    first = names.index(reference)
    return {
        name: _distance(sums, weights, category, unit, member[:, [first, number]], (first, number))
        for number, name in enumerate(names)
        if number != first
    }


@dataclass(frozen=True)
class _Sums:
    """Sums of the kernel of each image with those of each side; each (n, sides).

    Attributes:
        own: with images of its category that are of other units.
        pairs: how many these are.
        others: with images of other categories, which count by their category's weight divided by
            the number of its images.
    """

    own: Floats
    pairs: Floats
    others: Floats


def _sums(
    vectors: Vectors,
    category: Numbers,
    unit: Numbers,
    member: npt.NDArray[np.bool_],
    shares: Floats,
) -> _Sums:
    """Sum the kernel block by block; images are in the order of their categories.

    Args:
        vectors: (n, length).
        category: of each.
        unit: of each.
        member: which sides it is on, (n, sides).
        shares: how it counts among others on each side, (n, sides).
    """
    own, pairs, others = np.zeros(shares.shape), np.zeros(shares.shape), np.zeros(shares.shape)
    counted = member.astype(np.float64)

    def add(here: slice, there: slice, values: Floats) -> None:
        if category[here][-1] < category[there][0] or category[there][-1] < category[here][0]:
            others[here] += values @ shares[there]
            return
        apart = category[here, None] != category[there]
        others[here] += (values * apart) @ shares[there]
        independent = ~apart & (unit[here, None] != unit[there])
        own[here] += (values * independent) @ counted[there]
        pairs[here] += independent @ counted[there]

    for top in range(0, len(vectors), _BLOCK):
        above = slice(top, min(top + _BLOCK, len(vectors)))
        for left in range(top, len(vectors), _BLOCK):
            aside = slice(left, min(left + _BLOCK, len(vectors)))
            values = kernel(vectors[above], vectors[aside])
            add(above, aside, values)
            if left != top:
                add(aside, above, values.T)
    return _Sums(own, pairs, others)


def _distance(
    sums: _Sums,
    weights: Floats,
    category: Numbers,
    unit: Numbers,
    member: npt.NDArray[np.bool_],
    sides: tuple[int, int],
) -> Kid:
    """The distance between two sides, and its error.

    The estimate is a sum of means over pairs of images; each image's share in it, less the mean
    over its side and category, is what it adds to the error: the infinitesimal jackknife, summed
    over the images of a unit, wherever they are.

    Args:
        sums: of all images.
        weights: of the categories.
        category: of each image.
        unit: of each image.
        member: which of the two sides it is on, (n, 2).
        sides: their numbers in ``sums``.
    """
    value = 0.0
    effects = np.zeros(len(category))
    scales = np.zeros(len(category))
    for side, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
        here = member[:, side]
        there = sides[side if sign == 1 else 1 - side]
        of = category[here]
        total = np.bincount(of, sums.own[here, there], len(weights))
        pairs = np.bincount(of, sums.pairs[here, there], len(weights))
        sizes = np.bincount(of, minlength=len(weights))
        means = np.divide(total, pairs, out=np.zeros(len(weights)), where=pairs > 0)
        others = np.bincount(of, sums.others[here, there], len(weights)) / np.maximum(1, sizes)
        value += sign * float(weights @ (weights * means + others))
        residual = weights[of] * (sums.own[here, there] - means[of] * sums.pairs[here, there])
        residual /= np.maximum(1, pairs)[of]
        residual += (sums.others[here, there] - others[of]) / sizes[of]
        effects[here] += 2 * sign * weights[of] * residual
        units = np.unique(np.stack([of, unit[here]]), axis=1)[0]
        count = np.bincount(units, minlength=len(weights))[of]
        scales[here] = np.sqrt(count / np.maximum(1, count - 1))
    number = np.unique(unit, return_inverse=True)[1]
    by_unit = np.bincount(number, effects * scales)
    return Kid(value, float(np.sqrt(by_unit @ by_unit)))

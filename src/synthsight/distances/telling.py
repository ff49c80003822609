"""A classifier that tells real from generated images (C2ST), and how likely chance does as well.

Lopez-Paz and Oquab (2017). A photograph and a compared image of one category make a pair, which is
tested by a classifier that was trained on other pairs. Without a difference, which of a pair is
the photograph is a toss of a coin: p is the share of such tosses, all classifiers trained again,
with an accuracy that is at least as high. Of images in groups, a pair is of groups, or of one group
and as many single images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.special import expit

from synthsight.distances.drawing import subset
from synthsight.features.folds import folds_of
from synthsight.features.samples import Images, Numbers, Vectors

Floats = npt.NDArray[np.float64]

#: Images on each side, at most: the permutations of 2,000 take some seconds.
MOST = 1_000

#: Parts of the pairs, of which each is tested by what the others teach.
_FOLDS = 5

#: The penalty on the squared weights, for each of the features, which have a variance of 1.
_PENALTY = 0.1

#: Steps of the fit. After these the share of images that are told changes no more.
_STEPS = 40


@dataclass(frozen=True)
class Told:
    """How well real and generated images are told apart.

    Attributes:
        accuracy: the share of images that are told right; chance is one half.
        p: of such an accuracy, or a higher one, by chance; None without permutations.
    """

    accuracy: float
    p: float | None


def tell_apart(
    images: Images,
    vectors: Vectors,
    reference: Numbers,
    compared: Numbers,
    rng: np.random.Generator,
    permutations: int = 0,
) -> Told:
    """Train and test classifiers of what is real.

    These are logistic regressions with a fixed penalty on standardised features, without a constant
    as both sides are of one size.

    Args:
        images: all images.
        vectors: their features, (n, length).
        reference: rows of photographs.
        compared: rows of other images, as many of each category, none of a reference's unit.
        rng: of the pairs, the parts and the tosses.
        permutations: how often tosses are made; if none, there is no p.
    """
    rows = np.concatenate([reference, compared])
    real = np.arange(len(rows)) < len(reference)
    pair = _pairs(images, rows, real, rng)
    pooled = subset(images, rows, told=False)
    folds = folds_of(
        type(pooled)(**{**vars(pooled), "unit": pair}), _FOLDS, int(rng.integers(2**31))
    )
    signs = np.where(real, 1.0, -1.0)[:, None] * _tosses(images.unit[rows], pair, permutations, rng)
    features = _reduced(_standardised(vectors[rows]))
    right = np.zeros((len(rows), signs.shape[1]))
    for fold in np.unique(folds):
        test = folds == fold
        weights = _fitted(features[~test], signs[~test])
        margins = signs[test] * (features[test] @ weights)
        right[test] = np.where(margins == 0, 0.5, margins > 0)
    accuracies = right.mean(axis=0)
    p = None
    if permutations:
        as_high = accuracies[1:] >= accuracies[0] - 1e-9
        p = float((1 + np.count_nonzero(as_high)) / (1 + permutations))
    return Told(float(accuracies[0]), p)


def _pairs(
    images: Images, rows: Numbers, real: npt.NDArray[np.bool_], rng: np.random.Generator
) -> Numbers:
    """A number that units have in common that change sides together; int64 (n,).

    Units are paired at random with one of the other side that has as many images of each category,
    as long as there are such. The others, such as a group of four generated images where each
    photograph is alone, are put together until there are as many images of each category on both
    sides: four photographs and a group.
    """
    category = images.category[rows]
    units, unit = np.unique(images.unit[rows], return_inverse=True)
    of_real = np.zeros(len(units), bool)
    of_real[unit] = real
    held = [sorted(category[members].tolist()) for members in _members(unit, len(units))]
    kinds: dict[tuple[int, ...], tuple[list[int], list[int]]] = {}
    for number, each in enumerate(held):
        kinds.setdefault(tuple(each), ([], []))[int(of_real[number])].append(number)
    pair = np.arange(len(units))
    alone: list[int] = []
    for kind in sorted(kinds):
        sides = [rng.permutation(np.asarray(side, np.int64)) for side in kinds[kind]]
        both = min(map(len, sides))
        pair[sides[1][:both]] = sides[0][:both]
        alone += [*sides[0][both:].tolist(), *sides[1][both:].tolist()]
    _put_together(pair, alone, held, of_real)
    found: Numbers = pair[unit]
    return found


def _put_together(
    pair: Numbers, alone: list[int], held: list[list[int]], of_real: npt.NDArray[np.bool_]
) -> None:
    """Give units without a counterpart of their kind a number in common with some others.

    The largest first, each with as few of the other side as make up for it; where these have more
    of a category, with others of its own side, and so on.

    Args:
        pair: the number of each unit; changed.
        alone: these units, in the order in which they are taken among those of a size.
        held: the categories of each unit's images.
        of_real: which units are photographs.
    """
    left = dict.fromkeys(sorted(alone, key=lambda number: -len(held[number])))
    while left:
        first = next(iter(left))
        ahead: Counter[int] = Counter()  # images of each category that the photographs lead by
        number: int | None = first
        while number is not None:
            del left[number]
            pair[number] = first
            (ahead.update if of_real[number] else ahead.subtract)(held[number])
            number = _next(left, ahead, held, of_real)


def _next(
    left: Mapping[int, None],
    ahead: Mapping[int, int],
    held: list[list[int]],
    of_real: npt.NDArray[np.bool_],
) -> int | None:
    """The largest unit that a side lacks no less than, or the smallest that it lacks some of."""
    lacking = next(((each, lead) for each, lead in ahead.items() if lead), None)
    if lacking is None:
        return None
    category, lead = lacking
    last = None
    for number in left:
        if of_real[number] == (lead < 0) and category in held[number]:
            last = number
            if held[number].count(category) <= abs(lead):
                return number
    return last


def _members(numbers: Numbers, count: int) -> Iterator[Numbers]:
    """The places of each number, 0..count-1."""
    order = np.argsort(numbers, kind="stable")
    ends = np.cumsum(np.bincount(numbers, minlength=count))
    yield from np.split(order, ends[:-1])


def _tosses(unit: Numbers, pair: Numbers, permutations: int, rng: np.random.Generator) -> Floats:
    """Whether images keep their sides, 1, or change them, -1; first all keep theirs; (n, 1 + p)."""
    numbers, of_pair = np.unique(pair, return_inverse=True)
    units = np.bincount(np.unique(np.stack([of_pair, unit]), axis=1)[0], minlength=len(numbers))
    tosses = rng.integers(0, 2, (permutations, len(numbers))) * 2.0 - 1
    tosses[:, units < 2] = 1
    kept: Floats = np.concatenate([np.ones((1, len(numbers))), tosses]).T[of_pair]
    return kept


def _standardised(vectors: Vectors) -> Floats:
    """Features with a mean of 0 and a variance of 1; those that never vary are 0."""
    found = vectors.astype(np.float64)
    found -= found.mean(axis=0)
    spread = found.std(axis=0)
    found /= np.where(spread > 1e-9 * np.abs(vectors).max(initial=0), spread, np.inf)
    return found


def _reduced(features: Floats) -> Floats:
    """The same dot products in no more dimensions than there are images, scaled by the length."""
    scaled: Floats = features / np.sqrt(features.shape[1])
    if scaled.shape[1] <= len(scaled):
        return scaled
    squares, basis = eigh(scaled @ scaled.T)
    reduced: Floats = basis * np.sqrt(np.maximum(0, squares))
    return reduced


def _fitted(features: Floats, signs: Floats) -> Floats:
    """The weights of logistic regressions, one a column of signs; (length, columns).

    The curvature is nowhere more than a quarter of that of least squares (Böhning and Lindsay
    1988), so that one factorisation serves the steps of all columns; they are accelerated
    (Nesterov).

    Args:
        features: (n, length).
        signs: 1 or -1, (n, columns).
    """
    length = features.shape[1]
    bound = features.T @ features / 4 + _PENALTY * np.eye(length)
    factor = cho_factor(bound, check_finite=False)
    weights = np.zeros((length, signs.shape[1]))
    ahead, speed = weights, 1.0
    for _ in range(_STEPS):
        slopes = signs * expit(-signs * (features @ ahead))
        step = cho_solve(factor, features.T @ slopes - _PENALTY * ahead, check_finite=False)
        next_speed = (1 + np.sqrt(1 + 4 * speed**2)) / 2
        found = ahead + step
        ahead = found + (speed - 1) / next_speed * (found - weights)
        weights, speed = found, next_speed
    fitted: Floats = weights
    return fitted

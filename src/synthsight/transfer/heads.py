"""A head: a linear classifier of images' features, and the same with resampled images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from synthsight.features.folds import folds_of
from synthsight.features.samples import Images, Numbers, Vectors
from synthsight.transfer.logistic import Reals, solve

#: The penalties that are tried: see :mod:`synthsight.transfer.logistic`.
PENALTIES = tuple(10.0**power for power in range(-1, 5))

#: Parts of the images to train on that a penalty is chosen with.
INNER = 3

#: Up to this many numbers in the features to train on they are kept as float64, then as float32.
_DOUBLE = 2**20

#: Numbers held for the images of a batch of problems: the bound on memory.
_ENTRIES = 2**22

#: The excess of the mean loss at which a head counts as trained; one with resampled images, which
#: begins at that; and one that a penalty is chosen by. With 1e-4 resampled heads vary too little.
_CLOSE, _AGAIN, _ROUGH = 1e-9, 1e-5, 1e-4


@dataclass(frozen=True)
class Axes:
    """The principal axes of features to train on, in units of their standard deviations.

    A penalty on the squared norm does not change when coordinates are rotated, and beside the axes
    its solution is zero: so many images have no more than as many coordinates.

    Attributes:
        mean: of the columns (length,).
        scale: what each deviation is multiplied by, 0 of a constant column (length,).
        axes: (length, axes).
    """

    mean: Reals
    scale: Reals
    axes: Reals

    def columns(self, vectors: Vectors) -> Reals:
        """Coordinates of features, and a last column of ones; (n, axes + 1)."""
        found = np.empty((len(vectors), self.axes.shape[1] + 1), self.axes.dtype)
        found[:, -1] = 1
        standard = ((vectors - self.mean) * self.scale).astype(self.axes.dtype, copy=False)
        np.matmul(standard, self.axes, out=found[:, :-1])
        return found


def axes_of(vectors: Vectors) -> Axes:
    """The principal axes of features to train on (n, length)."""
    kind = np.float64 if vectors.size <= _DOUBLE else np.float32
    mean = vectors.mean(axis=0, dtype=np.float64)
    spread = np.sqrt(((vectors - mean.astype(kind)) ** 2).mean(axis=0, dtype=np.float64))
    varies = spread > 1e-6 * np.abs(mean)
    scale = np.where(varies, 1 / np.where(varies, spread, 1), 0).astype(kind)
    mean = mean.astype(kind)
    standard = (vectors - mean) * scale
    few = len(vectors) <= vectors.shape[1]
    products = standard @ standard.T if few else standard.T @ standard
    values, found = np.linalg.eigh(products.astype(np.float64))
    # float32 products have no more digits.
    keep = values > max(values[-1], 0) * (1e-10 if kind == np.float64 else 1e-6)
    found = found[:, keep]
    axes = standard.T @ (found / np.sqrt(values[keep])).astype(kind) if few else found.astype(kind)
    return Axes(mean, scale, axes)


@dataclass(frozen=True)
class Sample:
    """Images to train on, those of a category equally many.

    Attributes:
        columns: their coordinates, and ones; (n, axes + 1).
        label: their categories, 0..categories-1; int64 (n,).
        unit: what they have in common; int64 (n,).
        categories: the number of categories.
    """

    columns: Reals
    label: Numbers
    unit: Numbers
    categories: int

    def penalty(self, seed: int) -> float:
        """The penalty with the least log loss on images of units that were not trained on.

        The strongest of those that do as well.

        Args:
            seed: of the division into :data:`INNER` parts.
        """
        parts = min(
            INNER, *(len(np.unique(self.unit[self.label == k])) for k in range(self.categories))
        )
        part = folds_of(_as_images(self.label, self.unit, self.categories), parts, seed)
        inside = np.repeat([part == each for each in range(parts)], len(PENALTIES), axis=0)
        penalties = np.tile(PENALTIES, parts)
        losses = np.empty(len(penalties))
        for some in self.batches(len(penalties)):
            solved = solve(
                self.columns,
                self.label,
                self.categories,
                np.asarray(~inside[some], self.columns.dtype),
                penalties[some],
                tolerance=_ROUGH,
            )
            loss = self._losses(solved.coefficients)
            losses[some] = (loss * inside[some]).sum(axis=1)
        total = losses.reshape(parts, -1).sum(axis=0)
        return float(max(np.array(PENALTIES)[total <= total.min() * (1 + 1e-4)]))

    def train(self, penalty: float) -> Reals:
        """The coefficients (categories, 1, axes + 1)."""
        weights = np.ones((1, len(self.label)), self.columns.dtype)
        close = _CLOSE if self.columns.dtype == np.float64 else 100 * _CLOSE
        return solve(
            self.columns, self.label, self.categories, weights, np.array([penalty]), None, close
        ).coefficients

    def train_again(self, penalty: float, start: Reals, weights: Reals) -> Reals:
        """The coefficients with resampled images (categories, problems, axes + 1).

        Args:
            penalty: of all problems.
            start: the coefficients without resampling.
            weights: of the images (problems, n); those of a category are brought to their number.
        """
        members = np.zeros((len(self.label), self.categories))
        members[np.arange(len(self.label)), self.label] = 1
        brought = weights * (members.sum(axis=0) / (weights @ members))[:, self.label]
        return solve(
            self.columns,
            self.label,
            self.categories,
            brought.astype(self.columns.dtype),
            np.full(len(weights), penalty),
            start,
            _AGAIN,
        ).coefficients

    def batches(self, problems: int, tested: int = 0) -> Iterator[slice]:
        """Parts of problems that are solved together, and then predict so many images."""
        size = max(1, _ENTRIES // (self.categories * max(*self.columns.shape, tested)))
        return (slice(first, first + size) for first in range(0, problems, size))

    def _losses(self, coefficients: Reals) -> Reals:
        """The log loss of each image (problems, n)."""
        categories, problems, width = coefficients.shape
        logits = coefficients.reshape(-1, width) @ self.columns.T
        logits = logits.reshape(categories, problems, -1)
        logits -= logits.max(axis=0)
        right = logits[self.label, :, np.arange(len(self.label))].T
        losses: Reals = np.log(np.exp(logits).sum(axis=0)) - right
        return losses


def predict(coefficients: Reals, columns: Reals) -> Numbers:
    """The best category of images by several heads (problems, n)."""
    categories, problems, width = coefficients.shape
    logits = coefficients.reshape(-1, width) @ columns.T
    found: Numbers = logits.reshape(categories, problems, -1).argmax(axis=0)
    return found


def _as_images(label: Numbers, unit: Numbers, categories: int) -> Images:
    """Images to train on as they are divided: by category and unit alone."""
    count = len(label)
    return Images(
        names=np.arange(count).astype(object),
        categories=tuple(map(str, range(categories))),
        category=label,
        generators=(),
        generator=np.full(count, -1),
        real=np.zeros(count, bool),
        unit=unit,
    )

"""Logistic regression of several categories: many problems on the same images at once.

The objective is that of scikit-learn's ``LogisticRegression``: the sum over images of weight times
log loss, plus ``penalty`` / 2 times the squared norm of the coefficients (its ``C`` is 1 /
``penalty``), with an intercept that is not penalised. Cross-validation and resampling are problems
that differ in the images' weights and the penalty alone. Solved together, they share each product
with the features, which is what takes time.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthsight.features.samples import Numbers

#: float32 or float64; all of a problem are of one kind.
Reals = npt.NDArray[Any]

#: Steps that the curvature is estimated from (L-BFGS).
_MEMORY = 6

#: A step must lower the objective by this share of what its slope promises.
_ARMIJO = 1e-4

#: How often a step is halved before a problem counts as solved: its numbers have no more digits.
_HALVINGS = 12

#: Steps after which any problem ends; they take 10 to 40.
MOST_STEPS = 300


@dataclass(frozen=True)
class Solved:
    """Solutions of problems.

    Attributes:
        coefficients: (categories, problems, columns), of the columns and, last, the intercept.
        steps: the number of steps of the slowest.
        unsolved: how many problems ended at :data:`MOST_STEPS`.
    """

    coefficients: Reals
    steps: int
    unsolved: int


def solve(
    columns: Reals,
    category: Numbers,
    categories: int,
    weights: Reals,
    penalty: Reals,
    start: Reals | None = None,
    tolerance: float = 1e-7,
) -> Solved:
    """Solve problems that share their images.

    Quasi-Newton steps (L-BFGS, Nocedal and Wright 2006, algorithm 7.4), each problem with a step
    length of its own, from a diagonal that is the true curvature where columns are uncorrelated:
    give the images' coordinates along their principal axes.

    Args:
        columns: of the images, and a last one of ones; (images, columns).
        category: of each image, 0..categories-1.
        categories: their number.
        weights: of the images in each problem, at least 0; (problems, images).
        penalty: of each problem (problems,).
        start: coefficients to begin with, of which problems may be a dimension of length 1.
        tolerance: a problem is solved if the mean loss is by about this much above the least.

    Raises:
        ValueError: in one of the problems no image weighs anything.

    Warns:
        RuntimeWarning: some problems ended at :data:`MOST_STEPS`.
    """
    count, width = len(weights), columns.shape[1]
    kind = columns.dtype
    sums = weights.sum(axis=1)
    if not (sums > 0).all():
        raise ValueError(f"{int((~(sums > 0)).sum())} of {count} problems have no images")
    shares = (weights / sums[:, None]).astype(kind)
    ridge = np.repeat((penalty / sums).astype(kind)[:, None], width, axis=1)
    ridge[:, -1] = 0
    found = np.zeros((categories, count, width), kind)
    if start is not None:
        found += start
    active = np.arange(count)
    here = _Batch(columns, category, shares, ridge)
    at = found.copy()
    value, slope, spread = here.value_and_slope(at)
    diagonal = 1 / (here.curvature(spread) + ridge)
    history: list[tuple[Reals, Reals, Reals]] = []
    step = 0
    while True:
        size = _dot(slope, slope * diagonal) / 2
        done = (size <= tolerance) | (step >= MOST_STEPS)
        if done.any():
            found[:, active[done]] = at[:, done]
            if done.all():
                if unsolved := int((size > tolerance).sum()):
                    warnings.warn(
                        f"{unsolved} of {count} heads are not fully trained after {step} steps: "
                        "their accuracies may be too low",
                        RuntimeWarning,
                        stacklevel=2,
                    )
                return Solved(found, step, unsolved)
            keep = ~done
            active, here = active[keep], here.only(keep)
            at, slope, value = at[:, keep], slope[:, keep], value[keep]
            diagonal = diagonal[keep]
            history = [(s[:, keep], y[:, keep], r[keep]) for s, y, r in history]
        way = _direction(slope, diagonal, history)
        descent = _dot(slope, way)
        uphill = descent >= 0
        if uphill.any():
            way[:, uphill] = -(slope * diagonal)[:, uphill]
            descent = _dot(slope, way)
        length = np.ones(len(active), kind)
        for _ in range(_HALVINGS):
            trial = at + length[:, None] * way
            new_value, new_slope, _ = here.value_and_slope(trial)
            # Rounding of the mean loss must not stop what still goes down.
            slack = 4 * np.finfo(kind).eps * np.abs(value)
            fails = ~(new_value <= value + _ARMIJO * length * descent + slack)
            if not fails.any():
                break
            length[fails] /= 2
        else:
            # There is no lower value to be found: these end here.
            trial[:, fails], new_value[fails], new_slope[:, fails] = at[:, fails], value[fails], 0
        moved, turned = trial - at, new_slope - slope
        product = _dot(moved, turned)
        good = product > 1e-10 * np.sqrt(_dot(moved, moved) * _dot(turned, turned))
        inverse = np.where(good, 1 / np.where(good, product, 1), 0).astype(kind)
        history = [*history[-_MEMORY + 1 :], (moved, turned, inverse)]
        at, value, slope = trial, new_value, new_slope
        step += 1


@dataclass(frozen=True)
class _Batch:
    """Problems: see :func:`solve`; weights are shares of 1."""

    columns: Reals
    category: Numbers
    shares: Reals
    ridge: Reals

    def only(self, keep: npt.NDArray[np.bool_]) -> _Batch:
        return _Batch(self.columns, self.category, self.shares[keep], self.ridge[keep])

    def value_and_slope(self, at: Reals) -> tuple[Reals, Reals, Reals]:
        """The objective (problems,), its gradient, and probabilities (categories, problems, n)."""
        categories, count, width = at.shape
        images = np.arange(len(self.columns))
        logits = (at.reshape(-1, width) @ self.columns.T).reshape(categories, count, -1)
        logits -= logits.max(axis=0)
        right = logits[self.category, :, images].T
        np.exp(logits, out=logits)
        total = logits.sum(axis=0)
        loss = (self.shares * (np.log(total) - right)).sum(axis=1)
        logits /= total
        errors = logits * self.shares
        errors[self.category, :, images] -= self.shares.T
        shrunk = at * self.ridge
        slope = (errors.reshape(categories * count, -1) @ self.columns).reshape(at.shape)
        slope += shrunk
        return loss + _dot(at, shrunk) / 2, slope, logits

    def curvature(self, probabilities: Reals) -> Reals:
        """The mean over categories of the loss's second derivatives (problems, columns)."""
        spread = (probabilities * (1 - probabilities)).mean(axis=0) * self.shares
        # More than what there is at single images: certain ones have none, but get some.
        found: Reals = np.maximum(spread @ self.columns**2, 1e-6)
        return found


def _dot(a: Reals, b: Reals) -> Reals:
    """The products of problems' coefficients (problems,)."""
    found: Reals = np.einsum("krp,krp->r", a, b)
    return found


def _direction(slope: Reals, diagonal: Reals, history: list[tuple[Reals, Reals, Reals]]) -> Reals:
    """The step of L-BFGS: two loops over the history."""
    way = slope.copy()
    rates = []
    for moved, turned, inverse in reversed(history):
        rate = inverse * _dot(moved, way)
        way -= rate[:, None] * turned
        rates.append(rate)
    way *= diagonal
    if history:
        _moved, turned, inverse = history[-1]
        scale = inverse * _dot(turned, turned * diagonal)
        way *= np.where(scale > 0, 1 / np.where(scale > 0, scale, 1), 1)[:, None]
    for (moved, turned, inverse), rate in zip(history, reversed(rates), strict=True):
        way += (rate - inverse * _dot(turned, way))[:, None] * moved
    return -way

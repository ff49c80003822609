"""Each image is predicted by heads that saw no image of its unit, and again with resampled images.

What the resampled heads get is summed up fold by fold, so that memory does not grow with the number
of folds and steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthsight.features.samples import Images, Numbers, Vectors
from synthsight.statistics.moments import Floats
from synthsight.statistics.ranking import stream
from synthsight.transfer.design import Design
from synthsight.transfer.heads import Sample, axes_of, predict

#: The shape of the gamma distribution that units' weights are drawn from: their variance is
#: 1 / SHAPE. With 1 it is the Bayesian bootstrap; with more, resamples are nearer to the images.
SHAPE = 1.0


@dataclass(frozen=True)
class Fits:
    """What heads of one size get: of each source that is trained on, by the place in ``names``.

    Attributes:
        names: the sources.
        taken: the category that each image is taken for, by heads of each source (sources, n).
        penalty: the penalty in each fold (sources, folds).
        means: the mean over categories, by trained source, tested source and resample
            (sources, sources, resamples).
        cells: likewise by category (sources, sources, resamples, categories).
        stretch: what variances of training are to be multiplied by (sources, categories).
    """

    names: tuple[str, ...]
    taken: Numbers
    penalty: Floats
    means: Floats
    cells: Floats
    stretch: Floats


def weights_of_units(units: int, resamples: int, seed: int) -> npt.NDArray[np.float32]:
    """What each unit weighs in each resample, the same for all models (resamples, units)."""
    drawn = stream(seed, "heads", "resamples").standard_gamma(SHAPE, (resamples, units), np.float32)
    drawn /= np.float32(SHAPE)
    return drawn


def shares(plan: Design) -> Floats:
    """What each image weighs in the mean over categories of each source (sources, n)."""
    count = len(plan.categories)
    found = np.zeros((len(plan.sources), len(plan.label)))
    for row, here in zip(found, plan.sources.values(), strict=True):
        tested = here & (plan.label >= 0)
        sizes = np.bincount(plan.label[tested], minlength=count)
        row[tested] = 1 / (count * sizes[plan.label[tested]])
    return found


def fit(
    images: Images,
    vectors: Vectors,
    plan: Design,
    size: int,
    weights: npt.NDArray[np.float32],
    seed: int,
) -> Fits:
    """Train heads of ``size`` images a category in every fold and source, and test them.

    Args:
        images: all images.
        vectors: their features.
        plan: who is trained on what.
        size: images of a category.
        weights: see :func:`weights_of_units`.
        seed: of the parts that penalties are chosen with.
    """
    names = tuple(plan.sources)
    count, categories, resamples = len(names), len(plan.categories), len(weights)
    folds = int(plan.part.max()) + 1
    taken = np.full((count, len(images)), -1)
    penalty = np.empty((count, folds))
    cells = np.zeros((count, count, resamples, categories))
    groups = np.zeros((count, categories))
    share = shares(plan)
    for fold in range(folds):
        test = np.flatnonzero((plan.part == fold) & (plan.label >= 0) & (share.sum(axis=0) > 0))
        hits = np.empty((count, resamples, len(test)), bool)
        for at, name in enumerate(names):
            place = plan.place[name, fold]
            train = np.flatnonzero((place >= 0) & (place < size) & (plan.label >= 0))
            axes = axes_of(vectors[train])
            unit, label = images.unit[train], plan.label[train]
            sample = Sample(axes.columns(vectors[train]), label, unit, categories)
            columns = axes.columns(vectors[test])
            penalty[at, fold] = chosen = sample.penalty(seed)
            head = sample.train(chosen)
            taken[at, test] = predict(head, columns)[0]
            for some in sample.batches(resamples, len(test)):
                again = sample.train_again(chosen, head, weights[some][:, unit])
                hits[at, some] = predict(again, columns) == plan.label[test]
            groups[at] += [len(np.unique(unit[label == k])) / folds for k in range(categories)]
        members = np.zeros((len(test), categories))
        members[np.arange(len(test)), plan.label[test]] = categories
        for tested in range(count):
            cells[:, tested] += hits @ (members * share[tested, test][:, None])
    return Fits(
        names,
        taken,
        penalty,
        cells.mean(axis=3),
        cells,
        (groups * SHAPE + 1) / np.maximum(groups - 1, 0.5),
    )

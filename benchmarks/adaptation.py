"""How often the interval of an adapted model's gain holds the true gain.

Categories are clouds of features; the base is a linear classifier of features that lie elsewhere.
In each trial images are drawn, divided, and predicted by layers that were fitted without them; the
interval is that of the table ``adaptation``. The true gain is that of the same layers on many fresh
images of the same categories and, on average over all trials, that of layers of other images.

    python benchmarks/adaptation.py [--trials 400]
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from synthsight.adapted import linear
from synthsight.adapted.dividing import divide
from synthsight.features.samples import Images, Vectors
from synthsight.statistics.adaptation import Paired
from synthsight.statistics.moments import Sample
from synthsight.statistics.ranking import stream

CLASSES, LENGTH, LEVEL = 6, 12, 0.95
FRESH = 4000


def draw(
    rng: np.random.Generator, centres: npt.NDArray[np.float64], groups: int, size: int
) -> tuple[Vectors, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Features, categories and groups: of each category some groups of as many images."""
    category = np.repeat(np.arange(CLASSES), groups * size)
    group = np.repeat(np.arange(CLASSES * groups), size)
    shared = rng.normal(size=(CLASSES * groups, LENGTH)) * (0.7 if size > 1 else 0.0)
    noise = rng.normal(size=(len(category), LENGTH))
    return (centres[category] + shared[group] + noise).astype(np.float32), category, group


def main() -> None:
    """Print a row for each number and size of groups."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=400)
    trials = parser.parse_args().trials
    linear.PENALTIES = (0.01, 0.1, 1.0)  # fewer, for time
    world = stream(0, "world")
    centres = world.normal(size=(CLASSES, LENGTH)) * 0.8
    base = (centres + world.normal(size=centres.shape) * 0.8).T
    print(f"{trials} trials, {LEVEL:.0%} intervals, {CLASSES} categories")
    print("folds  groups  size   gain  sd of networks  same networks  other trainings  width")
    for folds, groups, size in ((5, 10, 1), (5, 30, 1), (5, 10, 3), (2, 10, 1), (10, 10, 1)):
        found = np.array([trial(i, centres, base, groups, size, folds) for i in range(trials)])
        low, high, truth, spread = found.T
        same = np.mean((low <= truth) & (truth <= high))
        other = np.mean((low <= truth.mean()) & (truth.mean() <= high))
        print(
            f"{folds:5d} {groups:7d} {size:5d} {truth.mean():6.3f} {spread.mean():15.3f} "
            f"{same:14.3f} {other:16.3f} {np.mean(high - low):6.3f}",
            flush=True,
        )


def trial(
    number: int,
    centres: npt.NDArray[np.float64],
    base: npt.NDArray[np.float64],
    groups: int,
    size: int,
    folds: int,
) -> tuple[float, float, float, float]:
    """The interval of the gain, the true gain of the same networks, and how these differ."""
    rng = stream(number, "trial", str(groups), str(size))
    vectors, category, group = draw(rng, centres, groups, size)
    images = Images(
        np.array([f"{row:05d}" for row in range(len(category))], dtype=object),
        tuple(map(str, range(CLASSES))),
        category,
        ("g",),
        np.zeros(len(category), np.int64),
        np.zeros(len(category), bool),
        group,
    )
    division = divide(images, "generated", folds, number)
    with threadpool_limits(1):
        layers = linear.fit_folds(division, vectors, folds, number)
        after = linear.predict_folds(layers, division, vectors).argmax(axis=1) == category
        before = (vectors @ base).argmax(axis=1) == category
        fresh, truth, _ = draw(rng, centres, FRESH // CLASSES // size, size)
        right = [np.mean(layer.logits(fresh).argmax(axis=1) == truth) for layer in layers]
        was = np.mean((fresh @ base).argmax(axis=1) == truth)
    bounds = Paired(Sample(category, group), after, before, trained=True).mean(LEVEL)
    sizes = np.bincount(division.part, minlength=folds)
    gain = float(np.average(right, weights=sizes) - was)
    return bounds["low"][0], bounds["high"][0], gain, float(np.std(right, ddof=1))


if __name__ == "__main__":
    main()

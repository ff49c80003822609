"""Training classifiers on the features of one source of images, and testing them on another."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from synthsight.features.samples import Images, Vectors
from synthsight.transfer.crossfit import fit, weights_of_units
from synthsight.transfer.design import design
from synthsight.transfer.rows import Tested


def train_heads(
    images: Images,
    vectors: Vectors,
    per_category: Sequence[int | str],
    folds: int,
    resamples: int,
    seed: int,
    level: float,
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Train on every source, and test on every one: see docs/methods.md.

    Args:
        images: all images.
        vectors: their features, float32 (n, length).
        per_category: images of a category to train on: numbers, or ``max``.
        folds: the parts that images are divided into.
        resamples: how often heads are trained again for the intervals.
        seed: of all that is drawn.
        level: of the intervals.

    Returns:
        The columns :data:`synthsight.statistics.columns.TRANSFER` without the model, a row for each
        ordered pair of sources and each number; those of ``TRANSFER_CATEGORIES``; and sentences
        that say what was left out.

    Raises:
        TransferError: there are too few images.
    """
    plan = design(images, per_category, folds, seed)
    weights = weights_of_units(int(images.unit.max()) + 1, resamples, seed)
    tested = [
        Tested(images, plan, size, fit(images, vectors, plan, size, weights, seed), weights, level)
        for size in plan.sizes
    ]
    pairs = pd.concat([each.pairs() for each in tested], ignore_index=True)
    categories = pd.concat([each.categories() for each in tested], ignore_index=True)
    return pairs, categories, list(plan.said)

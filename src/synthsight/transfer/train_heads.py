"""Training classifiers on the features of one source of images, and testing them on another."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from synthsight.features.samples import Images, Vectors


def train_heads(
    images: Images,
    vectors: Vectors,
    per_category: Sequence[int | str],
    folds: int,
    resamples: int,
    seed: int,
    level: float,
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Train on every source, test on every one: ``(pairs, categories, sentences)``."""
    raise NotImplementedError

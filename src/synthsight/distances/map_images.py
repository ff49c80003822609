"""Places of images on a map, by a model's features."""

from __future__ import annotations

import pandas as pd

from synthsight.features.samples import Images, Vectors


def map_images(
    images: Images, vectors: Vectors, perplexity: float, most: int, seed: int
) -> tuple[pd.DataFrame, list[str]]:
    """Give each image a place: columns ``image``, ``x``, ``y``; and sentences."""
    raise NotImplementedError

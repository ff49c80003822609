"""How far generated images are from photographs, in a model's features."""

from __future__ import annotations

import pandas as pd

from synthsight.features.samples import Images, Vectors


def measure_distances(
    images: Images,
    vectors: Vectors,
    nearest: int,
    halves: int,
    permutations: int,
    seed: int,
    level: float,
) -> tuple[pd.DataFrame, list[str]]:
    """Compare each generator with the photographs: ``(rows, sentences)``."""
    raise NotImplementedError

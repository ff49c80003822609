"""Reading what models gave for images, logits or features, and the notes on models."""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from synthsight.files import read_json
from synthsight.library.planned import Planned
from synthsight.library.scored import INDEX


def read_vectors(
    planned: Planned, part: str, categories: Iterable[str], column: str, of: str
) -> pd.DataFrame:
    """The vectors of some categories, float32, without those of images that the run excludes.

    Args:
        planned: the run.
        part: the folder of a model in the run's.
        categories: the categories, of which there are files.
        column: the files' column that holds them.
        of: what a column of the result is about.

    Returns:
        One row for each image, indexed by ``category`` and ``image``; columns are numbered.

    Raises:
        ApiError: a file is not of the run's last plan.
    """
    frames = []
    excluded = planned.left_out()
    for name in categories:
        values = pq.read_table(planned.path(f"{part}/{name}.parquet")).combine_chunks()
        vectors = values.column(column)
        width = vectors.type.list_size
        numbers = np.concatenate(
            [np.empty(0, np.float32), *(chunk.flatten().to_numpy() for chunk in vectors.chunks)]
        )
        images = values.column("image").to_pylist()
        index = pd.MultiIndex.from_product([[name], images], names=INDEX)
        columns = pd.RangeIndex(width, name=of)
        frame = pd.DataFrame(numbers.reshape(-1, width), index, columns)
        left_out = index.isin(list(excluded), level="image")
        frames.append(frame[~left_out] if left_out.any() else frame)
    return pd.concat(frames)


def notes_of(models: Container[str], files: Iterable[Path]) -> list[dict[str, Any]]:
    """The notes on models; not those on encoders, of which the page has no numbers."""
    notes = [read_json(file, ["name"]) for file in files if file.suffix == ".json"]
    return [note for note in notes if note["name"] in models]

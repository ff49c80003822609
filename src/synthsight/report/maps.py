"""The maps of a run's images, as the page holds them."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.tables import read_parquet

#: The greatest coordinate; one more stands for an image without a place.
END = 65534
#: At most how many images are on a map that the page does not hold itself.
MOST_OTHERS = 50_000


def map_data(
    paths: Sequence[str | os.PathLike[str]], images: Sequence[str]
) -> list[dict[str, Any]]:
    """Where images lie on the maps of some models' features.

    Args:
        paths: a file ``image, x, y`` for each model, called like it.
        images: the names of the images on the page, in its order.

    Returns:
        For each map its ``name``; ``points``: x and y of each image of the page, in turn, whole
        numbers from 0 to :data:`END` (both one more: it has no place), 16 bits each, the low byte
        first, in base64; ``rest``: likewise of other images, sorted by name, of more than
        :data:`MOST_OTHERS` every so many; ``others``, how many of these there are, and
        ``rest_shown``, how many are in ``rest``; ``wide`` and ``high``: the map's size, the longer
        one 1. All maps keep their proportions.

    Raises:
        synthsight.files.FileError: a file is damaged.
    """
    return [_map(path, images) for path in paths]


def _map(path: str | os.PathLike[str], images: Sequence[str]) -> dict[str, Any]:
    table = read_parquet(path, ["image", "x", "y"]).to_pandas().sort_values("image")
    places = table[["x", "y"]].to_numpy(np.float64)
    known = np.isfinite(places).all(axis=1)
    table, places = table[known], places[known]
    lowest = places.min(axis=0, initial=np.inf)
    size = places.max(axis=0, initial=-np.inf) - lowest if len(places) else np.zeros(2)
    span = float(size.max()) or 1.0
    whole = np.rint((places - lowest) / span * END).astype("<u2")
    rows = pd.Index(table["image"]).get_indexer(list(images))
    points = np.full((len(images), 2), END + 1, dtype="<u2")
    points[rows >= 0] = whole[rows[rows >= 0]]
    rest = np.delete(whole, rows[rows >= 0], axis=0)
    shown = rest[:: max(1, -(-len(rest) // MOST_OTHERS))]
    return {
        "name": Path(path).stem,
        "points": _base64(points),
        "rest": _base64(shown),
        "others": len(rest),
        "rest_shown": len(shown),
        "wide": round(float(size[0]) / span, 6),
        "high": round(float(size[1]) / span, 6),
    }


def _base64(numbers: npt.NDArray[np.uint16]) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode()

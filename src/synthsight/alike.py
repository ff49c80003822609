"""Whether files of several categories were made alike: by one model, with the same weights."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

from synthsight.files import FileError
from synthsight.tables import metadata_of, read_schema
from synthsight.wording import one_line


def described_alike(
    paths: Iterable[str | os.PathLike[str]], columns: Sequence[str]
) -> dict[str, Any]:
    """What files of logits or features say of their making, which is the same in all.

    Args:
        paths: Parquet files of :func:`synthsight.classifiers.classify.write_vectors`.
        columns: those that each must have.

    Returns:
        ``model``, ``weights`` and so on; empty where there are no files.

    Raises:
        FileError: they were not all made with the same model, weights and settings, or one is
            damaged.
    """
    found: dict[str, Any] | None = None
    for path in paths:
        described: dict[str, Any] = json.loads(
            metadata_of(read_schema(path, columns), "synthsight", path)
        )
        if found is None:
            found, first = described, path
        differing = [key for key in {**found, **described} if found.get(key) != described.get(key)]
        if differing:
            key = differing[0]
            raise FileError(
                f"{path} and {first} were not made alike ({key} is "
                f"{one_line(described.get(key), 60)!r} and {one_line(found.get(key), 60)!r}); "
                "delete the one that is wrong and run the workflow again"
            )
    return found or {}

"""Decoded images of a run in any order, from the files of :mod:`synthsight.images.pixels`."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from synthsight.errors import SynthsightError
from synthsight.files import MAKE_AGAIN
from synthsight.images.pixels import read_batches

#: Images looked at together while a file is opened; nothing is copied.
_ROWS = 256


class StoredPixels:
    """Pixels by the name of their image; views into files, of which nothing is copied.

    Args:
        paths: the files of all categories.

    Raises:
        synthsight.files.FileError: one is damaged, or has other columns.
        StoredPixelsError: an image occurs twice.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        self._found: dict[str, npt.NDArray[np.uint8]] = {}
        for path in paths:
            for names, pixels in read_batches(path, _ROWS):
                if twice := self._found.keys() & {*names}:
                    raise StoredPixelsError(f"{path} has {min(twice)!r}, and so has another file")
                self._found.update(zip(names, pixels, strict=True))

    def __getitem__(self, image: str) -> npt.NDArray[np.uint8]:
        """The pixels of an image, uint8 (height, width, 3), read-only.

        Raises:
            StoredPixelsError: there are none.
        """
        if image not in self._found:
            raise StoredPixelsError(f"there are no pixels of {image!r}; {MAKE_AGAIN}")
        return self._found[image]


class StoredPixelsError(SynthsightError):
    """Pixels that are not those of a run's images."""

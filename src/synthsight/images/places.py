"""Where images that manifests name are read from, and which bytes they must have."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from PIL import Image

from synthsight.images.reading import open_checked
from synthsight.images.roots import Roots, roots_of
from synthsight.tables import read_parquet


def places_of(
    manifests: Iterable[str | os.PathLike[str]], root: Path, images: Collection[str]
) -> dict[str, tuple[Roots, str]]:
    """Of some images the folders that they are read from, and the sha256 of their bytes.

    Args:
        manifests: of all categories that the images may be of.
        root: the images' root.
        images: which; those that no manifest has are left out.

    Raises:
        synthsight.files.FileError: a manifest is damaged, or lacks a column.
    """
    places: dict[str, tuple[Roots, str]] = {}
    for path in manifests:
        roots = roots_of(root, path)
        found = read_parquet(path, ["image", "sha256"]).to_pydict()
        rows = zip(found["image"], found["sha256"], strict=True)
        places |= {image: (roots, sha256) for image, sha256 in rows if image in images}
    return places


def reader(places: dict[str, tuple[Roots, str]]) -> Callable[[str], Image.Image]:
    """A function that reads one of these images as 8-bit RGB.

    It raises :class:`synthsight.images.reading.ChangedImageError` if its bytes are others.
    """

    def read(image: str) -> Image.Image:
        roots, sha256 = places[image]
        return open_checked(roots, image, sha256)

    return read

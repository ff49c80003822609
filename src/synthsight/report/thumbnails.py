"""Pictures for pages: each image as a small WebP."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import pyarrow as pa
from PIL import Image

from synthsight.pages.pictures import as_webp
from synthsight.tables import read_parquet, write_parquet

#: Quality of the WebP files, 0 to 100.
QUALITY = 72

SCHEMA = pa.schema([("image", pa.string()), ("webp", pa.binary())])


def write_thumbnails(
    images: Iterable[str],
    read: Callable[[str], Image.Image],
    side: int,
    output: str | os.PathLike[str],
) -> None:
    """Write small pictures of images as Parquet: ``image`` and ``webp``, sorted by image.

    Args:
        images: keys of the images.
        read: returns the RGB image of a key.
        side: bound in pixels on the long side; smaller images keep their size.
        output: the file, written atomically.
    """
    names = sorted(images)
    pictures = [as_webp(read(name), side, QUALITY) for name in names]
    table = pa.table([names, pictures], schema=SCHEMA)
    # WebP cannot be compressed any further.
    write_parquet(output, table, compression="none", use_dictionary=False)


def read_thumbnails(path: str | os.PathLike[str], wanted: Iterable[str]) -> dict[str, bytes]:
    """The WebP files of the ``wanted`` images, as far as a file of thumbnails has them."""
    wanted = frozenset(wanted)
    table = read_parquet(path, ["image", "webp"])
    pairs = zip(table.column("image").to_pylist(), table.column("webp").to_pylist(), strict=True)
    return {image: webp for image, webp in pairs if image in wanted}

"""Pictures for the page: the choice of images, and each of them as a small WebP."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterable, Mapping

import pyarrow as pa
from PIL import Image

from synthsight.tables import read_parquet, write_parquet

#: Quality of the WebP files, 0 to 100.
QUALITY = 72

SCHEMA = pa.schema([("image", pa.string()), ("webp", pa.binary())])


def sample(images: Iterable[str], limit: int) -> list[str]:
    """At most ``limit`` of the images, sorted by name.

    A checksum of the name decides which: arbitrary, but the same on every machine. A smaller sample
    is part of a larger one.
    """
    return sorted(sorted(images, key=_checksum)[:limit])


def _checksum(image: str) -> str:
    return hashlib.sha256(image.encode()).hexdigest()


def stratified_sample(images: Mapping[str, list[str]], limit: int) -> list[str]:
    """At most ``limit`` images, from each category in proportion to its size, and at least one.

    Args:
        images: the images of each category.
        limit: total number of images; if there are more categories than that, one of each.

    Returns:
        Images, sorted; within a category, those of :func:`sample`.
    """
    total = sum(map(len, images.values()))
    if total <= limit:
        return sorted(image for names in images.values() for image in names)
    share = {name: limit * len(of) / total for name, of in images.items() if of}
    quota = {name: max(1, int(exact)) for name, exact in share.items()}
    # What rounding down has left over goes to the largest remainders.
    by_remainder = sorted(share, key=lambda name: (quota[name] - share[name], name))
    for name in by_remainder[: max(0, limit - sum(quota.values()))]:
        quota[name] += 1
    return sorted(image for name, count in quota.items() for image in sample(images[name], count))


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
    table = pa.table([names, [_encode(read(name), side) for name in names]], schema=SCHEMA)
    # WebP cannot be compressed any further.
    write_parquet(output, table, compression="none", use_dictionary=False)


def _encode(image: Image.Image, side: int) -> bytes:
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()


def read_thumbnails(path: str | os.PathLike[str], wanted: Iterable[str]) -> dict[str, bytes]:
    """The WebP files of the ``wanted`` images, as far as a file of thumbnails has them."""
    wanted = frozenset(wanted)
    table = read_parquet(path, ["image", "webp"])
    pairs = zip(table.column("image").to_pylist(), table.column("webp").to_pylist(), strict=True)
    return {image: webp for image, webp in pairs if image in wanted}

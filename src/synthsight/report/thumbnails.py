"""Pictures for the page: the choice of images, and each of them as a small WebP."""

from __future__ import annotations

import hashlib
import io
import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import pyarrow as pa
from PIL import Image

from synthsight.tables import read_parquet, write_parquet

#: Quality of the WebP files, 0 to 100.
QUALITY = 72

Stratum = TypeVar("Stratum", bound=Hashable)

SCHEMA = pa.schema([("image", pa.string()), ("webp", pa.binary())])


def sample(images: Iterable[str], limit: int) -> list[str]:
    """At most ``limit`` of the images, sorted by name.

    A checksum of the name decides which: arbitrary, but the same on every machine. A smaller sample
    is part of a larger one.
    """
    return sorted(sorted(images, key=_checksum)[:limit])


def _checksum(image: str) -> str:
    return hashlib.sha256(image.encode()).hexdigest()


def stratified_sample(
    images: Mapping[str, Mapping[str | None, Sequence[str]]], limit: int
) -> list[str]:
    """About ``limit`` images, from each category and source in proportion to its size.

    Each category has at least one image. So has each of its sources if the category's share is
    large enough; otherwise it shows the sources that fewer images of the categories before it are
    of, and a source that would then be nowhere has one image more.

    Args:
        images: the images of each category, by source: generators, photographs, or None where it
            is not known.
        limit: total number of images; if there are more categories than that, one of each. A source
            that has no place among these is one more.

    Returns:
        Images, sorted; within a category and source, those of :func:`sample`.
    """
    sizes = {name: sum(map(len, of.values())) for name, of in images.items()}
    if sum(sizes.values()) <= limit:
        return sorted(image for of in images.values() for names in of.values() for image in names)
    shown: Counter[str | None] = Counter()
    found = set()
    for category, number in sorted(quotas(sizes, limit).items()):
        of = {source: names for source, names in images[category].items() if names}
        rarest = sorted(of, key=lambda source: (shown[source], source is not None, source or ""))
        chosen = {source: len(of[source]) for source in rarest[:number]}
        for source, count in quotas(chosen, number).items():
            found |= set(sample(of[source], count))
            shown[source] += count
    missing: dict[str | None, list[str]] = {}
    for by_source in images.values():
        for source, names in by_source.items():
            if not shown[source]:
                missing.setdefault(source, []).extend(names)
    found |= {image for names in missing.values() for image in sample(names, 1)}
    return sorted(found)


def quotas(sizes: Mapping[Stratum, int], total: int) -> dict[Stratum, int]:
    """Divide ``total`` among strata in proportion to their sizes, at least one for each.

    Args:
        sizes: the number of items in each stratum; one without any gets nothing.
        total: what to divide, less than there is; if there are more strata than that, each has one.
    """
    large = {name: size for name, size in sizes.items() if size}
    quota: dict[Stratum, int] = {}
    while True:
        left, items = total - len(quota), sum(large.values())
        small = [name for name, size in large.items() if size * left < items]
        if not small:
            break
        for name in small:
            quota[name] = 1
            del large[name]
    quota |= {name: size * left // items for name, size in large.items()}
    # What rounding down has left over goes to the largest remainders.
    by_remainder = sorted(large, key=lambda name: (-(large[name] * left % items), str(name)))
    for name in by_remainder[: max(0, total - sum(quota.values()))]:
        quota[name] += 1
    return quota


def may_be_shown(images: Mapping[str | None, Sequence[str]], limit: int) -> list[str]:
    """The images of one category that :func:`stratified_sample` may choose, whatever the others.

    Args:
        images: the category's images, by source.
        limit: as there.

    Returns:
        Images, sorted: of each source one more than its share of the limit.
    """
    total = sum(map(len, images.values()))
    if total <= limit:
        return sorted(image for names in images.values() for image in names)
    shares = {source: limit * len(names) // total + 1 for source, names in images.items()}
    return sorted(image for source, of in images.items() for image in sample(of, shares[source]))


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

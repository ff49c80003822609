"""The choice of images for a page: the same on every machine, in proportion to what there is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Stratum = TypeVar("Stratum", bound=Hashable)


def sample(images: Iterable[str], limit: int, seed: int = 0) -> list[str]:
    """At most ``limit`` of the images, sorted by name.

    A checksum of the name decides which: arbitrary, but the same on every machine. A smaller sample
    is part of a larger one of the same seed.
    """
    salt = f"{seed}\n" if seed else ""

    def checksum(image: str) -> str:
        return hashlib.sha256(f"{salt}{image}".encode()).hexdigest()

    return sorted(sorted(images, key=checksum)[:limit])


def stratified_sample(
    images: Mapping[str, Mapping[str | None, Sequence[str]]], limit: int, seed: int = 0
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
        seed: another one chooses others, as many of each.

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
            found |= set(sample(of[source], count, seed))
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


def pictures_at_most(files: int, of_all: int, limit: int) -> int:
    """A bound for :func:`may_be_shown` of a category before it is known which files are images.

    Where a category has many more files than its share of the limit, twice the share and more is
    enough: its share of the images is larger only if of all others most cannot be used. The bound
    is a power of two, so that a few files more or less, here or elsewhere, do not change it.

    Args:
        files: number of the category's files.
        of_all: number of all categories' files.
        limit: as for :func:`stratified_sample` of all.

    Returns:
        The bound, or ``limit`` where a smaller one would save nothing.
    """
    share = -(-limit * files // of_all) if files else 1
    bound = 2 << (share - 1).bit_length()
    return bound if bound < min(files, limit) else limit

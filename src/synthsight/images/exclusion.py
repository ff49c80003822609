"""Which duplicates are left out, and why: of pictures that are the same, or nearly, one is kept.

Images that are linked, directly or over others, are a *set*. Of a set the first photograph is kept
if it has any, else the first image, by name. Of a set in several categories none is kept: one
label is wrong, and nothing tells which.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthsight.images.hashing import BYTES
from synthsight.images.neighbours import near_pairs
from synthsight.images.pairs import difference, left_out
from synthsight.statistics.columns import DUPLICATES
from synthsight.tables import read_parquet

#: What decides: two images, and how they differ.
_LINK = ["a", "b", "kind", "bits", "mirrored"]

#: Categories that a reason names.
_NAMED = 3


@dataclass(frozen=True)
class Link:
    """A duplicate of an image.

    Attributes:
        image: the other image.
        exact: whether it is the same file.
        bits: in how many bits their hashes differ.
        mirrored: whether one is more like the other's mirror image.
    """

    image: str
    exact: bool
    bits: int
    mirrored: bool

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Sorts the most alike first."""
        return not self.exact, self.bits, self.image


@dataclass(frozen=True)
class Links:
    """The duplicates of each image that has any, by its name."""

    of: dict[str, list[Link]] = field(default_factory=dict)

    def add(self, a: str, b: str, kind: str, bits: int, mirrored: bool) -> None:
        """Add a pair, as a row of the table ``duplicates`` has it."""
        for one, other in ((a, b), (b, a)):
            self.of.setdefault(one, []).append(Link(other, kind == "exact", bits, mirrored))

    def sets(self) -> Iterator[list[str]]:
        """The sets of linked images: each sorted by name, and all by their first one."""
        seen: set[str] = set()
        for image in sorted(self.of):
            if image not in seen:
                found = sorted(self.ways(image))
                seen.update(found)
                yield found

    def ways(self, kept: str) -> dict[str, Link | None]:
        """All images of a set, each with the next one on its shortest way to one of them."""
        found: dict[str, Link | None] = {kept: None}
        waiting = [kept]
        for image in waiting:  # which grows
            for link in sorted(self.of[image], key=lambda link: link.rank):
                if link.image not in found:
                    found[link.image] = Link(image, link.exact, link.bits, link.mirrored)
                    waiting.append(link.image)
        return found


def choose(
    links: Links, categories: Mapping[str, str], photographs: Collection[str]
) -> dict[str, str]:
    """The images that are left out, each with the reason, in the order of their names.

    Args:
        links: the duplicates of each image.
        categories: the category of each image that has any.
        photographs: those of them that are real photographs.
    """
    reasons: dict[str, str] = {}
    for members in links.sets():
        if len({categories[image] for image in members}) > 1:
            for image in members:
                reasons[image] = _in_several(links.of[image], members, categories, image)
            continue
        kept = next((image for image in members if image in photographs), members[0])
        for image, link in links.ways(kept).items():
            if link is not None:
                of = "the photograph " if link.image in photographs else ""
                reasons[image] = _like(link, of) + (
                    ""
                    if link.image == kept
                    else f"; of {len(members):,} such images {kept!r} is kept"
                )
    return dict(sorted(reasons.items()))


def _in_several(
    links: Sequence[Link], members: Sequence[str], categories: Mapping[str, str], image: str
) -> str:
    """Why an image of a set in several categories is left out."""
    own = categories[image]
    link = min(links, key=lambda each: (categories[each.image] == own, each.rank))
    named = sorted({categories[each] for each in members})
    where = " and ".join(map(repr, named[:_NAMED])) + (" and others" if named[_NAMED:] else "")
    return f"{_like(link)}, and such images are in {where}: one label is wrong, so none is kept"


def _like(link: Link, of: str = "") -> str:
    """What an image is a duplicate of."""
    if link.exact:
        return f"the same file as {of}{link.image!r}"
    how = difference({"kind": "near", "bits": link.bits, "mirrored": link.mirrored})
    return f"near duplicate of {of}{link.image!r} ({how})"


def exclude_duplicates(
    manifests: Sequence[str | os.PathLike[str]],
    duplicates: str | os.PathLike[str],
    real: Collection[str] = (),
    without: Collection[str] = frozenset(),
) -> tuple[dict[str, str], list[str]]:
    """Which usable images are left out as duplicates, and what people should know of it.

    The table does not list every pair where many images are alike. So what would be kept is
    searched again, until there are no two alike.

    Args:
        manifests: Parquet files of :func:`synthsight.images.manifest.write_manifest`.
        duplicates: the table of this name, made from them.
        real: the generators whose images are real photographs.
        without: images that are left out for another reason, in whose place none is.

    Returns:
        The reasons by image, in the order of names, and sentences.
    """
    columns = ["image", "category", "generator", "hash"]
    parts = [read_parquet(path, columns, filters=[("status", "=", "ok")]) for path in manifests]
    images = pa.concat_tables(parts).sort_by("image")
    images = images.filter(
        pc.invert(pc.is_in(images["image"], pa.array(list(without), pa.string())))
    )
    links = Links()
    for row in read_parquet(duplicates, DUPLICATES).select(_LINK).to_pylist():
        if row["a"] not in without and row["b"] not in without:
            links.add(*row.values())
    while True:
        linked = _of(images, links.of)
        names, categories, makers = (linked[name].to_pylist() for name in columns[:3])
        reasons = choose(
            links,
            dict(zip(names, categories, strict=True)),
            {name for name, maker in zip(names, makers, strict=True) if maker in real},
        )
        # Of a set that is left out as a whole the first one stands for all.
        firsts = {members[0] for members in links.sets()}
        crowded = _search(images, reasons.keys() - firsts, links)
        if crowded is not None:
            break
    said = left_out(_counts(images), _counts(_of(images, reasons)))
    if said and crowded:
        said += (
            f"; {crowded:,} images are like so many others that not all of them were compared, so "
            "that near duplicates may be left among these"
        )
    return reasons, [] if said is None else [said]


def _of(images: pa.Table, names: Iterable[str]) -> pa.Table:
    """The rows of some images."""
    return images.filter(pc.is_in(images["image"], pa.array(list(names), pa.string())))


def _counts(images: pa.Table) -> Counter[tuple[str | None, str]]:
    """How many images there are, by generator and category."""
    return Counter(
        zip(images["generator"].to_pylist(), images["category"].to_pylist(), strict=True)
    )


def _search(images: pa.Table, out: Collection[str], links: Links) -> int | None:
    """Look for pairs among what is not left out, which are added.

    Returns:
        If there are none, how many images are crowded, as
        :class:`synthsight.images.neighbours.Pairs` has it; else None.
    """
    left = pc.invert(pc.is_in(images["image"], pa.array(list(out), pa.string())))
    searched = images.filter(pc.and_(left, images["hash"].is_valid()))
    hashes = np.frombuffer(b"".join(searched["hash"].to_pylist()), np.uint8).reshape(-1, BYTES)
    pairs = near_pairs(hashes)
    names = searched["image"]
    known = 0
    for first, second, bits, mirrored in zip(
        *(pairs.first, pairs.second, pairs.bits, pairs.mirrored), strict=True
    ):
        a, b = names[int(first)].as_py(), names[int(second)].as_py()
        if any(link.image == b for link in links.of.get(a, ())):
            known += 1
        else:
            links.add(a, b, "near", int(bits), bool(mirrored))
    return pairs.crowded if known == len(pairs.first) else None

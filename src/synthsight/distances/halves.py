"""Halves of the photographs, and as many images of each source to compare with one of them.

One half of the photographs is the reference. The other half is compared with it as generated images
are, so that it says what the measures are where there is no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthsight.distances.drawing import FEWEST, draw, shrunk, subset
from synthsight.errors import SynthsightError
from synthsight.features.folds import folds_of
from synthsight.features.samples import Images, Numbers
from synthsight.statistics.ranking import stream

#: Images on each side, at most: the neighbours of 10,000 among 10,000 take some seconds to find.
MOST = 10_000

#: Categories that a sentence names.
_NAMED = 3


class DistancesError(SynthsightError):
    """There is nothing to compare."""


@dataclass(frozen=True)
class Halving:
    """Images to compare, as rows: of each category the same number on each side.

    Attributes:
        reference: of one half of the photographs, sorted; int64 (n,).
        compared: of each source, among them the other half of the photographs; sorted, int64 (n,).
        halves: all photographs of both halves, of the categories that count.
    """

    reference: Numbers
    compared: Mapping[str, Numbers]
    halves: tuple[Numbers, Numbers]


@dataclass(frozen=True)
class Halvings:
    """Several halvings that have the same number of images of each category.

    Attributes:
        each: the halvings.
        sizes: images of each category, on each side; 0 for one that is left out; int64.
        sentences: what is left out, and why.
    """

    each: tuple[Halving, ...]
    sizes: Numbers
    sentences: tuple[str, ...]


def halve(images: Images, halves: int, seed: int, most: int = MOST) -> Halvings:
    """Halve the photographs several times, and draw images of each source to compare.

    Halves share no unit, and have about as many photographs of each category. An image of which
    a unit's photograph is in the reference is not compared with it. Each comparison has the same
    number of images of a category, the smallest that any source has in any halving.

    Args:
        images: all images; there are photographs among them.
        halves: how often.
        seed: of all draws. A source's draws do not depend on which others there are, but for the
            number of images.
        most: images on each side, at most.

    Raises:
        DistancesError: there is no category of which every source has enough.
    """
    photographs = images.photographs
    if photographs is None or images.real.all():
        what = "real photographs" if photographs is None else "generated images"
        raise DistancesError(
            f"there are no {what} among the images with features: name the photographs' folder in "
            "images.real, or remove `distances`"
        )
    generated = {name: here for name, here in images.sources.items() if name != photographs}
    found = [_sides(images, generated, seed, number) for number in range(halves)]
    counts = {
        name: np.min([_counts(images, sides[name]) for sides in found], axis=0)
        for name in ("", photographs, *generated)
    }
    sizes, units = np.min(list(counts.values()), axis=0)
    sizes[units < FEWEST] = 0
    if not sizes.any():
        raise DistancesError(_nothing_common(images, {n: each[1] for n, each in counts.items()}))
    sentences = _left_out(images, sizes)
    if sizes.sum() > most:
        sentences.append(
            f"{sizes.sum():,} images a side could be compared: samples of at most {most:,} are, "
            "drawn anew for each halving"
        )
        sizes = shrunk(sizes, most)
    each = tuple(
        _drawn(images, sides, photographs, sizes, seed, number)
        for number, sides in enumerate(found)
    )
    return Halvings(each, sizes, tuple(sentences))


def _drawn(
    images: Images,
    sides: Mapping[str, Numbers],
    photographs: str,
    sizes: Numbers,
    seed: int,
    number: int,
) -> Halving:
    """As many images of each side as ``sizes`` says; the drawn rows of one halving."""
    found = {
        name: draw(
            images.category,
            rows,
            sizes,
            stream(seed, "distances", "draw", name, str(number)),
        )
        for name, rows in sides.items()
    }
    counts = sizes[images.category] > 0
    halves = (sides[""][counts[sides[""]]], sides[photographs][counts[sides[photographs]]])
    return Halving(found.pop(""), found, halves)


def _sides(
    images: Images, generated: Mapping[str, npt.NDArray[np.bool_]], seed: int, number: int
) -> dict[str, Numbers]:
    """The rows of one halving: of the reference (called by the empty name), and of each source."""
    assert images.photographs is not None
    photographs = np.flatnonzero(images.real)
    drawn = int(stream(seed, "distances", "half", str(number)).integers(2**31))
    first = folds_of(subset(images, photographs), 2, drawn) == 0
    reference = photographs[first]
    apart = ~np.isin(images.unit, images.unit[reference])
    return {
        "": reference,
        images.photographs: photographs[~first],
        **{name: np.flatnonzero(here & apart) for name, here in generated.items()},
    }


def _counts(images: Images, rows: Numbers) -> Numbers:
    """How many images of each category there are, and of how many units; int64 (2, categories)."""
    length = len(images.categories)
    pairs = np.unique(np.stack([images.category[rows], images.unit[rows]]), axis=1)
    return np.stack(
        [np.bincount(each, minlength=length) for each in (images.category[rows], pairs[0])]
    )


def _left_out(images: Images, sizes: Numbers) -> list[str]:
    """What is left out of comparisons, and why, in sentences."""
    sentences = []
    lacking = [name for name, size in zip(images.categories, sizes, strict=True) if not size]
    if lacking:
        sentences.append(
            f"{len(lacking):,} of {len(sizes):,} categories are left out, since not every source "
            "has two images of them that do not belong together, and the photographs two in each "
            f"half: {', '.join(map(repr, lacking[:_NAMED]))}{', ...' * (len(lacking) > _NAMED)}"
        )
    together = np.isin(images.unit, images.unit[images.real])
    joined = int((together & ~images.real).sum())
    if joined:
        sentences.append(
            f"{joined:,} generated images belong together with a photograph (one group, or nearly "
            "the same picture): none is compared with a half that has it"
        )
    return sentences


def _nothing_common(images: Images, units: Mapping[str, Numbers]) -> str:
    """Why there is no comparison, and what to do."""
    enough = {name: int((of >= FEWEST).sum()) for name, of in units.items()}
    least = min(enough, key=lambda name: (enough[name], name))
    what = repr(least) if least else "a half of the photographs"
    return (
        "there is no category of which every source has two images that do not belong together, "
        f"and the photographs two in each half; {what} has {enough[least]:,} such categories of "
        f"{len(images.categories):,}. Add images, leave that source out, or remove `distances`"
    )

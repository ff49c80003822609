"""Which images heads are trained on: the same number of each category from every source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthsight.errors import SynthsightError
from synthsight.features.folds import folds_of
from synthsight.features.samples import Images, Numbers
from synthsight.statistics.ranking import stream
from synthsight.tables import ALL

#: A source must have enough images in this share of the categories that the best one has, of those
#: that two sources have.
ENOUGH = 0.5

#: Images of a category, and units, that there must be to train on.
_LEAST = 2


class TransferError(SynthsightError):
    """Sources with too few images to train on and test."""


@dataclass(frozen=True)
class Design:
    """What is trained on, and tested.

    Attributes:
        sources: the sources by name, a mask of their images each, bool (n,).
        categories: the categories' numbers in ``images.categories``, ascending.
        label: of each image, the place of its category in ``categories``, or -1; int64 (n,).
        part: of each image, the fold that it is tested in; int64 (n,).
        place: of each source and fold, the place of each image among those of its category to
            train on, from 0; -1 of those that are not; int64 (n,).
        sizes: the steps of the learning curve, images per category.
        said: what was left out, and why.
    """

    sources: dict[str, npt.NDArray[np.bool_]]
    categories: Numbers
    label: Numbers
    part: Numbers
    place: dict[tuple[str, int], Numbers]
    sizes: tuple[int, ...]
    said: tuple[str, ...]


def design(images: Images, per_category: Sequence[int | str], folds: int, seed: int) -> Design:
    """Divide images into folds, and put those outside each fold in the order to train on them.

    A source is left out that has enough images (two units outside each fold, at least) in fewer
    than half of the categories that another one has, of those that two sources have; then
    categories that a source lacks are.

    Args:
        images: all images.
        per_category: the steps that are wanted: numbers, or ``max``.
        folds: the number of folds.
        seed: of the folds and the order.

    Raises:
        TransferError: fewer than two categories, or not one step, remain.
    """
    part = folds_of(images, folds, seed)
    place = {
        (name, fold): _places(images, here & (part != fold), stream(seed, "heads", name, str(fold)))
        for name, here in images.sources.items()
        for fold in range(folds)
    }
    most = {name: _most(images, part, here, folds) for name, here in images.sources.items()}
    said: list[str] = []
    sources = _sources(images, most, said)
    if not sources:
        raise TransferError(
            "no category of any source has images to train on and test: add images, at least "
            f"{_LEAST + 1} of different prompts for each category and source, or leave out "
            "`transfer`"
        )
    enough = np.all([most[name] > 0 for name in sources], axis=0)
    for number in np.flatnonzero(~enough & (np.max(list(most.values()), axis=0) > 0)):
        lacking = ", ".join(name for name in sources if not most[name][number])
        said.append(
            f"{images.categories[number]}: left out, since too few images to train on and test "
            f"are of {lacking}"
        )
    if enough.sum() < _LEAST:
        raise TransferError(
            f"{int(enough.sum())} categories have images to train on and test in every source "
            f"({', '.join(sources)}), where two are needed: add images, at least {_LEAST + 1} of "
            "different prompts for each category and source, or leave out `transfer`"
        )
    categories = np.flatnonzero(enough)
    limits = {(name, number): int(most[name][number]) for name in sources for number in categories}
    (limiting, category), limit = min(limits.items(), key=lambda item: item[1])
    sizes = _sizes(per_category, limit, f"{limiting}, {images.categories[category]}", said)
    label = np.full(len(images.categories), -1)
    label[categories] = np.arange(len(categories))
    return Design(
        {name: images.sources[name] for name in sources},
        categories,
        label[images.category],
        part,
        place,
        sizes,
        tuple(said),
    )


def _sources(images: Images, most: dict[str, Numbers], said: list[str]) -> list[str]:
    """The sources that have enough of the categories that two of them have, if there are two."""
    own = np.array([found > 0 for name, found in most.items() if name != ALL or len(most) == 1])
    common = own.sum(axis=0) >= min(2, len(own))
    if common.sum() < _LEAST:
        common = own.any(axis=0)
    counts = {name: int((common & (found > 0)).sum()) for name, found in most.items()}
    best = max(counts.values(), default=0)
    for name, count in counts.items():
        if count < ENOUGH * best or not count:
            among = "" if common.all() else " that another source has, too"
            said.append(
                f"{name}: left out as a source of its own, since it has images to train on and "
                f"test in {count} of {int(common.sum())} categories{among}, and others in {best}"
            )
    return [name for name, count in counts.items() if count and count >= ENOUGH * best]


def _sizes(
    per_category: Sequence[int | str], limit: int, where: str, said: list[str]
) -> tuple[int, ...]:
    """The steps that there are images for, ascending."""
    wanted = {limit if each == "max" else int(each) for each in per_category}
    sizes = tuple(sorted(each for each in wanted if _LEAST <= each <= limit))
    if above := sorted(each for each in wanted if each > limit):
        said.append(
            f"per_category {', '.join(map(str, above))}: left out, since in every fold there are "
            f"at most {limit} images of a category and source to train on ({where})"
        )
    if 1 in wanted:
        said.append(
            "per_category 1: left out, since one image of a category does not tell how much "
            "depends on which one it is"
        )
    if "max" in per_category:
        said.append(f"max is {limit} images of a category to train on: {where}, has no more")
    if not sizes:
        raise TransferError(
            f"no step of `transfer.per_category` can be trained: it takes {_LEAST} images of a "
            f"category, and there are {limit} at most ({where}); add `max`"
        )
    return sizes


def _most(images: Images, part: Numbers, here: npt.NDArray[np.bool_], folds: int) -> Numbers:
    """How many images of each category there are outside every fold; int64 (categories,).

    0 where these are of fewer than two units.
    """
    count = len(images.categories)
    found = np.full(count, len(images))
    for fold in range(folds):
        outside = here & (part != fold)
        number = images.category[outside]
        pairs = np.unique(np.stack([number, images.unit[outside]]), axis=1)[0]
        held = np.bincount(number, minlength=count)
        held[(np.bincount(pairs, minlength=count) < _LEAST) | (held < _LEAST)] = 0
        found = np.minimum(found, held)
    return found


def _places(images: Images, here: npt.NDArray[np.bool_], rng: np.random.Generator) -> Numbers:
    """The place of each image in the order to train on, category by category; see :class:`Design`.

    At random, but the first images of all units come before the second ones, whatever generators
    they are of: few images are of as many prompts as can be, and two are of two. Among the first,
    and so on, generators take turns; of a unit that several have images of, one by one comes first.
    """
    of_units = rng.random(images.unit.max(initial=-1) + 1)
    of_generators = rng.random(len(images.generators) + 1)
    of_images = rng.random(len(images))[here]
    category, unit = images.category[here], images.unit[here]
    makers, generator = np.unique(of_generators[images.generator[here]], return_inverse=True)
    own = _count((category, generator, unit), (of_images,))
    first = (generator + _rank(category, unit, of_units)) % max(1, len(makers))
    again = _count((category, unit), (own, first))
    turn = _count((category, again, generator), (of_units[unit],))
    found = np.full(len(images), -1)
    found[here] = _count((category,), (again, turn, generator))
    return found


def _rank(category: Numbers, unit: Numbers, of_units: npt.NDArray[np.float64]) -> Numbers:
    """The place of each image's unit among those of its category, in their order."""
    pairs, of_pair = np.unique(np.stack([category, unit]), axis=1, return_inverse=True)
    found: Numbers = _count((pairs[0],), (of_units[pairs[1]],))[of_pair]
    return found


def _count(
    groups: tuple[npt.NDArray[np.generic], ...], order: tuple[npt.NDArray[np.generic], ...]
) -> Numbers:
    """The place of each item in its group, in an order by the first key, then the second."""
    rows = np.lexsort((*order[::-1], *groups[::-1]))
    fresh = np.zeros(len(rows), bool)
    for each in groups:
        fresh[1:] |= each[rows][1:] != each[rows][:-1]
    at = np.arange(len(rows))
    begins = np.maximum.accumulate(np.where(fresh, at, 0))
    found = np.empty(len(rows), np.int64)
    found[rows] = at - begins
    return found

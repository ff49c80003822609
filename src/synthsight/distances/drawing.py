"""Drawing some of many images at random, category by category."""

from __future__ import annotations

import numpy as np

from synthsight.features.samples import Images, Numbers

#: Images of a category, on each side, that a comparison needs; and units, for it to be one.
FEWEST = 2


def subset(images: Images, rows: Numbers, told: bool = True) -> Images:
    """Some of the images, as they are; with ``told`` False, without their generators."""
    generator = images.generator[rows] if told else np.full(len(rows), -1, np.int64)
    return Images(
        images.names[rows],
        images.categories,
        images.category[rows],
        images.generators,
        generator,
        images.real[rows],
        images.unit[rows],
    )


def draw(strata: Numbers, rows: Numbers, sizes: Numbers, rng: np.random.Generator) -> Numbers:
    """Draw some of the images of each stratum.

    Args:
        strata: of all images, as numbers (n,). What is drawn of some rows does not depend on which
            other rows there are.
        rows: of which to draw.
        sizes: how many of each stratum, at most.
        rng: source of randomness.

    Returns:
        Some of the rows, sorted.
    """
    keys, stratum = rng.random(len(strata))[rows], strata[rows]
    order = np.lexsort((keys, stratum))
    ordered = stratum[order]
    place = np.arange(len(rows)) - np.searchsorted(ordered, ordered)
    return np.sort(rows[order[place < sizes[ordered]]])


def shrunk(sizes: Numbers, most: int) -> Numbers:
    """Sizes that add up to no more than ``most``, in proportion, but none below two."""
    total = int(sizes.sum())
    if total <= most:
        return sizes
    return np.where(sizes > 0, np.maximum(FEWEST, sizes * most // total), 0)


def thinned(images: Images, rows: Numbers, most: int, rng: np.random.Generator) -> Numbers:
    """Some images of each category of each generator, in proportion; at most about ``most``.

    All stay where what is drawn would be of one unit.

    Args:
        images: all images.
        rows: of which to draw, sorted.
        most: how many to draw.
        rng: source of randomness.
    """
    if len(rows) <= most:
        return rows
    keys = images.category * (len(images.generators) + 1) + images.generator + 1
    sizes = np.bincount(keys[rows])
    drawn = draw(keys, rows, shrunk(sizes, most), rng)
    pairs = np.unique(np.stack([keys[drawn], images.unit[drawn]]), axis=1)
    units = np.bincount(pairs[0], minlength=len(sizes))
    lone = rows[units[keys[rows]] < FEWEST]
    return np.union1d(drawn, lone)

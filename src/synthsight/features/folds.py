"""Dividing images into parts that share nothing, each with its share of every category."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthsight.features.samples import Images, Numbers


def folds_of(images: Images, folds: int, seed: int) -> Numbers:
    """The part that each image is in, 0..folds-1; int64 (n,).

    A unit is in one part as a whole. Of each category of each generator, the parts have about as
    many images, as far as units allow: large units are dealt out first, each to the part that has
    fewest of its images' strata. Of parts that have as many, the one comes first that has fewest of
    the category: few images of each generator are not all in one part. scikit-learn's
    StratifiedGroupKFold does the like, but takes 20 s for 50,000 images where this takes one, and
    refuses strata that are smaller than ``folds``.

    Args:
        images: to divide.
        folds: the number of parts.
        seed: of the order in which units are dealt out, and of ties.
    """
    rng = np.random.default_rng([seed, folds])
    keys = images.category * (len(images.generators) + 1) + images.generator + 1
    known, strata = np.unique(keys, return_inverse=True)
    category_of = known // (len(images.generators) + 1)
    units, unit, sizes = np.unique(images.unit, return_inverse=True, return_counts=True)
    members = np.argsort(unit, kind="stable")
    ends = np.cumsum(sizes)
    drawn = rng.random(len(units))
    counts = np.zeros((strata.max(initial=-1) + 1, folds), np.int64)
    found = np.zeros(len(images), np.int64)
    large = np.flatnonzero(sizes > 1)
    for each in large[np.lexsort((drawn[large], -sizes[large]))]:
        of_unit = members[ends[each] - sizes[each] : ends[each]]
        held, times = np.unique(strata[of_unit], return_counts=True)
        crowd = times @ counts[held]
        part = np.lexsort((rng.random(folds), counts.sum(axis=0), crowd))[0]
        found[of_unit] = part
        counts[held, part] += times
    single = members[ends[sizes == 1] - 1]
    single = single[np.lexsort((drawn[sizes == 1], strata[single]))]
    stratum, begins = np.unique(strata[single], return_index=True)
    for number, chosen in zip(stratum, np.split(single, begins[1:]), strict=False):
        of_category = counts[category_of == category_of[number]].sum(axis=0)
        levels = (counts[number], of_category, counts.sum(axis=0))
        parts = _level(levels, len(chosen), rng)
        found[chosen] = parts
        counts[number] += np.bincount(parts, minlength=folds)
    return found


def _level(levels: Sequence[Numbers], images: int, rng: np.random.Generator) -> Numbers:
    """The part of each of some images, one by one the part that has fewest; int64 (images,).

    Args:
        levels: how many each part has already, int64 (parts,): of the images' stratum and, to
            decide between parts that have as many, of the category and of all.
        images: how many images.
        rng: decides between parts that have as many of all.
    """
    folds = len(levels[0])
    parts = np.repeat(np.arange(folds), images)
    given = np.tile(np.arange(images), folds)
    ties = rng.permutation(folds)[parts]
    heights = [level[parts] + given for level in reversed(levels)]
    return parts[np.lexsort((ties, *heights))[:images]]

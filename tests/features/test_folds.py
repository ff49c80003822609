"""Parts share no unit, and have their share of each category of each generator."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pytest

from synthsight.features.folds import folds_of
from synthsight.features.samples import Images, Numbers


def images_of(category: npt.ArrayLike, generator: npt.ArrayLike, unit: npt.ArrayLike) -> Images:
    """Images by the numbers of their category, generator and unit."""
    numbers = [np.asarray(each, np.int64) for each in (category, generator, unit)]
    count = len(numbers[0])
    return Images(
        names=np.array([f"{at:06}" for at in range(count)], dtype=object),
        categories=tuple(f"c{number}" for number in range(int(numbers[0].max(initial=-1)) + 1)),
        category=numbers[0],
        generators=tuple(f"g{number}" for number in range(int(numbers[1].max(initial=-1)) + 1)),
        generator=numbers[1],
        real=np.zeros(count, bool),
        unit=numbers[2],
    )


def drawn(seed: int) -> tuple[Images, int]:
    """Some images in units of several, also across categories and generators; and a count."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(40, 400))
    units = int(rng.integers(count // 6 + 2, 2 * count))
    limits = int(rng.integers(2, 8)), int(rng.integers(1, 4)), units
    return images_of(*(rng.integers(0, limit, count) for limit in limits)), int(rng.integers(2, 7))


def counted(keys: Numbers, parts: Numbers, folds: int) -> Numbers:
    """How many images with each key are in each part; int64 (keys, parts)."""
    found = np.zeros((int(keys.max()) + 1, folds), np.int64)
    np.add.at(found, (keys, parts), 1)
    return found


def strata(images: Images) -> Numbers:
    keys = images.category * 10 + images.generator
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


@pytest.mark.slow
def test_no_unit_is_in_two_parts_and_every_image_is_in_one() -> None:
    for seed in range(40):
        images, folds = drawn(seed)
        parts = folds_of(images, folds, seed)
        assert parts.shape == (len(images),) and parts.dtype == np.int64
        assert set(np.unique(parts)) <= set(range(folds))
        pairs = np.unique(np.stack([images.unit, parts]), axis=1)
        assert len(np.unique(images.unit)) == pairs.shape[1]


@pytest.mark.long
def test_parts_are_as_even_as_scikit_learn_s() -> None:
    """By the mean deviation of the counts of strata, and of categories, over random cases."""
    selection = pytest.importorskip("sklearn.model_selection")
    off: list[list[float]] = []
    for seed in range(25):
        images, folds = drawn(seed)
        keys = strata(images)
        theirs = np.zeros(len(images), np.int64)
        split = selection.StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strata smaller than the number of parts
            for part, (_, tested) in enumerate(split.split(keys, keys, images.unit)):
                theirs[tested] = part
        ours = folds_of(images, folds, seed)
        off.append(
            [
                float(counted(by, parts, folds).std(axis=1).mean())
                for by in (keys, images.category)
                for parts in (ours, theirs)
            ]
        )
    mean = np.mean(off, axis=0)
    assert mean[0] <= mean[1] and mean[2] <= mean[3], mean


@pytest.mark.parametrize("each", [1, 2, 3, 5, 7])
def test_single_images_are_dealt_out_evenly_by_stratum_category_and_in_all(each: int) -> None:
    """One image of each of three generators is not in one part with the others."""
    category, generator = np.divmod(np.repeat(np.arange(17 * 3), each), 3)
    images = images_of(category, generator, np.arange(len(category)))
    for seed in range(10):
        parts = folds_of(images, 5, seed)
        for keys in (strata(images), images.category, np.zeros(len(images), np.int64)):
            counts = counted(keys, parts, 5)
            assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1


def test_the_same_seed_gives_the_same_parts_and_another_gives_others() -> None:
    images, folds = drawn(3)
    first = folds_of(images, folds, 0)
    assert np.array_equal(first, folds_of(images, folds, 0))
    assert not np.array_equal(first, folds_of(images, folds, 1))


def test_what_units_are_called_decides_nothing_but_their_order() -> None:
    """Only which images have a number in common, and the order of the numbers."""
    images, folds = drawn(4)
    called = images_of(images.category, images.generator, 7 * images.unit + 100)
    assert np.array_equal(folds_of(images, folds, 0), folds_of(called, folds, 0))


def test_fewer_images_than_parts_lie_in_parts_of_their_own() -> None:
    images = images_of([0, 0, 1], [0, 0, 0], [0, 1, 2])
    for seed in range(10):
        parts = folds_of(images, 5, seed)
        assert parts[0] != parts[1] and len(np.unique(parts)) == 3
    none = images_of([], [], [])
    assert folds_of(none, 5, 0).shape == (0,)


def test_a_huge_unit_has_a_part_and_the_others_share_what_is_left() -> None:
    images = images_of(np.zeros(100), np.zeros(100), [0] * 60 + list(range(1, 41)))
    parts = folds_of(images, 5, 0)
    (huge,) = np.unique(parts[:60])
    assert np.bincount(parts, minlength=5).tolist() == [60 if p == huge else 10 for p in range(5)]
    whole = folds_of(images_of([0, 0, 1], [0, 1, 0], [0, 0, 0]), 3, 0)
    assert len(np.unique(whole)) == 1


def test_images_without_a_generator_are_a_stratum_of_their_own() -> None:
    images = images_of([0] * 20, [-1] * 10 + [0] * 10, range(20))
    parts = folds_of(images, 5, 0)
    for here in (images.generator < 0, images.generator == 0):
        assert np.bincount(parts[here], minlength=5).tolist() == [2] * 5

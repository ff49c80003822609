"""Telling real from generated images, and what chance does."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from synthsight.distances import telling
from synthsight.distances.telling import tell_apart
from tests.distances.drawn import balanced, images_of


def test_what_differs_is_told_and_chance_is_excluded() -> None:
    images, vectors = balanced(["a", "photo"], 3, 20)
    vectors[images.real, 0] += 5
    real, other = np.flatnonzero(images.real), np.flatnonzero(~images.real)
    told = tell_apart(images, vectors, real, other, np.random.default_rng(0), 99)
    assert told.accuracy > 0.95
    assert told.p == 0.01
    assert tell_apart(images, vectors, real, other, np.random.default_rng(0)).p is None


def test_what_cannot_be_told_is_a_toss_of_a_coin() -> None:
    images, _ = balanced(["a", "photo"], 3, 20)
    real, other = np.flatnonzero(images.real), np.flatnonzero(~images.real)
    vectors = np.ones((len(images), 4), np.float32)
    told = tell_apart(images, vectors, real, other, np.random.default_rng(0), 19)
    assert (told.accuracy, told.p) == (0.5, 1)


@pytest.mark.long
def test_without_a_difference_p_is_at_most_a_value_as_often_as_it_says() -> None:
    """In one design, with units of four; ``benchmarks/distances.py`` has others."""
    rng = np.random.default_rng(0)
    small = np.zeros(2)
    for _ in range(120):
        images, vectors = balanced(["a", "photo"], 3, 16, length=8, seed=int(rng.integers(2**31)))
        unit = np.arange(len(images)) // 4
        vectors = (vectors[unit * 4] + 0.01 * vectors).astype(np.float32)
        images = images_of(
            [images.generators[g] for g in images.generator],
            [images.categories[c] for c in images.category],
            units=unit,
        )
        real, other = np.flatnonzero(images.real), np.flatnonzero(~images.real)
        p = tell_apart(images, vectors, real, other, rng, 19).p
        assert p is not None
        small += p <= np.array([0.1, 0.5]) + 1e-9
    assert small[0] / 120 <= 0.17
    assert 0.28 <= small[1] / 120 <= 0.62


@pytest.mark.parametrize("length", [10, 200])
def test_the_fit_is_that_of_a_logistic_regression(length: int) -> None:
    rng = np.random.default_rng(0)
    features = telling._reduced(
        telling._standardised(rng.standard_normal((80, length)).astype(np.float32))
    )
    signs = np.where(rng.random((80, 2)) < 0.5, 1.0, -1.0)
    found = telling._fitted(features, signs)
    for column in range(2):
        model = LogisticRegression(
            C=1 / telling._PENALTY, fit_intercept=False, tol=1e-10, max_iter=10_000
        ).fit(features, signs[:, column])
        np.testing.assert_allclose(
            features @ found[:, column], features @ model.coef_[0], atol=2e-2
        )


def test_groups_beside_single_photographs_change_sides_with_as_many_of_these() -> None:
    """Three groups of four generated images, twelve photographs each alone, and all differ."""
    categories = [f"c{at // 4}" for at in range(12)]
    units = [*(np.arange(12) // 4), *range(12, 24)]
    images = images_of(["a"] * 12 + ["photo"] * 12, categories * 2, units=units)
    rng = np.random.default_rng(0)
    pair = telling._pairs(images, np.arange(24), images.real, rng)
    for number in np.unique(pair):
        of_pair = pair == number
        assert images.real[of_pair].sum() == 4 == (~images.real[of_pair]).sum()
        assert len(set(images.category[of_pair])) == 1
    assert len(set(pair)) == 3


def test_what_differs_is_told_where_only_generated_images_are_in_groups() -> None:
    units = [*(np.arange(160) // 4), *range(160, 320)]
    categories = [f"c{at // 40}" for at in range(160)]
    images = images_of(["a"] * 160 + ["photo"] * 160, categories * 2, units=units)
    vectors = np.random.default_rng(0).standard_normal((320, 8)).astype(np.float32)
    vectors[images.real] += 2
    real, other = np.flatnonzero(images.real), np.flatnonzero(~images.real)
    told = tell_apart(images, vectors, real, other, np.random.default_rng(0), 99)
    assert told.accuracy > 0.95 and told.p == 0.01


@pytest.mark.parametrize(
    ("sides", "most"),
    [
        ((["xxxx", "xxxx", "xxxx"], ["xxx", "xxx", "xxx", "xxx"]), 1),
        ((["xx", "yy"], ["xy", "xy"]), 1),
        ((["xyz", "xyz"], ["x", "y", "z", "x", "y", "z"]), 2),
        ((["xx", "x", "yy"], ["x", "xx", "y", "y"]), 3),
        ((["xx"], ["x", "x"]), 1),
    ],
)
def test_whatever_the_units_pairs_have_as_many_of_each_category_on_both_sides(
    sides: tuple[list[str], list[str]], most: int
) -> None:
    """``most`` is how many pairs there are, and so how many tosses."""
    units = [(unit, side) for side in (0, 1) for unit in sides[side]]
    category = [name for unit, _ in units for name in unit]
    source = [("a", "photo")[side] for unit, side in units for _ in unit]
    number = [at for at, (unit, _) in enumerate(units) for _ in unit]
    images = images_of(source, category, units=number)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        pair = telling._pairs(images, np.arange(len(images)), images.real, rng)
        assert len(set(pair)) == most
        for each in set(pair):
            of_real = images.category[(pair == each) & images.real]
            of_other = images.category[(pair == each) & ~images.real]
            assert sorted(of_real) == sorted(of_other)
        assert not (telling._tosses(images.unit, pair, 99, rng)[:, 1:] == 1).all()

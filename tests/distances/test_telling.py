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


def test_images_without_a_counterpart_of_their_kind_keep_their_side() -> None:
    """A unit of two photographs, and two generated units of one: no toss is fair for these."""
    images = images_of(["photo"] * 2 + ["a"] * 2, ["x"] * 4, units=[0, 0, 1, 2])
    rng = np.random.default_rng(0)
    rows = np.arange(4)
    pair = telling._pairs(images, rows, images.real, rng)
    assert len(set(pair)) == 3
    assert (telling._tosses(images.unit, pair, 9, rng) == 1).all()

"""Precision, recall, density and coverage."""

from __future__ import annotations

import numpy as np
import pytest

from synthsight.distances import neighbours
from synthsight.distances.neighbours import Overlap, nearest_rows, overlap, radii
from synthsight.features.samples import Vectors


def by_definition(real: Vectors, other: Vectors, nearest: int) -> Overlap:
    """The four measures as their papers define them, image by image."""

    def apart(a: Vectors, b: Vectors) -> float:
        return float(np.sqrt(((a.astype(float) - b.astype(float)) ** 2).sum()))

    def radius(sample: Vectors, at: int) -> float:
        return sorted(apart(sample[at], each) for each in sample)[nearest]

    inside = [radius(real, at) for at in range(len(real))]
    around = [radius(other, at) for at in range(len(other))]
    within = np.array([[apart(x, y) < r for y in other] for x, r in zip(real, inside, strict=True)])
    without = np.array(
        [[apart(x, y) < r for y, r in zip(other, around, strict=True)] for x in real]
    )
    return Overlap(
        within.any(axis=0).mean(),
        without.any(axis=1).mean(),
        within.sum(axis=0).mean() / nearest,
        within.any(axis=1).mean(),
    )


def measured(real: Vectors, other: Vectors, nearest: int) -> Overlap:
    return overlap(real, other, nearest, radii(real, nearest), radii(other, nearest))


@pytest.mark.parametrize(("count", "length", "nearest"), [(40, 4, 1), (30, 8, 5), (25, 2, 24)])
def test_the_measures_are_those_of_their_definitions(count: int, length: int, nearest: int) -> None:
    rng = np.random.default_rng(count)
    real = rng.standard_normal((count, length)).astype(np.float32)
    other = (0.8 * rng.standard_normal((count + 3, length)) + 0.3).astype(np.float32)
    expected, found = by_definition(real, other, nearest), measured(real, other, nearest)
    assert vars(found) == pytest.approx(vars(expected), abs=1e-12)
    assert 0 < found.coverage <= 1


@pytest.mark.slow
def test_the_measures_are_those_of_prdc(capsys: pytest.CaptureFixture[str]) -> None:
    prdc = pytest.importorskip("prdc", reason="requirements-dev.txt is not installed")
    rng = np.random.default_rng(1)
    real = rng.standard_normal((500, 12)).astype(np.float32)
    other = (0.7 * rng.standard_normal((400, 12)) + 0.2).astype(np.float32)
    expected = prdc.compute_prdc(real.astype(float), other.astype(float), 5)
    assert vars(measured(real, other, 5)) == pytest.approx(expected, abs=1e-12)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    real = rng.standard_normal((50, 5)).astype(np.float32)
    other = rng.standard_normal((45, 5)).astype(np.float32)
    whole, rows = measured(real, other, 3), nearest_rows(real, other, 4)
    monkeypatch.setattr(neighbours, "_ROWS", 7)
    assert measured(real, other, 3) == whole
    for a, b in zip(nearest_rows(real, other, 4), rows, strict=True):
        np.testing.assert_allclose(a, b)


def test_the_unit_of_features_makes_no_difference() -> None:
    rng = np.random.default_rng(3)
    real = rng.standard_normal((60, 6)).astype(np.float32)
    other = rng.standard_normal((60, 6)).astype(np.float32)
    assert measured(1024 * real + 512, 1024 * other + 512, 5) == measured(real, other, 5)


def test_copies_of_one_image_have_no_neighbourhood() -> None:
    """Though the distance of equal vectors is not always 0 as it is computed."""
    rng = np.random.default_rng(4)
    one = (rng.standard_normal((1, 300)) * 1000 + 50).astype(np.float32)
    real = np.concatenate([one + rng.standard_normal((20, 300)).astype(np.float32), one])
    assert (radii(np.repeat(one, 9, axis=0), 5) == 0).all()
    assert measured(real, np.repeat(one, 21, axis=0), 5).recall == 0

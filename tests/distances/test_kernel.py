"""KID: the kernel distance, with its interval."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from synthsight.distances import kernel as module
from synthsight.distances.kernel import Kid, kernel, kernel_distances
from synthsight.features.samples import Images, Numbers, Vectors
from tests.distances.drawn import balanced, images_of


def kid(images: Images, vectors: Vectors, weights: npt.NDArray[np.float64]) -> Kid:
    sides = {"photo": np.flatnonzero(images.real), "a": np.flatnonzero(~images.real)}
    return kernel_distances(images, vectors, sides, "photo", weights)["a"]


def unbiased(real: Vectors, other: Vectors) -> float:
    """The estimate of Gretton et al. (2012, eq. 3), as torch-fidelity has it, pair by pair."""

    def value(a: Vectors, b: Vectors) -> float:
        return (float(a.astype(float) @ b.astype(float)) / len(a) + 1) ** 3

    def within(sample: Vectors) -> float:
        pairs = [value(a, b) for i, a in enumerate(sample) for j, b in enumerate(sample) if i != j]
        return float(np.mean(pairs))

    between = float(np.mean([value(a, b) for a in real for b in other]))
    return within(real) + within(other) - 2 * between


def test_of_one_category_it_is_the_unbiased_estimate() -> None:
    images, vectors = balanced(["a", "photo"], 1, 30)
    real = images.real
    vectors[real] *= 1.3
    expected = unbiased(vectors[real], vectors[~real])
    assert kid(images, vectors, np.ones(1)).value == pytest.approx(expected, abs=1e-12)
    assert expected > 0


def test_of_several_it_is_that_of_the_mixture_in_their_proportions() -> None:
    """However many images there are of each: pairs of categories count by their weights."""
    rng = np.random.default_rng(0)
    sources = ["a"] * 9 + ["photo"] * 11
    categories = list("xxxxxyyzz") + list("xxxxyyyyzzz")
    images = images_of(sources, categories)
    vectors = rng.standard_normal((20, 5)).astype(np.float32)
    weights = np.array([0.5, 0.2, 0.3])

    def mean(a: Numbers, b: Numbers) -> float:
        return float(
            np.mean([kernel(vectors[[i]], vectors[[j]])[0, 0] for i in a for j in b if i != j])
        )

    of = [
        [np.flatnonzero((images.real == side) & (images.category == c)) for c in range(3)]
        for side in (True, False)
    ]
    expected = sum(
        weights[c] * weights[d] * sign * mean(of[s][c], of[t][d])
        for s, t, sign in ((0, 0, 1), (1, 1, 1), (0, 1, -2))
        for c in range(3)
        for d in range(3)
    )
    assert kid(images, vectors, weights).value == pytest.approx(expected, abs=1e-12)


def test_copies_in_one_unit_change_neither_the_estimate_nor_the_error() -> None:
    images, vectors = balanced(["a", "photo"], 2, 10)
    vectors[images.real] += 0.5
    once = kid(images, vectors, np.full(2, 0.5))
    rows = np.repeat(np.arange(40), 3)
    copied = Images(
        np.array([f"{n:03d}" for n in range(120)], dtype=object),
        images.categories,
        images.category[rows],
        images.generators,
        images.generator[rows],
        images.real[rows],
        images.unit[rows],
    )
    thrice = kid(copied, vectors[rows], np.full(2, 0.5))
    assert thrice.value == pytest.approx(once.value, abs=1e-12)
    assert thrice.error == pytest.approx(once.error, rel=1e-9)


def test_the_error_is_that_of_the_jackknife() -> None:
    """But for the share of pairs that an image left out takes along, which it does not count."""
    images, vectors = balanced(["a", "photo"], 1, 60)
    vectors[images.real] += 1
    real, other = vectors[images.real], vectors[~images.real]
    total = 0.0
    for number, sample in enumerate((real, other)):
        left = []
        for at in range(60):
            pair = [real, other]
            pair[number] = np.delete(sample, at, axis=0)
            a, b = (np.asarray(each) for each in pair)
            sums = [float(kernel(x, x).sum() - np.trace(kernel(x, x))) for x in (a, b)]
            sizes = [len(x) * (len(x) - 1) for x in (a, b)]
            left.append(sums[0] / sizes[0] + sums[1] / sizes[1] - 2 * float(kernel(a, b).mean()))
        total += 59 / 60 * float(((np.array(left) - np.mean(left)) ** 2).sum())
    assert kid(images, vectors, np.ones(1)).error == pytest.approx(np.sqrt(total), rel=0.03)


@pytest.mark.long
def test_the_interval_holds_the_true_distance_about_as_often_as_it_says() -> None:
    """In one design; ``benchmarks/distances.py`` has others. Its truth is a sum over all pairs."""
    rng = np.random.default_rng(0)
    population = rng.standard_normal((2, 4, 100, 8)).astype(np.float32)
    population[1, ..., 0] += 1.5
    flat = population.reshape(2, -1, 8)
    means = [[kernel(a, b).mean() for b in flat] for a in flat]
    truth = means[0][0] + means[1][1] - means[0][1] - means[1][0]
    category = np.tile(np.repeat(np.arange(4), 15), 2)
    images = images_of(["a"] * 60 + ["photo"] * 60, [str(each) for each in category])
    held = 0
    for _ in range(400):
        drawn = rng.integers(100, size=120)
        vectors = population[(~images.real).astype(int), category, drawn]
        low, high = kid(images, vectors, np.full(4, 0.25)).bounds(0.95)
        held += low <= truth <= high
    assert 0.93 <= held / 400 <= 0.98


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    images, vectors = balanced(["a", "photo"], 3, 7)
    whole = kid(images, vectors, np.full(3, 1 / 3))
    monkeypatch.setattr(module, "_BLOCK", 5)
    parts = kid(images, vectors, np.full(3, 1 / 3))
    assert parts.value == pytest.approx(whole.value, abs=1e-12)
    assert parts.error == pytest.approx(whole.error, abs=1e-12)

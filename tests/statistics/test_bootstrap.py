"""The bootstrap resamples images within their category, all models at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthsight.statistics.bootstrap import (
    percentile_interval,
    resampled_means,
    resampled_means_of_counts,
    stratified_means,
    stream,
)


def resample_images(
    hits: npt.NDArray[np.bool_], strata: npt.NDArray[np.int64], resamples: int, seed: int
) -> npt.NDArray[np.float64]:
    """The definition, image by image."""
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(resamples):
        of_strata = []
        for label in np.unique(strata):
            rows = np.flatnonzero(strata == label)
            of_strata.append(hits[rng.choice(rows, size=len(rows))].mean(axis=0))
        means.append(np.mean(of_strata, axis=0))
    return np.array(means)


def correlated(n: int, columns: int, seed: int = 0) -> npt.NDArray[np.bool_]:
    rng = np.random.default_rng(seed)
    difficulty = rng.normal(size=(n, 1))
    return difficulty + rng.normal(size=(n, columns)) < 0.3


def test_mean_and_covariance_are_those_of_drawing_image_by_image() -> None:
    hits = correlated(230, 5)
    strata = np.repeat([0, 1, 2], [150, 60, 20])
    ours = resampled_means(hits, strata, 20_000, np.random.default_rng(1))
    direct = resample_images(hits, strata, 2_000, 2)
    assert np.allclose(ours.mean(axis=0), direct.mean(axis=0), atol=0.006)
    assert np.allclose(np.cov(ours.T), np.cov(direct.T), atol=0.12 * np.cov(direct.T).max())


def test_the_variance_is_the_formula_s() -> None:
    hits = correlated(230, 5)
    strata = np.repeat([0, 1, 2], [150, 60, 20])
    groups = [hits[strata == label] for label in range(3)]
    expected = sum(np.cov(g.T, bias=True) / len(g) for g in groups) / 9
    ours = resampled_means(hits, strata, 40_000, np.random.default_rng(1))
    assert np.allclose(np.cov(ours.T), expected, atol=0.05 * np.diag(expected).max())


def test_resampled_means_centre_on_the_unweighted_mean() -> None:
    hits = np.array([[True]] * 90 + [[False]] * 10)
    strata = np.repeat([0, 1], [90, 10])
    assert stratified_means(hits, strata) == pytest.approx([0.5])
    # Each category is all hits or none: whatever images are drawn, the mean is the same.
    assert (resampled_means(hits, strata, 50, np.random.default_rng(0)) == 0.5).all()


def test_images_are_drawn_with_replacement() -> None:
    hits = np.array([[True], [False]])
    means = resampled_means(hits, np.zeros(2, int), 8_000, np.random.default_rng(0))
    values, counts = np.unique(means, return_counts=True)
    # Two images: the distance from the observed mean is stretched by the root of two.
    assert values == pytest.approx([0.5 - 0.5 * 2**0.5, 0.5, 0.5 + 0.5 * 2**0.5])
    assert np.allclose(counts / 8_000, [0.25, 0.5, 0.25], atol=0.03)


def test_equal_columns_stay_equal() -> None:
    column = correlated(100, 1)
    means = resampled_means(
        np.hstack([column, ~column, column]), np.arange(100) % 7, 500, np.random.default_rng(0)
    )
    assert (means[:, 0] == means[:, 2]).all()
    assert np.allclose(means[:, 0] + means[:, 1], 1)
    assert means.std() > 0


def test_a_bound_on_memory_changes_nothing_but_the_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hits, strata = correlated(60, 12), np.arange(60) % 2
    whole = resampled_means(hits, strata, 1_000, np.random.default_rng(3))
    monkeypatch.setattr("synthsight.statistics.bootstrap._ENTRIES", 100)
    parts = resampled_means(hits, strata, 1_000, np.random.default_rng(3))
    assert (whole == parts).all()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_another_column_or_order_of_categories_changes_nothing(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 30))
    row = st.lists(st.booleans(), min_size=3, max_size=3)
    hits = np.array(data.draw(st.lists(row, min_size=n, max_size=n)))
    strata = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    means = resampled_means(hits, strata, 20, np.random.default_rng(0))
    fewer = resampled_means(hits[:, 1:], strata, 20, np.random.default_rng(0))
    assert (means[:, 1:] == fewer).all()
    by_category = np.argsort(strata, kind="stable")
    moved = resampled_means(hits[by_category], strata[by_category], 20, np.random.default_rng(0))
    assert (means == moved).all()
    assert means.shape == (20, 3)
    assert np.isfinite(means).all()


@pytest.mark.parametrize("n", [2, 5, 40])
def test_the_spread_is_that_of_the_mean_and_not_n_minus_one_nth_of_it(n: int) -> None:
    """The variance of a mean is estimated by s^2 / n, with s^2 = sum (x - m)^2 / (n - 1)."""
    hits = (np.arange(n) % 2 == 0)[:, None]
    means = resampled_means(hits, np.zeros(n, int), 40_000, np.random.default_rng(0))
    assert means.var() == pytest.approx(hits.var(ddof=1) / n, rel=0.03)


def test_a_single_image_does_not_vary() -> None:
    means = resampled_means(np.array([[True]]), np.zeros(1, int), 10, np.random.default_rng(0))
    assert (means == 1).all()


def test_the_interval_holds_the_middle_of_the_resamples() -> None:
    resampled = np.arange(1001, dtype=float)[:, None] * [1, 10]
    low, high = percentile_interval(resampled, 0.9)
    assert low == pytest.approx([50, 500])
    assert high == pytest.approx([950, 9500])


def test_a_stream_depends_on_the_seed_and_on_the_names() -> None:
    def first(seed: int, *names: str) -> int:
        return int(stream(seed, *names).integers(2**60))

    assert first(0, "a", "b") == first(0, "a", "b")
    others = {first(0, "a", "b"), first(1, "a", "b"), first(0, "ab"), first(0, "b", "a")}
    assert len(others) == 4


def test_counts_alone_give_the_distribution_of_a_single_column() -> None:
    hits = correlated(190, 1)
    strata = np.repeat([0, 1, 2], [150, 30, 10])
    images = resampled_means(hits, strata, 20_000, np.random.default_rng(1))
    n = np.bincount(strata)
    counts = np.bincount(strata[hits[:, 0]], minlength=3)
    ours = resampled_means_of_counts(counts, n, 20_000, np.random.default_rng(2))
    assert ours.shape == images.shape
    assert ours.mean() == pytest.approx(images.mean(), abs=0.003)
    assert ours.std() == pytest.approx(images.std(), rel=0.03)
    assert np.allclose(percentile_interval(ours, 0.9), percentile_interval(images, 0.9), atol=0.01)


def test_the_faster_type_gives_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    hits, strata = correlated(300, 6), np.arange(300) % 2
    single = resampled_means(hits, strata, 200, np.random.default_rng(3))
    monkeypatch.setattr("synthsight.statistics.bootstrap._EXACT", 0)
    double = resampled_means(hits, strata, 200, np.random.default_rng(3))
    assert (single == double).all()

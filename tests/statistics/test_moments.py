"""Moments are exact sums, and the variance is that of the definition, group by group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthsight.statistics.moments import Moments, Sample, Spread, moments_of_units

Numbers = npt.NDArray[np.int64]
NAMES = list(Spread.__dataclass_fields__)


def by_definition(hits: Numbers, strata: Numbers, groups: Numbers, scale: int = 1) -> Spread:
    """Each quantity of the mean over strata as its docstring has it, item by item."""
    labels, n = np.unique(strata, return_counts=True)
    weight = 1 / n[np.searchsorted(labels, strata)] / len(labels)
    values = hits / scale
    means = np.array([values[strata == label].mean() for label in labels])
    deviation = weight * (values - means[np.searchsorted(labels, strata)])
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    count = {label: len(np.unique(groups[strata == label])) for label in labels}
    weight_pooled = weight / np.sqrt([count[label] for label in strata])
    pooled, kish, of_hits, of_misses = (
        sum(parts[part].sum() ** 2 for part in members)
        for parts in (weight_pooled, weight, weight * values, weight * (1 - values))
    )
    numbers = {
        "mean": means.mean(),
        "second": (weight * values**2).sum(),
        "error": sum(deviation[part].sum() ** 2 for part in members),
        "pooled": pooled,
        "kish": kish,
        "hits": of_hits,
        "misses": of_misses,
    }
    return Spread(**{name: np.asarray(value) for name, value in numbers.items()})


samples = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(-2, 5)), min_size=1, max_size=40
)


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(samples, st.integers(1, 5))
def test_moments_are_those_of_the_definition_also_of_groups_in_several_strata(
    rows: list[tuple[int, int, int]], scale: int
) -> None:
    strata, groups, hits = np.array(rows).T
    found = Sample(strata, groups).moments(hits[:, None], scale).mean()
    expected = by_definition(hits, strata, groups, scale)
    for name in NAMES:
        value = getattr(found, name)[0]
        assert value == pytest.approx(float(getattr(expected, name)), abs=1e-12), name


@settings(max_examples=60, deadline=None)
@given(samples)
def test_a_cell_is_the_mean_over_one_stratum(rows: list[tuple[int, int, int]]) -> None:
    strata, groups, hits = np.array(rows).T
    cells = Sample(strata, groups).moments(hits[:, None]).cells()
    for place, label in enumerate(np.unique(strata)):
        inside = strata == label
        expected = by_definition(hits[inside], strata[inside], groups[inside])
        for name in NAMES:
            found = getattr(cells, name)[place, 0]
            assert found == pytest.approx(float(getattr(expected, name)), abs=1e-12), name


@settings(max_examples=60, deadline=None)
@given(samples, st.randoms(use_true_random=False))
def test_neither_the_order_of_items_nor_the_names_of_groups_change_a_bit(
    rows: list[tuple[int, int, int]], random: object
) -> None:
    strata, groups, hits = np.array(rows).T
    order = np.array(random.sample(range(len(rows)), len(rows)))  # type: ignore[attr-defined]
    first = Sample(strata, groups).moments(hits[:, None]).cells()
    other = Sample(strata[order] * 3, 100 - groups[order]).moments(hits[order][:, None]).cells()
    for name in NAMES:
        assert getattr(first, name).tolist() == getattr(other, name).tolist(), name


def test_other_columns_change_nothing_and_many_are_summed_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    sample = Sample(rng.integers(0, 5, 200), rng.integers(0, 60, 200))
    hits = rng.random((200, 30)) < 0.5
    whole = sample.moments(hits).mean()
    monkeypatch.setattr("synthsight.statistics.moments._ENTRIES", 700)
    parts, alone = sample.moments(hits).mean(), sample.moments(hits[:, 3:4]).mean()
    for name in NAMES:
        assert getattr(whole, name).tolist() == getattr(parts, name).tolist()
        assert np.broadcast_to(getattr(whole, name), 30)[3] == getattr(alone, name)[0]


def test_a_group_of_one_is_no_group() -> None:
    rng = np.random.default_rng(0)
    strata, hits = rng.integers(0, 5, 60), rng.random((60, 4)) < 0.5
    with_groups = Sample(strata, rng.permutation(60)).moments(hits)
    without = Sample(strata).moments(hits)
    for one, other in (
        (with_groups.mean(), without.mean()),
        (with_groups.cells(), without.cells()),
    ):
        for name in (*NAMES, "variance", "total"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-15)


def test_units_of_single_items_are_counted_together() -> None:
    """Counts by category and group, as the accuracies have them, say all that images do."""
    strata = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    groups = np.array([5, 5, 1, 2, 3, 5, 4, 4])  # 1, 2 and 3 are single items
    hits = np.array([1, 0, 1, 1, 0, 1, 0, 1])
    of_items = Sample(strata, groups).moments(hits[:, None]).mean()
    sums = np.array([[1], [2], [1], [1]])
    units = moments_of_units(
        np.array([0, 0, 1, 1]), np.array([7, -1, 7, 8]), np.array([2, 3, 1, 2]), sums, sums
    )
    for name in NAMES:
        np.testing.assert_allclose(getattr(units.mean(), name), getattr(of_items, name))


# --- The variance -----------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 17, 500])
def test_the_variance_of_a_single_stratum_of_single_items_is_the_textbook_s(n: int) -> None:
    for right in range(n + 1):
        hits = (np.arange(n) < right)[:, None]
        variance = Sample(np.zeros(n, int)).moments(hits).mean().variance[0]
        m = right / n
        assert variance == pytest.approx(m * (1 - m) / (n - 1), abs=1e-15)
        assert variance == pytest.approx(hits.var(ddof=1) / n, abs=1e-15)


def test_the_variance_of_large_strata_is_that_of_stratified_sampling() -> None:
    rng = np.random.default_rng(0)
    strata = np.repeat([0, 1, 2], [3000, 900, 400])
    hits = rng.random((4300, 1)) < np.array([0.9, 0.5, 0.1])[strata][:, None]
    variance = Sample(strata).moments(hits).mean().variance[0]
    parts = [hits[strata == label] for label in range(3)]
    expected = sum(part.var(ddof=1) / len(part) for part in parts) / 9
    assert variance == pytest.approx(expected, rel=0.01)


def test_strata_of_one_item_vary_like_all_items_together() -> None:
    hits = (np.arange(17) < 5)[:, None]
    alone = Sample(np.arange(17)).moments(hits).mean().variance[0]
    together = Sample(np.zeros(17, int)).moments(hits).mean().variance[0]
    assert alone == pytest.approx(together) and alone > 0


def test_a_single_group_has_no_variance() -> None:
    sample = Sample(np.zeros(4, int), np.zeros(4, int))
    assert sample.moments(np.array([[1], [0], [1], [1]])).mean().variance.tolist() == [0]
    assert Sample(np.zeros(1, int)).moments(np.array([[True]])).mean().variance.tolist() == [0]


@pytest.mark.parametrize("icc", [0.0, 0.3, 1.0])
def test_the_variance_is_that_of_the_means_or_a_little_more(icc: float) -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 4)
    strata = np.repeat([0, 1, 2], 80)
    chance = np.array([0.2, 0.5, 0.8])[strata][:, None]
    own, common = rng.random((240, 4000)), rng.random((60, 4000))[groups]
    hits = np.where(rng.random((240, 4000)) < np.sqrt(icc), common, own) < chance
    spread = Sample(strata, groups).moments(hits).mean()
    # One group of 20 is taken to vary like an item of any stratum, and its four alike.
    assert 0.95 < spread.variance.mean() / spread.mean.var() < 1 + 4 / 20 * (1 - icc) + 0.1


def test_groups_in_several_strata_vary_together() -> None:
    """A prompt that is hard in one category and in another says the same twice."""
    rng = np.random.default_rng(0)
    easy = rng.random((50, 2000))
    hits = np.concatenate([easy < 0.4, easy < 0.6])
    strata = np.repeat([0, 1], 50)
    crossing = Sample(strata, np.tile(np.arange(50), 2)).moments(hits).mean()
    apart = Sample(strata, np.arange(100)).moments(hits).mean()
    assert crossing.variance.mean() == pytest.approx(crossing.mean.var(), rel=0.08)
    assert apart.variance.mean() < 0.7 * crossing.mean.var()
    assert crossing.mean.tolist() == apart.mean.tolist()


def test_the_scale_divides() -> None:
    hits = np.array([[0], [3], [1], [2]])
    found: Moments = Sample(np.zeros(4, int)).moments(hits, scale=3)
    assert found.mean().mean.tolist() == [0.5]
    assert found.mean().variance[0] == pytest.approx((hits / 3).var(ddof=1) / 4)

"""Covariances are those of the definition, and the ranking is drawn from them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthsight.statistics.moments import Sample
from synthsight.statistics.ranking import covariance, ranking, stream

Numbers = npt.NDArray[np.int64]


def by_definition(hits: npt.NDArray[np.bool_], strata: Numbers, groups: Numbers) -> np.ndarray:
    """The covariances of the means, item by item; no group lies in two strata."""
    labels = np.unique(strata)
    columns = hits.shape[1]
    error, second = np.zeros((columns, columns)), np.zeros((columns, columns))
    pooled, mean = 0.0, np.zeros(columns)
    for label in labels:
        of, members = hits[strata == label].astype(float), groups[strata == label]
        weight = 1 / len(of) / len(labels)
        residuals = weight * (of - of.mean(axis=0))
        mean += of.mean(axis=0) / len(labels)
        squares = []
        for group in np.unique(members):
            together = residuals[members == group].sum(axis=0)
            error += np.outer(together, together)
            squares.append((weight * (members == group).sum()) ** 2)
        second += weight * of.T @ of
        pooled += float(np.mean(squares))
    return (error + pooled * (second - np.outer(mean, mean))) / (1 - pooled)


def some(seed: int, strata: Numbers, columns: int = 4) -> npt.NDArray[np.bool_]:
    rng = np.random.default_rng(seed)
    hard = rng.normal(size=(len(strata), 1))
    return hard + rng.normal(size=(len(strata), columns)) < 0.3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=2, max_size=40), st.data()
)
def test_covariances_are_those_of_the_definition(
    rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    strata, inside = np.array(rows).T
    groups = strata * 10 + inside  # a group lies in one stratum
    hits = some(data.draw(st.integers(0, 99)), strata)
    found = covariance(hits, Sample(strata, groups))
    if len(np.unique(groups)) == 1:
        assert (found == 0).all()
    else:
        np.testing.assert_allclose(found, by_definition(hits, strata, groups), atol=1e-12)
    spread = Sample(strata, groups).moments(hits).mean()
    np.testing.assert_allclose(np.diag(found), spread.variance, atol=1e-12)


def test_without_groups_each_image_is_one() -> None:
    strata = np.repeat([0, 1, 2], [30, 5, 1])
    hits = some(0, strata)
    found = covariance(hits, Sample(strata))
    np.testing.assert_allclose(found, by_definition(hits, strata, np.arange(36)), atol=1e-14)
    np.testing.assert_allclose(found, covariance(hits, Sample(strata, np.arange(36))), atol=1e-14)


def test_the_diagonal_is_the_variance_also_of_groups_in_several_strata() -> None:
    strata, groups = np.repeat([0, 1], 20), np.tile(np.arange(20), 2)
    hits = np.tile(some(1, strata[:20]), (2, 1))
    sample = Sample(strata, groups)
    variance = sample.moments(hits).mean().variance
    np.testing.assert_allclose(np.diag(covariance(hits, sample)), variance, rtol=1e-12)
    difference = sample.moments(hits[:, :1].astype(int) - hits[:, 1:2]).mean().variance[0]
    found = covariance(hits[:, :2], sample)
    assert found[0, 0] + found[1, 1] - 2 * found[0, 1] == pytest.approx(difference)


def test_the_variance_of_a_difference_follows_from_the_covariances() -> None:
    strata = np.repeat([0, 1, 2], [30, 5, 1])
    groups = np.repeat(np.arange(18), 2)
    hits = some(2, strata)
    for sample in (Sample(strata), Sample(strata, groups + 100 * strata)):
        found = covariance(hits, sample)
        difference = hits[:, :1].astype(int) - hits[:, 1:]
        expected = sample.moments(difference).mean().variance
        ours = found[0, 0] + np.diag(found)[1:] - 2 * found[0, 1:]
        np.testing.assert_allclose(ours, expected, atol=1e-14)


def test_models_with_the_same_hits_tie_in_every_draw() -> None:
    strata = np.repeat([0, 1, 2], [30, 5, 1])
    hits = some(3, strata)[:, [0, 1, 0]]
    table = ranking(["a", "b", "c"], hits, Sample(strata), 500, np.random.default_rng(0))
    shares = table["share"].to_numpy().reshape(3, 3)
    np.testing.assert_allclose(shares[0], shares[2], atol=1e-12)
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    assert table["mean"].nunique() == 2


def test_draws_have_the_means_and_covariances(monkeypatch: pytest.MonkeyPatch) -> None:
    strata = np.repeat([0, 1, 2], [30, 5, 1])
    hits, seen = some(4, strata), []

    def watch(drawn: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        seen.append(drawn)
        return np.zeros((4, 4))

    monkeypatch.setattr("synthsight.statistics.ranking.rank_shares", watch)
    ranking(list("abcd"), hits, Sample(strata), 40_000, np.random.default_rng(0))
    expected = covariance(hits, Sample(strata))
    np.testing.assert_allclose(np.cov(seen[0].T), expected, atol=0.04 * expected.max())
    means = np.mean([hits[strata == label].mean(axis=0) for label in range(3)], axis=0)
    np.testing.assert_allclose(seen[0].mean(axis=0), means, atol=0.004)


def test_the_same_stream_gives_the_same_ranking_in_any_order_of_images() -> None:
    strata, groups = np.repeat([0, 1, 2], [30, 5, 1]), np.repeat(np.arange(18), 2)
    hits = some(5, strata)
    order = np.random.default_rng(1).permutation(36)
    tables = [
        ranking(list("abcd"), hits[of], Sample(strata[of], groups[of]), 300, stream(0, "x"))
        for of in (np.arange(36), order)
    ]
    assert tables[0].equals(tables[1])
    other = ranking(list("abcd"), hits, Sample(strata, groups), 300, stream(1, "x"))
    assert not other.equals(tables[0])


def test_a_single_group_says_nothing_about_the_order() -> None:
    """Its variation is not known, so it is not drawn."""
    hits = np.array([[True, False], [True, True]])
    table = ranking(["a", "b"], hits, Sample(np.zeros(2, int), np.zeros(2, int)), 50, stream(0))
    assert table["share"].tolist() == [1, 0, 0, 1]


def test_a_stream_depends_on_the_seed_and_on_the_names() -> None:
    def first(seed: int, *names: str) -> int:
        return int(stream(seed, *names).integers(2**60))

    assert first(0, "a", "b") == first(0, "a", "b")
    others = {first(0, "a", "b"), first(1, "a", "b"), first(0, "ab"), first(0, "b", "a")}
    assert len(others) == 4

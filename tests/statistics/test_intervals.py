"""Intervals that hold with few items, near 0 and 1, and in groups; coverage in a few cells."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import beta, norm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from synthsight.statistics.intervals import (
    FEW,
    effective_size,
    paired_interval,
    share_interval,
    unpaired_interval,
)
from synthsight.statistics.moments import Sample, Spread
from tests.support import REPOSITORY

Flags = npt.NDArray[np.bool_]

rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 8), st.booleans(), st.booleans()),
    min_size=1,
    max_size=40,
)


def spread_of(right: int, n: int) -> Spread:
    """Hits of single items of one stratum."""
    return Sample(np.zeros(n, int)).moments((np.arange(n) < right)[:, None]).mean()


def of_pair(a: Flags, b: Flags, sample: Sample, level: float = 0.95) -> tuple[float, float]:
    """The bounds of the difference of two columns."""
    columns = (a.astype(int) - b, (a & ~b).astype(int), (b & ~a).astype(int))
    spreads = [sample.moments(column[:, None]).mean() for column in columns]
    low, high = paired_interval(*spreads, level)
    return float(low[0]), float(high[0])


# --- Shares -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5, 40, 100])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_a_share_has_wilsons_interval_and_with_few_hits_reaches_the_exact_bound(
    n: int, level: float
) -> None:
    for right in range(n + 1):
        low, high = (bound[0] for bound in share_interval(spread_of(right, n), level))
        low_w, high_w = proportion_confint(right, n, 1 - level, method="wilson")
        exact_low = beta.ppf(1 - level, right, n - right + 1) if right else 0
        exact_high = 1 - beta.ppf(1 - level, n - right, right + 1) if right < n else 1
        if right < FEW:
            low_w = min(low_w, exact_low)
        if n - right < FEW:
            high_w = max(high_w, exact_high)
        assert (low, high) == pytest.approx((max(low_w, 0), min(high_w, 1)), abs=1e-9)


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(rows, st.sampled_from([0.8, 0.95, 0.99]))
def test_a_share_s_bounds_hold_it_are_never_equal_and_mirror(
    rows_: list[tuple[int, int, bool, bool]], level: float
) -> None:
    strata, groups, hits, _ = (np.array(column) for column in zip(*rows_, strict=True))
    moments = Sample(strata, groups).moments(np.stack([hits, ~hits], axis=1))
    for spread in (moments.mean(), moments.cells()):
        low, high = share_interval(spread, level)
        assert ((low >= 0) & (high <= 1)).all()
        assert ((low <= spread.mean + 1e-12) & (spread.mean - 1e-12 <= high)).all()
        assert (high - low > 0.01).all()
        np.testing.assert_allclose(low[..., 0], 1 - high[..., 1], atol=1e-9)
        np.testing.assert_allclose(high[..., 0], 1 - low[..., 1], atol=1e-9)


def test_all_hits_of_single_images_are_as_sure_as_so_many_images() -> None:
    hits = np.ones((17, 1), bool)
    apart, together = (
        share_interval(Sample(strata).moments(hits).mean(), 0.95)
        for strata in (np.arange(17), np.zeros(17, int))
    )
    assert apart[0] == pytest.approx(together[0])
    assert apart[0][0] == pytest.approx(min(0.05 ** (1 / 17), 17 / (17 + norm.ppf(0.975) ** 2)))
    assert apart[1][0] == 1


def test_a_heavy_image_among_many_keeps_its_doubt() -> None:
    """100 hits of one category, and a single one of another, which weighs as much."""
    strata = np.repeat([0, 1], [100, 1])
    low, high = share_interval(Sample(strata).moments(np.ones((101, 1), bool)).mean(), 0.95)
    assert low[0] < 0.5 and high[0] == 1


def test_the_effective_size_is_the_number_of_items_or_of_groups() -> None:
    assert effective_size(spread_of(3, 10)) == pytest.approx([10])
    assert effective_size(spread_of(0, 10)) == pytest.approx([10])
    hits, groups = np.repeat(np.arange(10) < 3, 4), np.repeat(np.arange(10), 4)
    for column in (hits, np.ones(40, bool)):
        spread = Sample(np.zeros(40, int), groups).moments(column[:, None]).mean()
        assert effective_size(spread) == pytest.approx([10])


# --- Paired differences -----------------------------------------------------------------------


def tango(b: int, c: int, n: int, level: float) -> tuple[float, float]:
    """Tango 1998: where the score is the normal quantile, found by root finders.

    The share that only the second gets is the likeliest one at each difference, found as the root
    of the likelihood's slope rather than by his formula.
    """
    z = norm.ppf((1 + level) / 2)

    def score(d: float) -> float:
        def slope(q: float) -> float:
            return b / (q + d) + c / q - 2 * (n - b - c) / (1 - 2 * q - d)

        q = brentq(slope, max(0, -d) + 1e-13, (1 - d) / 2 - 1e-13)
        return float((b - c - n * d) / np.sqrt(n * (2 * q + d * (1 - d))))

    at, edge = (b - c) / n, 1 - 1e-6
    return (
        brentq(lambda d: score(d) - z, -edge, at - 1e-9),
        brentq(lambda d: score(d) + z, at + 1e-9, edge),
    )


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize(
    ("b", "c", "n"), [(40, 30, 200), (25, 60, 300), (90, 30, 150), (400, 380, 5000)]
)
def test_the_interval_of_one_stratum_is_tango_s(b: int, c: int, n: int, level: float) -> None:
    assert of_counts(b, c, n, level) == pytest.approx(tango(b, c, n, level), abs=1e-6)


def test_few_items_that_differ_never_narrow_tango_s_interval() -> None:
    for b, c, n in ((1, 7, 30), (2, 12, 50), (3, 4, 9)):
        (low, high), expected = of_counts(b, c, n, 0.95), tango(b, c, n, 0.95)
        assert low <= expected[0] + 1e-6 and high >= expected[1] - 1e-6
        assert high - low < 1.3 * (expected[1] - expected[0])


def of_counts(b: int, c: int, n: int, level: float) -> tuple[float, float]:
    a = np.arange(n) < b
    other = (np.arange(n) >= b) & (np.arange(n) < b + c)
    return of_pair(a, other, Sample(np.zeros(n, int)), level)


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(rows, st.sampled_from([0.8, 0.95, 0.99]))
def test_a_difference_s_bounds_hold_it_are_never_equal_and_mirror(
    rows_: list[tuple[int, int, bool, bool]], level: float
) -> None:
    strata, groups, a, b = (np.array(column) for column in zip(*rows_, strict=True))
    sample = Sample(strata, groups)
    low, high = of_pair(a, b, sample, level)
    means = sample.moments(np.stack([a, b], axis=1)).mean().mean
    assert -1 <= low <= means[0] - means[1] + 1e-9
    assert means[0] - means[1] - 1e-9 <= high <= 1
    assert high - low > 0.01
    other_low, other_high = of_pair(b, a, sample, level)
    assert (low, high) == pytest.approx((-other_high, -other_low), abs=1e-9)


@pytest.mark.parametrize("n", [1, 5, 100, 1000])
def test_models_with_the_same_hits_may_differ_a_little(n: int) -> None:
    hits = np.arange(n) % 3 > 0
    low, high = of_pair(hits, hits, Sample(np.zeros(n, int)))
    assert low == pytest.approx(-high)
    # Tango's, with no item that differs: z^2 / (n + z^2).
    z2 = norm.ppf(0.975) ** 2
    assert high >= z2 / (n + z2) - 1e-9
    assert high < 0.05 or n < 1000


# --- Unpaired differences and groups ----------------------------------------------------------


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (9, 30, 28, 40), (200, 400, 30, 90)])
def test_a_difference_of_two_samples_is_newcombe_s(counts: Sequence[int]) -> None:
    right_a, n_a, right_b, n_b = counts
    sides = [proportion_confint(x, n, method="wilson") for x, n in ((right_a, n_a), (right_b, n_b))]
    low, high = unpaired_interval(
        np.array(right_a / n_a), sides[0], np.array(right_b / n_b), sides[1]
    )
    expected = confint_proportions_2indep(right_a, n_a, right_b, n_b, method="newcomb")
    assert (float(low), float(high)) == pytest.approx(expected)
    turned = unpaired_interval(np.array(right_b / n_b), sides[1], np.array(right_a / n_a), sides[0])
    assert (float(low), float(high)) == pytest.approx((-turned[1], -turned[0]))


def test_copies_in_groups_have_the_interval_of_the_items_alone() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 60)) < 0.6
    strata = np.repeat([0, 1, 2], 20)
    alone = of_pair(a, b, Sample(strata))
    four = of_pair(
        *(np.repeat(x, 4) for x in (a, b)),
        Sample(np.repeat(strata, 4), np.repeat(np.arange(60), 4)),
    )
    assert four == pytest.approx(alone)
    shares = [
        share_interval(sample.moments(hits[:, None]).mean(), 0.95)
        for sample, hits in (
            (Sample(strata), a),
            (Sample(np.repeat(strata, 4), np.repeat(np.arange(60), 4)), np.repeat(a, 4)),
        )
    ]
    np.testing.assert_allclose(shares[0], shares[1])


# --- Coverage ---------------------------------------------------------------------------------


@pytest.fixture(name="coverage", scope="module")
def coverage_() -> ModuleType:
    """The program that measures coverage over the whole grid."""
    path = REPOSITORY / "benchmarks" / "coverage.py"
    spec = importlib.util.spec_from_file_location("coverage_of_intervals", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("interval", "name"),
    [
        ("accuracy in a category, agreement", "1 x 5, rate 0.9"),
        ("mean over categories", "17 x 1, rate 0.98"),
        ("mean over categories", "100 + 1, rate 0.9"),
        ("mean over categories", "3 x 2, rates 0 to 1"),
        ("mean over categories, groups of 4", "17 x 3, rate 0.5, icc 0.8"),
        ("difference of models", "17 x 1, only one 0.05 and 0.05"),
        ("difference of models", "12 x 100 + 5 x 1, only one 0.3 and 0.3"),
        ("difference of rules", "3 x 2, only one 0 and 0.1"),
        ("drop, difference of generators", "17 x 1 and 100, rate 0.9 and rate 0.5"),
        (
            "drop, difference of generators, mean over 5 models",
            "3 x 1 and 1, rate 0.5 and rate 0.5",
        ),
        ("kappa", "50 images, accuracies 0.9 and 0.9, kappa 0.2"),
        ("questions, accuracy", "50 images, 0.77, icc 0.3"),
    ],
)
def test_intervals_hold_the_truth_as_often_as_they_say(
    coverage: ModuleType, interval: str, name: str
) -> None:
    """In a few cells; ``benchmarks/coverage.py`` has all of them, and more simulations."""
    (cell,) = (c for c in coverage.grid() if (c.interval, c.name) == (interval, name))
    found = coverage.Found()
    drawn = cell.simulate(1500, np.random.default_rng(0))
    found.add(drawn.truth, drawn.bounds)
    # The bound is 0.93; four standard errors of the simulation less.
    assert found.coverage > 0.93 - 4 * np.sqrt(0.93 * 0.07 / 1500)


def test_the_bootstrap_within_categories_did_not_hold_with_single_images(
    coverage: ModuleType,
) -> None:
    (cell,) = (c for c in coverage.grid() if c.name == "17 x 1, rate 0.9")
    found = coverage.measure(cell, 100, 0)
    assert found.before.coverage == 0 and found.ours.coverage > 0.9


def test_images_of_groups_are_not_independent(coverage: ModuleType) -> None:
    (cell,) = (c for c in coverage.grid() if c.name == "3 x 12, rate 0.5, icc 0.8")
    found = coverage.measure(cell, 1000, 0)
    assert found.itemwise.coverage < 0.8 < 0.92 < found.ours.coverage

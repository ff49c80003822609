"""Bounds in the tables follow from both parts of the variance, derived here a second time."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from synthsight.features.samples import Images
from synthsight.statistics.intervals import paired_interval, share_interval, unpaired_interval
from synthsight.statistics.moments import Sample, Spread
from synthsight.transfer.crossfit import Fits, fit, weights_of_units
from synthsight.transfer.design import Design, design
from synthsight.transfer.rows import Tested as Rows
from tests.transfer.worlds import images_of, vectors_of

Rows.__test__ = False  # type: ignore[attr-defined]  # it is no class of tests

LEVEL, RESAMPLES = 0.9, 40
PENALTY = np.array([[0.1, 1, 1], [100, 10, 1]])
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


def drawn(prompts: bool) -> tuple[Images, Design, Fits, Any]:
    """What heads might get: no head is trained, so that all parts of a variance differ."""
    images = images_of({"a": [9, 12, 10], "photo": [12, 8, 9]}, group=2)
    if prompts:  # some units have images of both sources
        images = replace(images, unit=images.unit % 10)
    plan = design(images, ["max"], 3, 0)
    rng = np.random.default_rng(1)
    weights = weights_of_units(int(images.unit.max()) + 1, RESAMPLES, 0)
    taken = np.where(rng.random((2, len(images))) < 0.6, plan.label, (plan.label + 1) % 3)
    # Resampled heads go with the weights, as they do where units are on both sides.
    pull = weights[:, :10].sum(axis=1) / 100
    cells = rng.uniform(0.3, 0.7, (2, 2, RESAMPLES, 3)) + pull[None, None, :, None]
    stretch = np.array([[1.2, 1.6, 1.4], [2.0, 1.5, 1.0]])
    fits = Fits(("a", "photo"), taken, PENALTY, cells.mean(axis=3), cells, stretch)
    return images, plan, fits, weights


def spread_of(images: Images, hits: Any, here: Any) -> Spread:
    return Sample(images.category[here], images.unit[here]).moments(hits[here, None]).mean()


def moves(images: Images, hits: Any, here: Any, weights: Any) -> Any:
    """How much the mean on the images of a source moves in each resample, image by image."""
    found = np.zeros(RESAMPLES)
    for category in range(3):
        rows = np.flatnonzero(here & (images.category == category))
        for row in rows:
            away = hits[row] - hits[rows].mean()
            found += weights[:, images.unit[row]] * away / len(rows) / 3
    return found


def further(value: float, bound: float, variance: float) -> float:
    return float(np.hypot(value - bound, Z * max(0.0, variance) ** 0.5))


@pytest.mark.parametrize("prompts", [False, True])
def test_bounds_are_those_of_tested_images_and_of_heads_and_what_these_share(prompts: bool) -> None:
    images, plan, fits, weights = drawn(prompts)
    table = Rows(images, plan, plan.sizes[-1], fits, weights, LEVEL).pairs()
    table = table.set_index(["train", "test"])
    shared = []
    for a, train in enumerate(fits.names):
        hits = fits.taken[a] == plan.label
        for b, test in enumerate(fits.names):
            here = images.sources[test]
            row, spread = table.loc[(train, test)], spread_of(images, hits, here)
            variance = np.var(fits.means[a, b], ddof=1)
            if prompts or train == test:  # units are trained on and tested
                together = np.cov(moves(images, hits, here, weights), fits.means[a, b])[0, 1]
                shared.append(together / variance)
                variance += 2 * together
            variance *= fits.stretch[a].mean()
            low, high = (float(each[0]) for each in share_interval(spread, LEVEL))
            value = row["top1"]
            assert value == pytest.approx(float(spread.mean[0]))
            assert row["low"] == pytest.approx(value - further(value, low, variance))
            assert row["high"] == pytest.approx(value + further(value, high, variance))
            assert row["low"] < low - 0.01, "heads on other images would differ, too"
    assert max(map(abs, shared)) > 0.1


def test_rows_count_what_is_trained_on_and_tested() -> None:
    images, plan, fits, weights = drawn(False)
    rows = Rows(images, plan, 5, fits, weights, LEVEL)
    table = rows.pairs().set_index(["train", "test"])
    assert table["n_test"].to_dict() == {
        (train, test): {"a": 31, "photo": 29}[test] for train in fits.names for test in fits.names
    }
    assert table["penalty"].unstack()["a"].to_dict() == {"a": 1, "photo": 10}
    assert (table["n_train"] == 15).all() and (table["chance"] == 1 / 3).all()
    cells = rows.categories().set_index(["train", "test", "category"])["n_test"]
    assert cells["photo"]["a"].tolist() == [9, 12, 10]
    assert cells["a"]["photo"].tolist() == [12, 8, 9]


@pytest.mark.parametrize("prompts", [False, True])
def test_differences_have_the_variance_of_both_heads_together(prompts: bool) -> None:
    images, plan, fits, weights = drawn(prompts)
    table = Rows(images, plan, plan.sizes[-1], fits, weights, LEVEL).pairs()
    table = table.set_index(["train", "test"])
    photo = images.sources["photo"]
    of_photo = fits.taken[1] == plan.label
    base = spread_of(images, of_photo, photo)
    for (a, train), (b, test) in [((0, "a"), (1, "photo")), ((1, "photo"), (0, "a"))]:
        hits, here = fits.taken[a] == plan.label, images.sources[test]
        apart = fits.means[a, b] - fits.means[1, 1]
        moved = moves(images, hits, here, weights) - moves(images, of_photo, photo, weights)
        variance = np.var(apart, ddof=1) + 2 * np.cov(moved, apart)[0, 1]
        variance *= (fits.stretch[a].mean() + fits.stretch[1].mean()) / 2
        if test == "photo":
            signed = hits.astype(int) - of_photo
            spreads = [spread_of(images, each, here) for each in (signed, signed > 0, signed < 0)]
            low, high = paired_interval(spreads[0], spreads[1], spreads[2], LEVEL)
        else:
            mine = spread_of(images, hits, here)
            bounds = share_interval(mine, LEVEL), share_interval(base, LEVEL)
            low, high = unpaired_interval(mine.mean, bounds[0], base.mean, bounds[1])
        row = table.loc[(train, test)]
        value = row["top1"] - table.loc[("photo", "photo"), "top1"]
        assert row["difference"] == pytest.approx(value)
        expected = value - further(value, float(low[0]), variance)
        assert row["difference_low"] == pytest.approx(expected)
        assert row["difference_high"] == pytest.approx(
            value + further(value, float(high[0]), variance)
        )
        assert row["difference_low"] < float(low[0]) - 0.01


def test_bounds_of_single_categories_are_about_other_heads_too() -> None:
    images, plan, fits, weights = drawn(False)
    table = Rows(images, plan, plan.sizes[-1], fits, weights, LEVEL).categories()
    table = table.set_index(["train", "test", "category"])
    for a, train in enumerate(fits.names):
        hits = fits.taken[a] == plan.label
        for b, test in enumerate(fits.names):
            for category in range(3):
                here = images.sources[test] & (images.category == category)
                spread = spread_of(images, hits, here)
                row = table.loc[(train, test, f"c{category}")]
                variance = np.var(fits.cells[a, b, :, category], ddof=1) * fits.stretch[a].mean()
                low, high = (float(each[0]) for each in share_interval(spread, LEVEL))
                value = row["top1"]
                assert value == pytest.approx(hits[here].mean())
                expected = max(0.0, value - further(value, low, variance))
                assert row["low"] == pytest.approx(expected)
                expected = min(1.0, value + further(value, high, variance))
                assert row["high"] == pytest.approx(expected)


@pytest.mark.slow
def test_resamples_vary_as_other_samples_would_once_they_are_stretched() -> None:
    """Of a mean of few units, whose variance is known: that of its units by their number."""
    images = images_of({"photo": [12] * 3}, group=3)
    plan = design(images, [6], 4, 0)
    few = fit(images, vectors_of(images), plan, 6, weights_of_units(12, 3, 0), 0)
    units = 3  # of a category, outside each fold
    weights = weights_of_units(units, 40_000, 0).astype(float)
    values = np.array([0.0, 1.0, 5.0])
    means = weights @ values / weights.sum(axis=1)
    stretched = means.var() * float(few.stretch[0, 0])
    assert stretched == pytest.approx(values.var(ddof=1) / units, rel=0.03)
    assert few.stretch == pytest.approx(np.full((1, 3), (units + 1) / (units - 1)))

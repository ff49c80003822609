"""What heads get on each source, against scikit-learn, and that nothing of a test leaks."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from synthsight.features.samples import Images, Vectors
from synthsight.statistics.columns import MEASURES, TRANSFER, TRANSFER_CATEGORIES
from synthsight.transfer.crossfit import fit, weights_of_units
from synthsight.transfer.design import design
from synthsight.transfer.train_heads import train_heads
from tests.transfer.worlds import images_of, vectors_of

Found = tuple[pd.DataFrame, pd.DataFrame, list[str]]


def train(images: Images, vectors: Vectors, **settings: Any) -> Found:
    defaults = {"per_category": ["max"], "folds": 4, "resamples": 20, "seed": 0, "level": 0.95}
    return train_heads(images, vectors, **{**defaults, **settings})


def top1(pairs: pd.DataFrame, trained: str, tested: str) -> float:
    (row,) = pairs[(pairs["train"] == trained) & (pairs["test"] == tested)].itertuples()
    return float(row.top1)


@cache
def three() -> tuple[Images, Vectors, Found]:
    images = images_of({"a": [12] * 4, "b": [12] * 4, "photo": [12] * 4})
    vectors = vectors_of(images)
    return images, vectors, train(images, vectors, per_category=[3, "max"])


@pytest.mark.slow
def test_the_matrix_is_that_of_plain_scikit_learn() -> None:
    # The same folds; all images outside them, and the median penalty for all folds.
    images, vectors, (pairs, _, _) = three()
    part = design(images, ["max"], 4, 0).part
    largest = pairs[pairs["per_category"] == pairs["per_category"].max()]
    penalties = largest.groupby("train")["penalty"].first()
    for trained, ours in images.sources.items():
        taken, inverse = np.empty(len(images), int), 1 / penalties[trained]
        for fold in range(4):
            head = make_pipeline(StandardScaler(), LogisticRegression(C=inverse, max_iter=1000))
            rows = ours & (part != fold)
            head.fit(vectors[rows], images.category[rows])
            taken[part == fold] = head.predict(vectors[part == fold])
        for tested, theirs in images.sources.items():
            hit = (taken == images.category)[theirs].mean()
            if trained != "*":  # which has twice as many images here
                assert top1(largest, trained, tested) == pytest.approx(hit, abs=4.1 / 48)


@pytest.mark.long
def test_heads_of_resamples_are_those_of_scikit_learn_with_the_units_weights() -> None:
    images = images_of({"a": [12] * 4, "photo": [12] * 4}, group=2)
    vectors = vectors_of(images)
    plan, weights = design(images, ["max"], 4, 0), weights_of_units(len(images) // 2, 10, 0)
    found = fit(images, vectors, plan, plan.sizes[-1], weights, 0)
    expected = np.zeros_like(found.cells)
    for (a, train), fold in itertools.product(enumerate(found.names), range(4)):
        place = plan.place[train, fold]
        rows = np.flatnonzero((place >= 0) & (place < plan.sizes[-1]))
        label, tests = images.category[rows], np.flatnonzero(plan.part == fold)
        scaler = StandardScaler().fit(vectors[rows])
        for resample, of_units in enumerate(weights):
            heavy = of_units[images.unit[rows]].astype(float)
            heavy *= plan.sizes[-1] / np.bincount(label, heavy)[label]
            head = LogisticRegression(C=1 / found.penalty[a, fold], max_iter=5000, tol=1e-8)
            head.fit(scaler.transform(vectors[rows]), label, sample_weight=heavy)
            hits = head.predict(scaler.transform(vectors[tests])) == images.category[tests]
            for b, test in enumerate(found.names):
                here = images.sources[test]
                share = hits * here[tests] / 12
                expected[a, b, resample] += np.bincount(images.category[tests], share, 4)
    # Heads of resamples are solved less closely, so that a few images change sides.
    assert np.abs(found.cells - expected).mean() < 0.01
    np.testing.assert_allclose(found.means, expected.mean(axis=3), atol=0.05)
    np.testing.assert_allclose(found.means, found.cells.mean(axis=3))
    mixed = fit(images, vectors, plan, plan.sizes[-1], weights[::-1], 0).cells
    assert np.abs(mixed - expected).mean() > 0.03, "what other weights would make of it"


@pytest.mark.slow
def test_rows_say_what_pairs_are_and_compare_with_photographs() -> None:
    _, _, (pairs, categories, said) = three()
    assert list(pairs.columns) == [name for name in TRANSFER if name != "model"]
    assert list(categories.columns) == [name for name in TRANSFER_CATEGORIES if name != "model"]
    assert len(pairs) == 2 * 4 * 4 and len(categories) == len(pairs) * 4
    assert set(pairs["measure"]) == set(MEASURES)
    measure = pairs.set_index(["train", "test"])["measure"]
    assert set(measure["a", "photo"]) == set(measure["*", "photo"]) == {"GAN-train"}
    assert set(measure["photo", "b"]) == {"GAN-test"} and set(measure["a", "b"]) == {"across"}
    assert set(measure["photo", "photo"]) == {"real"} and set(measure["*", "*"]) == {"within"}
    assert (pairs["chance"] == 0.25).all() and (pairs["n_train"] == pairs["per_category"] * 4).all()
    inside = (pairs["low"] <= pairs["top1"]) & (pairs["top1"] <= pairs["high"])
    assert inside.all() and (pairs["low"] < pairs["high"]).all()
    assert (pairs["top1"] - pairs["real_to_real"]).to_numpy() == pytest.approx(pairs["difference"])
    others = pairs[pairs["measure"] != "real"]
    assert (others["difference_low"] < others["difference"]).all()
    assert (others["difference"] < others["difference_high"]).all()
    assert any(each.startswith("max is ") for each in said)


@pytest.mark.slow
def test_a_mean_is_that_of_its_categories_and_mistakes_are_named() -> None:
    _, _, (pairs, categories, _) = three()
    keys = ["train", "test", "per_category"]
    means = categories.groupby(keys)["top1"].mean()
    assert means.to_dict() == pytest.approx(pairs.set_index(keys)["top1"].to_dict())
    wrong = categories[categories["top1"] < 1]
    assert (wrong["taken_for"] != wrong["category"]).all()
    assert (wrong["taken_share"] <= 1 - wrong["top1"] + 1e-12).all()
    assert categories[categories["top1"] == 1]["taken_for"].isna().all()


@pytest.mark.slow
def test_labels_of_tested_images_change_no_penalty_and_no_head() -> None:
    images, vectors, _ = three()
    plan = design(images, ["max"], 4, 0)
    weights = weights_of_units(len(images), 20, 0)
    before = fit(images, vectors, plan, plan.sizes[-1], weights, 0)
    poisoned = plan.label.copy()
    poisoned[plan.part == 2] = (poisoned[plan.part == 2] + 1) % 4
    after = fit(images, vectors, replace(plan, label=poisoned), plan.sizes[-1], weights, 0)
    np.testing.assert_array_equal(after.penalty[:, 2], before.penalty[:, 2])
    np.testing.assert_array_equal(after.taken[:, plan.part == 2], before.taken[:, plan.part == 2])
    source = images.generator == 1  # all of another source: no head of the first one changes
    poisoned = np.where(source, (plan.label + 1) % 4, plan.label)
    after = fit(images, vectors, replace(plan, label=poisoned), plan.sizes[-1], weights, 0)
    first = before.names.index("a")
    np.testing.assert_array_equal(after.penalty[first], before.penalty[first])
    np.testing.assert_array_equal(after.taken[first], before.taken[first])


@pytest.mark.slow
def test_images_that_are_too_many_or_of_a_category_left_out_change_nothing() -> None:
    """Equal numbers are trained on, and nothing of a category that one source lacks."""
    images = images_of({"a": [20, 1, 20], "photo": [8, 8, 8]})
    vectors, plan = vectors_of(images), design(images, ["max"], 4, 0)
    weights = weights_of_units(len(images), 3, 0)
    found = fit(images, vectors, plan, plan.sizes[-1], weights, 0)
    left_out = plan.label < 0
    assert left_out.sum() == 9 and (found.taken[:, left_out] == -1).all()
    poisoned = np.where(left_out[:, None], 1e3, vectors).astype(np.float32)
    again = fit(images, poisoned, plan, plan.sizes[-1], weights, 0)
    for name, value in vars(found).items():
        np.testing.assert_array_equal(value, getattr(again, name), err_msg=name)
    further = plan.place["a", 0] >= plan.sizes[-1]
    assert further.sum() > 10
    poisoned = np.where(further[:, None], 1e3, vectors).astype(np.float32)
    again = fit(images, poisoned, plan, plan.sizes[-1], weights, 0)
    np.testing.assert_array_equal(found.penalty[:, 0], again.penalty[:, 0])
    tests = plan.part == 0
    np.testing.assert_array_equal(found.taken[:, tests], again.taken[:, tests])
    pairs, _, _ = train(images, vectors)
    assert (pairs["categories"] == 2).all() and (pairs["chance"] == 0.5).all()
    assert pairs["n_test"].tolist() == [40, 16, 40, 16]


@pytest.mark.slow
def test_planted_copies_teach_nothing_where_they_are_known() -> None:
    images = images_of({"a": [24] * 4, "photo": [24] * 4}, group=3)
    noise = np.random.default_rng(0).normal(size=(len(images), 40)).astype(np.float32)
    copies = noise[np.unique(images.unit, return_index=True)[1]][images.unit]
    pairs, _, _ = train(images, copies)
    (row,) = pairs[(pairs["train"] == "a") & (pairs["test"] == "a")].itertuples()
    assert row.low < 0.25 < row.high
    pairs, _, _ = train(replace(images, unit=np.arange(len(images))), copies)
    assert top1(pairs, "a", "a") > 0.7


@pytest.mark.slow
def test_copies_in_another_source_teach_nothing_about_it_where_they_are_known() -> None:
    images = images_of({"a": [24] * 4, "photo": [24] * 4})
    unit = np.arange(len(images)) % 96  # each photograph has a copy among the images of a
    noise = np.random.default_rng(0).normal(size=(96, 40)).astype(np.float32)[unit]
    known, _, _ = train(replace(images, unit=unit), noise)
    for trained, tested in (("a", "photo"), ("photo", "a")):
        (row,) = known[(known["train"] == trained) & (known["test"] == tested)].itertuples()
        assert row.low < 0.25 < row.high
    unknown, _, _ = train(images, noise)
    assert top1(unknown, "a", "photo") > 0.5 and top1(unknown, "photo", "a") > 0.5


@pytest.mark.slow
def test_permuted_labels_give_chance() -> None:
    images, vectors, _ = three()
    mixed = np.random.default_rng(1).permutation(images.category)
    pairs, _, _ = train(replace(images, category=mixed), vectors)
    inside = (pairs["low"] < 0.25) & (pairs["high"] > 0.25)
    assert inside.sum() >= len(pairs) - 2 and (abs(pairs["top1"] - 0.25) < 0.17).all()


@pytest.mark.slow
def test_a_collapsed_generator_teaches_little_and_is_easily_recognised() -> None:
    images, vectors, (before, _, _) = three()
    vectors = vectors.copy()
    rng = np.random.default_rng(0)
    for category in range(4):
        here = np.flatnonzero((images.generator == 0) & (images.category == category))
        vectors[here] = vectors[here[0]] + rng.normal(size=(12, 12)) * 0.05
    pairs, _, _ = train(images, vectors)
    assert top1(pairs, "a", "a") == 1
    largest = before[before["per_category"] == before["per_category"].max()]
    assert top1(pairs, "a", "photo") < top1(largest, "a", "photo") - 0.1


@pytest.mark.slow
def test_a_single_source_without_photographs_compares_with_nothing() -> None:
    images = images_of({"a": [8] * 3}, real=())
    pairs, _, _ = train(images, vectors_of(images))
    assert pairs["measure"].tolist() == ["within"]
    compared = ["real_to_real", "difference", "difference_low", "difference_high"]
    assert pairs[compared].isna().all(axis=None)


@pytest.mark.slow
def test_flat_images_are_all_generated() -> None:
    images = images_of({None: [8] * 3, "photo": [8] * 3})
    pairs, _, _ = train(images, vectors_of(images))
    assert sorted(set(pairs["train"])) == ["*", "photo"]


@pytest.mark.slow
def test_constant_columns_and_features_that_say_nothing_are_no_fault() -> None:
    images = images_of({"a": [8] * 3, "photo": [8] * 3})
    pairs, _, _ = train(images, np.full((len(images), 5), 7, np.float32))
    assert (abs(pairs["top1"] - 1 / 3) < 0.2).all()


@pytest.mark.slow
def test_the_same_again_and_the_same_whatever_else_is_computed() -> None:
    images, vectors, (pairs, categories, _) = three()
    again, by_category, _ = train(images, vectors, per_category=["max", 3])
    pd.testing.assert_frame_equal(again, pairs)
    pd.testing.assert_frame_equal(by_category, categories)
    alone, _, _ = train(images, vectors, per_category=[3])
    few = pairs[pairs["per_category"] == 3].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, few)


@pytest.mark.slow
def test_more_images_than_features_or_fewer_is_the_same_head() -> None:
    images = images_of({"photo": [10] * 3})
    vectors = vectors_of(images, length=5)
    wide = np.concatenate([vectors] * 10, axis=1)  # the same directions, each ten times
    narrow, _, _ = train(images, vectors)
    wider, _, _ = train(images, wide)
    assert top1(wider, "photo", "photo") == pytest.approx(top1(narrow, "photo", "photo"), abs=0.1)

"""Comparing generators with photographs: halves, equal numbers, what is left out and said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthsight.distances import measure_distances as module
from synthsight.distances.halves import DistancesError, halve
from synthsight.distances.measure_distances import measure_distances
from synthsight.features.samples import Images, Vectors
from synthsight.statistics.columns import DISTANCES
from tests.distances.drawn import balanced, images_of

#: Few of everything, to be fast.
FEW: dict[str, Any] = {"nearest": 3, "halves": 3, "permutations": 19, "seed": 0, "level": 0.95}


def rows_of(images: Images, vectors: Vectors, **changed: Any) -> pd.DataFrame:
    return measure_distances(images, vectors, **{**FEW, **changed})[0].set_index("generator")


def test_images_that_are_drawn_alike_are_no_further_than_photographs() -> None:
    images, vectors = balanced(["a", "photo"], 4, 60)
    table = rows_of(images, vectors, nearest=5)
    assert list(table.index) == ["a", "photo"]
    assert (table["reference"] == "photo").all()
    assert (table["n"] == 120).all() and (table["categories"] == 4).all()
    for _, row in table.iterrows():
        assert row["kid_low"] < 0 < row["kid_high"]
        assert row["coverage"] > 0.9 and row["precision"] > 0.8 and row["recall"] > 0.8
        assert abs(row["density"] - 1) < 0.25 and abs(row["c2st"] - 0.5) < 0.1
        assert row["p"] > 0.05


def test_a_generator_that_repeats_one_image_is_precise_and_covers_little() -> None:
    images, vectors = balanced(["a", "b", "photo"], 4, 50, length=6)
    made = images.generator == images.generators.index("a")
    rng = np.random.default_rng(1)
    for category in range(4):
        here = made & (images.category == category)
        noise = 0.05 * rng.standard_normal((here.sum(), vectors.shape[1]))
        vectors[here] = vectors[images.real & (images.category == category)][7] + noise
    table = rows_of(images, vectors, nearest=5)
    collapsed, other = table.loc["a"], table.loc["b"]
    assert collapsed["precision"] > 0.95
    assert collapsed["recall"] < 0.1 < 0.8 < other["recall"]
    assert collapsed["coverage"] < other["coverage"] - 0.3
    assert collapsed["kid_low"] > 0 and collapsed["p"] == 1 / 20
    assert set(table.index) == {"a", "b", "*", "photo"}


def test_each_source_is_compared_with_the_same_number_of_images_of_each_category() -> None:
    sources = ["a"] * 20 + ["b"] * 9 + ["photo"] * 24
    categories = list("x" * 10 + "y" * 10) + list("x" * 6 + "y" * 3) + list("x" * 14 + "y" * 10)
    images = images_of(sources, categories)
    halvings = halve(images, 4, 0)
    assert halvings.sizes.tolist() == [6, 3]
    for halving in halvings.each:
        assert set(halving.compared) == {"a", "b", "*", "photo"}
        for name, rows in (("photo", halving.reference), *halving.compared.items()):
            assert np.bincount(images.category[rows]).tolist() == [6, 3]
            assert images.sources[name][rows].all()
        assert not set(halving.reference) & set(halving.compared["photo"])
    assert len({tuple(each.reference) for each in halvings.each}) == 4


def test_more_images_than_can_be_compared_are_sampled_and_it_is_said() -> None:
    images, _ = balanced(["a", "photo"], 4, 40)
    halvings = halve(images, 2, 0, most=20)
    assert halvings.sizes.tolist() == [5, 5, 5, 5]
    (said,) = halvings.sentences
    assert "80 images a side could be compared: samples of at most 20 are" in said


def test_units_are_in_one_half_and_their_generated_images_are_not_compared_with_it() -> None:
    images, _ = balanced(["a", "photo"], 2, 24)
    # Units of three photographs, and of each the first generated image that is like it.
    unit = np.where(images.real, np.arange(96) // 3 * 3, np.arange(96))
    generated, photographs = np.flatnonzero(~images.real), np.flatnonzero(images.real)
    unit[generated[::3]] = unit[photographs[::3]]
    halvings = halve(replace(images, unit=unit), 5, 0)
    for halving in halvings.each:
        held = set(unit[halving.reference])
        assert not held & set(unit[halving.compared["photo"]])
        assert not held & set(unit[halving.compared["a"]])
    (said,) = halvings.sentences
    assert said.startswith("16 generated images belong together with a photograph")


def test_categories_that_a_source_lacks_are_left_out_and_it_is_said() -> None:
    images, vectors = balanced(["a", "b", "photo"], 3, 20)
    there = ~((images.generator == 1) & (images.category == 2))
    images = images_of(
        [images.generators[g] for g in images.generator[there]],
        [images.categories[c] for c in images.category[there]],
    )
    table, said = measure_distances(images, vectors[there], **FEW)
    assert (table["categories"] == 2).all() and (table["n"] == 20).all()
    assert said[0].startswith("1 of 3 categories are left out, since not every source has two")
    assert "'c2'" in said[0]


def test_few_images_are_called_few() -> None:
    images, vectors = balanced(["a", "photo"], 2, 4)
    _, said = measure_distances(images, vectors, **{**FEW, "nearest": 10})
    assert "4 images a side are few: below 50, precision, recall, density" in said[0]
    assert said[1] == "of 4 images none has 10 neighbours: 3 count"
    images, vectors = balanced(["a", "photo"], 2, 50)
    assert measure_distances(images, vectors, **FEW)[1] == []


def test_without_photographs_or_a_common_category_there_is_an_error() -> None:
    images, vectors = balanced(["a", "b"], 2, 10)
    with pytest.raises(DistancesError, match=r"there are no real photographs .*images\.real"):
        measure_distances(images, vectors, **FEW)
    images, vectors = balanced(["photo"], 2, 10)
    with pytest.raises(DistancesError, match="there are no generated images"):
        measure_distances(images, vectors, **FEW)
    images = images_of(["a"] * 5 + ["photo"] * 8, ["x"] * 5 + ["y"] * 8)
    with pytest.raises(DistancesError, match="half of the photographs has 1 such categories of 2"):
        measure_distances(images, np.zeros((13, 2), np.float32), **FEW)


def test_rows_depend_neither_on_the_order_of_generators_nor_on_numbers_of_units() -> None:
    images, vectors = balanced(["a", "b", "photo"], 3, 12)
    first = measure_distances(images, vectors, **FEW)[0]
    # The same generators under names in another order.
    turned = np.array([1, 0, 2])[images.generator]
    others = replace(images, generators=("b", "a", "photo"), generator=turned, unit=images.unit + 7)
    second = measure_distances(others, vectors, **FEW)[0]
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(first, measure_distances(images, vectors, **FEW)[0])


def test_the_columns_are_those_of_the_table_and_another_seed_draws_others() -> None:
    images, vectors = balanced(["a", "photo"], 3, 30)
    table = measure_distances(images, vectors, **FEW)[0]
    assert ["model", *table.columns] == list(DISTANCES)
    assert table.dtypes.astype(str).to_dict() == {
        k: v for k, v in DISTANCES.items() if k != "model"
    }
    other = measure_distances(images, vectors, **{**FEW, "seed": 1})[0]
    assert (table["kid"] == other["kid"]).tolist() == [True, False], "KID takes all images"
    assert not (table["precision"] == other["precision"]).all()


MEASURES = ("precision", "recall", "density", "coverage")


def test_bounds_hold_their_measure_are_never_of_width_zero_and_narrow_with_images() -> None:
    widths = []
    for each in (20, 80):
        images, vectors = balanced(["a", "photo"], 3, each)
        vectors[~images.real] *= 0.5
        table = rows_of(images, vectors, nearest=5)
        for name in MEASURES:
            low, high = table[f"{name}_low"], table[f"{name}_high"]
            assert (low <= table[name]).all() and (table[name] <= high).all()
            assert (low < high).all() and (low >= 0).all()
            assert name == "density" or (high <= 1).all()
        widths.append((table["recall_high"] - table["recall_low"])["a"])
    assert widths[1] < 0.8 * widths[0]
    images, vectors = balanced(["a", "photo"], 3, 20)
    vectors[images.real] += 100
    apart = rows_of(images, vectors, nearest=5).loc["a"]
    assert apart["coverage"] == 0 == apart["coverage_low"] < apart["coverage_high"] < 0.3
    assert np.isnan(apart["density_high"])


def test_of_equal_features_nothing_is_said_of_neighbourhoods() -> None:
    images, vectors = balanced(["a", "photo"], 2, 40)
    table, said = measure_distances(images, np.ones_like(vectors), **FEW)
    assert table[[*MEASURES, "precision_high"]].isna().all(axis=None)
    assert (table["kid"] == 0).all() and (table["c2st"] == 0.5).all()
    assert said[-1].startswith("all images have the same features")


def test_samples_are_split_by_units_and_by_halves_of_each_category() -> None:
    images, _ = balanced(["a", "photo"], 3, 24)
    images = replace(images, unit=np.arange(len(images)) // 4)
    rows = np.flatnonzero(images.real)
    for number in range(5):
        one, other = module._parted(images, rows, 0, "a", number)
        assert sorted([*one, *other]) == rows.tolist()
        assert not set(images.unit[one]) & set(images.unit[other])
        assert np.bincount(images.category[one]).tolist() == [12, 12, 12]


def test_without_enough_images_to_split_there_are_no_bounds() -> None:
    images, vectors = balanced(["a", "photo"], 2, 4)
    table = rows_of(images, vectors, nearest=3)
    assert table[[f"{name}_low" for name in MEASURES]].isna().all(axis=None)
    assert table[list(MEASURES)].notna().all(axis=None)


@pytest.mark.long
def test_bounds_hold_the_mean_of_all_samples_about_as_often_as_they_say() -> None:
    """In one design; ``benchmarks/distances.py`` has others."""
    found = []
    for seed in range(60):
        images, vectors = balanced(["a", "photo"], 3, 40, length=8, seed=seed)
        centres = np.random.default_rng(0).standard_normal((3, 8))
        rng = np.random.default_rng(seed)
        drawn = centres[images.category] + rng.standard_normal(vectors.shape)
        drawn[~images.real, 0] += 1.5
        found.append(rows_of(images, drawn.astype(np.float32), permutations=0).loc["a"])
    for name in MEASURES:
        mean = np.mean([row[name] for row in found])
        held = [row[f"{name}_low"] <= mean <= row[f"{name}_high"] for row in found]
        assert np.mean(held) >= 0.88
        widths = np.mean([row[f"{name}_high"] - row[f"{name}_low"] for row in found])
        assert widths / 3.92 < 2 * np.std([row[name] for row in found])


def test_many_images_are_thinned_for_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    images, vectors = balanced(["a", "photo"], 3, 40)
    monkeypatch.setattr(module, "_MOST_OF_KERNEL", 60)
    monkeypatch.setattr(module, "MOST_TO_TELL", 15)
    _, said = measure_distances(images, vectors, **FEW)
    assert said == [
        "real and generated images are told apart by classifiers of 15 images a side, not of all "
        "60",
        "KID is that of 60 images, drawn from 240",
    ]

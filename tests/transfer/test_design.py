"""Which images are trained on: equally many, of as many units as can be, none of a tested unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthsight.transfer.design import Design, TransferError, design
from tests.transfer.worlds import images_of

FOLDS = 4


def trained(plan: Design, name: str, fold: int, size: int) -> set[int]:
    place = plan.place[name, fold]
    return set(np.flatnonzero((place >= 0) & (place < size) & (plan.label >= 0)))


def test_every_source_trains_on_equally_many_of_each_category_in_every_fold() -> None:
    images = images_of({"a": [9, 12, 20], "b": [30, 8, 15], "photo": [10, 11, 12]}, group=2)
    plan = design(images, [2, 4, "max"], FOLDS, 0)
    for name in plan.sources:
        for fold in range(FOLDS):
            for size in plan.sizes:
                rows = sorted(trained(plan, name, fold, size))
                assert np.bincount(images.category[rows]).tolist() == [size] * 3


def test_no_unit_is_trained_on_and_tested_even_across_sources() -> None:
    images = images_of({"a": [12] * 3, "b": [12] * 3, "photo": [12] * 3})
    images.unit[:] = np.arange(len(images)) % 36  # a prompt's image of each source is one unit
    plan = design(images, ["max"], FOLDS, 0)
    for (name, fold), place in plan.place.items():
        both = set(images.unit[place >= 0]) & set(images.unit[plan.part == fold])
        assert not both, (name, fold)


def test_samples_along_the_curve_are_nested() -> None:
    images = images_of({"a": [20] * 3, "photo": [20] * 3}, group=4)
    plan = design(images, [2, 5, 9], FOLDS, 0)
    for name in plan.sources:
        assert trained(plan, name, 1, 2) < trained(plan, name, 1, 5) < trained(plan, name, 1, 9)


def test_units_come_before_further_images_of_theirs() -> None:
    images = images_of({"a": [24] * 2, "photo": [24] * 2}, group=4)
    plan = design(images, [4], FOLDS, 0)
    rows = sorted(trained(plan, "a", 0, 4))
    assert len(np.unique(images.unit[rows])) == 8


def test_generators_take_turns_in_all_generated() -> None:
    images = images_of({"a": [40] * 2, "b": [12] * 2, None: [12] * 2, "photo": [20] * 2})
    plan = design(images, [6], FOLDS, 0)
    rows = sorted(trained(plan, "*", 2, 6))
    assert sorted(np.bincount(images.generator[rows] + 1)) == [4, 4, 4]


def test_few_images_of_all_generated_are_of_as_many_prompts_if_generators_share_them() -> None:
    images = images_of({"a": [12] * 3, "b": [12] * 3, "c": [12] * 3, "photo": [12] * 3})
    prompt = images.category * 12 + np.arange(len(images)) % 12
    images = replace(images, unit=np.where(images.real, 36 + np.arange(len(images)), prompt))
    plan = design(images, [2, 6, "max"], FOLDS, 0)
    for fold in range(FOLDS):
        for size in (2, 6):
            for category in range(3):
                rows = [r for r in trained(plan, "*", fold, size) if images.category[r] == category]
                assert len(np.unique(images.unit[rows])) == size
                if size == 6:
                    assert np.bincount(images.generator[rows])[:3].tolist() == [2, 2, 2]


def test_two_images_are_of_two_units_whoever_made_them() -> None:
    """One generator has a single prompt, of which another one has an image, too."""
    images = images_of({"a": [9] * 3, "b": [9] * 3, "photo": [9] * 3})
    unit = images.unit.copy()
    a, b = (images.generator == generator for generator in (0, 1))
    unit[a] = images.category[a]
    unit[b] = np.where(np.arange(b.sum()) % 9 < 4, images.category[b], unit[b] + 3)
    unit[images.real] += 100
    for seed in range(20):
        plan = design(replace(images, unit=unit), [2], FOLDS, seed)
        assert list(plan.sources) == ["b", "*", "photo"]
        for name, fold in plan.place:
            if name in plan.sources:
                for category in range(3):
                    rows = sorted(trained(plan, name, fold, 2))
                    rows = [row for row in rows if images.category[row] == category]
                    assert len(np.unique(unit[rows])) == 2


def test_folds_train_on_other_images_where_there_are_enough() -> None:
    images = images_of({"a": [60] * 2, "photo": [60] * 2})
    plan = design(images, [5], FOLDS, 0)
    assert trained(plan, "a", 0, 5) != trained(plan, "a", 1, 5)


def test_a_category_that_a_source_lacks_is_left_out_with_a_sentence() -> None:
    images = images_of({"a": [12, 1, 12], "b": [12] * 3, "photo": [12] * 3})
    plan = design(images, ["max"], FOLDS, 0)
    assert plan.categories.tolist() == [0, 2]
    assert any("c1" in said and said.endswith("of a") for said in plan.said)


def test_a_source_that_lacks_most_categories_does_not_take_them_from_others() -> None:
    images = images_of({"a": [12, 0, 0, 0, 0], "b": [12] * 5, "photo": [12] * 5})
    plan = design(images, ["max"], FOLDS, 0)
    assert len(plan.categories) == 5 and "a" not in plan.sources
    assert any(said.startswith("a: left out") for said in plan.said)


def test_categories_of_photographs_alone_do_not_count_against_generators() -> None:
    """Photographs of a large data set, and images of few of its categories."""
    images = images_of({"a": [12, 12, 12] + [0] * 7, "photo": [12] * 10})
    plan = design(images, ["max"], FOLDS, 0)
    assert list(plan.sources) == ["a", "photo"] and plan.categories.tolist() == [0, 1, 2]
    assert sum(said.endswith("of a") for said in plan.said) == 7
    images = images_of({"a": [12, 1, 1], "b": [12] * 3 + [0] * 7, "photo": [12] * 10})
    plan = design(images, ["max"], FOLDS, 0)
    assert list(plan.sources) == ["b", "*", "photo"] and plan.categories.tolist() == [0, 1, 2]
    assert any("in 1 of 3 categories that another source has, too" in said for said in plan.said)


def test_sources_without_two_common_categories_count_by_what_each_has() -> None:
    plan = design(images_of({"a": [12], "photo": [12] * 4}), ["max"], FOLDS, 0)
    assert list(plan.sources) == ["photo"] and len(plan.categories) == 4


def test_the_limit_is_named_and_steps_above_it_are_left_out() -> None:
    images = images_of({"a": [8, 12], "photo": [20, 20]})
    plan = design(images, [3, 6, 50, "max"], FOLDS, 0)
    assert plan.sizes == (3, 6)
    assert any("50" in said and "a, c0" in said for said in plan.said)
    assert any(said.startswith("max is 6") for said in plan.said)


def test_one_image_of_a_category_is_left_out() -> None:
    plan = design(images_of({"photo": [8, 8]}), [1, 3], FOLDS, 0)
    assert plan.sizes == (3,) and "per_category 1" in plan.said[0]


def test_a_category_of_one_unit_cannot_be_trained_and_tested() -> None:
    for group in (8, 4):  # of two, one is left to train on
        images = images_of({"photo": [8, 8, 8]}, group=group)
        with pytest.raises(TransferError, match="add images"):
            design(images, ["max"], FOLDS, 0)


def test_fewer_than_two_categories_are_an_error() -> None:
    images = images_of({"a": [9, 0], "b": [0, 9]})
    with pytest.raises(TransferError, match="0 categories"):
        design(images, ["max"], FOLDS, 0)


def test_images_of_which_none_can_be_trained_on_are_an_error() -> None:
    with pytest.raises(TransferError, match="no category of any source"):
        design(images_of({"photo": [1, 1]}), ["max"], FOLDS, 0)


def test_no_step_that_can_be_trained_is_an_error() -> None:
    for step in (1, 50):
        with pytest.raises(TransferError, match=r"it takes 2 .* and there are 6 at most .* `max`"):
            design(images_of({"photo": [8, 8]}), [step], FOLDS, 0)

"""What an adapted model's networks are trained on, and what they predict."""

from __future__ import annotations

import numpy as np
import pytest

from synthsight.adapted.dividing import DivisionError, balance, divide, of_sources
from tests.adapted.drawn import some_images


def test_each_image_is_in_one_part_and_no_network_is_trained_on_its_own() -> None:
    images = some_images()
    division = divide(images, "all", 5, 0)
    assert np.bincount(division.part).tolist() == [24] * 5
    for fold in range(5):
        assert not (division.trained_on(fold) & (division.part == fold)).any()
    assert division.counts(5) == [96] * 5


def test_what_belongs_together_is_on_one_side_whatever_its_source_and_category() -> None:
    rng = np.random.default_rng(0)
    images = some_images(unit=rng.integers(0, 30, 120))
    division = divide(images, "generated", 4, 1)
    for fold in range(4):
        trained = {*images.unit[division.trained_on(fold)]}
        assert not trained & {*images.unit[division.part == fold]}


@pytest.mark.parametrize(
    ("sources", "chosen"),
    [("generated", "a"), ("real", "m"), ("all", "am"), (["m"], "m"), (["a", "m"], "am")],
)
def test_sources_are_those_that_are_named(sources: str | list[str], chosen: str) -> None:
    images = some_images(real=True)
    found = images.names[of_sources(images, sources)]
    assert {name[0] for name in found} == {*chosen} and len(found) == 60 * len(chosen)


def test_images_of_all_sources_are_predicted_though_some_are_not_trained_on() -> None:
    images = some_images(real=True)
    division = divide(images, "real", 5, 0)
    assert (division.part[~images.real] >= 0).all()
    assert not division.trained_on(0)[~images.real].any()


def test_a_category_that_a_network_could_not_learn_is_named() -> None:
    category = some_images(per=3).category
    together = some_images(per=3, unit=np.where(category == 1, 99, np.arange(18)))
    with pytest.raises(DivisionError, match="no image of 'kite' to train on"):
        divide(together, "all", 3, 0)


def test_more_parts_than_there_is_to_divide_are_refused() -> None:
    """A network would be trained to predict nothing."""
    few = some_images(per=2, unit=np.arange(12) // 3)
    with pytest.raises(DivisionError, match=r"no images for 1 of 5 parts.*`folds: 4`"):
        divide(few, "all", 5, 0)
    assert divide(some_images(per=1), "all", 6, 0).counts(6) == [5] * 6


def test_two_divisions_are_told_apart_by_what_is_trained_on() -> None:
    images = some_images(real=True)
    joined = some_images(real=True, unit=np.arange(120) // 2)
    known = [
        divide(images, "all", 5, 0).digest,
        divide(images, "all", 5, 1).digest,
        divide(images, "all", 4, 0).digest,
        divide(images, "real", 5, 0).digest,
        divide(joined, "all", 5, 0).digest,
    ]
    assert len({*known}) == 5 and known[0] == divide(images, ["a", "m"], 5, 0).digest


def test_the_division_depends_on_its_seed_and_not_on_what_is_trained_on() -> None:
    images = some_images()
    one, other = (divide(images, "all", 5, seed).part for seed in (0, 1))
    assert (one == divide(images, ["a"], 5, 0).part).all() and (one != other).any()


def test_weights_let_each_category_count_alike() -> None:
    category = np.array([0, 0, 0, 2, 2, 1])
    weights = balance(category)
    assert [weights[category == each].sum() for each in range(3)] == pytest.approx([2, 2, 2])

"""Places of images on a map."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from synthsight.distances.map_images import map_images
from tests.distances.drawn import balanced, images_of


@pytest.mark.long
def test_images_lie_beside_those_like_them_whatever_the_number_of_threads() -> None:
    images, vectors = balanced(["a", "photo"], 3, 25, length=60)
    vectors += 4 * np.eye(60, dtype=np.float32)[images.category]
    table, said = map_images(images, vectors, 10, 1000, 0)
    assert said == []
    assert table["image"].tolist() == images.names.tolist()
    places = table[["x", "y"]].to_numpy()
    assert places.dtype == np.float32
    assert places.min() == 0 and places.max() == 1
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    np.testing.assert_allclose(middle, 0.5, atol=1e-6)
    apart = ((places[:, None] - places) ** 2).sum(axis=2) + 9 * np.eye(len(images))
    alike = images.category[apart.argmin(axis=1)] == images.category
    assert alike.mean() > 0.9
    with threadpool_limits(2):
        again, _ = map_images(images, vectors, 10, 1000, 0)
    pd.testing.assert_frame_equal(again, table, check_exact=True)


@pytest.mark.slow
def test_those_that_are_too_many_lie_between_what_is_most_like_them() -> None:
    images, vectors = balanced(["a", "photo"], 4, 30)
    vectors += 8 * np.eye(16, dtype=np.float32)[images.category]
    table, said = map_images(images, vectors, 5, 80, 0)
    assert said == [
        "the map is made from 80 images; the other 160 lie between the 5 of these that are most "
        "like each"
    ]
    places = table[["x", "y"]].to_numpy()
    centres = np.stack([np.median(places[images.category == c], axis=0) for c in range(4)])
    nearest = ((places[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == images.category).mean() > 0.95


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_a_map_of_very_few_images_has_places_for_all(count: int) -> None:
    images = images_of(["a"] * count, ["x"] * count)
    vectors = np.random.default_rng(0).standard_normal((count, 7)).astype(np.float32)
    table, said = map_images(images, vectors, 30, 1000, 0)
    places = table[["x", "y"]].to_numpy()
    assert np.isfinite(places).all() and (places >= 0).all() and (places <= 1).all()
    assert len(np.unique(places, axis=0)) == count
    few = "of 5 images, 1.33 neighbours decide where each lies on the map, not 30"
    assert few in said or count < 5
    same, said = map_images(images, vectors * 0, 30, 1000, 0)
    assert (same[["x", "y"]] == 0.5).all(axis=None)
    assert said == ["all images have the same features, and the map is a single point"]

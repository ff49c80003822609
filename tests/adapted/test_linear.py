"""New last layers: what they learn, and that they learn it from nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from synthsight.adapted import linear
from synthsight.adapted.dividing import Division, divide, some_of
from synthsight.adapted.linear import PENALTIES, Floats, Layer, fit_folds, fit_layer, predict_folds
from synthsight.features.samples import Images, Numbers, Vectors
from tests.adapted.drawn import some_images, some_vectors


def accuracy(
    images: Images, vectors: Vectors, folds: int = 4
) -> tuple[float, Division, list[Layer]]:
    division = divide(images, "all", folds, 0)
    layers = fit_folds(division, vectors, folds, 0)
    right = predict_folds(layers, division, vectors).argmax(axis=1) == images.category
    return float(right.mean()), division, layers


@pytest.mark.long
def test_categories_that_lie_apart_are_learnt() -> None:
    images = some_images()
    assert accuracy(images, some_vectors(images))[0] > 0.95


@pytest.mark.long
def test_with_categories_exchanged_at_random_nothing_is_learnt() -> None:
    """What would be learnt of images that are predicted would be seen here."""
    images = some_images(per=30)
    vectors = some_vectors(images)
    found = []
    for seed in range(2):
        mixed = np.random.default_rng(seed).permutation(images.category)
        exchanged = Images(**{**vars(images), "category": mixed})
        found.append(accuracy(exchanged, vectors)[0])
    # 360 answers of three categories; those of one draw are not independent.
    assert abs(np.mean(found) - 1 / 3) < 0.08


@pytest.mark.long
def test_a_planted_copy_in_another_source_does_not_help() -> None:
    """Noise can be learnt by heart alone: half of the images are copies of the other half."""
    images = some_images(per=20)
    noise = np.random.default_rng(0).normal(size=(60, 300)).astype(np.float32)
    twin = np.empty(120, np.int64)
    for category in range(3):
        for generator in range(2):
            rows = (images.category == category) & (images.generator == generator)
            twin[rows] = category * 20 + np.arange(20)
    apart, joined = accuracy(images, noise[twin]), Images(**{**vars(images), "unit": twin})
    assert apart[0] > 0.7, "copies on both sides are recognised"
    assert accuracy(joined, noise[twin])[0] < 0.5


@pytest.mark.long
def test_what_is_predicted_changes_no_layer() -> None:
    images = some_images()
    vectors = some_vectors(images)
    division = divide(images, "generated", 3, 0)
    before = fit_folds(division, vectors, 3, 0)
    spoilt = vectors.copy()
    spoilt[division.part == 1] = 1e3
    after = fit_folds(division, spoilt, 3, 0)
    assert (before[1].weight == after[1].weight).all() and before[1].penalty == after[1].penalty
    assert (before[0].weight != after[0].weight).any()


@pytest.mark.long
def test_threads_and_calls_change_no_bit() -> None:
    images = some_images()
    vectors = some_vectors(images)
    division = divide(images, "generated", 3, 0)
    one, other = (fit_folds(division, vectors, 3, 0, threads) for threads in (1, 3))
    for a, b in zip(one, other, strict=True):
        assert (a.weight == b.weight).all() and (a.bias == b.bias).all()


@pytest.mark.slow
def test_a_layer_is_that_of_a_pipeline_which_brings_features_to_standard_units() -> None:
    images = some_images()
    vectors = some_vectors(images, apart=0.7) * np.array([1, 10, 0.1, 1, 1, 100], np.float32) + 5
    layer = fit_layer(images, vectors, 0)
    assert layer.penalty in PENALTIES
    standard = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    model = LogisticRegression(C=layer.penalty, class_weight="balanced", max_iter=2000, tol=1e-8)
    expected = model.fit(standard, images.category).predict_proba(standard)
    logits = layer.logits(vectors)
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(found / found.sum(axis=1, keepdims=True), expected, atol=5e-3)


@pytest.mark.slow
def test_two_categories_have_two_logits() -> None:
    images = some_images()
    two = some_of(images, images.category < 2)
    two = Images(**{**vars(two), "categories": two.categories[:2]})
    vectors = some_vectors(two)
    layer = fit_layer(two, vectors, 0)
    assert layer.weight.shape == (2, 6)
    assert (layer.logits(vectors).argmax(axis=1) == two.category).mean() > 0.95


@pytest.mark.slow
def test_a_constant_feature_says_nothing() -> None:
    images = some_images()
    vectors = some_vectors(images)
    vectors[:, 2] = 7
    assert (fit_layer(images, vectors, 0).weight[:, 2] == 0).all()


@pytest.mark.slow
def test_images_whose_category_could_not_be_learnt_say_nothing_of_the_penalty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two such images were predicted by layers that had not seen the like, each at a great loss."""
    images = some_images(per=10)
    few = np.flatnonzero(images.category == 2)[2:]
    kept = np.ones(60, bool)
    kept[few] = False
    part = some_of(images, kept)
    part = Images(**{**vars(part), "unit": np.where(part.category == 2, 99, part.unit)})
    vectors = some_vectors(part, apart=0.8)
    losses: list[float] = []

    def noted(logits: Vectors, category: Numbers, weights: Floats) -> float:
        losses.append(loss(logits, category, weights))
        return losses[-1]

    loss = linear._loss
    monkeypatch.setattr(linear, "_loss", noted)
    fit_layer(part, vectors, 0)
    assert len(losses) == 3 * len(PENALTIES) and max(losses) < 500

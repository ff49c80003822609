"""The matrix of the demo's sources, and each head of it, against scikit-learn."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from synthsight.features.folds import folds_of
from synthsight.features.samples import Images, Numbers, Vectors
from synthsight.transfer import rows as rows_of_tables
from synthsight.transfer.crossfit import Fits, fit, weights_of_units
from synthsight.transfer.design import Design, design
from synthsight.transfer.heads import INNER, PENALTIES
from tests.transfer.demo import features_of_demo
from tests.transfer.worlds import sub

FOLDS, SEED = 5, 0


@dataclass(frozen=True)
class Demo:
    images: Images
    vectors: Vectors
    plan: Design
    weights: Any
    fits: Fits

    def rows(self, source: str, fold: int) -> Numbers:
        place = self.plan.place[source, fold]
        return np.flatnonzero((place >= 0) & (place < self.plan.sizes[-1]))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    images, vectors = features_of_demo(tmp_path_factory.mktemp("features"))
    plan = design(images, ["max"], FOLDS, SEED)
    weights = weights_of_units(len(images), 2, SEED)
    return Demo(
        images, vectors, plan, weights, fit(images, vectors, plan, plan.sizes[-1], weights, SEED)
    )


def head(vectors: Vectors, label: Numbers, penalty: float) -> LogisticRegression:
    return LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=20_000).fit(vectors, label)


@pytest.mark.long
def test_heads_of_the_demo_are_those_of_scikit_learn(demo: Demo) -> None:
    """The same folds, penalties and rows: each image is taken for the same category."""
    images, names = demo.images, list(demo.plan.sources)
    different = 0
    for at, source in enumerate(names):
        for fold in range(FOLDS):
            rows, tests = demo.rows(source, fold), demo.plan.part == fold
            assert np.bincount(images.category[rows]).tolist() == [9] * 17
            assert images.sources[source][rows].all() and not tests[rows].any()
            scaler = StandardScaler().fit(demo.vectors[rows])
            theirs = head(
                scaler.transform(demo.vectors[rows]),
                images.category[rows],
                demo.fits.penalty[at, fold],
            ).predict(scaler.transform(demo.vectors[tests]))
            different += int((theirs != demo.fits.taken[at, tests]).sum())
    assert different <= 2, "of 2,448, two categories being all but equally likely"


@pytest.mark.long
def test_penalties_of_the_demo_are_those_that_scikit_learn_would_choose(demo: Demo) -> None:
    for source, fold in (("crayon", 4), ("poster", 1), ("photo", 0)):
        rows = demo.rows(source, fold)
        vectors = StandardScaler().fit_transform(demo.vectors[rows])
        label = demo.images.category[rows]
        mine = replace(
            sub(demo.images, rows),
            generators=(),
            generator=np.full(len(rows), -1),
            real=np.zeros(len(rows), bool),
        )
        part = folds_of(mine, INNER, SEED)
        losses = dict.fromkeys(PENALTIES, 0.0)
        for penalty, inner in itertools.product(PENALTIES, range(INNER)):
            out = part == inner
            chances = head(vectors[~out], label[~out], penalty).predict_proba(vectors[out])
            losses[penalty] += log_loss(label[out], chances, labels=range(17), normalize=False)
        chosen = demo.fits.penalty[demo.fits.names.index(source), fold]
        assert chosen == min(losses, key=losses.__getitem__)


@pytest.mark.long
def test_the_matrix_of_the_demo_is_as_it_was(demo: Demo) -> None:
    """Computed once more from what each image is taken for, and held to the numbers it has had."""
    table = rows_of_tables.Tested(demo.images, demo.plan, 9, demo.fits, demo.weights, 0.95).pairs()
    found = table.set_index(["train", "test"])
    for at, train in enumerate(demo.plan.sources):
        right = demo.fits.taken[at] == demo.images.category
        for test, here in demo.images.sources.items():
            of_category = [right[here & (demo.images.category == k)].mean() for k in range(17)]
            assert found.loc[(train, test), "top1"] == pytest.approx(np.mean(of_category))
    matrix = found["top1"].unstack().loc[list(MATRIX), list(MATRIX)]
    # Four of 204 images: sums in another order may change a category or two.
    np.testing.assert_allclose(matrix, list(MATRIX.values()), atol=0.02)
    real = found.loc[("photo", "photo"), "top1"]
    assert found["difference"].to_numpy() == pytest.approx((found["top1"] - real).to_numpy())
    assert found["n_test"].unstack().loc["photo"].to_dict() == {
        name: int(here.sum()) for name, here in demo.images.sources.items()
    }
    assert (found["per_category"] == 9).all() and (found["n_train"] == 9 * 17).all()


#: Accuracy of heads trained on each source, tested on each in the same order.
MATRIX = {
    "crayon": [0.951, 0.593, 0.772, 0.750],
    "poster": [0.657, 0.770, 0.713, 0.667],
    "*": [0.833, 0.716, 0.775, 0.721],
    "photo": [0.505, 0.515, 0.510, 0.951],
}

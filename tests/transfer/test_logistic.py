"""The solver against scikit-learn, and problems together against each alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from synthsight.transfer import logistic
from synthsight.transfer.logistic import Reals, solve


def draw(seed: int, images: int = 60, length: int = 7) -> tuple[Reals, Reals]:
    rng = np.random.default_rng(seed)
    label = np.arange(images) % 4
    columns = rng.normal(size=(4, length))[label] + rng.normal(size=(images, length))
    return np.c_[columns, np.ones(images)], label


def chances(coefficients: Reals, columns: Reals) -> Reals:
    found = np.exp(columns @ coefficients.T)
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.slow
@pytest.mark.parametrize("penalty", [0.1, 1.0, 30.0, 1e4])
def test_the_solution_is_that_of_scikit_learn_with_c_as_its_inverse(penalty: float) -> None:
    columns, label = draw(0)
    weights = np.random.default_rng(1).exponential(size=len(label))
    found = solve(columns, label, 4, weights[None], np.array([penalty]), tolerance=1e-14)
    theirs = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000)
    theirs.fit(columns[:, :-1], label, sample_weight=weights)
    expected = theirs.predict_proba(columns[:, :-1])
    assert not found.unsolved
    np.testing.assert_allclose(chances(found.coefficients[:, 0], columns), expected, atol=1e-5)


def test_problems_together_are_solved_as_each_alone() -> None:
    columns, label = draw(2)
    rng = np.random.default_rng(3)
    weights = rng.exponential(size=(5, len(label)))
    weights[0, ::3] = 0  # left out
    penalties = np.array([0.3, 1, 10, 100, 1000])
    together = solve(columns, label, 4, weights, penalties, tolerance=1e-12).coefficients
    for at in range(5):
        alone = solve(columns, label, 4, weights[[at]], penalties[[at]], tolerance=1e-12)
        np.testing.assert_allclose(
            chances(together[:, at], columns),
            chances(alone.coefficients[:, 0], columns),
            atol=1e-5,
        )


def test_images_without_weight_are_as_good_as_absent() -> None:
    columns, label = draw(4)
    weights = (np.arange(len(label)) % 5 > 0).astype(float)
    some = weights > 0
    with_all = solve(columns, label, 4, weights[None], np.array([2.0]), tolerance=1e-13)
    without = solve(
        columns[some], label[some], 4, np.ones((1, some.sum())), np.array([2.0]), tolerance=1e-13
    )
    np.testing.assert_allclose(
        chances(with_all.coefficients[:, 0], columns),
        chances(without.coefficients[:, 0], columns),
        atol=1e-6,
    )


def test_a_start_changes_the_steps_and_not_the_solution() -> None:
    columns, label = draw(5)
    weights, penalty = np.ones((1, len(label))), np.array([1.0])
    first = solve(columns, label, 4, weights, penalty, tolerance=1e-12)
    again = solve(columns, label, 4, weights, penalty, first.coefficients, tolerance=1e-12)
    assert again.steps < first.steps / 2
    np.testing.assert_allclose(again.coefficients, first.coefficients, atol=1e-4)


def test_separable_categories_and_hardly_a_penalty_still_end() -> None:
    label = np.arange(40) % 2
    columns = np.c_[label * 2.0 - 1, np.ones(40)]
    found = solve(columns, label, 2, np.ones((1, 40)), np.array([1e-3]))
    assert not found.unsolved and np.isfinite(found.coefficients).all()


def test_float32_is_kept() -> None:
    columns, label = draw(6)
    weights = np.ones((1, len(label)), np.float32)
    found = solve(columns.astype(np.float32), label, 4, weights, np.array([1.0]))
    assert found.coefficients.dtype == np.float32


def test_problems_that_do_not_end_in_time_are_said_to_be_unsolved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns, label = draw(6)
    monkeypatch.setattr(logistic, "MOST_STEPS", 2)
    weights = np.ones((3, len(label)))
    with pytest.warns(RuntimeWarning, match="3 of 3 heads are not fully trained after 2 steps"):
        found = solve(columns, label, 4, weights, np.full(3, 1e-3), tolerance=1e-14)
    assert found.unsolved == 3


def test_problems_without_images_are_refused() -> None:
    columns, label = draw(7)
    weights = np.ones((3, len(label)))
    weights[1] = 0
    with pytest.raises(ValueError, match="1 of 3 problems have no images"):
        solve(columns, label, 4, weights, np.ones(3))

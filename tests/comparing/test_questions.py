"""Questions are the same by picture, words and truth, and the picture is the unit of chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthsight.comparing.questions import QUESTIONS, compare_answers
from synthsight.statistics.answers import Answers
from synthsight.statistics.moments import Sample
from synthsight.statistics.pairs import compare_pairs
from synthsight.statistics.vqa import accuracy_of

LEVEL = 0.95
UNASKED: Any = None


def answers(pictures: range, seed: int, models: tuple[str, ...] = ("net", "other")) -> Answers:
    """Four questions about each picture, answered by chance."""
    rows = [
        (f"{seed}/{picture}.png", number, f"Is it {number}?", "yes", f"sha{picture}")
        for picture in pictures
        for number in range(4)
    ]
    table = pd.DataFrame(rows, columns=["image", "number", "question", "answer", "sha256"])
    correct = np.random.default_rng(seed).random((len(table), len(models))) < 0.6
    none = np.full(correct.shape, np.nan)
    return Answers(models, table, none, none, correct, UNASKED)


def test_the_same_questions_are_paired_by_picture() -> None:
    a, b = answers(range(30), 1), answers(range(30), 2)
    row = compare_answers(a, b, LEVEL).set_index("model").loc["net"]
    both = np.column_stack([b.correct[:, 0], a.correct[:, 0]])
    units = np.repeat(np.arange(30), 4)
    sample = Sample(np.zeros(120, np.int64), units)
    (pair,) = compare_pairs(["b", "a"], both, sample, LEVEL).to_dict("records")
    assert (row["method"], row["over"], row["same"]) == ("paired", "all", 120)
    assert row["low"] == pytest.approx(pair["low"]) and row["high"] == pytest.approx(pair["high"])
    assert (row["only_a"], row["only_b"]) == (pair["only_b"], pair["only_a"])


def test_some_of_the_same_are_compared_both_ways_and_none_in_one() -> None:
    a, b = answers(range(30), 1), answers(range(10, 50), 2)
    table = compare_answers(a, b, LEVEL)
    rows = table[table["model"] == "net"].set_index("method")
    shared, both = rows.loc["paired"], rows.loc["two samples"]
    assert (shared["over"], shared["n_a"], shared["n_b"], shared["same"]) == ("shared", 80, 80, 80)
    assert (both["over"], both["n_a"], both["n_b"], both["same"]) == ("all", 120, 160, 80)
    assert shared["value_a"] == a.correct[40:, 0].mean()
    assert shared["value_b"] == b.correct[:80, 0].mean()
    assert both["value_b"] == accuracy_of(b.correct, b.units).mean[0]
    apart = compare_answers(a, answers(range(50, 60), 2), LEVEL)
    assert {*apart["method"]} == {"two samples"} and apart["only_a"].isna().all()


@pytest.mark.parametrize(("column", "value"), [("question", "Is it new?"), ("answer", "no")])
def test_other_words_or_another_truth_are_another_question(column: str, value: str) -> None:
    a, b = answers(range(5), 1), answers(range(5), 2)
    b.questions.loc[7, column] = value
    assert {*compare_answers(a, b, LEVEL)["same"]} == {19}


def test_the_same_question_about_copies_of_a_picture_is_no_more_than_it_is() -> None:
    a, b = answers(range(5), 1), answers(range(5), 2)
    a.questions["sha256"] = "one"
    assert {*compare_answers(a, b, LEVEL)["same"]} == {0}
    b.questions["sha256"] = ["one"] * 8 + ["other"] * 12
    assert {*compare_answers(a, b, LEVEL)["same"]} == {8}


def test_only_models_of_both_runs_are_compared_by_their_names() -> None:
    a, b = answers(range(5), 1), answers(range(5), 2, ("first", "other"))
    table = compare_answers(a, b, LEVEL)
    assert [*table["model"]] == ["other"]
    assert table["value_a"].item() == a.correct[:, 1].mean()
    assert table["value_b"].item() == b.correct[:, 1].mean()
    for none in (compare_answers(None, b, LEVEL), compare_answers(a, None, LEVEL)):
        assert none.empty and [*none, "note"] == list(QUESTIONS)

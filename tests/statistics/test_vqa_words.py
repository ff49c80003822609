"""Answers that are words, texts or missing: what they count for, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthsight.statistics.answers import read_answers
from synthsight.statistics.columns import SEEING, VQA_CALIBRATION
from synthsight.statistics.vqa import AggregateVqaError, VqaTables, aggregate_vqa
from synthsight.vqa.score import BLIND, SAID, SCHEMA, ScoreVqaError
from tests.statistics.test_vqa import make_answers, make_questions, note, scored

ENDS = ["ece", "brier"]


def words_of(answers: pd.DataFrame) -> pd.DataFrame:
    """The same answers as words, without P(yes)."""
    predicted = np.where(answers["p_yes"] > 0.5, "yes", "no")
    return answers.assign(p_yes=np.nan, mass=np.nan, predicted=predicted, said=None)


def unparsed(answers: pd.DataFrame, rows: list[int], said: str | None) -> pd.DataFrame:
    """Answers of which some do not count: something else was said, or nothing."""
    answers = answers.reset_index(drop=True)
    answers["said"] = answers.get("said", pd.Series(dtype=object)).astype(object)
    answers.loc[rows, ["predicted", "said", "reason"]] = [None, said, "why"]
    answers.loc[rows, "p_yes"] = np.nan
    return answers


def tables_of(path: Path, **models: pd.DataFrame) -> VqaTables:
    files = [scored(path, name, make_questions(), each) for name, each in models.items()]
    return aggregate_vqa(files, [note(path, name) for name in models], 0.95)


def test_words_count_as_what_they_say(tmp_path: Path) -> None:
    questions = make_questions()
    answers = make_answers(questions)
    known = pq.read_table(scored(tmp_path, "net", questions, answers)).to_pandas()
    path = scored(tmp_path, "words", questions, words_of(answers))
    assert pq.read_schema(path).equals(SCHEMA), "nothing was said"
    rows = pq.read_table(path).to_pandas()
    same = ["image", "number", "predicted", "correct", "reason"]
    pd.testing.assert_frame_equal(rows[same], known[same])
    assert rows["p_yes"].isna().all()


def test_p_yes_decides_where_it_is_known(tmp_path: Path) -> None:
    questions = make_questions()
    answers = make_answers(questions)
    other = np.where(answers["p_yes"] > 0.5, "no", "yes")
    rows = pq.read_table(scored(tmp_path, "m", questions, answers.assign(predicted=other)))
    given = pq.read_table(scored(tmp_path, "n", questions, answers))
    assert rows["predicted"].to_pylist() == given["predicted"].to_pylist()


def test_what_was_said_is_kept_where_anything_was(tmp_path: Path) -> None:
    questions = make_questions()
    answers = unparsed(words_of(make_answers(questions)), [0, 1], "A dog")
    path = scored(tmp_path, "m", questions, answers)
    assert pq.read_schema(path).equals(SCHEMA.append(SAID))
    rows = pq.read_table(path).to_pandas().dropna(subset="said")
    assert rows["said"].tolist() == ["A dog"] * 2 and rows["reason"].tolist() == ["why"] * 2
    assert rows["correct"].isna().all() and rows["predicted"].isna().all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"predicted": "maybe"}, "the prediction is 'maybe'"),
        ({"predicted": None}, "has no P.yes., no prediction, and no reason why it has none"),
    ],
)
def test_words_that_are_no_answers_are_refused(
    row: dict[str, str | None], message: str, tmp_path: Path
) -> None:
    questions = make_questions()
    answers = words_of(make_answers(questions)).reset_index(drop=True)
    answers.loc[3, list(row)] = list(row.values())
    with pytest.raises(ScoreVqaError, match=message):
        scored(tmp_path, "m", questions, answers)
    with pytest.raises(ScoreVqaError, match=message):
        scored(tmp_path, "m", questions, make_answers(questions), blind=answers)


def test_accuracy_needs_no_p_yes_and_calibration_does(tmp_path: Path) -> None:
    answers = make_answers(make_questions())
    part = words_of(answers).assign(p_yes=answers["p_yes"].where(np.arange(len(answers)) > 0))
    tables = tables_of(tmp_path, net=answers, part=part, words=words_of(answers))
    models = tables.models.set_index("model")
    others = models.columns.difference(["ece", "brier", "mass"])
    for model in ("part", "words"):
        pd.testing.assert_series_equal(
            models.loc[model, others], models.loc["net", others], check_names=False
        )
        assert models.loc[model, ENDS].isna().all()
    assert models.loc["net", ENDS].notna().all()
    assert set(tables.calibration["model"]) == {"net"}
    assert set(tables.groups["model"]) == {"net", "part", "words"}
    assert tables.comparisons["difference"].tolist() == [0.0] * 3


def test_without_any_p_yes_the_table_of_calibration_is_empty_with_its_types(
    tmp_path: Path,
) -> None:
    tables = tables_of(tmp_path, words=words_of(make_answers(make_questions())))
    assert len(tables.calibration) == 0
    assert tables.calibration.dtypes.astype(str).to_dict() == VQA_CALIBRATION
    assert tables.models[ENDS].isna().all(axis=None)


def test_bounds_are_over_all_of_a_model_s_questions(tmp_path: Path) -> None:
    """Computed here once more, from the files themselves."""
    questions = make_questions()
    a = unparsed(words_of(make_answers(questions, seed=1)), [0, 1, 2, 3], "A dog")
    a = unparsed(a, [4], None)
    b = unparsed(make_answers(questions, seed=2), [3, 9], None)
    tables = tables_of(tmp_path, a=a, b=b)
    files = {name: pq.read_table(tmp_path / f"{name}.parquet").to_pandas() for name in "ab"}
    kept = ~(files["a"]["correct"].isna() | files["b"]["correct"].isna())
    for row in tables.models.to_dict("records"):
        correct = files[row["model"]]["correct"]
        assert row["n"] == kept.sum() == len(correct) - 6
        assert row["accuracy"] == pytest.approx(correct[kept].astype(float).mean())
        assert row["unanswered"] == correct.isna().sum()
        assert row["all_wrong"] == pytest.approx(correct.fillna(False).astype(float).mean())
        assert row["all_right"] == pytest.approx(correct.fillna(True).astype(float).mean())
    assert tables.models["unparsed"].tolist() == [4, 0]


def test_who_answers_everything_has_no_bounds(tmp_path: Path) -> None:
    row = tables_of(tmp_path, m=make_answers(make_questions())).models.iloc[0]
    assert row["all_wrong"] == row["all_right"] == row["accuracy"]
    assert row["unanswered"] == row["unparsed"] == 0


def test_some_models_may_be_asked_blind_and_others_not(tmp_path: Path) -> None:
    questions = make_questions()
    answers, blind = make_answers(questions), make_answers(questions, skill=0.2, seed=3)
    alone = scored(tmp_path, "alone", questions, answers, blind=blind)
    before = aggregate_vqa([alone], [note(tmp_path, "alone")], 0.95)
    files = [alone, scored(tmp_path, "told", questions, words_of(answers))]
    tables = aggregate_vqa(files, [note(tmp_path, name) for name in ("alone", "told")], 0.95)
    for table, old in ((tables.models, before.models), (tables.groups, before.groups)):
        of = table.set_index("model")[SEEING]
        assert of.loc["told"].isna().all(axis=None)
        pd.testing.assert_frame_equal(of.loc[["alone"]], old.set_index("model")[SEEING])
    assert read_answers(files).asked_blind.tolist() == [True, False]


def test_blind_answers_may_be_words_and_may_be_missing(tmp_path: Path) -> None:
    questions = make_questions()
    answers, blind = make_answers(questions), make_answers(questions, skill=0.2, seed=3)
    known = scored(tmp_path, "known", questions, answers, blind=blind)
    path = scored(tmp_path, "words", questions, answers, blind=words_of(blind))
    rows = pq.read_table(path)
    assert rows["p_yes_blind"].null_count == len(rows)
    assert rows["correct_blind"].equals(pq.read_table(known)["correct_blind"])
    missing = unparsed(words_of(blind), [0, 5], "A dog").drop(columns="said")
    path = scored(tmp_path, "missing", questions, answers, blind=missing)
    assert pq.read_schema(path).equals(SCHEMA.append(BLIND[0]).append(BLIND[1]))
    row = aggregate_vqa([path], [note(tmp_path, "missing")], 0.95).models.iloc[0]
    assert row["unanswered"] == 2 and row["n"] == len(answers) - 2 and row["unparsed"] == 0
    assert row["all_wrong"] == row["all_right"], "with the images, it has answered everything"


def test_the_message_of_no_common_question_names_who_answers_few(tmp_path: Path) -> None:
    questions = make_questions()
    a = words_of(make_answers(questions))
    count = len(a)
    few = unparsed(a, list(range(1, count)), "A dog")
    other = unparsed(a, [0], "A dog")
    with pytest.raises(
        AggregateVqaError,
        match=rf"no question was .*unanswered of {count}: few: {count - 1}, other: 1\); leave out",
    ):
        tables_of(tmp_path, few=few, other=other)

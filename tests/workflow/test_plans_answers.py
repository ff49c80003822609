"""Answers made elsewhere in a run: what runs again, and that every number is a model's own."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthsight import api
from synthsight.statistics.columns import SEEING
from tests.report.test_page import data_of, text_of
from tests.support import Project
from tests.workflow.test_plans_vqa import FAN_IN

#: The scored answers of :data:`TOLD`.
ANSWERS = "results/small/vqa/told.parquet"

TOLD = {"name": "told", "answers": "told.csv"}


def configure(project: Project, *models: dict[str, Any], **settings: Any) -> None:
    """The small project's models that are asked, and others."""
    vqa = project.config["vqa"]
    before = [each for each in vqa["models"] if "checkpoint" in each]
    vqa = {**vqa, **settings, "models": [*before, *models]}
    project.configure({**project.config, "vqa": vqa})


def export(project: Project, model: str, name: str, *columns: str) -> pd.DataFrame:
    """Write a model's answers as people do, in any order; returns all that is known of them."""
    rows = pq.read_table(project.results / "vqa" / f"{model}.parquet").to_pandas()
    rows = rows.sample(frac=1, random_state=0, ignore_index=True)
    table = rows[["image", "question", *columns]]
    table.to_csv(project.folder / name, index=False, lineterminator="\r\n")
    return rows


@pytest.mark.long
def test_an_edited_file_of_answers_runs_its_own_model_again_and_no_other(
    project: Project,
) -> None:
    export(project, "asked", "told.csv", "p_yes")
    configure(project, TOLD)
    once = {job for job in FAN_IN if len(job) == 1}
    own = {("import_answers", "told"), ("score_vqa", "told")}
    assert project.plan() == own | once | {("models",), ("plot_vqa_samples", "told", "1")}
    project.run(ANSWERS)
    path = project.folder / "told.csv"
    text = path.read_bytes()
    path.write_bytes(text)  # written again, and the same
    assert project.plan(ANSWERS) == set()
    path.write_bytes(text.replace(b"dream/", b"./dream/"))
    assert project.plan(ANSWERS) == own


@pytest.mark.long
def test_exported_answers_give_the_numbers_of_the_model_that_they_are_of(
    project: Project,
) -> None:
    """A copy by P(yes), one by words alone, and one that says other things now and then."""
    export(project, "asked", "same.csv", "p_yes")
    rows = export(project, "asked", "words.csv", "predicted")
    texts = [
        {**row, "answer": "A dog" if number < 3 else f"{row['predicted'].title()}, I think."}
        for number, row in enumerate(rows[["image", "question", "predicted"]].to_dict("records"))
    ][:-1]
    lines = [json.dumps({key: row[key] for key in row if key != "predicted"}) for row in texts]
    (project.folder / "chat.jsonl").write_text("\n".join(lines), encoding="utf-8")
    told = [{"name": "same", "answers": "same.csv"}, {"name": "words", "answers": "words.csv"}]
    configure(project, *told, blind=True)
    assert "same: 24 rows of same.csv (a table) answer 24 of 24 questions" in project.run()
    assert project.plan() == set()

    def table(name: str, model: str, *left_out: str) -> pd.DataFrame:
        found = pd.read_parquet(project.results / "tables" / f"{name}.parquet")
        found = found[found["model"] == model].drop(columns=["model", *left_out])
        return found.reset_index(drop=True)

    reference = ("source", "reference_yes_no", "reference_overall", "drop", "drop_low", "drop_high")
    unknown = ("mass", *SEEING)
    for name, left_out in (
        ("vqa", (*unknown, *reference)),
        ("vqa_groups", tuple(SEEING)),
        ("vqa_calibration", ()),
    ):
        pd.testing.assert_frame_equal(
            table(name, "same", *left_out), table(name, "asked", *left_out)
        )
    ends = ("ece", "brier", *unknown, *reference)
    pd.testing.assert_frame_equal(table("vqa", "words", *ends), table("vqa", "asked", *ends))
    assert table("vqa", "words")[["ece", "brier", *unknown]].isna().all(axis=None)
    assert table("vqa", "asked")["gain"].notna().all()
    assert len(table("vqa_calibration", "words")) == 0
    comparisons = pd.read_parquet(project.results / "tables" / "vqa_comparisons.parquet")
    same = comparisons[(comparisons["a"] == "asked") & (comparisons["b"] == "same")].iloc[0]
    assert (same["only_a"], same["only_b"], same["difference"]) == (0, 0, 0)

    chat = {"name": "chat", "answers": "chat.jsonl"}
    configure(project, chat)
    assert "chat has no answer to 1 of the run's 24 questions" in project.fail()
    configure(project, {**chat, "missing": "unanswered"})
    project.run()
    row = table("vqa", "chat").iloc[0]
    assert (row["n"], row["unanswered"], row["unparsed"]) == (20, 4, 3)
    right = rows.iloc[3:-1]["correct"].sum()
    assert row["all_wrong"] == pytest.approx(right / 24)
    assert row["all_right"] == pytest.approx((right + 4) / 24)
    text = text_of(project)
    assert "answers made elsewhere" in text
    assert "no answer that counts to 4 further questions, of which 3 are answered neither" in text
    questions = data_of(text)["questions"]
    (shown,) = (each for each in questions["models"] if each["name"] == "chat")
    assert shown["correct"].count("-") == 4 and shown["yes"] == [None] * 24
    assert shown["said"].count("A dog") == 3

    run = api.open_run(project.results)
    remarks = " ".join(run.remarks())
    assert "chat has no answer to 1 of 24 questions, left out for all models" in remarks
    assert "4 of 24 questions are in no accuracy" in remarks
    assert run.answers("chat")["said"].notna().sum() == 23

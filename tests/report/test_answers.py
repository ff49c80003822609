"""What the page says of answers that are words, were made elsewhere, or are missing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.report.asked import questions_answer
from synthsight.report.explorer import question_data
from synthsight.report.remarks import few_answered, remarks
from synthsight.vqa.elsewhere.notes import of_answers
from synthsight.vqa.score import SAID, SCHEMA
from tests.report.browsing import Tab
from tests.report.test_remarks import NO_DUPLICATES
from tests.support import Project

#: A model that answers all questions.
ROW = {
    **{"n": 40, "n_yes": 20, "n_no": 20, "images": 10, "always_yes": 0.5, "mass": float("nan")},
    **{"yes_yes": 15, "yes_no": 5, "no_yes": 5, "no_no": 15, "accuracy": 0.75, "low": 0.6},
    **{"high": 0.85, "unanswered": 0, "unparsed": 0, "all_wrong": 0.75, "all_right": 0.75},
    **{"reference_yes_no": None, "gain": None},
}


def models(**each: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([{**ROW, "model": name, **about} for name, about in each.items()])


def test_many_questions_without_an_answer_are_remarked_upon_with_whose_they_are() -> None:
    chat = {"unanswered": 30, "unparsed": 12, "all_wrong": 0.4, "all_right": 0.83}
    table = models(asked={}, chat=chat, other={"unanswered": 31, "all_wrong": 0.5})
    said = few_answered(table, 72)
    assert said == (
        "32 of 72 questions are in no accuracy, since not every model has an answer to them: "
        "other lacks 31 (with all of them wrong it would get 50.0% of its questions, with all "
        "right 75.0%); chat lacks 30 (to 12 it says neither yes nor no; with all of them wrong it "
        "would get 40.0% of its questions, with all right 83.0%). What is left may be easier, or "
        "harder, than all"
    )
    assert remarks([], [], [], NO_DUPLICATES, table, asked=72) == [f"{said}."]


@pytest.mark.parametrize("asked", [0, 40, 42])
def test_nothing_is_said_of_few_questions_without_an_answer(asked: int) -> None:
    assert few_answered(models(m={"unanswered": asked - 40}), asked) is None


def test_the_answer_has_the_bounds_where_questions_are_unanswered() -> None:
    chat = {"unanswered": 10, "unparsed": 2, "all_wrong": 0.6, "all_right": 0.8}
    said = questions_answer(models(chat=chat), 0.95)
    assert said.endswith(
        "always saying yes would get 50.0%. To 10 further questions it gave no answer that counts: "
        "over all it gets 60.0% if these are wrong and 80.0% if they are right."
    )
    assert "further" not in questions_answer(models(m={}), 0.95)


@pytest.mark.parametrize(
    ("a", "b", "low", "high", "said"),
    [
        ("x", "y", 0.01, 0.09, "y, the best of 3 models, answers"),
        (
            "x", "y", -0.11, 0.05,
            "y, the best of 3 models here, by 3.0 points (-5.0 to 11.0), which may be chance, ",
        ),
        (
            "y", "x", -0.05, 0.11,
            "y, the best of 3 models here, by 3.0 points (-5.0 to 11.0), which may be chance, ",
        ),
    ],
)  # fmt: skip
def test_a_lead_that_may_be_chance_is_said_to(
    a: str, b: str, low: float, high: float, said: str
) -> None:
    """The pair of the first two counts, whichever way round the table has it."""
    table = models(x={"accuracy": 0.7}, y={"accuracy": 0.73}, z={"accuracy": 0.5})
    by = 0.03 if a == "y" else -0.03
    pair = {"a": a, "b": b, "difference": by, "low": low, "high": high}
    if said.endswith("answers"):
        pair |= {"difference": -0.03, "low": -high, "high": -low}
    far = {"a": "y", "b": "z", "difference": 0.23, "low": -0.5, "high": 0.9}
    assert said in questions_answer(table, 0.95, pd.DataFrame([far, pair]))


def test_vqa_models_that_share_the_first_place_are_said_to() -> None:
    said = questions_answer(models(x={}, y={}, z={"accuracy": 0.5}), 0.95)
    assert "x, one of 2 models that share the first place of 3, answers 75.0% right" in said


def test_answers_that_are_missing_without_the_image_have_no_bounds() -> None:
    blind = {"gain": 0.2, "gain_low": 0.1, "gain_high": 0.3, "blind": 0.55}
    only = {"unanswered": 8, **blind}
    said = questions_answer(models(net=only), 0.95)
    assert (
        "50.0%. To 8 further questions it gave no answer that counts without seeing the image. "
        "With a grey" in said
    )
    both = {"unanswered": 10, "all_wrong": 0.6, "all_right": 0.8, **blind}
    said = questions_answer(models(net=both), 0.95)
    assert "no answer that counts, with the image or without: over all it gets 60.0% if" in said
    assert "if those with the image are wrong and 80.0% if they are right. With" in said
    said = str(few_answered(models(only=only, both=both), 50))
    assert "only lacks 8 without seeing the image. What" in said
    assert "both lacks 10 with the image or without (with all that it lacks with the image" in said


def test_networks_have_no_remark_about_answers_made_elsewhere() -> None:
    assert of_answers({"name": "net", "family": "ofa"}) == []


def test_the_explorer_has_words_and_texts_without_p_yes(tmp_path: Path) -> None:
    rows = [("yes", True, None), ("no", False, "No."), ("yes", True, "Yes,\n it  is. " * 20)]
    rows += [(None, None, "A dog"), (None, None, None)]
    table = pa.Table.from_pylist(
        [
            {"image": "a.png", "question": str(n), "answer": "yes", "kind": "other"}
            | {"predicted": predicted, "correct": correct, "said": said}
            for n, (predicted, correct, said) in enumerate(rows)
        ],
        SCHEMA.append(SAID),
    )
    pq.write_table(table.replace_schema_metadata({"model": "chat"}), tmp_path / "chat.parquet")
    pq.write_table(
        table.drop_columns("said").replace_schema_metadata({"model": "net"}), tmp_path / "n.parquet"
    )
    found = question_data([tmp_path / "chat.parquet", tmp_path / "n.parquet"], {"a.png": 0})
    chat, net = found["models"]
    assert chat["yes"] == [None] * 5 and chat["correct"] == "101--"
    assert chat["said"][:2] == [None, None] and chat["said"][3:] == ["A dog", None]
    assert chat["said"][2].startswith("Yes, it is. Yes, it is. ") and len(chat["said"][2]) < 130
    assert "said" not in net


@pytest.mark.long
def test_chips_show_what_was_said_and_what_was_not(
    browser: Any, finished: Project, tmp_path: Path
) -> None:
    text = (finished.results / "report.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    data = json.loads(found[1])
    model, other = data["questions"]["models"]
    count = len(data["questions"]["question"])
    model["yes"] = [None] * count
    model["correct"] = "10--" + "1" * (count - 4)
    model["said"] = [None, "No, <b>not</b> so", "A dog", *[None] * (count - 3)]
    table = data["tables"]["vqa"]
    for row, named in zip(table["columns"], table["values"], strict=True):
        if row in ("unanswered", "all_right", "gain"):
            named[0] = {"unanswered": 2, "all_right": 0.9, "gain": None}[row]
    content = json.dumps(data).replace("<", "\\u003c").replace("&", "\\u0026")
    (tmp_path / "report.html").write_text(text.replace(found[1], content), encoding="utf-8")
    tab = Tab(browser, tmp_path / "report.html")
    chips = tab.page.locator(".asked .chip").all_inner_texts()
    own = [chip for chip in chips if model["name"] in chip]
    truth = data["questions"]["answer"]
    wrong = {"yes": "no", "no": "yes"}[truth[1]]
    assert own[:4] == [
        f"✓ {model['name']}: {truth[0]}",
        f"✗ {model['name']}: {wrong} “No, <b>not</b> so”",
        f"{model['name']}: “A dog”",
        f"{model['name']}: no answer",
    ]
    assert all("P(yes)" in chip for chip in chips if other["name"] in chip)
    tab.choose("qmodel", model["name"])
    tab.choose("qoutcome", "wrong")
    assert tab.shown("questions") == 1, "what is unanswered is not wrong"
    tab.look_at_everything()
    assert tab.complaints == []
    tab.context.close()

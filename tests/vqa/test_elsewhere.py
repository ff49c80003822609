"""Answers that models gave elsewhere are joined with the run's questions, each to its own."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.people.disguise import disguised
from synthsight.tabular import TableError
from synthsight.vqa.elsewhere.importing import (
    SCHEMA,
    UNPARSED,
    Wanted,
    answer_of,
    import_answers,
)
from synthsight.vqa.elsewhere.notes import of_answers
from synthsight.vqa.elsewhere.reading import AnswersError, open_source

#: Questions as a shard holds them: image, question, truth.
ASKED = (
    ("a/1.png", "Is there a dog?", "yes"),
    ("a/1.png", "Is it red?", "no"),
    ("b/2.png", "Ist es schön?", "yes"),
    ("b/2.png", 'Is "it" day, or night?', "no"),
)

#: And the same with a truth that says yes to all, so that a perfect model is easily had.
MANY = tuple((f"{n:02d}.png", f"Is it {n}?", "yes" if n % 2 else "no") for n in range(12))

Asked = Sequence[tuple[str, str, str]]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_shards(asked: Asked = ASKED, excluded: Asked = (), shards: int = 2) -> list[str]:
    rows = [
        {
            "image": image,
            "question": question,
            "answer": truth,
            "sha256": image.encode().hex().ljust(64, "0"),
            "status": status,
            "reason": None if status == "ok" else "truncated",
        }
        for part, status in ((asked, "ok"), (excluded, "excluded"))
        for image, question, truth in part
    ]
    paths = []
    for shard in range(shards):
        paths.append(f"shard{shard}.parquet")
        schema = pa.schema([(name, pa.string()) for name in rows[0]])
        pq.write_table(pa.Table.from_pylist(rows[shard::shards], schema), paths[-1])
    return paths


def brought(
    content: str | pd.DataFrame | Sequence[Mapping[str, Any]],
    name: str = "answers.csv",
    asked: Asked = ASKED,
    missing: str = "refuse",
    columns: Mapping[str, str] | None = None,
    excluded: Asked = (),
) -> tuple[dict[tuple[str, str], dict[str, Any]], dict[str, Any], list[str]]:
    """Import a file: its rows by image and question, its note, and what is said."""
    path = Path(name)
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8", newline="")
    elif isinstance(content, pd.DataFrame):
        content.to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
    wanted = Wanted("told", path, missing, columns or {}, {"yes_no": 0.9, "source": "a paper"})
    said = import_answers(wanted, write_shards(asked, excluded), "out.parquet", "n.json")
    table = pq.read_table("out.parquet")
    assert table.schema.equals(SCHEMA)
    rows = {(row["image"], row["question"]): row for row in table.to_pylist()}
    assert list(rows) == sorted(rows) and len(rows) == len(asked)
    return rows, json.loads(Path("n.json").read_text(encoding="utf-8")), said


def csv(answers: Sequence[Any], column: str = "answer", asked: Asked = ASKED) -> str:
    lines = pd.DataFrame(asked, columns=["image", "question", "truth"]).drop(columns="truth")
    return lines.assign(**{column: list(answers)}).to_csv(index=False)


def results(rows: Mapping[tuple[str, str], Mapping[str, Any]], asked: Asked = ASKED) -> list[Any]:
    """What was answered to each question: P(yes) or a word, or why it does not count."""
    of = (rows[image, question] for image, question, _ in asked)
    return [
        row["p_yes"] if row["p_yes"] is not None else row["predicted"] or row["reason"]
        for row in of
    ]


# What is read ------------------------------------------------------------------------------------


def test_words_and_p_yes_are_read() -> None:
    rows, note, said = brought(csv(["yes", "No.", "Yes, it is.", "0"]))
    assert results(rows) == ["yes", "no", "yes", "no"]
    assert [rows[key[:2]]["said"] for key in ASKED] == [None, "No.", "Yes, it is.", None]
    assert note["name"] == "told" and note["license"] is None
    assert note["reference"] == {"yes_no": 0.9, "source": "a paper"}
    assert note["source"] == "answers.csv" and len(note["sha256"]) == 64
    assert said[0].startswith("told: 4 rows of answers.csv (a table) answer 4 of 4 questions")
    rows, note, _ = brought(csv([0.25, 1, "0.5", 0.75], "p_yes"))
    assert results(rows) == [0.25, 1.0, 0.5, 0.75]
    assert note["answers"]["p_yes"] == 4 and not of_answers(note)


@pytest.mark.parametrize("ending", ["csv", "tsv", "json", "jsonl", "parquet"])
def test_every_kind_of_file_gives_the_same(ending: str) -> None:
    frame = pd.read_csv(io.StringIO(csv([0.1, 0.9, 0.2, 0.8], "p_yes")))
    frame["answer"] = ["no", "yes", "no", "yes"]
    path = f"answers.{ending}"
    if ending == "parquet":
        rows, _, _ = brought(frame, path)
    elif ending in ("csv", "tsv"):
        rows, _, _ = brought(frame.to_csv(index=False, sep=",\t"[ending == "tsv"]), path)
    elif ending == "json":
        rows, _, _ = brought(frame.to_json(orient="records"), path)
    else:
        rows, _, _ = brought(frame.to_dict("records"), path)
    assert results(rows) == [0.1, 0.9, 0.2, 0.8]


def test_order_line_ends_separators_and_letters_make_no_difference() -> None:
    lines = csv(["yes", "no", "yes", "no"]).splitlines()
    mixed = "\r\n".join([lines[0], *reversed(lines[1:])]) + "\r\n"
    rows, _, _ = brought(mixed.replace("scho\u0308n", "sch\u00f6n"))
    assert results(rows) == ["yes", "no", "yes", "no"]
    decomposed = "\n".join(lines).replace("sch\u00f6n", "scho\u0308n").replace("Is it", "IS  it")
    assert results(brought(decomposed)[0]) == ["yes", "no", "yes", "no"]
    frame = pd.DataFrame(ASKED, columns=["image", "question", "answer"])
    semicolons = "\ufeffsep=;\r\n" + frame.to_csv(index=False, sep=";", lineterminator="\r\n")
    assert results(brought(semicolons)[0]) == ["yes", "no", "yes", "no"]


def test_images_are_found_as_people_write_them() -> None:
    text = csv(["yes", "no", "yes", "no"])
    elsewhere = text.replace("a/1.png", "D:\\all\\A\\1.png").replace("b/2", "d:/all/b/2")
    rows, note, _ = brought(elsewhere)
    assert results(rows) == ["yes", "no", "yes", "no"]
    assert note["answers"]["renamed"] == 2
    (said,) = of_answers(note)
    assert "written otherwise in the answers of told, all with d:/all in front; each can" in said
    with pytest.raises(
        AnswersError, match=r"line 4: .*different folders in front of.* from vqa\.root"
    ):
        brought(text.replace("b/2", "other/b/2"))
    shown = disguised("a/1.png", b"a/1.png".hex().ljust(64, "0"))
    assert results(brought(text.replace("a/1.png", shown))[0]) == ["yes", "no", "yes", "no"]


def test_two_ways_of_writing_one_image_may_be_two_images() -> None:
    text = csv(["yes"] * 4).replace("a/1.png,Is it", "1.png,Is it")
    with pytest.raises(
        AnswersError, match=r"line 3: both 'a/1.png' and '1.png' would be the run's"
    ):
        brought(text)


def test_columns_may_have_other_names() -> None:
    text = csv(["yes", "no", "yes", "no"], "reply").replace("question", "text", 1)
    rows, note, _ = brought(text, columns={"answer": "reply", "question": "text"})
    assert results(rows) == ["yes", "no", "yes", "no"]
    assert note["settings"]["columns"] == {"answer": "reply", "question": "text"}
    with pytest.raises(AnswersError, match=r"neither a column `answer` nor `p_yes`; it has: image"):
        brought(csv(["yes"] * 4, "reply"))
    with pytest.raises(TableError, match=r"no column 'qestion'; did you mean 'question'"):
        brought(csv(["yes"] * 4), columns={"question": "qestion"})
    with pytest.raises(TableError, match="a column 'P_Yes'; did you mean 'p_yes'"):
        brought(csv(["yes"] * 4).replace(",answer", ",answer,P_Yes", 1).replace("yes", "yes,1"))


def test_what_was_predicted_goes_before_the_truth() -> None:
    """As in VLMEvalKit's results, and in a run's own scored answers."""
    text = csv(["Yes", "Yes", "no", "I cannot say"], "prediction")
    frame = pd.read_csv(io.StringIO(text)).assign(answer="no", index=range(4))
    rows, note, _ = brought(frame.to_csv(index=False, sep="\t"), "results.tsv")
    assert results(rows) == ["yes", "yes", "no", UNPARSED]
    assert note["answers"]["format"] == "VLMEvalKit's results"
    assert note["answers"]["unread"] == ["answer", "index"]
    own = frame.rename(columns={"prediction": "predicted"}).drop(columns="index")
    own = own.assign(predicted=["yes", "no", None, "yes"], p_yes=[0.8, 0.5, None, None])
    rows, _, _ = brought(own, "scored.parquet", missing="unanswered")
    assert results(rows) == [0.8, 0.5, "the file has no answer in line 3", "yes"]


def test_without_images_a_question_that_is_asked_about_one_alone_is_found() -> None:
    frame = pd.DataFrame(ASKED, columns=["image", "question", "answer"])
    frame = frame.assign(prediction=["Yes", "No", "Yes", "Yes"], index=range(4))
    text = frame.drop(columns="image").to_csv(index=False)
    rows, note, said = brought(text)
    assert results(rows) == ["yes", "no", "yes", "yes"]
    assert note["answers"]["by_text"] == 4
    assert any("do not say which image they are about" in each for each in said)
    twice = (*ASKED[:2], ("b/2.png", "Is there a dog?", "no"))
    text = frame.iloc[[0]].drop(columns="image").to_csv(index=False)
    with pytest.raises(AnswersError, match=r"line 2: 'Is there a dog\?' is asked about 2 images"):
        brought(text, asked=twice)


def test_samples_of_lmms_eval_are_read() -> None:
    """With the document, as older versions write them, or the prompt, as newer ones do."""
    samples: list[dict[str, Any]] = [
        {
            "doc_id": 0,
            "doc": {"question": "Is there a dog?", "image_path": "a/1.png", "answer": "yes"},
            "target": "yes",
            "resps": [["No."]],
            "filtered_resps": ["No."],
        },
        {
            "doc_id": 1,
            "target": "no",
            "filtered_resps": "no",
            "input": "<image>Is it red?\nAnswer the question using a single word or phrase.",
            "input_media": ["a/1.png"],
            "pope_accuracy": {"score": 1.0},
        },
        {
            "doc_id": 2,
            "target": "yes",
            "filtered_resps": ["[LMMS_EVAL_REQUEST_FAILED after 3 retries] timeout"],
            "input": "Ist es schön?",
        },
        {"doc_id": 3, "filtered_resps": ["It is dusk"], "doc": {"question": ASKED[3][1]}},
    ]
    rows, note, _ = brought(samples, "samples.jsonl", missing="unanswered")
    reason = "the request failed: [LMMS_EVAL_REQUEST_FAILED after 3 retries] timeout"
    assert results(rows) == ["no", "no", reason, UNPARSED]
    assert rows["b/2.png", "Ist es schön?"]["said"] is None
    assert note["answers"]["format"] == "lmms-eval's samples"
    assert note["answers"]["unparsed"] == note["answers"]["missing"]["count"] == 1
    samples[0]["filtered_resps"] = [["-1.5", "False"], ["-0.3", "True"]]
    with pytest.raises(AnswersError, match="line 1: several responses to one question, or log-l"):
        brought(samples, "samples.jsonl")
    samples[0] = {"doc_id": 0, "filtered_resps": "no", "input": [1], "target": "yes"}
    with pytest.raises(AnswersError, match="line 1: neither `doc` with a `question` nor"):
        brought(samples, "samples.jsonl")
    few_shot = "Is it red?\nno\nIs there a dog?"
    samples[0] = {
        "doc_id": 0,
        "filtered_resps": "no",
        "input": few_shot,
        "input_media": ["a/1.png"],
    }
    with pytest.raises(AnswersError, match="line 1: the prompt holds several of the run's"):
        brought(samples, "samples.jsonl")


# What counts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "predicted", "said"),
    [
        ("yes", "yes", None),
        ("TRUE", "yes", None),
        (True, "yes", None),
        (1, "yes", None),
        (1.0, "yes", None),
        ("0.0", "no", None),
        (False, "no", None),
        ("n", "no", None),
        ("No, I don't think so", "no", "No, I don't think so"),
        ("n" * 300 + " no", "no", "n" * 200 + "..."),
        ("no \ud800", "no", "no ?"),
    ],
)
def test_an_answer_is_a_word_or_a_text_with_one(
    cell: Any, predicted: str, said: str | None
) -> None:
    found = answer_of(1, cell, None)
    assert (found.predicted, found.said, found.reason) == (predicted, said, None)


@pytest.mark.parametrize("cell", ["maybe", "yes and no", "2", "A", "None", "nan"])
def test_a_text_with_neither_word_or_both_is_unparsed(cell: str) -> None:
    found = answer_of(1, cell, None)
    assert (found.predicted, found.said, found.reason) == (None, cell, UNPARSED)


@pytest.mark.parametrize(
    ("cell", "probability", "message"),
    [
        (None, 1.5, r"P\(yes\) is 1.5, which is not between 0 and 1. Write shares of 1"),
        (None, "87", r"P\(yes\) is 87, which is not between 0 and 1. Write shares of 1"),
        (None, -0.1, r"P\(yes\) is -0.1, which is not between 0 and 1"),
        (None, "inf", r"P\(yes\) is inf, which is not between 0 and 1"),
        (None, "0,87", r"P\(yes\) is '0,87', which is not a number. Write a point"),
        (None, "high", r"P\(yes\) is 'high', which is not a number"),
        ("yes", 0.2, r"the answer 'yes' contradicts P\(yes\) = 0.2"),
        ("No.", 0.8, r"the answer 'No.' contradicts P\(yes\) = 0.8"),
        ("yes", 0.5, r"the answer 'yes' contradicts P\(yes\) = 0.5"),
        (0.83, None, r"the answer is the number 0.83. If it is P\(yes\), name its column"),
    ],
)
def test_what_cannot_be_meant_is_refused(cell: Any, probability: Any, message: str) -> None:
    with pytest.raises(AnswersError, match=message):
        answer_of(1, cell, probability)


def test_messages_about_rows_say_which() -> None:
    with pytest.raises(AnswersError, match=r"^answers.csv, line 3: P\(yes\) is 1.5"):
        brought(csv([0.5, 1.5, 0.5, 0.5], "p_yes"))
    with pytest.raises(AnswersError, match=r"^answers.jsonl, line 1: 'answer' must be text or a n"):
        brought([{"image": "a/1.png", "question": "Is it red?", "answer": ["no"]}], "answers.jsonl")
    with pytest.raises(AnswersError, match=r"^answers.csv, line 2: no question; remove the row"):
        brought("image,question,answer\na/1.png,,no\n")


@pytest.mark.parametrize("probability", [float("nan"), "NaN", None, ""])
def test_a_probability_that_is_missing_is_no_probability(probability: Any) -> None:
    found = answer_of(7, None, probability)
    assert found.reason == "the file has no answer in line 7"
    assert answer_of(7, "no", probability).predicted == "no"


def test_equal_rows_count_once_and_different_ones_are_refused() -> None:
    text = csv(["yes", "no", "yes", "no"])
    rows, note, said = brought(text + "a/1.png,is it red,No.\n")
    assert results(rows) == ["yes", "no", "yes", "no"] and note["answers"]["repeated"] == 1
    assert "1 rows repeat what another says" in said
    with pytest.raises(
        AnswersError, match=r"lines 3 and 6 answer 'Is it red\?' about a/1.png diff"
    ):
        brought(text + "a/1.png,is it red,yes\n")
    with pytest.raises(AnswersError, match="lines 3 and 6"):
        brought(text + "a/1.png,is it red,\n")


# What is missing, and what is too much ------------------------------------------------------------


def test_missing_answers_are_refused_or_have_a_reason() -> None:
    text = csv(["yes", "", "maybe", "no"]).replace("b/2.png,Ist", "b/2.png,Isst")
    with pytest.raises(
        AnswersError,
        match=r"2 of the run's 4 questions have no answer of told: 'Is it red\?' about a/1.png; "
        r"'Ist es schön\?' about b/2.png. 1 row is about others, such as 'Isst es schön\?' about "
        r"b/2.png \(line 4: no such question about this image\).*`missing: unanswered`",
    ):
        brought(text)
    rows, note, _ = brought(text, missing="unanswered")
    reasons = ["yes", "the file has no answer in line 3", "no answer in answers.csv", "no"]
    assert results(rows) == reasons
    assert note["answers"]["missing"]["count"] == 2 and note["answers"]["answered"] == 2
    said = " ".join(of_answers(note))
    assert "2 of 4 questions have no answer of told and are left out for all models" in said
    assert "1 row of the answers of told is about questions that the run does not have" in said


def test_answers_that_are_neither_are_no_missing_ones() -> None:
    rows, note, _ = brought(csv(["yes", "no", "maybe", "Yes. Or no?"]))
    assert results(rows) == ["yes", "no", UNPARSED, UNPARSED]
    assert rows["b/2.png", "Ist es schön?"]["said"] == "maybe"
    assert any("2 of 4 answers of told are neither yes nor no" in each for each in of_answers(note))
    with pytest.raises(AnswersError, match="none of its answers says yes or no; the first is 'A'"):
        brought(csv(list("ABAB")))


def test_files_about_something_else_are_refused() -> None:
    text = csv(["yes"] * 4).replace(".png", ".jpg")
    with pytest.raises(AnswersError, match=r"no row is about one of the run's 4 questions. 4 rows"):
        brought(text, missing="unanswered")
    with pytest.raises(AnswersError, match="no question that can be asked"):
        brought(csv(["yes"] * 4), asked=(), excluded=ASKED)


def test_rows_about_questions_that_are_left_out_are_counted() -> None:
    rows, note, _ = brought(csv(["yes"] * 4), asked=ASKED[:3], excluded=ASKED[3:])
    assert len(rows) == 3 and note["answers"]["unusable"] == 1
    assert any("are about questions that are left out" in each for each in of_answers(note))


def test_the_column_of_the_truth_is_not_taken_for_the_answers() -> None:
    truth = [row[2] for row in MANY]
    text = csv(truth, asked=MANY)
    _, note, _ = brought(text, asked=MANY)
    assert any("All answers of told are right: make sure" in each for each in of_answers(note))
    frame = pd.read_csv(io.StringIO(text)).assign(model_output="no")
    with pytest.raises(AnswersError, match="most likely the truth, and 'model_output' may be what"):
        brought(frame, "t.parquet", asked=MANY)
    rows, note, _ = brought(frame, "t.parquet", asked=MANY, columns={"answer": "model_output"})
    assert {row["predicted"] for row in rows.values()} == {"no"} and not of_answers(note)
    rows, note, _ = brought(frame, "t.parquet", asked=MANY, columns={"answer": "answer"})
    assert note["answers"]["all_right"] is True
    wrong = ["yes" if each == "no" else each for each in truth[:1]] + truth[1:]
    _, note, _ = brought(csv(wrong, asked=MANY), asked=MANY)
    assert not of_answers(note)


# Many --------------------------------------------------------------------------------------------


def test_rows_are_not_kept() -> None:
    """Of a file with far more rows than the run has questions, only the run's are in memory."""
    text = csv(["yes", "no", "yes", "no"])
    lines = "".join(f"c/{n % 5}.png,Is it {n % 5}?,yes\n" for n in range(20_000))
    Path("answers.csv").write_text(text + lines, encoding="utf-8")
    shards = write_shards()
    wanted = Wanted("told", Path("answers.csv"))
    tracemalloc.start()
    import_answers(wanted, shards, "out.parquet", "n.json")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4e6, "20,000 rows of 200 bytes each"


@pytest.mark.long
def test_many_answers_take_seconds() -> None:
    numbers = range(100_000)
    asked = [(f"{n // 5:05d}.png", f"Is it {n}?", "yes" if n % 3 else "no") for n in numbers]
    order = np.random.default_rng(0).permutation(len(asked))
    lines = csv([n % 1000 / 1000 for n in numbers], "p_yes", asked).splitlines()
    text = "\r\n".join([lines[0], *(lines[1 + n] for n in order)])
    start = time.process_time()
    rows, _, _ = brought(text, asked=asked)
    assert results(rows, asked) == [n % 1000 / 1000 for n in numbers]
    assert time.process_time() - start < 30


def test_the_columns_of_a_file_are_told_before_it_is_read() -> None:
    Path("a.csv").write_text(csv(["yes"] * 4), encoding="utf-8")
    source = open_source(Path("a.csv"), {})
    assert source.columns == {"image": "image", "question": "question", "answer": "answer"}
    Path("a.jsonl").write_text(
        '{"question": "Is it?", "answer": "no"}\n{"image": "a", "question": '
        '"Is it?", "answer": "no"}\n',
        encoding="utf-8",
    )
    with pytest.raises(AnswersError, match="line 2: it has an image, and the first row has none"):
        list(open_source(Path("a.jsonl"), {}).rows())

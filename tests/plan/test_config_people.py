"""People in the configuration: what it becomes, what depends on it, and every mistake."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from synthsight.plan import specs
from synthsight.plan.config import models
from synthsight.plan.files import Files
from tests.plan.test_config import RESOLVED, errors, images, load, write

LABELS = "rater,image,response\nann,pizza/a.png,pizza\n"
ANSWERS = "rater,image,question,response\nann,pizza/a.png,Is it hot?,yes\n"
VQA = "vqa:\n  questions: q.csv\n  models:\n    - OFA-Sys/ofa-base\n"


@pytest.fixture(autouse=True)
def _workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    images("pizza/a.png", "rabbit/a.JPG")
    Path("resources").mkdir()
    Path("resources/categories.yaml").write_text("{}\n")
    Path("q.csv").write_text("image,question,answer\npizza/a.png,Is it hot?,yes\n")
    Path("people.csv").write_text(LABELS)
    Path("more.csv").write_text(LABELS.replace("ann", "bob"))
    Path("answers.csv").write_text(ANSWERS)
    answer = {"model": RESOLVED}
    monkeypatch.setattr(models, "resolve_cached", lambda asked, *_: [answer for _ in asked])


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_without_people_nothing_changes() -> None:
    for config in (write(), write(people="people: null")):
        found = load(config)
        assert found.people is None
        assert "people" not in specs.report(found)["settings"]
        named = {each.rule for each in Files(found).statistics}
        assert named.isdisjoint({"people", "people_answers", "import_people"})
        assert "people" not in {each.name for each in Files(found).figure_rows}


def test_files_count_by_their_contents_and_decide_which_tables_there_are() -> None:
    found = load(write(people="people: {labels: [more.csv, people.csv]}"))
    assert found.people is not None and found.people.files == ["more.csv", "people.csv"]
    spec = specs.import_people(found)
    assert spec == {
        "columns": {n: n for n in ("rater", "image", "question", "response")},
        "labels": {
            "more.csv": digest(LABELS.replace("ann", "bob")),
            "people.csv": digest(LABELS),
        },
        "categories": ["pizza", "rabbit"],
        "root": "images",
    }
    rules = {each.rule for each in Files(found).statistics}
    assert {"people", "import_people"} <= rules and "people_answers" not in rules
    both = load(write(people="people: {labels: people.csv, answers: answers.csv}", vqa=VQA))
    assert {"people", "people_answers"} <= {each.rule for each in Files(both).statistics}
    assert specs.import_people(both)["answers"] == {"answers.csv": digest(ANSWERS)}
    alone = load(write(people="people: {answers: answers.csv}", vqa=VQA))
    assert "people" not in {each.rule for each in Files(alone).statistics}
    assert "people" not in {each.name for each in Files(alone).figure_rows}


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ("{}", "line 5, people: give `labels`, `answers` or both"),
        ("{labels: nowhere.csv}", "people.labels: nowhere.csv cannot be read: No such file"),
        ("{labels: People.csv}", "did you mean 'people.csv'"),
        ("{labels: [people.csv, q.csv]}", "people.labels[1]: q.csv has no column 'rater'"),
        ("{labels: [people.csv, copy.csv]}", "'copy.csv' is the same file as 'people.csv': list"),
        ("{labels: people.xlsx}", "the extension must be one of .csv .tsv .json .jsonl .parquet"),
        ("{answers: answers.csv}", "people answer the questions of `vqa`, and none are asked"),
        ("{labels: ~/people.csv}", "`~` is not expanded here"),
        ("{labels: '<a>.csv'}", "'<a>' in it means a folder to Snakemake. Rename it"),
        ("{labels: []}", "people.labels"),
        ("{label: people.csv}", "did you mean 'labels'?"),
    ],
)
def test_mistakes_are_told_with_their_place(people: str, message: str) -> None:
    Path("copy.csv").write_text(LABELS)
    Path("people.xlsx").write_bytes(b"PK\x03\x04")
    (said,) = errors(write(people=f"people: {people}"))
    assert message in said


def test_columns_that_are_not_read_are_noted() -> None:
    Path("people.csv").write_text("rater,image,response,age\nann,pizza/a.png,pizza,7\n")
    found = load(write(people="people: {labels: people.csv}"))
    assert "people.csv: the columns 'age' are not read" in found.warnings

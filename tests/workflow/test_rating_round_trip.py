"""From the pages that raters get to the tables of people, by the commands that users run."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthsight.people.disguise import disguised
from tests.rating.raters import rate_all, read_responses
from tests.support import Project

pytestmark = pytest.mark.long


def test_what_people_say_on_the_pages_comes_back_into_the_run(
    project: Project, browser: Any, tmp_path: Path
) -> None:
    project.run("rating")
    pages = {kind: project.results / "rating" / name for kind, name in _PAGES.items()}
    records = pd.concat(
        map(pd.read_parquet, sorted((project.results / "images").glob("*.parquet")))
    )
    records = records[records["status"] == "ok"]
    shown = {
        disguised(image, sha256): (image, category)
        for image, sha256, category in zip(
            *(records[key] for key in ("image", "sha256", "category")), strict=True
        )
    }
    choices = itertools.cycle(["bagel", "clock", "other", "cannot tell", "clock"])
    number = len(shown)
    labels = [
        rate_all(
            *(browser, pages["labels"], name),
            *([next(choices) for _ in range(number)], tmp_path),
        )
        for name in ("Ann", "Bo")
    ]
    asked = pd.read_parquet(project.results / "vqa" / "asked.parquet")
    said = itertools.cycle(["yes", "no", "no"])
    answers = rate_all(
        browser, pages["answers"], "Ann", [next(said) for _ in range(len(asked))], tmp_path
    )

    config = project.config
    config["people"] = {"labels": [str(path) for path in labels], "answers": str(answers)}
    project.configure(config)
    project.run("tables")
    found = pd.read_parquet(project.results / "people" / "labels.parquet")
    assert len(found) == 2 * number
    given = {
        (row["rater"], *shown[row["image"]], row["response"])
        for path in labels
        for row in read_responses(path)
    }
    columns = ["rater", "image", "category", "response"]
    assert set(found[columns].itertuples(index=False, name=None)) == given
    assert (found["correct"] == (found["response"] == found["category"])).all()
    table = pd.read_csv(project.results / "tables" / "people.csv", keep_default_na=False)
    assert {"Ann", "Bo"} <= set(table["name"])

    replies = pd.read_parquet(project.results / "people" / "answers.parquet")
    by_page = {(row["question"], row["response"]) for row in read_responses(answers)}
    assert set(replies[["question", "response"]].itertuples(index=False, name=None)) == by_page
    truth = asked.set_index(["image", "question"])["answer"]
    right = [
        response == truth[image, question]
        for image, question, response in zip(
            *(replies[key] for key in ("image", "question", "response")), strict=True
        )
    ]
    assert replies["correct"].tolist() == right and len(replies) == len(asked)


_PAGES = {"labels": "rating.html", "answers": "rating_questions.html"}

"""People on the page: the sentence, the section, and the explorer's filter."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthsight.report.answer import people_answer, people_questions_answer
from synthsight.report.people import MOST_RATERS, explorer_people, people_section
from tests.browser import until
from tests.report.browsing import Tab, hits
from tests.support import Project, add_people

RULE = "words/simple"
HOSTILE = "<img src=x onerror=window.pwned=1>"


def people_table(raters: int, generator: str = "*", best: float = 0.5) -> pd.DataFrame:
    rows = [("rater", f"r{number}", None, 0.5 + number / 100) for number in range(raters)]
    rows += [("mean", None, None, 0.75), ("majority", None, None, 0.8)]
    rows += [("ceiling", None, None, 0.7)] if raters > 1 else []
    rows += [("model", "worse", RULE, 0.25), ("model", "better", RULE, best)]
    rows += [("model", "worse", "classes", 0.99)]
    table = pd.DataFrame(rows, columns=["kind", "name", "rule", "accuracy"])
    table = table.assign(low=table["accuracy"] - 0.1, high=table["accuracy"] + 0.2)
    apart = (table["accuracy"] - 0.75).where(table["kind"] == "model")
    table = table.assign(difference=apart, difference_low=apart - 0.05, difference_high=apart + 0.1)
    return table.assign(category="*", generator=generator, n=40, raters=raters)


def test_people_and_the_best_model_on_their_images_are_compared_in_a_sentence() -> None:
    assert people_answer(people_table(3), RULE, 0.95) == (
        "Of 40 generated images that 3 people rated, a person gets on average 75.0% (95% interval "
        "65.0 to 95.0%); better, the best model on these, gets 50.0%, 25.0 points less (15.0 to "
        "30.0)."
    )
    assert people_answer(people_table(1, "photo", best=0.9), RULE, 0.95) == (
        "Of 40 images of photo that 1 person rated, this one gets 75.0% (95% interval 65.0 to "
        "95.0%); better, the best model on these, gets 90.0%, 15.0 points more (10.0 to 25.0)."
    )


def test_people_are_spoken_of_though_no_model_has_all_of_their_images() -> None:
    table = people_table(2)
    table = table[table["kind"] != "model"]
    said = people_answer(table, RULE, 0.95)
    assert said.endswith("75.0% (95% interval 65.0 to 95.0%).")


def test_people_s_answers_to_questions_are_spoken_of_likewise() -> None:
    table = people_table(2).drop(columns=["generator", "category", "rule"])
    assert people_questions_answer(table, 0.95) == (
        "Of 40 yes/no questions that 2 people answered, a person gets on average 75.0% (95% "
        "interval 65.0 to 95.0%); worse, the best model on these, gets 99.0%, 24.0 points more "
        "(19.0 to 34.0)."
    )
    assert people_questions_answer(table.head(0), 0.95) is None


def groups(generator: str = "*") -> pd.DataFrame:
    counts = {"people_and_models": 20, "people_only": 10, "models_only": 6, "neither": 4}
    return pd.DataFrame([{"category": "*", "generator": generator, "n": 40, **counts}])


def test_people_come_before_models_and_groups_have_the_filters_that_show_them() -> None:
    section = people_section({"people": people_table(2), "people_groups": groups()}, RULE)
    assert section is not None
    assert [(row["name"], row["people"]) for row in section["rows"]] == [
        ("mean of raters", True),
        ("majority of raters", True),
        ("ceiling: a rater against most others", True),
        *(("r1", True), ("r0", True)),
        *(("better", False), ("worse", False)),
    ]
    first = section["groups"][0]
    assert (first["n"], first["share"]) == (10, 0.25)
    assert first["filters"] == {"people": "right", "outcome": "none"}


def test_many_raters_are_in_the_table_alone_and_one_is_no_majority() -> None:
    many = people_section(
        {"people": people_table(MOST_RATERS + 1), "people_groups": groups()}, RULE
    )
    assert many is not None and len([row for row in many["rows"] if row["people"]]) == 3
    one = people_section({"people": people_table(1), "people_groups": groups()}, RULE)
    assert one is not None and [row["name"] for row in one["rows"]] == [
        *("the rater", "better", "worse")
    ]


def test_groups_of_photographs_are_shown_by_the_filter_of_their_source() -> None:
    tables = {"people": people_table(2, "photo"), "people_groups": groups("photo")}
    section = people_section(tables, RULE)
    assert section is not None and section["groups"][0]["filters"]["generator"] == "photo"


def test_a_run_without_labels_has_no_such_section() -> None:
    assert people_section({}, RULE) is None


def test_images_that_nobody_rated_are_told_from_those_that_nobody_got() -> None:
    table = pd.DataFrame(
        {"image": ["a", "c"], "raters": [3, 2], "right": [0, 1], "response": ["kite", None]}
    )
    assert explorer_people(["a", "b", "c"], table) == {
        "raters": [3, None, 2],
        "right": [0, None, 1],
        "response": ["kite", None, None],
    }


# In a browser ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rated(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small project with people, one of whom has a name that would come alive as markup."""
    folder = tmp_path_factory.mktemp("rated") / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    project = Project(folder)
    add_people(project)
    path = folder / "people.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line.replace("r1,", f"{HOSTILE},") for line in lines if "dream/clock/1" not in line]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    project.run("results/small/report.html")
    return project


@pytest.fixture
def tab(browser: Any, rated: Project) -> Iterator[Tab]:
    tab = Tab(browser, rated.results / "report.html")
    yield tab
    tab.context.close()


@pytest.mark.long
def test_the_filter_of_people_gives_the_counts_of_the_table(tab: Tab, rated: Project) -> None:
    images = pq.read_table(rated.results / "tables" / "people_images.parquet").to_pandas()
    assert len(images) == 11
    for chosen, expected in (
        ("right", images["recognised"].sum()),
        ("wrong", (~images["recognised"]).sum()),
        ("none", 1),
        ("", 12),
    ):
        tab.choose("people", chosen)
        assert tab.shown() == expected, chosen
    tab.choose("people", "none")
    tab.page.locator(".card").click()
    assert "not rated" in tab.page.inner_text("#large")
    tab.page.locator("#large-close").click()
    until(tab.page, "!location.hash.includes('image=')")  # going back takes its time
    tab.page.reload()
    assert tab.shown() == 1, "the address keeps what is chosen"
    tab.reset("images")
    assert tab.shown() == 12
    tab.choose("find", "dream/bagel/0")
    tab.page.locator(".card").click()
    row = images.set_index("image").loc["dream/bagel/0.png"]
    said = f"{row['right']} of {row['raters']} raters right"
    assert said in tab.page.inner_text("#large")
    assert tab.complaints == []


@pytest.mark.long
def test_each_group_of_images_is_shown_with_its_number_and_opens_in_the_explorer(
    tab: Tab, rated: Project
) -> None:
    counts = pq.read_table(rated.results / "tables" / "people_groups.parquet").to_pandas()
    row = counts[(counts["category"] == "*") & (counts["generator"] == "*")].iloc[0]
    section = tab.page.locator("#people")
    for place, column in enumerate(("people_only", "people_and_models", "models_only", "neither")):
        number = int(row[column])
        heading = section.locator("h4").nth(place).inner_text()
        assert re.search(rf": {number}\b", heading)
        pictures = section.locator("ul.few").nth(place)
        assert pictures.locator("img").count() == number
        if number:
            pictures.locator("+ button").click()
            assert tab.shown() == number
            pictures.locator("button").first.click()
            assert tab.page.locator("#large").is_visible()
            tab.page.locator("#large-close").click()
    assert tab.complaints == []


@pytest.mark.long
def test_a_rater_s_name_is_text(tab: Tab) -> None:
    assert HOSTILE in tab.page.inner_text("#people")
    tab.look_at_everything()
    assert tab.page.evaluate("window.pwned") is None
    assert tab.complaints == []


def test_a_page_without_people_has_neither_section_nor_filter(finished: Project) -> None:
    text = (finished.results / "report.html").read_text(encoding="utf-8")
    assert 'id="people"' not in text and 'data-key="people"' not in text


@pytest.mark.long
def test_a_model_is_beside_people(tab: Tab, rated: Project) -> None:
    images = pq.read_table(rated.results / "tables" / "people_images.parquet").to_pandas()
    table = hits(rated.results)
    table = table[(table["rule"] == RULE) & (table["model"] == "resnet")].set_index("image")
    rated_by = images.drop_duplicates("image").set_index("image")["recognised"].astype(bool)
    model = table.loc[rated_by.index, "top1_hit"].astype(bool)
    tab.choose("model", "resnet")
    tab.choose("against", "\t")
    for outcome, which in {
        "both": model & rated_by,
        "first": model & ~rated_by,
        "second": ~model & rated_by,
        "neither": ~model & ~rated_by,
    }.items():
        button = tab.page.locator(f"[data-outcome={outcome}]")
        assert int(button.locator("strong").inner_text()) == which.sum(), outcome
        tab.choose("outcome", outcome)
        assert tab.shown() == which.sum()
    people = pd.read_csv(rated.results / "tables" / "people.csv")
    row = people[
        (people["kind"] == "model")
        & (people["name"] == "resnet")
        & (people["rule"] == RULE)
        & (people[["category", "generator"]] == "*").all(axis=1)
    ].iloc[0]
    said = tab.page.inner_text("#images-beside")
    assert f"resnet {100 * row['accuracy']:.1f}% with the first guess" in said
    assert f"{100 * abs(row['difference']):.1f} points" in said
    assert "1 image nobody rated." in said

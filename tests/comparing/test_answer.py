"""The sentences count what is clear, name the largest, and say of which images they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from synthsight.comparing.answer import answers, differing
from synthsight.comparing.comparison import Comparison
from synthsight.comparing.configuration import CONFIGURATION
from synthsight.comparing.differences import COMPARISON
from synthsight.comparing.forest import forest
from synthsight.comparing.page import render
from synthsight.comparing.questions import QUESTIONS
from synthsight.tables import ALL

#: What a row has where nothing else is said.
ROW: dict[str, Any] = {
    **{"category": ALL, "generator": ALL, "rule": "classes", "measure": "top1"},
    **{"method": "paired", "over": "all", "categories": 2, "n_a": 1200, "n_b": 1200},
    **{"same": 1200, "value_a": 0.5, "only_a": 3, "only_b": 4, "note": ""},
}


def row(model: str, difference: float, reach: float = 0.01, **others: Any) -> dict[str, Any]:
    bounds = {"low": difference - reach, "high": difference + reach}
    value = {"value_b": 0.5 + difference, "difference": difference}
    return {**ROW, "model": model, **value, **bounds, **others}


def found(rows: Sequence[dict[str, Any]], **others: Any) -> Comparison:
    about = {
        **{"a": "old", "b": "new", "rule": "classes", "level": 0.95, "remarks": ()},
        "differences": pd.DataFrame(rows, columns=list(COMPARISON)).astype(COMPARISON),
        "questions": pd.DataFrame(columns=list(QUESTIONS)).astype(QUESTIONS),
        "configuration": pd.DataFrame(columns=CONFIGURATION),
        "adapted": frozenset(),
    }
    return Comparison(**{**about, **others})


def test_one_model_is_told_with_its_interval() -> None:
    said = answers(found([row("net", 0.034)]))
    assert said[0] == (
        "From old to new, the top-1 accuracy on generated images under classes of net goes from "
        "50.0% to 53.4%, +3.4 points (95% interval 2.4 to 4.4)."
    )
    assert said[1] == "The 1,200 images are the same in both runs, so the differences are paired."


def test_of_several_it_is_said_how_many_rise_and_fall_and_which_most() -> None:
    rows = [row("a", 0.03), row("b", -0.2), row("c", 0.005), row("d", 0.0, only_a=0, only_b=0)]
    rows += [row("e", 0.05), row("f", 0.04)]
    said = answers(found(rows))
    assert "rises for 3 of 6 models and falls for 1; of the others the interval" in said[0]
    assert said[1] == "1 of them is right in the same cases."
    assert said[2].startswith("Largest: b goes from 50.0% to 30.0%, -20.0 points")
    assert [name for name in "abcdef" if f" {name} goes" in said[2]] == ["b", "e", "f"]


def test_where_nothing_is_clear_it_is_said() -> None:
    said = answers(found([row("a", 0.005), row("b", -0.005)]))
    assert "changes clearly for none of 2 models: every interval includes 0" in said[0]
    same = answers(found([row(name, 0, only_a=0, only_b=0) for name in "ab"]))
    assert "does not change: each of the 2 models is right in the same cases" in same[0]


def test_shared_images_and_all_of_them_are_told_apart() -> None:
    shared = {"over": "shared", "n_a": 700, "n_b": 700, "same": 700}
    two = {"method": "two samples", "n_b": 900, "same": 700, "only_a": pd.NA, "only_b": pd.NA}
    said = answers(found([row("net", 0.1, **shared), row("net", -0.002, **two)]))
    assert "net goes from 50.0% to 49.8%, -0.2 points" in said[0]
    assert said[1].startswith("700 of 1,200 and 900 images are the same")
    assert said[2].startswith("Over the shared ones, 1 model of 1 differs: net goes from 50.0% to")
    none = answers(found([row("net", -0.002, **{**two, "same": 0})]))
    assert none[1].startswith("None of the images are the same (1,200 and 900)")


def test_models_trained_on_the_images_are_not_counted_unless_there_are_no_others() -> None:
    rows = [row("net", 0.0), row("net+linear", 0.5)]
    assert "of net goes" in answers(found(rows, adapted=frozenset({"net+linear"})))[0]
    assert "of net+linear goes" in answers(found(rows[1:], adapted=frozenset({"net+linear"})))[0]


def test_nothing_to_tell_is_said() -> None:
    assert answers(found([]))[0].startswith("The runs have no category and source of images in")
    assert (
        answers(found([]))[-1] == "Nothing that the runs know of themselves differs between them."
    )


def test_what_differs_is_counted_by_part() -> None:
    keys = [("settings", "x"), ("images", "a: b: number"), ("images", "a: b: only here")]
    keys += [("images", "a: c: number"), ("versions", "torch")]
    rows = [(part, key, "1", "2") for part, key in keys]
    table = pd.DataFrame(rows, columns=CONFIGURATION)
    assert differing(found([], configuration=table)) == (
        "What differs: 1 under settings, 1 under versions, images of 2 categories; the table "
        "configuration has each."
    )


@pytest.mark.parametrize(("reach", "ticks"), [(0.011, 5), (0.03, 7), (0.2, 5), (0.9, 7)])
def test_a_scale_has_few_marks_and_holds_all_intervals(reach: float, ticks: int) -> None:
    table = found([row("a", 0.0, reach), row("b", 0.0, reach / 2)]).differences
    chart = forest("", table, "model", "images", 0.95, 60)
    places = [at for at, _ in chart.ticks]
    assert len(places) == ticks and chart.ticks[len(places) // 2] == (50, "0")
    marks = [mark for _, each in chart.rows for mark in each]
    assert all(0 <= mark.low < mark.at < mark.high <= 100 for mark in marks)
    assert {mark.verdict for mark in marks} == {"unclear"}


def test_a_chart_has_the_largest_differences_in_order_and_says_what_it_leaves_out() -> None:
    rows = [row(name, value) for name, value in (("a", 0.1), ("b", -0.3), ("c", 0.01), ("d", 0.2))]
    chart = forest("", found(rows).differences, "model", "images", 0.95, 3)
    assert [name for name, _ in chart.rows] == ["d", "a", "b"] and chart.left_out == 1
    assert [mark.verdict for _, (mark,) in chart.rows] == ["better", "better", "worse"]


def test_a_page_of_nothing_in_common_says_so() -> None:
    page = render(found([], rule="", remarks=("Only old has the model net.",)))
    assert "no category and source of images in common" in page
    assert "Only old has the model net." in page
    assert 'id="models"' not in page and 'id="questions-asked"' not in page

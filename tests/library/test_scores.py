"""Logits that a notebook has joined, renamed or made: what would be taken silently is refused."""

from __future__ import annotations

import io
import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthsight import api
from synthsight.library.scored import with_scoring

#: The plan's settings for scoring the logits of a model of four classes.
SPEC = {
    "labels": "imagenet-1k",
    "aggregation": "max",
    "categories": {
        "clock": {"also": ["timepiece"], "classes": None},
        "toilet_seat": {"also": [], "classes": None},
        "pizza": {"also": [], "classes": None},
    },
}

CLOCK, PIZZA = 892, 963


def of_run(*rows: tuple[str, str, int], spec: dict = SPEC) -> pd.DataFrame:
    """A frame as from ``run.logits``: category, image and the best class of each row."""
    index = pd.MultiIndex.from_tuples([row[:2] for row in rows], names=["category", "image"])
    values = np.eye(1000, dtype=np.float32)[[row[2] for row in rows]]
    frame = pd.DataFrame(values, index, pd.RangeIndex(1000, name="class"))
    return with_scoring(frame, spec, Path())


ONE = of_run(("clock", "a", CLOCK), ("pizza", "b", CLOCK))
OTHER = of_run(("clock", "c", PIZZA), spec={**SPEC, "aggregation": "mean"})


def hits(frame: pd.DataFrame, *arguments: object, **options: object) -> list[bool]:
    found: list[bool] = api.score(frame, *arguments, **options)["top1_hit"].tolist()
    return found


# What pandas forgets ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "joined",
    [
        pd.concat([ONE, OTHER]),
        pd.concat([ONE, OTHER], keys=["one", "other"]),
        pd.concat([ONE, OTHER]).droplevel("category"),
        pd.read_csv(io.StringIO(ONE.to_csv()), index_col=[0, 1]),
        pd.DataFrame(ONE.to_numpy(), ONE.index),
    ],
    ids=["joined", "with keys", "without categories", "csv", "by hand with the run's index"],
)
def test_a_frame_of_runs_that_forgot_how_it_is_scored_is_refused(joined: pd.DataFrame) -> None:
    shown = None if "category" in joined.index.names else ["clock", "pizza", "clock"]
    with pytest.raises(
        api.ApiError,
        match=r"`run.logits`, but .* joined, .* CSV .* Score each .* `labels` and `definitions`$",
    ):
        api.score(joined, shown)
    with pytest.raises(api.ApiError, match=r"or give `definitions`$"):
        api.score(joined, shown, labels="imagenet-1k")
    with pytest.raises(api.ApiError, match=r"`among` and `aggregation`$"):
        api.score(joined, shown, labels="imagenet-1k", definitions={}, rule="restricted")
    wanted = [True, False, False][: len(joined)]
    assert hits(joined, shown, labels="imagenet-1k", definitions={}) == wanted
    choice = {"rule": "restricted", "among": ["clock", "pizza"], "aggregation": "max"}
    assert hits(joined, shown, labels="imagenet-1k", definitions={}, **choice) == wanted


@pytest.mark.parametrize("kept", [7, {"labels": "imagenet-1k"}, {**SPEC, "categories": ["clock"]}])
def test_what_another_version_keeps_of_scoring_is_refused(kept: object) -> None:
    frame = pd.DataFrame(ONE.to_numpy(), ["a", "b"])
    frame.attrs["synthsight"] = kept
    with pytest.raises(api.ApiError, match=r"`attrs\['synthsight'\]` is not what this version"):
        api.score(frame, ["clock", "pizza"])


def test_two_levels_of_one_name_are_refused() -> None:
    with pytest.raises(api.ApiError, match="two levels of the index are called 'category'"):
        api.score(pd.concat([ONE], keys=["x"], names=["category"]))


def test_a_frame_that_never_was_a_runs_needs_nothing() -> None:
    frame = pd.DataFrame(ONE.to_numpy(), ["a", "b"])
    assert hits(frame, ["clock", "pizza"]) == [True, False]


def test_what_pandas_makes_of_one_frame_knows_it() -> None:
    for frame in (
        pd.concat([ONE.iloc[:1], ONE.iloc[1:]]),
        (ONE + ONE) / 2,
        ONE.droplevel("category").set_axis(["x", "y"]),
        ONE.sort_index(axis=1, ascending=False),
    ):
        shown = None if "category" in frame.index.names else ["clock", "pizza"]
        assert hits(frame, shown) == [True, False]


def test_logits_of_two_models_that_are_scored_alike_are_told_by_their_images() -> None:
    with pytest.raises(api.ApiError, match="'a' occurs twice: score the logits of each model by"):
        api.score(pd.concat([ONE, ONE]))


# Categories ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "options", "message"),
    [
        ("klock", {}, "no category 'klock', so nothing defines it; did you mean 'clock'? Give"),
        ("vase", {}, "no category 'vase', so nothing defines it; it has clock, toilet_seat, pizza"),
        (
            ["clock", "pizza"],
            {"among": ["vase"], "rule": "restricted"},
            "the run that the logits are from has no category 'vase'",
        ),
        ("toilet seat", {}, "'toilet seat' and 'toilet_seat' are one category, written in diff"),
        (["Clock", "pizza"], {}, "'Clock' and 'clock' are one category, written in different ways"),
    ],
)
def test_categories_that_the_run_does_not_have_are_an_error(shown, options, message: str) -> None:
    with pytest.raises(api.ApiError, match=re.escape(message)):
        api.score(ONE, shown, **options)


def test_categories_of_ones_own_have_definitions_of_ones_own() -> None:
    assert hits(ONE, ["watch", "pizza"], definitions={"watch": {"also": ["clock"]}}) == [
        True,
        False,
    ]


@pytest.mark.parametrize("level", [["clock", None], [1, 2], [float("nan"), "pizza"]])
def test_categories_in_an_index_are_texts(level: list) -> None:
    frame = ONE.set_axis(
        pd.MultiIndex.from_arrays(
            [pd.Index(level, dtype=object), ["a", "b"]], names=ONE.index.names
        )
    )
    with pytest.raises(api.ApiError, match=r"a category is a text, not (None|nan|1)"):
        api.score(frame)


def test_any_list_of_names_will_do_and_is_gone_through_once() -> None:
    rows = of_run(("clock", "a", PIZZA))
    for among in (
        ["pizza"],
        ("pizza",),
        {"pizza"},
        (name for name in ["pizza"]),
        np.array(["pizza"]),
        pd.Series(["pizza"]),
        {"pizza": 1}.keys(),
    ):
        # By the choice among clock and pizza it is a pizza; among clocks it would be right.
        assert hits(rows, rule="restricted", among=among) == [False]


def test_a_category_that_nobody_can_be_right_about_is_said() -> None:
    logits = ONE.to_numpy()
    with pytest.warns(UserWarning, match=r"no class of imagenet-1k counts .* 'piza'; did you mean"):
        assert hits(logits, "piza") == [False, False]
    with pytest.warns(UserWarning, match=r"category 'qqq' \(and 1 more\): none of its images"):
        api.score(logits, ["qqq", "zzz"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Somebody has said that no class shows it, which is an answer.
        none = {"kite": {"classes": {}}}
        assert hits(logits, "kite", definitions=none, rule="classes") == [False, False]


def test_arguments_that_count_for_nothing_are_said() -> None:
    with pytest.warns(UserWarning, match=r"`among` counts for nothing under 'classes', only under"):
        assert hits(ONE, rule="classes", among=["pizza"]) == [True, False]
    with pytest.warns(UserWarning, match="`aggregation` counts for nothing .* under 'restricted'"):
        api.score(ONE, aggregation="mean")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        api.score(ONE, rule="restricted", aggregation="mean", among=["pizza"])


def test_an_index_that_says_otherwise_than_what_is_given_is_said() -> None:
    """A name was meant to select, or a list is in another order."""
    with pytest.warns(UserWarning, match=r"^1 of 2 images are .* \('pizza'\) than .*'clock'\]\]`$"):
        assert hits(ONE, "clock") == [True, True]
    with pytest.warns(UserWarning, match=r"^2 of 2 images are of another category"):
        assert hits(ONE, ["pizza", "clock"]) == [False, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hits(ONE, ["clock", "pizza"]) == [True, False]
        assert hits(ONE.droplevel("category"), "clock") == [True, True]


def test_definitions_that_leave_out_what_the_run_knows_are_said() -> None:
    timepiece = {"clock": {"also": ["pizza"]}}
    with pytest.warns(UserWarning, match=r"instead of all .* says nothing of 'clock': these go by"):
        api.score(ONE, definitions={"pizza": {"also": ["pie"]}})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hits(ONE, definitions=timepiece) == [True, False]
        pie = {"pizza": {"also": ["pie"]}}
        assert hits(ONE.loc[["pizza"]], definitions=pie) == [False], "clock counts for nothing"
        assert hits(ONE, definitions={}) == [True, False], "none at all are meant"
        assert hits(ONE.to_numpy(), ["clock", "pizza"], definitions=timepiece) == [True, False]


# Columns ---------------------------------------------------------------------------------------


def digits(tmp_path: Path, names: str) -> str:
    """A label file whose classes are called by digits; they need second names."""
    path = tmp_path / "labels.json"
    path.write_text(json.dumps([f"{name}, digit{name}" for name in names]))
    return str(path)


@pytest.mark.parametrize("columns", [["0", "1", "2"], ["2", "0", "1"], [2, 0, 1]])
def test_numbers_that_are_names_of_other_classes_are_not_guessed_at(
    tmp_path: Path, columns: list
) -> None:
    labels = digits(tmp_path, "201")  # class 0 is called 2
    frame = pd.DataFrame(np.eye(3, dtype=np.float32), ["a", "b", "c"], columns)
    with pytest.raises(api.ApiError, match="may be numbers of classes or their names"):
        api.score(frame, ["0", "1", "2"], labels=labels, definitions={})


def test_numbers_in_order_are_numbers_and_so_are_those_that_are_called_alike(
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame(np.eye(3, dtype=np.float32), ["a", "b", "c"])
    found = api.score(frame, ["2", "0", "0"], labels=digits(tmp_path, "201"), definitions={})
    assert found["predicted"].str[0].tolist() == ["2", "0", "1"]
    assert found["top1_hit"].tolist() == [True, True, False]
    turned = frame.set_axis(["2", "0", "1"], axis=1)
    labels = digits(tmp_path, "012")
    assert hits(turned, ["2", "0", "1"], labels=labels, definitions={}) == [True] * 3
    # A run's columns are numbers, in whatever order.
    run = frame.rename_axis(columns="class")[[2, 0, 1]]
    labels = digits(tmp_path, "201")
    assert hits(run, ["2", "0", "1"], labels=labels, definitions={}) == [True] * 3

"""Two runs of the workflow compared: numbers are the runs' own, and what differs is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthsight import api
from synthsight.commands import main
from synthsight.comparing import comparison as comparison_module
from synthsight.comparing.comparison import Comparison, compare_runs
from synthsight.comparing.errors import CompareError
from synthsight.comparing.writing import names, write
from synthsight.plan.record import NAME
from synthsight.tables import ALL
from tests.support import Project

TWO_RUNS = pytest.mark.long


@pytest.fixture(name="found", scope="module")
def found_(compared: Project) -> Comparison:
    results = compared.folder / "results"
    return compare_runs(results / "small", results / "next")


@pytest.fixture(name="say")
def say_(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def say(*arguments: object) -> tuple[int, str, str]:
        status = main.main([str(each) for each in arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return say


# Numbers ------------------------------------------------------------------------------------------


@TWO_RUNS
@pytest.mark.parametrize("side", ["a", "b"])
def test_values_over_all_images_are_those_of_the_runs_own_tables(
    found: Comparison, compared: Project, side: str
) -> None:
    run = api.open_run(compared.folder / "results" / {"a": "small", "b": "next"}[side])
    own = run.table("accuracy").set_index(["model", "category", "generator", "rule"])
    common = ["bagel", "clock"]
    rows = found.differences[found.differences["over"] == "all"]
    assert len(rows) > 100
    for _, row in rows.iterrows():
        categories = common if row["category"] == ALL else [row["category"]]
        places = [(row["model"], name, row["generator"], row["rule"]) for name in categories]
        told = np.mean([own.loc[place, row["measure"]] for place in places])
        assert row[f"value_{side}"] == pytest.approx(told, abs=1e-12), row
        assert row[f"n_{side}"] == sum(own.loc[place, "n"] for place in places)
    if side == "b":  # which has no other categories
        mean = rows[rows["category"] == ALL].iloc[0]
        place = (mean["model"], ALL, mean["generator"], mean["rule"])
        assert mean["value_b"] == pytest.approx(own.loc[place, mean["measure"]])


@TWO_RUNS
def test_values_of_questions_are_those_of_the_runs_own_tables(
    found: Comparison, compared: Project
) -> None:
    assert [*found.questions["model"]] == ["asked", "other"]
    for side, name in (("a", "small"), ("b", "next")):
        own = api.open_run(compared.folder / "results" / name).table("vqa").set_index("model")
        for _, row in found.questions.iterrows():
            assert row[f"value_{side}"] == pytest.approx(own.loc[row["model"], "accuracy"])
            assert row[f"n_{side}"] == own.loc[row["model"], "n"]
    assert {*found.questions["method"]} == {"paired"}


@TWO_RUNS
def test_the_same_images_are_found_though_one_has_another_name(found: Comparison) -> None:
    rows = found.differences
    rows = rows[(rows["model"] == "resnet") & (rows["generator"] == ALL)]
    rows = rows[(rows["rule"] == "classes") & (rows["measure"] == "top1")]
    clock = rows[rows["category"] == "clock"]
    assert [*clock["method"]] == ["paired"] and [*clock["same"]] == [4]
    bagel = rows[rows["category"] == "bagel"].set_index("method")
    assert bagel.loc["paired", ["over", "n_a", "n_b", "same"]].tolist() == ["shared", 3, 3, 3]
    assert bagel.loc["two samples", ["over", "n_a", "n_b", "same"]].tolist() == ["all", 4, 5, 3]


# What differs -------------------------------------------------------------------------------------


@TWO_RUNS
def test_all_that_differs_is_in_the_table_and_nothing_else(found: Comparison) -> None:
    table = found.configuration
    rows = {(row.part, row.key): (row.a, row.b) for row in table.itertuples()}
    versions = {key for key in rows if key[0] == "versions"}
    assert not versions
    assert rows.pop(("settings", "categories"))[1] == '["bagel", "clock"]'
    assert rows.pop(("categories", "toilet_seat"))[1] == ""
    assert rows == {
        ("settings", "images.root"): ("pictures", "pictures2"),
        ("settings", "models[resnet].crop"): ("false", "48"),
        ("settings", "vqa.root"): ("null", "pictures"),
        ("models", "resnet: geometry.crop"): ("null", "[48, 48]"),
        ("images", "bagel: number"): ("4", "5"),
        ("images", "bagel: only here"): ("1", "2"),
        ("images", "bagel: other content under the same path"): ("1", "1"),
        ("images", "clock: the same, under another path"): ("1", "1"),
        ("images", "toilet_seat: number"): ("4", "0"),
        ("images", "toilet_seat: only here"): ("4", "0"),
    }


@TWO_RUNS
def test_what_makes_a_difference_doubtful_is_said_and_stands_beside_the_rows(
    found: Comparison,
) -> None:
    said = " ".join(found.remarks)
    assert "resnet has other preprocessing in next" in said
    assert "Only small has the category toilet_seat" in said
    assert "Under restricted a model chooses among the run's categories" in said
    notes = found.differences.set_index(["model", "rule"])["note"]
    assert {*notes.loc[("resnet", "classes")]} == {"other preprocessing"}
    assert {*notes.loc[("effnet", "classes")]} == {""}
    assert {*notes.loc[("effnet", "restricted")]} == {"a choice among other categories"}


def side(name: str, classes: dict[str, list[str]], **about: object) -> Any:
    definitions = {key: json.dumps(each) for key, each in classes.items()}
    models, rules = ("net",), ("classes", "restricted")
    return SimpleNamespace(
        **{"name": name, "definitions": definitions, "rules": rules, "adapted": frozenset()},
        **{"models": models, "vqa_models": (), "abouts": {"net": about}},
        scoring=lambda _: {"aggregation": "max"},
    )


def test_categories_that_accept_other_classes_are_named_and_marked() -> None:
    a = side("a", {"kite": ["n1"], "vase": []}, weights_sha256="1")
    b = side("b", {"kite": ["n2"], "vase": []}, weights_sha256="2")
    said = comparison_module._differing(a, b, ["net"], [])
    assert said[0] == "net has other weights in b"
    assert said[1].startswith("kite accepts other classes in b")
    rows = pd.DataFrame({"category": ["kite", "vase", ALL], "model": "net", "rule": "classes"})
    assert comparison_module._notes(a, b, rows) == [
        "other weights; the category accepts other classes",
        "other weights",
        "other weights; 1 category accept other classes",
    ]
    assert comparison_module._differing(a, a, ["net"], []) == []


# Runs that cannot be compared ---------------------------------------------------------------------


def test_a_run_is_not_compared_with_itself(finished: Project) -> None:
    with pytest.raises(CompareError, match="are the same run: name two"):
        compare_runs(finished.results, f"{finished.results}/../small")


def test_an_unfinished_run_is_refused_with_what_to_do(finished: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(finished.results / NAME, other)
    (other / "tables").mkdir()
    with pytest.raises(CompareError, match=r"'other' is not finished: .* is not there yet, and"):
        compare_runs(finished.results, other)
    (other / NAME).unlink()
    with pytest.raises(CompareError, match="run Snakemake again with its configuration"):
        compare_runs(finished.results, other)


def test_a_file_of_another_plan_is_refused(finished: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(finished.results, other, ignore=shutil.ignore_patterns("pixels"))
    shutil.copy(other / "tables" / "kappa.parquet", other / "tables" / "accuracy.parquet")
    with pytest.raises(CompareError, match=r"accuracy.parquet is of an earlier configuration"):
        compare_runs(finished.results, other)


@pytest.fixture(name="copy", scope="module")
def copy_(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run in another place, away from its weights, and without its pixels."""
    other = tmp_path_factory.mktemp("copy") / "other"
    shutil.copytree(finished.results, other, ignore=shutil.ignore_patterns("pixels"))
    return other


@pytest.fixture(name="same", scope="module")
def same_(finished: Project, copy: Path) -> Comparison:
    return compare_runs(finished.results, copy)


def test_the_same_run_in_another_place_differs_in_nothing(same: Comparison) -> None:
    found = same
    assert found.configuration.empty
    assert {*found.differences["method"]} == {"paired"}
    assert (found.differences["difference"] == 0).all()
    assert (found.differences["only_a"] == 0).all()
    assert (found.differences["low"] < 0).all() and (found.differences["high"] > 0).all()
    assert (found.questions["difference"] == 0).all()
    said = " ".join(found.remarks)
    assert "Whether asked, other had the same weights cannot be told" in said


def test_a_rule_is_chosen_by_name(finished: Project, copy: Path) -> None:
    assert compare_runs(finished.results, copy, "classes").rule == "classes"
    with pytest.raises(CompareError, match=r"rule 'clases'; did you mean 'classes'\?"):
        compare_runs(finished.results, copy, "clases")


def test_other_primary_rules_and_levels_are_said(finished: Project, tmp_path: Path) -> None:
    copy = tmp_path / "other"
    shutil.copytree(finished.results, copy, ignore=shutil.ignore_patterns("pixels"))
    content = json.loads((copy / NAME).read_text(encoding="utf-8"))
    content |= {"rule": "classes", "level": 0.99}
    (copy / NAME).write_text(json.dumps(content), encoding="utf-8")
    found = compare_runs(finished.results, copy)
    assert (found.rule, found.level) == ("words/simple", 0.99)
    said = " ".join(found.remarks)
    assert "The primary rule of small is words/simple, that of other classes" in said
    assert "differences have intervals at 99%" in said


# Files --------------------------------------------------------------------------------------------


def test_the_command_writes_tables_and_a_page_and_prints_the_answer(
    say: Callable[..., tuple[int, str, str]], finished: Project, copy: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "compared"
    status, text, errors = say("compare", finished.results, copy, "--output", folder)
    assert (status, errors) == (0, "")
    flat = " ".join(text.split())
    assert "From small to other, the top-1 accuracy on generated images under words/simple" in flat
    assert "each of the 2 models is right in the same cases" in flat
    assert "The 12 images are the same in both runs, so the differences are paired." in flat
    assert "Before you trust these numbers: - Whether asked" in flat
    assert f"{folder}/comparison.html" in text
    assert {path.name for path in folder.iterdir()} == names()
    table = pd.read_csv(folder / "comparison.csv", keep_default_na=False, na_values="")
    kept = pd.read_parquet(folder / "comparison.parquet")
    assert len(table) == len(kept) and table["low"].tolist() == kept["low"].tolist()
    assert all(len(line) < 80 or " " not in line.strip() for line in text.splitlines())


def test_a_comparison_replaces_a_comparison_and_nothing_else(
    same: Comparison, tmp_path: Path
) -> None:
    found = same
    folder = tmp_path / "compared"
    write(found, folder)
    (folder / "comparison.html").write_text("old", encoding="utf-8")
    write(found, folder)
    assert (folder / "comparison.html").read_text(encoding="utf-8") != "old"
    (folder / "mine.txt").touch()
    with pytest.raises(CompareError, match=r"holds 'mine.txt', and is left as it is"):
        write(found, folder)
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "comparison.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(CompareError, match=r"holds 'comparison.csv', and is left as it is"):
        write(found, strange)
    assert (strange / "comparison.csv").read_text(encoding="utf-8") == "mine"
    with pytest.raises(CompareError, match="is no folder"):
        write(found, strange / "comparison.csv")


@pytest.mark.long
def test_equal_comparisons_give_equal_files(finished: Project, copy: Path, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(compare_runs(finished.results, copy), tmp_path / folder)
    for name in names():
        one, two = (tmp_path / folder / name for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes(), name

"""Tables and figures are rows of one list each; all else follows from these, or is checked here."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from synthsight.doors import load
from synthsight.inputs import deal, describe
from synthsight.plan import asking, learning, looks, specs
from synthsight.plan.exports import of_run
from synthsight.plan.figures import FIGURES, Figure
from synthsight.plan.kinds import KINDS
from synthsight.plan.tables import STATISTICS, TABLES, Statistic
from synthsight.readers import READERS
from synthsight.statistics.columns import BY_TABLE
from tests.support import REPOSITORY

#: The keys of each spec that a row may name.
KEYS: dict[Any, set[str]] = {
    None: set(),
    specs.rule: {"rule"},
    specs.level: {"level"},
    specs.drawn: {"level", "seed"},
    specs.attributes: {"level", "adapted", "compare"},
    specs.level_and_unit: {"level", "unit"},
    specs.models: {"inputs"},
    specs.rule_and_level: {"rule", "level"},
    specs.people: {"rule", "level", "seed", "adapted"},
    specs.people_answers: {"level", "seed"},
    specs.level_and_adapted: {"level", "adapted"},
    specs.adapted: {"adapted"},
    specs.rule_and_adapted: {"rule", "adapted"},
    specs.rule_level_and_adapted: {"rule", "level", "adapted"},
    learning.adaptation: {"level", "unnamed"},
    specs.ranked: {"level", "resamples", "seed", "adapted"},
    looks.models_page: {"rule", "level", "page", "per_page", "categories_per_page"},
    specs.failures: {"rule", "category"},
    of_run: {"level", "run", "adapted"},
    asking.vqa_samples_page: {"page", "per_page"},
}


def parameters(function: str) -> set[str]:
    return set(inspect.signature(load(function)).parameters)


@pytest.mark.parametrize("row", FIGURES, ids=lambda row: row.name)
def test_a_figure_s_function_takes_its_inputs_and_its_spec(row: Figure) -> None:
    taken = {*row.inputs, *KEYS[row.spec], *(["read"] if row.pictures else [])}
    assert parameters(row.function) == taken


@pytest.mark.parametrize(
    "row", [row for row in STATISTICS if row.function], ids=lambda row: row.rule
)
def test_a_table_s_function_takes_its_inputs_and_its_spec(row: Statistic) -> None:
    assert parameters(str(row.function)) == {"outputs", *row.inputs, *KEYS[row.spec]}


def test_every_input_is_a_table_or_of_a_kind_that_can_be_read() -> None:
    for row in (*FIGURES, *STATISTICS):
        assert set(row.inputs.values()) <= {*TABLES, *KINDS}
    kinds = {KINDS.get(name, "table") for row in FIGURES for name in row.inputs.values()}
    assert kinds | {"checksums", "without_duplicates"} == set(READERS)
    # Of images a figure's program checks the bytes, wherever they were examined.
    assert {name for name, kind in KINDS.items() if kind == "checksums"} == {
        *("indexed_images", "indexed_of_category", "indexed_questions")
    }


def test_every_table_that_a_stage_reads_has_its_columns_stated() -> None:
    assert set(BY_TABLE) == {*TABLES} - {"label_audit"}


def test_every_row_has_a_caption_and_every_caption_a_row() -> None:
    folder = REPOSITORY / "workflow" / "report"
    assert {path.stem for path in (folder / "figures").iterdir()} == {row.name for row in FIGURES}
    shown = {name for name, table in TABLES.items() if table.csv}
    assert {path.stem for path in (folder / "tables").iterdir()} == shown
    for path in folder.glob("*/*.rst"):
        assert path.read_text(encoding="utf-8").strip(), path


def test_the_readme_s_table_names_every_table_and_figure() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    rows = "\n".join(line for line in text.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`(?:tables/|figures/)?(\w+?)(?:_\{\w+\}|_1)*(?:\.csv)?`", rows))
    assert named >= {name for name, table in TABLES.items() if table.csv}
    assert named >= {row.name for row in FIGURES}


def test_the_report_has_a_place_for_every_table_that_people_get() -> None:
    template = REPOSITORY / "src" / "synthsight" / "report" / "templates" / "report.html.j2"
    placed = re.findall(r"table\(\"(\w+)\"", template.read_text(encoding="utf-8"))
    assert sorted(placed) == sorted(name for name, table in TABLES.items() if table.csv)


def test_names_of_rows_are_unique() -> None:
    for names in ([row.name for row in FIGURES], [row.rule for row in STATISTICS]):
        assert len(names) == len(set(names))
    assert len(TABLES) == sum(len(row.tables) for row in STATISTICS)


def test_inputs_are_dealt_as_they_were_described() -> None:
    described = describe([("a", "table", 1), ("b", "paths", 0), ("c", "paths", 2)])
    assert described == ["a=table:1", "b=paths:0", "c=paths:2"]
    dealt = deal(described, ["1", "2", "3"])
    assert dealt == {"a": ("table", ["1"]), "b": ("paths", []), "c": ("paths", ["2", "3"])}
    with pytest.raises(ValueError, match="got 2 files, but 3 are described"):
        deal(described, ["1", "2"])

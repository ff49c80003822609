"""The keys of figures: which files there are, and what a figure's spec says of how it looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthsight.plan import looks, specs
from synthsight.plan.experiment import Experiment
from synthsight.plan.files import Files
from tests.plan.test_config import answered_ as answered_
from tests.plan.test_config import error, images, load, write

pytestmark = pytest.mark.usefixtures("folder", "answered")


@pytest.fixture(name="folder")
def folder_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    images("pizza/a.png", "rabbit/a.png")


def configured(figures: str = "") -> Experiment:
    return load(write(figures=figures))


def specs_of(experiment: Experiment) -> dict[str, Any]:
    """The spec of each figure, by its file's name."""
    return {
        stem: row.settings(experiment, *values)
        for row in Files(experiment).figure_rows
        for values, stem in row.files_of(experiment)
    }


def test_figures_are_as_usual_unless_stated() -> None:
    usual = specs_of(configured())
    assert usual["overview"] == {"rule": "words/simple", "level": 0.95}
    assert usual["samples"] == {}
    stated = "figures: {width: two, formats: [png, pdf], dpi: 200, title: true, fonts: []}"
    assert specs_of(configured(stated)) == usual
    assert specs_of(configured("figures: {width: 7.2}")) == usual


@pytest.mark.parametrize(
    ("figures", "look"),
    [
        ("{width: one}", {"width": 3.3}),
        ("{width: 5.5}", {"width": 5.5}),
        ("{title: false}", {"title": False}),
        ("{dpi: 300}", {"dpi": 300}),
        ("{fonts: [Helvetica, Arial]}", {"fonts": ("Helvetica", "Arial")}),
    ],
)
def test_a_look_is_in_the_spec_of_every_figure_and_in_no_other(
    figures: str, look: dict[str, Any]
) -> None:
    usual, other = configured(), configured(f"figures: {figures}")
    for stem, spec in specs_of(other).items():
        assert spec["look"] == look, stem
        if stem != "models_1":  # a narrow page has fewer models
            assert {**spec, "look": None} == {**specs_of(usual)[stem], "look": None}, stem
    assert specs.report(other) == specs.report(usual)
    for row in Files(usual).statistics:
        if row.spec is not None:
            assert row.spec(other) == row.spec(usual)


def test_formats_decide_which_files_there_are_and_no_spec() -> None:
    usual, other = configured(), configured("figures: {formats: [svg, pdf]}")
    assert specs_of(usual) == specs_of(other)
    run = "results/test/figures"
    assert {f"{run}/overview.pdf", f"{run}/overview.png"} <= {*Files(usual).figures}
    assert {Path(file).suffix for file in Files(other).figures} == {".svg", ".pdf"}


def test_a_narrow_page_of_models_holds_fewer() -> None:
    usual, narrow = configured(), configured("figures: {width: one}")
    assert looks.models_page(usual, "1")["per_page"] == 5
    assert looks.models_page(narrow, "1")["per_page"] == 2
    assert not looks.narrow(configured("figures: {width: 5.5}"))


def test_more_categories_than_a_page_has_room_for_make_more_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = configured()
    assert "models_2" not in specs_of(few)
    assert "categories_per_page" not in looks.models_page(few, "1")
    monkeypatch.setattr(looks, "CATEGORIES_PER_PAGE", 1)
    assert {"models_1", "models_2"} <= {*specs_of(few)}
    assert looks.models_page(few, "2")["categories_per_page"] == 1


def test_a_font_file_counts_by_its_content() -> None:
    Path("own.ttf").write_bytes(b"one")
    first = looks.look(configured("figures: {fonts: [own.ttf]}"))["look"]
    Path("own.ttf").write_bytes(b"another")
    second = looks.look(configured("figures: {fonts: [own.ttf]}"))["look"]
    assert first["fonts"] == second["fonts"] == ("own.ttf",)
    assert set(first["contents"]) == {"own.ttf"} and first["contents"] != second["contents"]


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ("{fonts: [nowhere.ttf]}", "figures.fonts[0]: there is no font file nowhere.ttf"),
        ("{width: three}", "figures.width"),
        ("{width: 2}", "figures.width"),
        ("{formats: [jpg]}", "write one of pdf, png, svg"),
        ("{formats: []}", "figures.formats"),
    ],
)
def test_what_cannot_be_is_said_with_its_key(figures: str, said: str) -> None:
    assert said in error(write(figures=f"figures: {figures}"))


def test_names_with_characters_that_no_font_has_are_told_once() -> None:
    assert configured().warnings == ()
    model = "{model: timm/resnet50.a1_in1k, name: r50}"
    images("dream/pizza/a.png", "ドリーム/pizza/a.png", "مرحبا/pizza/a.png")
    found = load(write(models=f"models: [{model}]", categories="categories: [pizza]"))
    (said,) = [warning for warning in found.warnings if "in figures" in warning]
    assert "characters of 1 name (ドリーム)" in said and "figures.fonts" in said

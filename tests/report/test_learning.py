"""What was learned from the images on the page: sentences, section, and the map in the explorer."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthsight.report.learning import drawn_first, learning_section, transfer_answer
from synthsight.report.maps import END, MOST_OTHERS, map_data
from synthsight.report.tables import page_table
from tests.browser import AXE, NARROW, faults
from tests.figures.test_learning import distance_table, transfer_table
from tests.report.browsing import RULE, Tab
from tests.support import REPOSITORY, Project

# --- Sentences -------------------------------------------------------------------------------


def one(
    generators: Sequence[str] = ("crayon", "poster"),
    real: str | None = "photo",
    apart: tuple[float, float, float] = (-0.314, -0.403, -0.221),
    models: Sequence[str] = ("resnet",),
) -> pd.DataFrame:
    """A table in which all that is said of photographs is the same."""
    table = transfer_table(list(models), generators, real)
    trained = table["measure"] == "GAN-train"
    table.loc[trained, ["top1", "low", "high"]] = [0.657, 0.581, 0.73]
    table.loc[trained, ["difference", "difference_low", "difference_high"]] = apart
    table.loc[table["measure"] == "real", "top1"] = 0.971
    return table


def test_a_sentence_says_what_generated_images_teach_about_photographs() -> None:
    assert transfer_answer(one(), 0.95) == (
        "A classifier trained on 9 generated images of each of 17 categories (features of resnet) "
        "gets 65.7% (95% interval 58.1 to 73.0%) of real photographs, 31.4 points less (22.1 to "
        "40.3) than one trained on as many photographs (97.1%); chance is 5.9%."
    )


def test_of_several_generators_all_together_are_spoken_of() -> None:
    table = one()
    table.loc[(table["train"] == "*") & (table["test"] == "photo"), "top1"] = 0.123
    assert "gets 12.3% " in str(transfer_answer(table, 0.95))
    assert "gets 65.7% " in str(transfer_answer(one(["only"]), 0.95))


def test_an_interval_that_includes_zero_may_be_chance() -> None:
    said = str(transfer_answer(one(apart=(0.02, -0.03, 0.06)), 0.95))
    assert "2.0 points more (-3.0 to 6.0, so it may be chance) than" in said


def test_no_difference_is_neither_more_nor_less() -> None:
    table = one(apart=(0.0004, -0.03, 0.031), models=["a", "b"])
    said = str(transfer_answer(table, 0.95))
    assert said.endswith(
        "of real photographs, as much as one trained on as many photographs (97.1%; the difference "
        "may be -3.0 to 3.1 points); chance is 5.9%."
    )


def test_photographs_that_teach_nothing_of_photographs_are_no_measure() -> None:
    table = one()
    table.loc[table["measure"] == "real", ["top1", "low", "high"]] = [0.08, 0.03, 0.2]
    said = str(transfer_answer(table, 0.95))
    assert "(8.0%), which may itself be no better than chance, so that this says little;" in said
    assert "no better than chance" not in str(transfer_answer(one(), 0.95))


def test_generators_that_teach_as_much_or_nearly_are_not_ranked_without_a_word() -> None:
    tables = {"transfer": one(), "accuracy": pd.DataFrame({"model": ["resnet"]})}
    crayon = (tables["transfer"]["train"] == "crayon") & (tables["transfer"]["test"] == "photo")

    def said() -> str:
        section = learning_section(tables, 0.95)
        assert section is not None
        return str(section["sentences"][1])

    assert said() == (
        "All single generators teach as much about photographs in the features of resnet (65.7%)."
    )
    tables["transfer"].loc[crayon, ["top1", "low", "high"]] = [0.7, 0.62, 0.78]
    assert said().endswith("(70.0%), poster least (65.7%), with intervals that overlap.")
    tables["transfer"].loc[crayon, ["top1", "low", "high"]] = [0.9, 0.82, 0.95]
    assert said() == (
        "Of single generators crayon teaches most about photographs in the features of resnet "
        "(90.0%), poster least (65.7%)."
    )


@pytest.mark.parametrize(
    ("models", "other", "said"),
    [
        (
            ["a", "b"],
            -0.1,
            " Generated images teach less than photographs in the features of both models.",
        ),
        (
            ["a", "b", "c"],
            -0.1,
            " Generated images teach less than photographs in the features of all 3 models.",
        ),
        (
            ["a", "b", "c"],
            0.1,
            " Generated images teach less than photographs in the features of 2 of 3 models.",
        ),
    ],
)
def test_the_other_models_are_asked_whether_it_is_so(
    models: list[str], other: float, said: str
) -> None:
    table = one(models=models)
    table.loc[table["model"] == models[-1], "difference"] = other
    table.loc[(table["model"] == models[-1]) & (table["measure"] == "real"), "top1"] = 0.5
    assert str(transfer_answer(table, 0.95)).endswith(f"chance is 5.9%.{said}")


def test_without_photographs_generators_are_compared_among_themselves() -> None:
    table = one(real=None)
    table.loc[table["measure"] == "within", "top1"] = 0.9
    table.loc[table["measure"] == "across", "top1"] = 0.5
    assert transfer_answer(table, 0.95) == (
        "A classifier trained on 9 images of each of 17 categories, all of one generator (features "
        "of resnet) gets 90.0% of other images of that generator and 50.0% of those of another "
        "one; chance is 5.9%. What it would know of real photographs is not known: there are none, "
        "or too few."
    )
    alone = str(transfer_answer(one(["only"], None), 0.95))
    assert "of others like them" in alone and "another" not in alone


def section_of(**tables: pd.DataFrame) -> dict[str, Any]:
    """What is said of these tables, in a run whose models are others."""
    section = learning_section({"accuracy": pd.DataFrame({"model": ["other"]}), **tables}, 0.95)
    assert section is not None
    return section


def taught(models: Sequence[str], best: Mapping[str, str | None]) -> str:
    """The sentence on generators, by model the one that teaches most; None for a tie."""
    table = one(models=models)
    for place, (model, generator) in enumerate(best.items()):
        table.loc[(table["measure"] == "real") & (table["model"] == model), "top1"] -= place / 100
        found = (table["model"] == model) & (table["measure"] == "GAN-train")
        table.loc[found & (table["train"] == generator), ["top1", "low"]] = [0.9, 0.82]
    return str(section_of(transfer=table)["sentences"][1])


@pytest.mark.parametrize(
    ("best", "said"),
    [
        ({"b": "crayon", "a": "poster"}, " In those of a poster teaches most."),
        ({"b": "crayon", "a": "crayon"}, " In those of a crayon teaches most, too."),
        ({"b": "crayon", "a": None}, " In those of a no single one teaches most."),
        (
            {"b": "crayon", "a": "crayon", "c": "poster"},
            " It teaches most in those of 1 of 2 other models.",
        ),
        (
            {"b": "crayon", "a": "poster", "c": None},
            " It teaches most in those of none of 2 other models.",
        ),
        (
            {"b": "crayon", "a": "crayon", "c": "crayon"},
            " In those of both other models it teaches most, too.",
        ),
    ],
)
def test_models_in_whose_features_another_generator_teaches_most_are_said(
    best: dict[str, str | None], said: str
) -> None:
    assert taught(list(best), best) == (
        "Of single generators crayon teaches most about photographs in the features of b (90.0%), "
        f"poster least (65.7%).{said}"
    )


def test_of_a_tie_there_is_no_word_about_other_models() -> None:
    assert taught(["a", "b"], {"a": None, "b": "crayon"}) == (
        "All single generators teach as much about photographs in the features of a (65.7%)."
    )


def test_what_more_images_teach_names_the_features() -> None:
    table = one(models=["a", "b"])
    table.loc[(table["model"] == "a") & (table["measure"] == "real"), "top1"] = 0.5
    few = (table["per_category"] == 5) & (table["measure"] == "GAN-train")
    table.loc[few & (table["model"] == "b"), "top1"] = 0.6
    assert section_of(transfer=table)["sentences"][2] == (
        "In the features of b a classifier gets 60.0% of photographs with 5 generated images of "
        "each category, and 65.7% with 9."
    )


def test_features_of_classifiers_are_said_to_favour_photographs() -> None:
    tables = {"transfer": one(), "accuracy": pd.DataFrame({"model": ["resnet"]})}
    section = learning_section(tables, 0.95)
    assert section is not None
    (note,) = section["notes"]
    assert "resnet is a classifier" in note and "encoders:" in note
    assert section["sources"] == ["crayon", "poster", "*", "photo"]
    tables["accuracy"] = pd.DataFrame({"model": ["another"]})
    assert learning_section(tables, 0.95)["notes"] == []  # type: ignore[index]
    assert learning_section({"accuracy": tables["accuracy"]}, 0.95) is None


def test_a_zero_shot_model_has_learned_without_categories() -> None:
    both = pd.DataFrame({"model": ["clip", "resnet"]})
    known = both.assign(library=["zeroshot", "timm"])
    table = one(models=["clip", "resnet"])
    (note,) = section_of(transfer=table, accuracy=both, models=known)["notes"]
    assert note.startswith("resnet is a classifier: ") and "encoders:" not in note
    (note,) = section_of(transfer=table, accuracy=both)["notes"]
    assert note.startswith("2 of these models are classifiers: ")


def test_coverage_is_said_with_its_interval() -> None:
    table = distance_table(["dino"], ["crayon"])
    table.loc[0, ["coverage", "coverage_low", "coverage_high"]] = [0.4, 0.31, 0.52]
    accuracy = pd.DataFrame({"model": ["resnet"]})
    section = learning_section({"distances": table, "accuracy": accuracy}, 0.95)
    assert section is not None
    assert "40.0% (95% interval 31.0 to 52.0%) of the photographs have" in section["sentences"][0]


def covering(shares: Mapping[str, tuple[float, float]]) -> str:
    """The sentence on coverage, by model that of crayon and of poster; the first is shown first."""
    away = distance_table(list(shares), ["crayon", "poster"])
    transfer = one(models=list(shares))
    for place, (model, (crayon, poster)) in enumerate(shares.items()):
        real = (transfer["measure"] == "real") & (transfer["model"] == model)
        transfer.loc[real, "top1"] -= place / 100
        of = away["model"] == model
        names = ["coverage", "coverage_low", "coverage_high"]
        away.loc[of & (away["generator"] == "crayon"), names] = [crayon, 0.3, 0.95]
        away.loc[of & (away["generator"] == "poster"), names] = [poster, 0.3, 0.95]
        away.loc[of & (away["generator"] == "photo"), "coverage"] = 0.99
    return str(section_of(transfer=transfer, distances=away)["sentences"][-1])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ((0.7, 0.6), " In those of a crayon covers most, too."),
        ((0.6, 0.7), " In those of a poster covers most."),
        ((0.7, 0.7), " In those of a no single one covers most."),
    ],
)
def test_coverage_is_said_of_the_model_that_the_page_shows(
    other: tuple[float, float], said: str
) -> None:
    assert covering({"b": (0.8, 0.5), "a": other}) == (
        "In the features of b, 80.0% (95% interval 30.0 to 95.0%) of the photographs have an image "
        "of crayon near them (coverage), the most of any generator; of half of the photographs the "
        f"other half covers 99.0%.{said}"
    )


def test_generators_that_cover_as_much_are_both_named_and_none_is_the_most() -> None:
    assert covering({"b": (0.8, 0.8), "a": (0.7, 0.6)}) == (
        "In the features of b, crayon and poster each have an image near 80.0% (95% interval 30.0 "
        "to 95.0%) of the photographs (coverage); of half of the photographs the other half covers "
        "99.0%."
    )


@pytest.mark.parametrize(("sources", "models"), [(10, 30), (40, 12)])
def test_of_many_rows_those_that_are_drawn_at_first_are_kept(sources: int, models: int) -> None:
    named = [f"m{number:02d}" for number in range(models)]
    table = transfer_table(named, [f"g{n:02d}" for n in range(sources)], "photo", [5, 10, 20, 50])
    kept = page_table(table, RULE, drawn_first(table))
    found = pd.DataFrame(dict(zip(kept["columns"], kept["values"], strict=True)))
    assert kept["left_out"] == len(table) - len(found) > 0
    assert list(found["model"]) == sorted(found["model"]), "in the table's order"
    of_matrix, of_curves = table["per_category"] == 50, table["test"] == "photo"
    for part in (of_matrix, of_curves):
        pairs = found.merge(table[part], on=["model", "train", "test", "per_category"])
        assert len(pairs) == part.sum(), "of every model"


# --- The map's data --------------------------------------------------------------------------


def write_map(path: Path, places: dict[str, tuple[float, float]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [(image, x, y) for image, (x, y) in places.items()]
    pd.DataFrame(rows, columns=["image", "x", "y"]).to_parquet(path, index=False)
    return path


def decoded(text: str) -> list[list[int]]:
    return np.frombuffer(base64.b64decode(text), dtype="<u2").reshape(-1, 2).tolist()


def test_places_keep_their_proportions_and_those_of_other_images_come_apart(tmp_path: Path) -> None:
    places = {"b": (0.0, 1.0), "a": (4.0, 0.0), "z": (2.0, 2.0), "nowhere": (np.nan, 0.0)}
    (found,) = map_data([write_map(tmp_path / "dino.parquet", places)], ["a", "b", "nowhere", "c"])
    assert found["name"] == "dino" and (found["wide"], found["high"]) == (1.0, 0.5)
    absent = [END + 1, END + 1]
    assert decoded(found["points"]) == [[END, 0], [0, round(END / 4)], absent, absent]
    assert decoded(found["rest"]) == [[END // 2, END // 2]]
    assert (found["others"], found["rest_shown"]) == (1, 1)


def test_of_many_other_images_a_bounded_number_is_on_the_page(tmp_path: Path) -> None:
    number = 2 * MOST_OTHERS + 5
    table = pd.DataFrame({"image": [f"{i:07}" for i in range(number)], "x": 0.0, "y": 0.0})
    table.to_parquet(tmp_path / "m.parquet", index=False)
    (found,) = map_data([tmp_path / "m.parquet"], ["0000000"])
    assert found["others"] == number - 1
    assert found["rest_shown"] == len(decoded(found["rest"])) <= MOST_OTHERS
    assert found["wide"] == found["high"] == 0.0


# --- In a browser ----------------------------------------------------------------------------


def page_of(finished: Project, folder: Path, models: Sequence[str], shown: int = 2000) -> Path:
    """The small project's page, had its images been learned from."""
    results = finished.results
    for name, table in {
        "transfer": transfer_table(models, ["dream"], "muse"),
        "distances": distance_table(models, ["dream"], "muse"),
    }.items():
        (folder / "tables").mkdir(exist_ok=True)
        table.to_parquet(folder / "tables" / f"{name}.parquet", index=False)
    images = [
        image
        for path in sorted((results / "images").glob("*.parquet"))
        for image in pq.read_table(path)["image"].to_pylist()
    ]
    # Along a diagonal, so that it is known what lies where.
    places = {image: (float(at), float(at)) for at, image in enumerate(images)}
    maps = [write_map(folder / "maps" / f"{model}.parquet", places) for model in models[:2]]
    weights = finished.folder / "resources" / "weights"
    geometry = {"resize": 1, "crop": None, "interpolation": "box", "mean": [0], "std": [1]}
    own = ["effnet", "resnet"]
    spec = {
        **{"run": "learned", "rule": RULE, "level": 0.95, "images": shown, "questions": None},
        "preprocessing": dict.fromkeys(own, geometry),
        "labels": dict.fromkeys(own, "labels.txt"),
        "roots": {"images": "pictures", "questions": None},
        "settings": {"images": {}, "report": {"thumbnail": 240}, "models": own},
    }
    arguments: dict[str, list[Any]] = {
        "tables": [*sorted((results / "tables").glob("[!v]*.parquet")), *folder.glob("tables/*")],
        "manifests": sorted((results / "images").glob("*.parquet")),
        "scores": [results / "scores" / f"{model}.parquet" for model in own],
        "notes": [weights / f"{model}.json" for model in own],
        "pictures": sorted((results / "thumbnails" / "images").glob("*.parquet")),
        "duplicate-pictures": [results / "thumbnails" / "duplicates.parquet"],
        "maps": maps,
        "spec": [json.dumps(spec)],
        "output": [folder / "report.html"],
    }
    words = [str(word) for name, given in arguments.items() for word in (f"--{name}", *given)]
    program = REPOSITORY / "workflow" / "scripts" / "report.py"
    subprocess.run([sys.executable, program, *words], check=True)
    return folder / "report.html"


@pytest.fixture(scope="module")
def learned(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_of(finished, tmp_path_factory.mktemp("learned"), ["resnet", "dino"])


@pytest.fixture
def tab(browser: Any, learned: Path) -> Iterator[Tab]:
    tab = Tab(browser, learned)
    yield tab
    assert tab.complaints == []
    tab.context.close()


def drag(tab: Tab, corners: Sequence[tuple[float, float]]) -> None:
    """Draw around a part of the map, given in shares of it."""
    canvas = tab.page.locator("#map-marks")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    tab.page.mouse.move(*points[0])
    tab.page.mouse.down()
    for point in [*points[1:], points[0]]:
        tab.page.mouse.move(*point, steps=4)
    tab.page.mouse.up()


@pytest.mark.long
def test_the_matrix_shows_each_pair_in_the_chosen_features(tab: Tab) -> None:
    table = transfer_table(["resnet", "dino"], ["dream"], "muse")
    for model in ("dino", "resnet"):
        tab.choose("heads", model)
        rows = table[(table["model"] == model) & (table["per_category"] == 9)]
        cells = tab.page.locator(".matrix td").all_inner_texts()
        assert [cell.split("\n")[0] for cell in cells] == [f"{100 * v:.1f}" for v in rows["top1"]]
    tab.choose("per", "5")
    rows = table[(table["model"] == "resnet") & (table["per_category"] == 5)]
    assert f"{100 * rows['top1'].iloc[0]:.1f}" in tab.page.inner_text(".matrix td:nth-of-type(1)")
    tab.look_at_everything()
    assert tab.page.locator("#learning [data-chart] svg").count() == 2


@pytest.mark.long
def test_a_lasso_filters_the_list_and_is_kept_in_the_address(tab: Tab, browser: Any) -> None:
    drag(tab, [(0, 0.5), (0.5, 0.5), (0.5, 1), (0, 1)])
    inside = tab.shown()
    assert 0 < inside < 12
    assert tab.page.inner_text("#map-said").startswith(f"{inside} images selected.")
    tab.choose("map", "dino")
    assert "on the map of resnet" in tab.page.inner_text("#map-said")
    again = Tab(browser, Path(tab.address.removeprefix("file://")), tab.page.url.split("html")[1])
    assert again.shown() == inside
    again.context.close()
    tab.choose("outcome", "none")
    assert tab.shown() <= inside
    tab.choose("outcome", "")
    tab.page.locator("#map-clear").click()
    assert tab.shown() == 12
    assert "area" not in tab.page.url


@pytest.mark.long
def test_a_click_selects_one_image_and_a_rectangle_needs_no_pointer(tab: Tab) -> None:
    tab.page.locator("#images details summary").focus()
    tab.page.keyboard.press("Enter")
    tab.page.locator("#map-top").fill("0")
    tab.page.locator("#map-right").fill("0")
    tab.page.keyboard.press("Enter")
    assert tab.shown() == 1  # the image at the lower left corner
    canvas = tab.page.locator("#map-marks")
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": 3, "y": 3})  # where nothing is
    assert tab.shown() == 12
    # The map is a square in the middle; its upper right corner is the last image.
    corner = {"x": box["width"] / 2 + box["height"] / 2 - 14, "y": 14}
    canvas.hover(position=corner)
    assert tab.page.locator("#map-tip img").is_visible()
    canvas.click(position=corner)
    assert tab.shown() == 1
    assert "toilet_seat" in tab.page.inner_text("#images-list")


@pytest.mark.long
@pytest.mark.parametrize("printed", [False, True])
def test_the_tables_say_whose_features_and_are_whole_on_a_phone_and_on_paper(
    browser: Any, finished: Project, tmp_path: Path, printed: bool
) -> None:
    name = "org/a-very-long-name-of-a-model_patch14_dinov2.lvd142m"
    tab = Tab(browser, page_of(finished, tmp_path, ["resnet", name]), viewport=NARROW)
    tab.choose("heads", name)
    if printed:
        tab.page.emulate_media(media="print")
    for table in (".matrix", ".away"):
        span = tab.page.locator(f"{table} caption span")
        assert f"eatures of {name}" in span.inner_text()
        box = span.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= NARROW["width"]
        scroll = tab.page.locator(f".scroll:has(> {table})")
        hidden = scroll.evaluate("node => getComputedStyle(node).overflowX")
        assert hidden == ("visible" if printed else "auto")
    assert tab.complaints == []
    tab.context.close()


@pytest.mark.long
def test_kid_is_shown_with_the_digits_of_its_size(
    browser: Any, finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features of length one, as of zero-shot models, have a KID of 1e-4."""
    table = distance_table(["resnet"], ["dream"], "muse")
    table.loc[0, ["kid", "kid_low", "kid_high"]] = [0.000412, 0.00031, 0.000523]
    table.loc[1, ["kid", "kid_low", "kid_high"]] = [-12345678.0, -2e7, 1e7]
    monkeypatch.setattr(f"{__name__}.distance_table", lambda *_: table)
    tab = Tab(browser, page_of(finished, tmp_path, ["resnet"]))
    shown = tab.page.locator(".away td:nth-of-type(1)").all_inner_texts()
    assert shown == [
        "0.000412\n0.000310 to 0.000523",
        "_1.23e+7\n_2.00e+7 to 1.00e+7".replace("_", "\N{MINUS SIGN}"),
    ]
    coverage = tab.page.locator(".away td:nth-of-type(5)").first.inner_text()
    low, high = (f"{100 * table.loc[0, f'coverage_{end}']:.1f}" for end in ("low", "high"))
    assert coverage.endswith(f"\n{low} to {high}")
    tab.context.close()


@pytest.mark.long
def test_images_that_the_page_does_not_hold_are_said_to_be_grey(
    browser: Any, finished: Project, tmp_path: Path
) -> None:
    tab = Tab(browser, page_of(finished, tmp_path, ["resnet"], shown=6))
    assert re.search(
        r"Of 6 images .* all are drawn as grey points", tab.page.inner_text("#map-said")
    )
    tab.context.close()


@pytest.mark.long
@pytest.mark.skipif(not AXE.is_file(), reason="bash tests/install_browser.sh")
def test_axe_finds_no_serious_fault_and_it_fits_a_phone(browser: Any, learned: Path) -> None:
    tab = Tab(browser, learned, viewport=NARROW)
    tab.look_at_everything()
    assert faults(tab.page) == []
    wide = tab.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= NARROW["width"]
    tab.context.close()

"""Charts lead to the pictures that they count: by mouse, by touch and by keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pandas as pd
import pytest

from synthsight.report import assets
from tests.browser import AXE, faults
from tests.report.browsing import RULE, Tab, draw_all, hits
from tests.support import Project

#: The charts of the small project that have marks to follow.
LEADING = (
    *("models", "categories", "best", "rules", "agreement", "difficulty", "kappa", "generators"),
    *("differences", "sizes", "vqa", "kinds", "calibration"),
)


def address(page: Any) -> dict[str, str]:
    """What the page's address says is chosen."""
    return {key: value for key, (value,) in parse_qs(page.evaluate("location.hash")[1:]).items()}


def near(tab: Tab, chart: str) -> Any:
    """A chart's picture, once it is in sight and so drawn."""
    tab.page.locator(f"[data-chart={chart}]").scroll_into_view_if_needed()
    plot = tab.page.locator(f"[data-chart={chart}] svg")
    plot.wait_for()
    return plot


def follow(tab: Tab, chart: str, words: str) -> None:
    """Go to a mark of a chart by arrows, until it says these words, and press Enter."""
    plot = near(tab, chart)
    current = plot.locator("[tabindex='0']")
    current.focus()
    tab.page.keyboard.press("Home")
    for _ in range(200):
        if words in (plot.locator("[tabindex='0']").get_attribute("aria-label") or ""):
            tab.page.keyboard.press("Enter")
            return
        tab.page.keyboard.press("ArrowRight")
    raise AssertionError(f"no mark of {chart} says {words!r}")


@pytest.mark.long
def test_a_cell_leads_to_the_images_of_its_model_and_category(small: Tab) -> None:
    small.choose("outcome", "none")
    small.choose("view", "grid")
    near(small, "categories")
    cell = small.page.locator("[data-chart=categories] rect.leads").first
    cell.click()
    chosen = address(small.page)
    assert {*chosen} == {"model", "category", "view"}, "other filters are gone, the view stays"
    assert small.shown() == 4
    top = "document.getElementById('images').getBoundingClientRect().top"
    assert abs(small.page.evaluate(top)) < 120
    assert small.page.evaluate("document.activeElement.id") == "images-h"
    small.page.go_back()
    small.page.wait_for_timeout(200)
    assert address(small.page) == {"outcome": "none", "view": "grid"}, "Back leads to the chart"


@pytest.mark.long
def test_the_images_are_as_many_as_the_mark_counts(small: Tab, finished: Project) -> None:
    table = hits(finished.results)
    table = table[table["rule"] == RULE]
    right = table.pivot_table("top1_hit", "image", "model", "all").astype(bool)
    category = table.drop_duplicates("image").set_index("image")["category"]
    for model in right:
        follow(small, "models", f"{model}, generated images")
        assert address(small.page) == {"model": model, "outcome": "wrong"}
        assert small.shown() == (~right[model]).sum()
    agreement = pd.read_csv(finished.results / "tables" / "agreement.csv")
    agreement = agreement[(agreement["rule"] == RULE) & (agreement["generator"] == "*")]
    for outcome, words in (("all", "all models get"), ("none", "no model gets")):
        some = agreement[agreement[f"{outcome}_top1"] > 0]
        for name in some["category"]:
            follow(small, "agreement", f"{name}, {words}")
            assert address(small.page) == {"category": name, "outcome": outcome}
            expected = right.all(axis=1) if outcome == "all" else ~right.any(axis=1)
            assert small.shown() == (expected & (category == name)).sum() > 0


@pytest.mark.long
def test_every_chart_leads_somewhere_and_is_one_stop_of_the_tab_key(small: Tab) -> None:
    draw_all(small.page)
    for chart in LEADING:
        plot = small.page.locator(f"[data-chart={chart}] svg")
        assert plot.locator(".leads").count() > 0, chart
        assert plot.locator("[tabindex='0']").count() == 1, chart
        assert plot.get_attribute("role") == "application"
        follow(small, chart, "")
        chosen = address(small.page)
        assert chosen, chart
        group = "questions" if any(key.startswith("q") for key in chosen) else "images"
        assert small.page.evaluate("document.activeElement.id") == f"{group}-h"


@pytest.mark.long
def test_pairs_of_models_and_numbers_of_models_are_passed_on(small: Tab) -> None:
    follow(small, "kappa", "effnet, resnet")
    assert small.page.evaluate("location.hash").count("net") == 2
    follow(small, "difficulty", " by ")
    assert re.search(r"gets=\d", small.page.evaluate("location.hash"))


@pytest.mark.long
def test_questions_are_led_to_by_model_and_kind(small: Tab, finished: Project) -> None:
    rows = pd.read_parquet(finished.results / "vqa" / "asked.parquet")
    follow(small, "kinds", "asked, colour")
    assert address(small.page) == {"qmodel": "asked", "qkind": "colour"}
    assert small.shown("questions") == (rows["kind"] == "colour").sum()
    follow(small, "vqa", "asked, ")
    assert small.shown("questions") == (~rows["correct"]).sum()


@pytest.mark.long
def test_arrows_reach_every_cell_and_say_where_they_are(small: Tab) -> None:
    plot = near(small, "categories")
    plot.locator("[tabindex='0']").focus()
    small.page.keyboard.press("Home")
    seen = []
    told = small.page.locator("[data-chart=categories] .told")
    for _ in range(plot.locator(".leads").count()):
        seen.append(plot.locator("[tabindex='0']").get_attribute("aria-label"))
        assert told.inner_text().split(". Enter")[0] in str(seen[-1])
        small.page.keyboard.press("ArrowRight")
    assert len(set(seen)) == plot.locator(".leads").count() == 6
    small.page.keyboard.press("Home")
    first = str(plot.locator("[tabindex='0']").get_attribute("aria-label"))
    small.page.keyboard.press("ArrowDown")
    below = str(plot.locator("[tabindex='0']").get_attribute("aria-label"))
    model = first.split(", ")[1]
    assert below.split(", ")[1] == model and below.split(", ")[0] != first.split(", ")[0]
    outline = small.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "where the keys are can be seen"


@pytest.mark.long
def test_a_finger_is_told_first_and_led_then(browser: Any, finished: Project) -> None:
    viewport = {"width": 390, "height": 844}
    options = {"viewport": viewport, "has_touch": True, "is_mobile": True}
    tab = Tab(browser, finished.results / "report.html", **options)
    chart = tab.page.locator("[data-chart=best]")
    chart.scroll_into_view_if_needed()
    chart.locator("circle.leads").first.tap()
    button = chart.locator(".told button")
    assert button.inner_text() == "Look at the pictures"
    assert tab.page.evaluate("location.hash") == ""
    button.tap()
    assert {*address(tab.page)} == {"model", "category"}
    tab.page.go_back()
    assert tab.complaints == []
    tab.context.close()


@pytest.mark.long
def test_a_tip_shows_wherever_the_pointer_is_in_a_cell(small: Tab) -> None:
    near(small, "categories")
    cell = small.page.locator("[data-chart=categories] rect.leads").first
    box = cell.bounding_box()
    assert box is not None and box["width"] > 200
    for across in (0.03, 0.5, 0.97):
        small.page.mouse.move(box["x"] + across * box["width"], box["y"] + box["height"] / 2)
        tip = small.page.locator("[data-chart=categories] g.tip text")
        tip.wait_for()
        model = cell.get_attribute("data-who")
        assert str(model) in str(tip.text_content())


@pytest.mark.long
@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: tests/install_browser.sh")
def test_axe_finds_no_fault_in_a_chart_that_is_walked_through(small: Tab) -> None:
    small.page.locator("#toolbox summary").click()
    follow(small, "categories", "")
    near(small, "models").locator("[tabindex='0']").focus()
    small.page.keyboard.press("ArrowDown")
    assert faults(small.page) == []


def test_no_two_modules_of_the_page_declare_one_name() -> None:
    """They become one scope, in which the later one would win, or nothing run at all."""
    names: list[str] = []
    for name in assets.PROGRAM:
        text = Path(assets.PROGRAMS / f"{name}.js").read_text(encoding="utf-8")
        names += re.findall(r"^(?:export )?(?:const|let|function|class) (\w+)", text, re.MULTILINE)
    assert [name for name in names if names.count(name) > 1] == []

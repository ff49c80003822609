"""The page that compares two runs, in a browser: offline, and with the tables' numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synthsight.comparing.comparison import Comparison, compare_runs
from synthsight.comparing.writing import write
from synthsight.report.phrases import signed
from tests.browser import AXE, NARROW, WIDE, Window, faults
from tests.support import Project

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def found(compared: Project) -> Comparison:
    results = compared.folder / "results"
    return compare_runs(results / "small", results / "next")


@pytest.fixture(scope="module")
def page(found: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(found, tmp_path_factory.mktemp("compared"))


@pytest.fixture(params=["wide", "narrow and dark", "without scripts"])
def window(request: pytest.FixtureRequest, browser: Any, page: Path) -> Iterator[Window]:
    options = {
        "wide": {"viewport": WIDE},
        "narrow and dark": {"viewport": NARROW, "color_scheme": "dark"},
        "without scripts": {"java_script_enabled": False},
    }[request.param]
    opened = Window(browser, page, **options)
    yield opened
    opened.context.close()


def test_the_page_loads_nothing_complains_of_nothing_and_fits(window: Window) -> None:
    assert window.requests == [window.address]
    assert window.complaints == []
    box = window.page.locator("body").bounding_box()
    assert box["width"] <= window.page.viewport_size["width"]
    assert "What changes from small to next?" in window.page.inner_text("h1")


def test_each_model_has_its_differences_with_intervals(window: Window, found: Comparison) -> None:
    rows = found.differences
    rows = rows[(rows["rule"] == found.rule) & (rows["measure"] == "top1")]
    rows = rows[(rows["category"] == "*") & (rows["generator"] == "*")]
    chart = window.page.locator("#models .forest").first
    texts = chart.locator("p.text").all_inner_texts()
    assert len(texts) == len(rows) == 4
    for _, row in rows.iterrows():
        bounds = f"({100 * found.level:g}% interval {signed(row['low'])} to {signed(row['high'])})"
        assert any(bounds in text and row["method"] in text for text in texts), bounds


def test_a_strip_shows_its_interval_where_the_scale_says(window: Window, found: Comparison) -> None:
    chart = window.page.locator("#models .forest").first
    strip = chart.locator("svg").first
    ticks = {
        float(each.inner_text()): each.bounding_box() for each in chart.locator(".axis span").all()
    }
    middle = {value: box["x"] + box["width"] / 2 for value, box in ticks.items()}
    assert len(middle) >= 3
    scale = (middle[max(middle)] - middle[min(middle)]) / (max(middle) - min(middle))
    label = strip.get_attribute("aria-label")
    said = re.search(r": ([-+]?[\d.]+) points .* interval ([-\d.]+) to ([-\d.]+)\)", label)
    assert said is not None, label
    difference, low, high = map(float, said.groups())
    line = strip.locator(".range").bounding_box()
    dot = strip.locator("circle").bounding_box()
    assert line["x"] == pytest.approx(middle[0] + low * scale, abs=3)
    assert line["x"] + line["width"] == pytest.approx(middle[0] + high * scale, abs=3)
    assert dot["x"] + dot["width"] / 2 == pytest.approx(middle[0] + difference * scale, abs=2)


def test_tables_open_with_all_rows(browser: Any, page: Path, found: Comparison) -> None:
    opened = Window(browser, page)
    tables = (found.differences, found.questions, found.configuration)
    for name, table in zip(("comparison", "questions", "configuration"), tables, strict=True):
        details = opened.page.locator(f"details[data-table={name}]")
        details.locator("summary").click()
        details.locator("table tbody tr").first.wait_for()
        assert f"of {len(table)} entries" in details.inner_text()
    assert opened.complaints == []
    opened.context.close()


def test_names_are_text_whatever_they_are(found: Comparison, browser: Any, tmp_path: Path) -> None:
    bad = "<img src=x onerror=alert(1)></script>"
    odd = Comparison(**{**vars(found), "a": bad, "remarks": (bad,)})
    odd.differences["note"] = bad
    opened = Window(browser, write(odd, tmp_path / "odd"))
    assert opened.page.locator("img").count() == 0
    assert bad in opened.page.inner_text("h1")
    assert opened.complaints == []
    opened.context.close()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(browser: Any, page: Path, scheme: str) -> None:
    opened = Window(browser, page, color_scheme=scheme, bypass_csp=True)
    opened.page.locator("details").evaluate_all("nodes => nodes.forEach((n) => { n.open = true; })")
    assert faults(opened.page) == []
    opened.context.close()


def test_in_print_the_charts_are_there_and_the_controls_are_not(browser: Any, page: Path) -> None:
    opened = Window(browser, page)
    opened.page.emulate_media(media="print")
    assert opened.page.locator("#models .forest svg").first.is_visible()
    assert not opened.page.locator("details.table").first.is_visible()
    assert not opened.page.locator("nav").first.is_visible()
    opened.context.close()

"""Charts saved as files: alone, in light colours, with all that the page says beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.report.browsing import Tab, draw_all
from tests.support import Project

_LOOK = """() => {
  const svg = document.documentElement;
  const box = svg.getBBox();
  const view = svg.viewBox.baseVal;
  const chart = svg.querySelector("svg");
  return {
    inside: box.x >= -1 && box.y >= -1
      && box.x + box.width <= view.width + 1 && box.y + box.height <= view.height + 1,
    view: [view.width, view.height],
    texts: [...svg.querySelectorAll("text")].map((each) => each.textContent),
    fills: [...svg.querySelectorAll("text")].map((each) => getComputedStyle(each).fill),
    marks: chart.querySelectorAll("circle, rect").length,
  };
}"""


def saved(tab: Tab, chart: str, kind: str, folder: Path) -> Path:
    """What the button below a chart gives."""
    button = tab.page.locator(f"[data-chart={chart}] .save button", has_text=kind)
    with tab.page.expect_download() as downloading:
        button.click()
    path = folder / downloading.value.suggested_filename
    downloading.value.save_as(path)
    return path


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_saved_chart_stands_alone(
    browser: Any, finished: Project, tmp_path: Path, scheme: str
) -> None:
    tab = Tab(browser, finished.results / "report.html", color_scheme=scheme)
    draw_all(tab.page)
    for chart in ("models", "categories", "kappa", "calibration"):
        plot = tab.page.locator(f"[data-chart={chart}] svg")
        marks = plot.locator("circle, rect").count()
        labels = {text for text in plot.locator("text").all_text_contents() if text.strip()}
        path = saved(tab, chart, "SVG", tmp_path)
        assert path.name == f"{tab.page.evaluate('document.title').split(': ')[1]}-{chart}.svg"
        text = path.read_text(encoding="utf-8")
        assert "var(" not in text and "currentColor" not in text
        alone = browser.new_page(color_scheme=scheme)
        alone.goto(path.as_uri())
        look = alone.evaluate(_LOOK)
        assert look["inside"], "nothing is cut"
        assert look["marks"] == marks
        title = tab.page.locator(f"[data-chart={chart}]").get_attribute("data-title")
        assert title == " ".join(look["texts"][: len(look["texts"])])[: len(str(title))]
        assert labels <= {*look["texts"]}
        legend = tab.page.locator(f"[data-chart={chart}] .legend > span").all_inner_texts()
        for entry in legend:
            assert entry.split(" ", 1)[1] in look["texts"]
        assert "rgb(26, 26, 26)" in look["fills"] and "rgb(236, 236, 236)" not in look["fills"]
        assert any("matching rule words/simple, top-1" in each for each in look["texts"])
        picture = Image.open(saved(tab, chart, "PNG", tmp_path))
        assert picture.size == tuple(2 * each for each in look["view"])
        assert picture.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
        colors = picture.convert("RGB").getcolors(picture.width * picture.height)
        assert colors is not None and len(colors) > 20, "something is drawn"
        alone.close()
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith(("data:", "blob:"))] == [tab.address]
    tab.context.close()


@pytest.mark.long
def test_a_file_says_what_its_page_changed(small: Tab, tmp_path: Path) -> None:
    page = small.page
    page.locator("#toolbox summary").click()
    page.get_by_label("Name of resnet in this page").fill("Ours")
    page.keyboard.press("Tab")
    page.get_by_label("Show effnet").click()
    draw_all(page)
    text = saved(small, "models", "SVG", tmp_path).read_text(encoding="utf-8")
    assert ">Ours</text>" in text and "effnet" not in text
    words = " ".join(re.findall(r">([^<>]+)</text>", text))
    assert "1 of 4 models is hidden." in words
    assert "1 model is renamed in this page: Ours is resnet." in words

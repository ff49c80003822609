"""Attributes of images: what runs when they change, and what the page makes of them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.report.browsing import Tab
from tests.report.test_page import data_of, text_of
from tests.support import Project

pytestmark = pytest.mark.long

#: What a changed prompt runs.
CHANGED = {("find_attributes",), ("attributes",), ("plot_attributes",), ("report",)}

HOSTILE = "<img src=x onerror=window.pwned=1> a clock, at sea"


def write(project: Project, **changed: str) -> Path:
    """A prompt and a style for each image but one, by the first letter of the generator."""
    images = pq.read_table(project.results / "sources" / "images.parquet")["image"].to_pylist()
    rows = ["image,prompt,style"]
    for number, image in enumerate(sorted(images)[1:]):
        prompt = changed.get(image, f"a picture number {number}")
        rows.append(f'{image},"{prompt}",{"ink" if number % 2 else "oil"}')
    path = project.folder / "prompts.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def choose(project: Project, **attributes: object) -> None:
    images = {"root": "pictures", "attributes": attributes or None}
    project.configure({**project.config, "images": images})


def test_a_prompt_runs_tables_and_page_and_is_shown_searched_and_compared(
    project: Project, browser: Any, tmp_path: Path
) -> None:
    marked = "muse/clock/1.png"
    path = write(project, **{marked: HOSTILE})
    choose(project, table=str(path))
    assert project.plan() == CHANGED
    said = project.run()
    assert "1 of 12 images have no row in" in said
    assert project.plan() == set()

    table = pd.read_csv(project.results / "tables" / "attributes.csv")
    assert set(table["attribute"]) == {"prompt", "style"}
    scores = pq.read_table(project.results / "scores" / "resnet.parquet").to_pandas()
    told = pd.read_csv(path).set_index("image")["style"]
    own = scores[(scores["rule"] == "words/simple") & scores["image"].map(told).eq("ink")]
    expected = own.groupby("category")["top1_hit"].mean().mean()
    row = table[(table["value"] == "ink") & (table["model"] == "resnet")]
    row = row[(row["rule"] == "words/simple") & (row["hit"] == "top1")]
    assert row["mean"].item() == pytest.approx(expected)
    assert row["n"].item() == len(own)

    data = data_of(text_of(project))
    assert data["explorer"]["attributes"]["names"] == ["prompt", "style"]
    assert len(data["explorer"]["attributes"]["values"][0]) == len(data["explorer"]["images"])

    tab = Tab(browser, project.results / "report.html")
    tab.choose("find", "ONERROR=window")
    assert tab.shown() == 1
    tab.page.locator(".card").click()
    facts = tab.page.inner_text("#large .facts")
    assert HOSTILE in facts and "prompt" in facts and "style" in facts
    tab.page.keyboard.press("Escape")
    with tab.page.expect_download() as waited:
        tab.page.locator("#images-csv").click()
    waited.value.save_as(tmp_path / "images.csv")
    (line,) = csv.DictReader(io.StringIO((tmp_path / "images.csv").read_text(encoding="utf-8")))
    assert (line["image"], line["prompt"], line["style"]) == (marked, HOSTILE, told[marked])
    tab.page.locator("[data-reset=images]").click()
    for style, images in told.groupby(told).groups.items():
        tab.choose("having", f"style\n{style}")
        assert tab.shown() == len({*images} & {*scores["image"]})
    tab.choose("having", "")
    chart = tab.page.locator("[data-chart=attributes]")
    for model in ("", "resnet"):
        tab.choose("model", model)
        chart.scroll_into_view_if_needed()
        chart.locator("svg").wait_for()
        who = model or "*"
        rows = table[(table["model"] == who) & (table["rule"] == "words/simple")]
        rows = rows[(rows["hit"] == "top1") & (rows["generator"] == "*")]
        assert chart.locator("g[fill='var(--one)'] circle").count() == len(rows)
        assert (model or "mean over models") in chart.locator(".legend").inner_text()
    chart.locator("circle.leads").first.focus()
    tab.page.keyboard.press("Enter")
    value = tab.page.locator("[data-key=having]").input_value()
    assert value.startswith(("prompt\n", "style\n"))
    assert f"{tab.shown()} of 12 images" in tab.page.inner_text("#images-count")
    assert tab.complaints == []
    assert tab.page.evaluate("window.pwned") is None
    tab.context.close()

    path.touch()
    assert project.plan() == set(), "not its time but its content decides"
    write(project, **{marked: "another clock"})
    assert project.plan() == CHANGED
    choose(project, table=str(path), compare=["style"])
    assert project.plan() == CHANGED
    project.run()
    assert set(pd.read_csv(project.results / "tables" / "attributes.csv")["attribute"]) == {"style"}
    assert "but not compared: prompt" in " ".join(text_of(project).split())
    choose(project)
    assert project.plan() == {("report",)}


def test_a_file_about_other_images_ends_the_run(project: Project) -> None:
    path = project.folder / "other.csv"
    path.write_text("image,prompt\nx.png,a kite\n", encoding="utf-8")
    choose(project, table=str(path))
    assert "no row of" in (said := project.fail("tables")) and "'x.png' (line 2:" in said

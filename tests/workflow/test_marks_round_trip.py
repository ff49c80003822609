"""Marks set on the report come back into the run, by the commands that users run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthsight import api
from tests.report.browsing import Tab
from tests.support import Project
from tests.workflow.test_plans_duplicates import OTHERS

pytestmark = pytest.mark.long

REMARK = 'a "sun",\tnot a clock = so'


def exported(tab: Tab, folder: Path, name: str) -> Path:
    with tab.page.expect_download() as waited:
        tab.page.locator("#marks-csv").click()
    path = folder / name
    waited.value.save_as(path)
    return path


def open_image(tab: Tab, image: str) -> None:
    tab.page.locator(f".card:has(img[alt='{image}'])").click()
    tab.page.locator("#large[open] .marking").wait_for()


def test_what_is_marked_on_the_page_is_left_out_of_the_run(
    project: Project, browser: Any, tmp_path: Path
) -> None:
    tab = Tab(browser, project.results / "report.html", "#generator=%0D")
    page = tab.page
    assert page.locator("#marks-csv").is_disabled()
    before = tab.shown()
    wrong, bad, third = "dream/clock/1.png", "muse/bagel/1.png", "muse/clock/1.png"

    open_image(tab, wrong)
    assert page.locator(".marking input").is_disabled()
    page.keyboard.press("l")
    page.locator(".marking input").fill(REMARK)
    page.keyboard.press("ArrowLeft")  # within the text: the picture stays
    assert page.inner_text("#large-h") == "clock"
    page.locator(".marking input").press("l")  # a letter of the remark, not a key
    page.locator(".marking input").fill(REMARK)
    assert page.locator("[data-mark='label wrong']").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    open_image(tab, third)
    page.locator("[data-mark='label wrong']").click()
    page.locator("[data-mark='label wrong']").click()  # taken back
    page.keyboard.press("Escape")
    open_image(tab, bad)
    page.locator("[data-mark='bad picture']").click()
    page.keyboard.press("Escape")

    assert page.inner_text("#marks-said") == "2 marks. Marks are kept in this browser."
    assert page.locator(".card .badge", has_text="⚑").count() == 2
    for value, number in (("marked", 2), ("label wrong", 1), ("none", before - 2)):
        tab.choose("marked", value)
        assert tab.shown() == number
    page.reload()
    assert tab.shown() == before - 2, "the address keeps the filter, and the browser the marks"
    file = exported(tab, tmp_path, "marks.csv")
    assert file.read_text(encoding="utf-8") == (
        "image,mark,remark\n"
        f'{wrong},label wrong,"{REMARK.replace(chr(34), chr(34) * 2)}"\n'
        f"{bad},bad picture,\n"
    )
    assert tab.complaints == []

    logits = {path: path.stat().st_mtime_ns for path in project.results.glob("logits/*/*")}
    config = project.config
    config["images"] = {"root": "pictures", "marks": str(file)}
    project.configure(config)
    assert project.plan() == OTHERS
    said = project.run()
    assert "2 images are left out because people marked them (images.marks; " in said
    assert project.plan() == set()
    assert {path: path.stat().st_mtime_ns for path in logits} == logits
    listed = pd.read_csv(project.results / "tables" / "excluded.csv").set_index("image")["reason"]
    assert listed.to_dict() == {
        bad: "marked: bad picture",
        wrong: f"marked: label wrong ({' '.join(REMARK.split())})",
    }
    scores = pd.read_parquet(project.results / "scores" / "resnet.parquet")
    assert not {wrong, bad} & set(scores["image"])
    run = api.open_run(project.results)
    assert any("2 images are left out because people marked them, 1 as" in r for r in run.remarks())
    assert not any("duplicate" in remark for remark in run.remarks())

    # The page lacks them now; the marks do not get lost, so that the next file has them, too.
    page.goto(tab.address)
    assert tab.shown() == before - 2
    assert "2 marks, 2 of them of images that are not on this page." in page.inner_text(
        "#marks-said"
    )
    assert exported(tab, tmp_path, "again.csv").read_bytes() == file.read_bytes()
    tab.context.close()

    # Another remark is no reason to look at any image again; a mark's time none at all.
    file.touch()
    assert project.plan() == set()
    file.write_text(f"image,mark\n{wrong},label wrong\n", encoding="utf-8")
    assert project.plan() == OTHERS


def test_a_browser_that_keeps_nothing_is_said_to(project: Project, browser: Any) -> None:
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } });"
    )
    page = context.new_page()
    page.goto((project.results / "report.html").as_uri())
    assert "This browser keeps nothing for this page" in page.inner_text("#marks-said")
    page.locator(".card").first.click()
    page.keyboard.press("b")
    page.keyboard.press("Escape")
    assert page.inner_text("#marks-said").startswith("1 mark. This browser keeps nothing")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#marks-clear").click()
    assert page.inner_text("#marks-said").startswith("0 marks.")
    assert page.locator("#marks-csv").is_disabled()
    context.close()

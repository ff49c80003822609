"""The report in a real browser: headless Chromium opens it from disk."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.origin import KEY
from tests.browser import AXE, NARROW, WIDE, faults, until
from tests.report.browsing import RULE, Tab, draw_all, hits, of_all_models
from tests.support import REPOSITORY, Project

#: What would come alive if it were taken for markup, in place of what the small project has.
HOSTILE = {
    "clock": "<script>window.pwned=1</script>",
    "muse": "</script><img src=x onerror=window.pwned=1>",
    "resnet": "<b onmouseover=window.pwned=1>\"'resnet</b>",
    "pretzel": "<svg/onload=window.pwned=1>",
    "Is it red?": "<img src=x onerror=window.pwned=1>&amp; red\u2028?",
    "asked": "<iframe src=//a.invalid>",
    "wall": "--><style>*{display:none}</style>",
}


@pytest.fixture(params=["small", pytest.param("demo", marks=pytest.mark.long)])
def results(request: pytest.FixtureRequest, finished: Project) -> Path:
    """Of the small project, and of the demo where it has been run."""
    if request.param == "small":
        return finished.results
    demo = REPOSITORY / "results" / "demo"
    if not (demo / "report.html").is_file():
        pytest.skip("the demo has not been run: make demo")
    return demo


@pytest.fixture
def tab(browser: Any, results: Path) -> Iterator[Tab]:
    tab = Tab(browser, results / "report.html")
    yield tab
    tab.context.close()


@pytest.mark.long
def test_it_opens_without_a_complaint_and_asks_for_nothing(tab: Tab) -> None:
    tab.look_at_everything()
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith("data:")] == [tab.address]
    assert tab.page.locator("[data-chart] svg").count() >= 9


@pytest.mark.long
def test_real_photographs_are_shown_where_the_source_says_so(
    browser: Any, finished: Project, tmp_path: Path
) -> None:
    """The page of the small project, told that one of its generators is a camera."""
    text = (finished.results / "report.html").read_text(encoding="utf-8")
    assert text.count('"real":[]') == 1
    page = tmp_path / "report.html"
    page.write_text(text.replace('"real":[]', '"real":["muse"]'), encoding="utf-8")
    tab = Tab(browser, page)
    options = tab.page.locator("[data-key=generator] option").all_inner_texts()
    assert options == ["all generated images", "generated and real", "dream", "muse (real)"]
    assert tab.shown() == 6
    marks = tab.page.locator(".card .truth small")
    for label, shown, real in ((options[1], 12, 6), ("dream", 6, 0), ("muse (real)", 6, 6)):
        tab.page.locator("[data-key=generator]").select_option(label=label)
        assert (tab.shown(), marks.count()) == (shown, real)
    tab.page.locator("[data-key=generator]").select_option(label=options[1])
    tab.page.reload()
    assert tab.shown() == 12, "the address keeps what is chosen"
    tab.page.locator(".card").last.click()
    assert "muse, real photographs" in tab.page.inner_text("#large")
    assert tab.complaints == []
    tab.context.close()


@pytest.mark.long
def test_filters_give_the_counts_of_the_parquet(tab: Tab, results: Path) -> None:
    table = hits(results)
    category, model = sorted(table["category"])[0], sorted(table["model"])[-1]
    generator = sorted(table["generator"])[0]
    assert tab.shown() == table["image"].nunique()
    for rule in table["rule"].unique():
        for hit in ("top1", "top5"):
            tab.choose("rule", rule)
            tab.choose("hit", hit)
            of_rule = table[(table["rule"] == rule) & table[f"{hit}_hit"].notna()]
            right = of_rule.pivot_table(f"{hit}_hit", "image", "model", "all").astype(bool)
            counted = right[right.columns.intersection(of_all_models(results))]
            for outcome, expected in {
                "all": counted.all(axis=1),
                "none": ~counted.any(axis=1),
                "right": counted.any(axis=1),
                "wrong": ~counted.all(axis=1),
            }.items():
                tab.choose("outcome", outcome)
                assert tab.shown() == expected.sum(), (rule, hit, outcome)
            tab.choose("model", model)
            tab.choose("outcome", "right")
            assert tab.shown() == right[model].sum()
            tab.choose("outcome", "wrong")
            assert tab.shown() == (~right[model]).sum()
            images = table.drop_duplicates("image").set_index("image")
            tab.choose("category", category)
            of = ~right[model] & (images["category"] == category)
            assert tab.shown() == of.sum()
            tab.choose("generator", generator)
            of &= images["generator"] == generator
            assert tab.shown() == of.sum()
            tab.reset("images")
    name = str(table["image"].iloc[0])
    tab.choose("find", name.upper())
    assert tab.shown() == 1


@pytest.mark.long
def test_images_sort_by_difficulty_and_by_confidence(tab: Tab, results: Path) -> None:
    table = hits(results)
    table = table[table["rule"] == RULE]
    counted = of_all_models(results)
    models = len(counted)
    hit = table[table["model"].isin(counted)].groupby("image")["top1_hit"]
    number = hit.sum().sort_index()

    def first() -> list[str]:
        return tab.page.locator(".card img").evaluate_all("nodes => nodes.map((node) => node.alt)")

    tab.choose("sort", "hardest")
    shown = first()
    assert shown == number.sort_values(kind="stable").index.tolist()[: len(shown)]
    tab.choose("sort", "easiest")
    assert shown != first()
    assert first() == (models - number).sort_values(kind="stable").index.tolist()[: len(shown)]
    model = sorted(table["model"])[0]
    tab.choose("model", model)
    tab.choose("sort", "confident")
    sure = table[table["model"] == model].set_index("image")["probability"].str[0]
    said = [round(1000 * float(sure[image])) for image in first()]
    assert said == sorted((1000 * sure).round().astype(int), reverse=True)[: len(said)]


@pytest.mark.long
def test_questions_are_filtered_and_sorted(small: Tab, finished: Project) -> None:
    rows = pd.read_parquet(finished.results / "vqa" / "asked.parquet")
    assert small.shown("questions") == len(rows)
    small.choose("qmodel", "asked")
    small.choose("qoutcome", "wrong")
    assert small.shown("questions") == (~rows["correct"]).sum()
    small.choose("qanswer", "yes")
    assert small.shown("questions") == (~rows["correct"] & (rows["answer"] == "yes")).sum()
    small.reset("questions")
    small.choose("qkind", "colour")
    assert small.shown("questions") == (rows["kind"] == "colour").sum()
    small.choose("qgenerator", "muse")
    small.choose("qfind", "bagel")
    of = (rows["kind"] == "colour") & (rows["generator"] == "muse")
    assert small.shown("questions") == (of & rows["image"].str.contains("bagel")).sum() == 1


@pytest.mark.long
def test_the_grid_shows_the_hits(small: Tab, finished: Project) -> None:
    table = hits(finished.results)
    table = table[table["rule"] == RULE].set_index(["image", "model"])
    small.choose("view", "grid")
    models = small.page.locator(".grid thead th").all_inner_texts()[1:]
    assert sorted(models) == ["effnet", "resnet"]
    signs = {(True, True): "✓", (False, True): "5", (False, False): "✗"}
    for row in small.page.locator(".grid tbody tr").all():
        image = row.locator("th").inner_text()
        for model, sign in zip(models, row.locator("td").all_inner_texts(), strict=True):
            hit = table.loc[(image, model)]
            assert sign == signs[bool(hit["top1_hit"]), bool(hit["top5_hit"])]


@pytest.mark.long
def test_a_click_shows_the_picture_with_what_each_model_said(small: Tab, finished: Project) -> None:
    name = "dream/bagel/1.png"
    file = pq.read_table(finished.results / "scores" / "resnet.parquet")
    names = json.loads(file.schema.metadata[b"class_names"])
    row = file.to_pandas().set_index(["image", "rule"]).loc[(name, RULE)]
    small.page.locator(".card").nth(1).click()
    text = small.page.inner_text("#large")
    assert name in text
    section = small.page.locator(".guesses section", has_text="resnet")
    said = section.locator("li").all_inner_texts()
    expected = zip(row["predicted"], row["probability"], strict=True)
    assert [each.replace("\n", " ").removeprefix("✓ ") for each in said] == [
        f"{names[n]} {round(1000 * p) / 10:.1f}%" for n, p in expected
    ]
    assert small.page.locator("#large img").evaluate("node => node.naturalWidth") == 95


@pytest.mark.long
def test_tables_sort_and_download(small: Tab, finished: Project) -> None:
    details = small.page.locator("details[data-table=accuracy]")
    details.locator("summary").click()
    header = details.locator("thead th", has_text="top5_low").first
    values = pd.read_csv(finished.results / "tables" / "accuracy.csv")
    column = values.columns.get_loc("top5_low")

    def cells() -> list[float]:
        found = details.locator(f"tbody td:nth-child({column + 1})").all_inner_texts()
        return [float(text) for text in found]

    header.click()
    details.locator("thead th[aria-sort=ascending]").wait_for()
    assert cells() == pytest.approx(sorted(values["top5_low"])[: len(cells())], rel=1e-3, abs=1e-9)
    header.click()
    details.locator("thead th[aria-sort=descending]").wait_for()
    expected = sorted(values["top5_low"], reverse=True)[: len(cells())]
    assert cells() == pytest.approx(expected, rel=1e-3)
    with small.page.expect_download() as downloading:
        details.get_by_role("button", name="Download as CSV").click()
    downloaded = downloading.value
    assert downloaded.suggested_filename == "accuracy.csv"
    again = pd.read_csv(downloaded.path())
    assert again["top5_low"].is_monotonic_decreasing, "in the order that is shown"
    keys = ["model", "category", "generator", "rule"]
    again, values = (each.sort_values(keys, ignore_index=True) for each in (again, values))
    pd.testing.assert_frame_equal(again, values, check_dtype=False, rtol=1e-5, atol=1e-9)


@pytest.mark.long
def test_what_is_shown_can_be_downloaded(small: Tab) -> None:
    small.choose("category", "clock")
    with small.page.expect_download() as downloading:
        small.page.locator("#images-csv").click()
    table = pd.read_csv(downloading.value.path())
    assert set(table["category"]) == {"clock"}
    assert len(table) == small.shown() == 4


@pytest.mark.long
def test_a_view_is_shared_by_its_address(small: Tab, browser: Any, finished: Project) -> None:
    for key, value in {
        "rule": "classes",
        "hit": "top5",
        "category": "clock",
        "view": "grid",
    }.items():
        small.choose(key, value)
    small.choose("qkind", "colour")
    fragment = small.page.evaluate("location.hash")
    other = Tab(browser, finished.results / "report.html", fragment)
    for key in ("rule", "hit", "category", "view", "qkind", "model"):
        read = f"document.querySelector('[data-key={key}]').value"
        assert other.page.evaluate(read) == small.page.evaluate(read)
    assert other.shown() == small.shown() == 4
    assert other.page.locator(".grid tbody tr").count() == 4
    other.page.evaluate("location.hash = '#category=nothing&page=x&rule=<b>'")
    until(other.page, "document.querySelector('[data-key=category]').value === ''")
    assert other.shown() == 12
    other.context.close()


@pytest.mark.long
def test_back_closes_a_picture_and_leads_on_to_it_again(small: Tab) -> None:
    page = small.page
    small.choose("category", "clock")
    begun = page.evaluate("history.length")
    page.locator(".card button, .card").first.click()
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("history.length") == begun + 1, "steps in the view are no new pages"
    page.go_back()
    page.wait_for_selector("dialog[open]", state="detached")
    assert small.shown() == 4, "the filters stay"
    page.go_forward()
    page.wait_for_selector("dialog[open]")
    page.locator("#large-close").click()
    until(page, "!location.hash.includes('image=')")
    assert page.evaluate("location.hash") == "#category=clock"
    assert page.evaluate("document.activeElement.closest('.card') !== null")


@pytest.mark.long
def test_arrows_lead_from_question_to_question(small: Tab) -> None:
    page = small.page
    small.choose("qsort", "hardest")
    asked = page.locator(".asked > li").evaluate_all(
        "rows => rows.map((row) => [row.querySelector('button').getAttribute('aria-label'), "
        "row.querySelector('p').firstChild.textContent])"
    )
    page.locator(".asked button").first.click()
    assert page.locator("#large-previous").is_disabled()
    for image, question in asked[:4]:
        name = page.locator("#large-content img").get_attribute("alt")
        assert f"Look at {name}" == image
        current = page.locator("#large-content [aria-current] p")
        assert current.count() == 1
        assert current.evaluate("node => node.firstChild.textContent") == question
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    page.locator(".card button, .card").first.click()
    assert page.locator("#large-content [aria-current]").count() == 0


@pytest.mark.long
def test_a_link_to_a_section_keeps_what_is_chosen(
    small: Tab, browser: Any, finished: Project
) -> None:
    page = small.page
    page.evaluate("location.hash = '#accuracy'")
    assert page.evaluate("location.hash") == "#accuracy"
    small.choose("category", "clock")
    page.evaluate("location.hash = '#categories'")
    until(page, "location.hash.includes('=')")
    fragment = page.evaluate("location.hash")
    assert fragment == "#section=categories&category=clock"
    other = Tab(browser, finished.results / "report.html", fragment)
    assert other.shown() == 4
    place = "Math.abs(document.getElementById('categories').getBoundingClientRect().top)"
    assert other.page.evaluate(place) < 120
    other.context.close()


@pytest.mark.long
def test_everything_can_be_done_with_the_keyboard(small: Tab) -> None:
    page = small.page
    focused = "document.activeElement"
    page.keyboard.press("Tab")
    assert page.evaluate(f"{focused}.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(f"{focused}.dataset.key") == "category"
    page.keyboard.press("ArrowDown")
    assert small.shown() == 4
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate(f"{focused}.className") == "card":
            break
    opener = page.evaluate(f"{focused}.dataset.image")
    page.keyboard.press("Enter")
    assert page.evaluate("document.getElementById('large').open")
    before = page.evaluate("location.hash")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("location.hash") != before
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(f"document.getElementById('large').contains({focused})")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.getElementById('large').open")
    assert page.evaluate(f"{focused}.dataset.image") == opener
    summary = page.locator("details[data-table=accuracy] summary")
    summary.focus()
    page.keyboard.press("Enter")
    page.locator("details[data-table=accuracy] thead th").first.wait_for()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(f"{focused}.getAttribute('aria-label') ?? ''").startswith("top1:"):
            break
    page.keyboard.press("Enter")
    sorted_by = page.locator("details[data-table=accuracy] thead th[aria-sort=ascending]")
    assert sorted_by.inner_text().strip() == "top1"


@pytest.mark.long
@pytest.mark.parametrize("view", ["pictures", "grid"])
def test_it_fits_a_phone(browser: Any, finished: Project, view: str) -> None:
    tab = Tab(browser, finished.results / "report.html", f"#view={view}", viewport=NARROW)
    tab.look_at_everything()
    assert tab.page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    tab.page.locator("#images-list button").first.click()
    assert tab.page.evaluate("document.getElementById('large').scrollWidth") <= NARROW["width"]
    tab.context.close()


@pytest.mark.long
@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: tests/install_browser.sh")
@pytest.mark.parametrize(  # both widths and both schemes; no style depends on the two together
    ("viewport", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide-light", "narrow-dark"]
)
def test_axe_finds_no_fault_but_minor_ones(
    browser: Any, finished: Project, viewport: dict[str, int], scheme: str
) -> None:
    report = finished.results / "report.html"
    tab = Tab(browser, report, viewport=viewport, color_scheme=scheme)
    tab.look_at_everything()
    found = faults(tab.page)
    tab.choose("view", "grid")
    tab.page.locator("#images-list button").first.click()
    found += faults(tab.page)
    assert found == []
    tab.context.close()


# What is hostile stays text ----------------------------------------------------------------------


def replaced(value: Any) -> Any:
    if isinstance(value, str):
        for plain, hostile in HOSTILE.items():
            value = value.replace(plain, hostile)
    return value


def make_hostile(results: Path, weights: Path, folder: Path) -> Path:
    """The same run, had its files, categories, models, labels and questions such names."""
    shutil.copytree(results, folder / "results")
    for path in (folder / "results").rglob("*.parquet"):
        table = pq.read_table(path)
        rows = table.to_pandas()
        for name in rows.columns:
            if table.schema.field(name).type in (pa.string(), pa.large_string()):
                rows[name] = rows[name].map(replaced, na_action="ignore")
        metadata = {
            key: (
                json.dumps([replaced(name) for name in json.loads(value)])
                if key == b"class_names"
                else replaced(value.decode())
            )
            for key, value in (table.schema.metadata or {}).items()
            if key not in (b"pandas", KEY.encode())
        }
        schema = table.schema.with_metadata(metadata)
        pq.write_table(pa.Table.from_pandas(rows, schema, preserve_index=False), path)
    notes = []
    for path in sorted(weights.glob("*.json")):
        note = json.loads(path.read_text(encoding="utf-8"))
        notes.append(folder / path.name)
        note["name"] = replaced(note["name"])
        notes[-1].write_text(json.dumps(note | {"source": replaced("clock")}), encoding="utf-8")
    made = folder / "results"
    geometry = {"resize": 1, "crop": None, "interpolation": "box", "mean": [0], "std": [1]}
    models = [replaced(model) for model in ("effnet", "resnet")]
    spec = {
        **{"run": replaced("clock"), "rule": RULE, "level": 0.95, "images": 2000},
        "preprocessing": dict.fromkeys(models, geometry),
        "labels": dict.fromkeys(models, "labels.txt"),
        "roots": {"images": "pictures", "questions": None},
        "questions": None,
        "settings": {"images": {}, "report": {"thumbnail": 240}, "models": models},
    }
    arguments = {
        "tables": sorted((made / "tables").glob("*.parquet")),
        "manifests": sorted((made / "images").glob("*.parquet")),
        "scores": sorted((made / "scores").glob("*.parquet")),
        "notes": [notes[1], notes[3]],
        "pictures": sorted((made / "thumbnails" / "images").glob("*.parquet")),
        "duplicate-pictures": [made / "thumbnails" / "duplicates.parquet"],
        "vqa-scores": sorted((made / "vqa").glob("*.parquet")),
        "vqa-notes": [notes[0], notes[2]],
        "vqa-pictures": sorted((made / "thumbnails" / "questions").glob("*.parquet")),
        "spec": [json.dumps(spec)],
        "output": [folder / "report.html"],
    }
    words = [
        word for name, values in arguments.items() for word in (f"--{name}", *map(str, values))
    ]
    program = REPOSITORY / "workflow" / "scripts" / "report.py"
    subprocess.run([sys.executable, program, *words], check=True)
    return folder / "report.html"


@pytest.mark.long
def test_hostile_names_stay_text(browser: Any, finished: Project, tmp_path: Path) -> None:
    weights = finished.folder / "resources" / "weights"
    tab = Tab(browser, make_hostile(finished.results, weights, tmp_path))
    tab.look_at_everything()
    for view in ("pictures", "grid"):
        tab.choose("view", view)
        tab.choose("category", HOSTILE["clock"])
        assert tab.shown() == 4
        tab.page.locator("#images-list button").first.click()
        text = tab.page.inner_text("#large")
        assert HOSTILE["clock"] in text
        assert HOSTILE["muse"] in text
        tab.page.keyboard.press("Escape")
    page = tab.page
    assert page.evaluate("window.pwned") is None
    assert HOSTILE["resnet"] in page.inner_text("#run")
    assert "<img src=x onerror=window.pwned=1>&amp; red" in page.inner_text("#questions-list")
    assert page.locator("img[src=x], iframe, svg[onload], b[onmouseover]").count() == 0
    assert page.locator("style").count() == 1 + page.locator("[data-chart] svg style").count()
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith("data:")] == [tab.address]
    tab.context.close()


#: A4 within Chromium's margins, in CSS pixels.
PAPER = 718

_BEYOND = """(width) => [...document.querySelectorAll("svg, table, img, h2, p")]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > width + 1)
  .map((each) => [each.tagName, each.closest("[data-chart]")?.dataset.chart, each.innerText])"""


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_on_paper(tab: Tab, scheme: str) -> None:
    """Charts are drawn while the window is as wide as it is, and laid out on paper afterwards."""
    page = tab.page
    draw_all(page)
    dots = page.locator('[data-chart="models"] svg circle').count()
    on_screen = page.evaluate("document.querySelector('[data-chart=\"models\"] svg').clientWidth")
    page.emulate_media(media="print", color_scheme=scheme)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    # Within the time in which a new width of the window draws nothing yet.
    page.set_viewport_size({"width": PAPER, "height": 1000})
    assert page.evaluate(_BEYOND, PAPER) == []
    assert page.locator('[data-chart="models"] svg circle').count() == dots
    ink, ground = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert (ink, ground) == ("rgb(26, 26, 26)", "rgb(255, 255, 255)"), "paper is light"
    page.emulate_media(media="screen", color_scheme=scheme)
    page.set_viewport_size(WIDE)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    width = page.evaluate("document.querySelector('[data-chart=\"models\"] svg').clientWidth")
    assert width == on_screen

"""Models hidden, highlighted and renamed in the page; many of them; the page without a program."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthsight.report.plain import MOST_MODELS, plain_tables
from synthsight.report.tables import MAX_ROWS, drawn_rows, page_table
from tests.report.browsing import Tab, draw_all, hits, marks
from tests.support import Project

MANY = 30


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def with_many(source: Path, path: Path) -> Path:
    """The page of the small project, had one of its models many relatives."""
    text = source.read_text(encoding="utf-8")
    data = data_of(text)
    names = [f"relative_{n:02}_of_resnet.with_a_long_name" for n in range(MANY)]
    for name, columns in {
        "accuracy": ["model"],
        "reference": ["model"],
        "models": ["model"],
    }.items():
        table = data["tables"][name]
        rows = [
            dict(zip(table["columns"], row, strict=True))
            for row in zip(*table["values"], strict=True)
        ]
        rows += [
            {**row, **dict.fromkeys(columns, new)}
            for new in names
            for row in rows
            if row[columns[0]] == "resnet"
        ]
        table["values"] = [[row[column] for row in rows] for column in table["columns"]]
    kappa = data["tables"]["kappa"]
    rows = [
        dict(zip(kappa["columns"], row, strict=True)) for row in zip(*kappa["values"], strict=True)
    ]
    every = ["effnet", "resnet", *names]
    rows = [
        {**row, "a": a, "b": b} for i, a in enumerate(every) for b in every[i + 1 :] for row in rows
    ]
    kappa["values"] = [[row[column] for row in rows] for column in kappa["columns"]]
    difficulty = data["tables"]["difficulty"]
    rows = [
        dict(zip(difficulty["columns"], row, strict=True))
        for row in zip(*difficulty["values"], strict=True)
    ]
    numbers = {row["models"] for row in rows}
    rows += [
        {**row, "models": n}
        for n in range(max(numbers) + 1, MANY)
        for row in rows
        if row["models"] == 0
    ]
    difficulty["values"] = [[row[column] for row in rows] for column in difficulty["columns"]]
    resnet = next(model for model in data["explorer"]["models"] if model["name"] == "resnet")
    data["explorer"]["models"] += [{**resnet, "name": name} for name in names]
    data["order"] += names
    made = json.dumps(data).replace("<", "\\u003c")
    path.write_text(
        re.sub(
            r'(id="data">).*?(</script>)',
            lambda at: at[1] + made + at[2],
            text,
            count=1,
            flags=re.S,
        ),
        encoding="utf-8",
    )
    return path


@pytest.mark.long
def test_a_model_is_hidden_from_charts_tables_and_grid(
    small: Tab, browser: Any, finished: Project
) -> None:
    page = small.page
    small.choose("view", "grid")
    draw_all(page)
    best = marks(page, "best", "circle", "cx")
    counted = page.locator("[data-chart=agreement] rect").count()
    page.locator("#toolbox summary").click()
    page.get_by_label("Show effnet").click()
    draw_all(page)
    charts = page.locator(
        "[data-chart=models], [data-chart=categories], [data-chart=rules], #run .plain"
    )
    assert "effnet" not in " ".join(charts.all_inner_texts())
    assert "resnet" in page.inner_text("[data-chart=models]")
    assert page.locator(".grid thead th").all_inner_texts() == ["Image", "resnet"]
    said = page.inner_text("#toolbox-said")
    assert said.startswith("1 of 4 models is hidden. Hidden: effnet.")
    assert "all models together still counts them" in said
    assert page.locator("[data-chart=agreement] rect").count() == counted
    assert marks(page, "best", "circle", "cx") == best, "nothing is counted anew"
    other = Tab(browser, finished.results / "report.html", page.evaluate("location.hash"))
    assert other.page.inner_text("#toolbox-said") == said, "the address has it"
    other.context.close()
    page.locator("#toolbox-all").click()
    assert page.inner_text("#toolbox-said") == ""
    assert page.locator(".grid thead th").count() == 3


@pytest.mark.long
def test_a_new_name_is_one_of_the_page_alone(small: Tab, finished: Project) -> None:
    page = small.page
    page.locator("#toolbox summary").click()
    field = page.get_by_label("Name of resnet in this page")
    field.fill("<b>Ours</b>")
    field.press("Tab")
    page.get_by_label("Highlight resnet").click()
    draw_all(page)
    label = page.locator("[data-chart=models] text", has_text="<b>Ours</b>").first
    assert label.get_attribute("font-weight") == "bold"
    row = page.locator("#run tr.lit")
    assert row.count() == 1 and "<b>Ours</b>" in row.inner_text()
    assert "is renamed in this page: <b>Ours</b> is resnet" in page.inner_text("#toolbox-said")
    with page.expect_download() as downloading:
        page.locator("#images-csv").click()
    columns = pd.read_csv(downloading.value.path()).columns
    assert {"resnet top1"} <= {*columns}, "files have the names of the run"
    page.reload()
    assert page.locator("#run tr.lit").inner_text() == row.inner_text()
    assert small.complaints == []


@pytest.mark.long
def test_a_pattern_that_is_none_is_looked_for_as_it_stands(small: Tab) -> None:
    for text, shown in (
        ("eff|ofa", 1),
        ("RESNET", 1),
        ("net", 2),
        ("(", 0),
        ("[a", 0),
        ("(-/", 0),
        ("", 2),
    ):
        small.page.locator("#toolbox summary").evaluate("node => { node.parentNode.open = true; }")
        small.choose("only", text)
        rows = small.page.locator("#run [data-model]:not([hidden])")
        names = rows.evaluate_all("nodes => nodes.map((node) => node.dataset.model)")
        assert len({*names} & {"effnet", "resnet"}) == shown, text
    small.page.evaluate("location.hash = '#off=nonsense&lit={&alias=[1]'")
    small.page.wait_for_timeout(100)
    assert small.page.locator("#run [data-model]:not([hidden])").count() == 4
    assert small.complaints == []


@pytest.mark.long
@pytest.mark.parametrize("width", [390, 900, 1400])
def test_thirty_models_are_readable(
    browser: Any, finished: Project, tmp_path: Path, width: int
) -> None:
    """No label lies on another, and none is cut: neither beside a chart nor below it."""
    path = with_many(finished.results / "report.html", tmp_path / "report.html")
    tab = Tab(browser, path, viewport={"width": width, "height": 900})
    draw_all(tab.page)
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    for chart in ("models", "categories", "kappa", "difficulty", "generators", "rules", "sizes"):
        plot = tab.page.locator(f"[data-chart={chart}] svg")
        assert plot.evaluate(_TOGETHER) == [], chart
        inside = plot.evaluate(
            """(svg) => {
              const box = svg.getBBox();
              const [width, height] = [svg.width.baseVal.value, svg.height.baseVal.value];
              const [right, bottom] = [box.x + box.width, box.y + box.height];
              return [box.x >= -1, box.y >= -1, right <= width + 1, bottom <= height + 1];
            }"""
        )
        assert inside == [True] * 4, chart
    assert tab.complaints == []
    tab.context.close()


#: Pairs of labels of an axis that lie on each other; tilted ones are compared along their line.
_TOGETHER = """(svg) => {
  const found = [];
  for (const group of svg.querySelectorAll("g")) {
    const boxes = [...group.children]
      .filter((node) => node.tagName === "text" && node.textContent.trim())
      .map((node) => ({
        text: node.textContent,
        turned: (node.getAttribute("transform") ?? "").includes("rotate"),
        box: node.getBoundingClientRect(),
      }));
    for (const [i, a] of boxes.entries()) {
      for (const b of boxes.slice(i + 1)) {
        const meet = a.turned || b.turned
          ? Math.abs(a.box.left - b.box.left) < 9
          : a.box.left < b.box.right - 1 && b.box.left < a.box.right - 1
            && a.box.top < b.box.bottom - 3.5 && b.box.top < a.box.bottom - 3.5;
        if (meet) found.push([a.text, b.text]);
      }
    }
  }
  return found;
}"""


@pytest.mark.long
def test_without_javascript_the_page_has_its_numbers(browser: Any, finished: Project) -> None:
    tab = Tab(browser, finished.results / "report.html", java_script_enabled=False)
    page = tab.page
    table = hits(finished.results)
    table = table[table["rule"] == "words/simple"]
    shares = table.pivot_table("top1_hit", "category", "model")
    rows = page.locator("#plain table").first.locator("tr").all_inner_texts()
    head, *body = [row.split("\t") for row in rows]
    assert len(body) == len(shares) > 0
    for name, *cells in body:
        for model, cell in zip(head[1:], cells, strict=True):
            assert cell == f"{100 * shares.loc[name, model]:.1f}%"
    for selector in (".chart", ".filters", ".bar", "details.table", ".count", "#toolbox"):
        seen = page.locator(selector).all()
        assert not any(each.is_visible() for each in seen), f"{selector} would be dead"
    assert page.locator("#run .plain").first.is_visible()
    tab.context.close()


@pytest.mark.long
def test_with_javascript_the_plain_numbers_are_not_there_twice(small: Tab) -> None:
    assert small.page.locator("#plain").count() == 0


RULES = ("classes", "words/simple")


def long_table(models: int, categories: int) -> pd.DataFrame:
    """A table of accuracies of many models and categories, in the order in which it is written."""
    names = ["*", *(f"category {n}" for n in range(categories))]
    return pd.DataFrame(
        [
            {"model": f"model {m:03}", "category": category, "generator": generator, "rule": rule}
            | {"top1": 0.5}
            for m in range(models)
            for category in names
            for generator in ("*", "dalle")
            for rule in RULES
        ]
    )


def test_every_model_is_drawn_however_long_the_table_is() -> None:
    table = long_table(100, 200)
    kept = page_table(table, RULES[1], drawn_rows("accuracy", table, RULES[1]))
    rows = pd.DataFrame(dict(zip(kept["columns"], kept["values"], strict=True)))
    assert len(rows) + kept["left_out"] == len(table) > 5 * MAX_ROWS
    means = rows[rows["category"] == "*"]
    assert len(means) == 100 * 2 * 2, "of every rule and source"
    cells = rows[(rows["category"] != "*") & (rows["generator"] == "*")]
    assert len(cells[cells["rule"] == RULES[1]]) == 100 * 200
    short = long_table(3, 4)
    whole = page_table(short, RULES[1], drawn_rows("accuracy", short, RULES[1]))
    assert whole["left_out"] == 0


@pytest.mark.parametrize("name", ["reference", "difficulty", "kappa"])
def test_rows_over_all_images_come_first_under_every_rule(name: str) -> None:
    table = long_table(20, 200)
    kept = page_table(table, RULES[1], drawn_rows(name, table, RULES[1]))
    rows = pd.DataFrame(dict(zip(kept["columns"], kept["values"], strict=True)))
    over_all = rows[(rows["category"] == "*") & (rows["generator"] == "*")]
    assert len(rows) >= MAX_ROWS and len(over_all) == 20 * 2
    assert drawn_rows("comparisons", table, RULES[1]) is None


def test_plain_tables_have_the_best_models_and_say_what_they_lack() -> None:
    accuracy = long_table(MOST_MODELS + 3, 2)
    agreement = pd.DataFrame(
        {"rule": RULES[1], "generator": "*", "category": ["kite"], "n": [1200]}
        | {"all_top1": [0.25], "none_top1": [float("nan")]}
    )
    ranked = sorted(set(accuracy["model"]), reverse=True)
    tables = plain_tables({"accuracy": accuracy, "agreement": agreement}, RULES[1], ranked)
    first, *_, last = tables
    assert first.columns == ["category", *ranked[:MOST_MODELS]]
    assert first.left_out == "the best 12 of 15 models; the rest is in the folder tables/"
    assert first.rows[0] == ["category 0", *["50.0%"] * MOST_MODELS]
    assert last.rows == [["kite", "25.0%", "not known", "1,200"]]


def test_in_plain_tables_what_is_of_no_kind_comes_last() -> None:
    accuracy = long_table(1, 1)
    agreement = pd.DataFrame(columns=["rule", "generator", "category"])
    groups = pd.DataFrame({"by": "kind", "value": ["colour", "other", "presence"], "model": "net"})
    vqa = pd.DataFrame({"model": ["net"], "accuracy": 0.5})
    tables = {"accuracy": accuracy, "agreement": agreement, "vqa": vqa}
    *_, last = plain_tables(
        {**tables, "vqa_groups": groups.assign(accuracy=[0.1, 0.2, 0.3])}, RULES[1], []
    )
    assert last.rows == [["colour", "10.0%"], ["presence", "30.0%"], ["other", "20.0%"]]


@pytest.mark.long
def test_what_is_copied_of_a_table_leaves_out_what_is_hidden(small: Tab) -> None:
    page = small.page
    page.locator("#toolbox summary").click()
    page.get_by_label("Show effnet").click()
    page.get_by_label("Name of resnet in this page").fill("Ours")
    page.keyboard.press("Tab")
    buttons = page.locator(".scroll:has(table[data-name=models]) + .as-text")
    with page.expect_download() as downloading:
        buttons.get_by_role("button", name="Download as CSV").click()
    table = pd.read_csv(downloading.value.path())
    assert len(table) == 1 and table["Model"][0].startswith("Ours")
    assert "Ours is resnet" in buttons.inner_text(), "a new name is never exported in silence"

"""What the page computes by itself, against the run's tables and scores."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.report.browsing import RULE, Tab, draw_all, hits, marks
from tests.support import Project


def cards(tab: Tab) -> list[str]:
    return tab.page.locator(".card img").evaluate_all("nodes => nodes.map((node) => node.alt)")


def rows_of_questions(results: Path) -> dict[str, pd.DataFrame]:
    """The answers of each model, in the order of the page."""
    paths = sorted((results / "vqa").glob("*.parquet"))
    return {path.stem: pd.read_parquet(path) for path in paths}


def downloaded(tab: Tab, button: str) -> pd.DataFrame:
    with tab.page.expect_download() as downloading:
        tab.page.locator(button).click()
    return pd.read_csv(downloading.value.path(), keep_default_na=False)


def test_images_sort_by_what_one_model_or_all_are_sure_of(small: Tab, finished: Project) -> None:
    table = hits(finished.results)
    table = table[table["rule"] == RULE].assign(sure=lambda rows: rows["probability"].str[0])
    parts = (1000 * table.pivot_table("sure", "image", "model")).round().sort_index()
    for model, sure in {"": parts.sum(axis=1), "resnet": parts["resnet"]}.items():
        small.choose("model", model)
        for sort, ascending in {"confident": False, "unsure": True}.items():
            small.choose("sort", sort)
            expected = sure.sort_values(ascending=ascending, kind="stable")
            assert sure.loc[cards(small)].tolist() == expected.tolist(), (model, sort)
    assert parts.sum(axis=1).nunique() > 6, "so that an order can be wrong"


def test_a_card_and_the_line_above_say_how_many_are_right(small: Tab, finished: Project) -> None:
    table = hits(finished.results)
    names = json.loads(
        pq.read_schema(finished.results / "scores" / "resnet.parquet").metadata[b"class_names"]
    )
    for rule, hit in ((RULE, "top1"), ("restricted", "top5"), (RULE, "top5")):
        small.choose("rule", rule)
        small.choose("hit", hit)
        of_rule = table[table["rule"] == rule]
        right = of_rule.pivot_table(f"{hit}_hit", "image", "model", "sum").astype(int)
        small.choose("category", "clock")
        of = right[right.index.str.contains("/clock/")]
        count = small.page.locator("#images-count")
        average = 100 * of.to_numpy().mean()
        assert count.inner_text() == (
            f"4 of 12 images · the models are right on {average:.1f}% of them on average"
        )
        said = small.page.locator(".card .said").all_inner_texts()
        assert said == [f"{of.loc[image].sum()} of 2 models right" for image in cards(small)]
        small.choose("model", "resnet")
        assert count.inner_text() == (
            f"4 of 12 images · resnet is right on {100 * of['resnet'].mean():.1f}%"
        )
        own = of_rule[of_rule["model"] == "resnet"].set_index("image")
        words = {0: "wrong", 1: "within five", 2: "right at first"}
        expected = [
            f"{words[row['top1_hit'] + row['top5_hit']]}: {names[row['predicted'][0]]} "
            f"{100 * round(float(row['probability'][0]), 3):.0f}%"
            for _, row in own.loc[cards(small)].iterrows()
        ]
        assert small.page.locator(".card .said").all_inner_texts() == expected
        small.page.locator("[data-reset=images]").click()
    # The large view of one image after the other.
    small.choose("rule", RULE)
    small.choose("hit", "top1")
    small.page.locator(".card").first.click()
    right = table[table["rule"] == RULE].groupby("image")["top1_hit"].sum()
    assert len(set(right)) > 1, "so that the number can be another image's"
    for image, number in right.items():
        facts = dict(
            small.page.locator("#large .facts div").evaluate_all(
                "nodes => nodes.map((node) => [...node.children].map((each) => each.textContent))"
            )
        )
        assert facts["File"] == image
        assert facts[f"Right under {RULE}"] == f"{number} of 2 models"
        small.page.keyboard.press("ArrowRight")


def test_downloads_hold_what_the_scores_and_answers_hold(small: Tab, finished: Project) -> None:
    table = hits(finished.results)
    small.choose("rule", "classes")
    images = downloaded(small, "#images-csv").set_index("image")
    assert set(images["rule"]) == {"classes"}
    for model in ("effnet", "resnet"):
        own = table[(table["rule"] == "classes") & (table["model"] == model)].set_index("image")
        for hit in ("top1", "top5"):
            said = images[f"{model} {hit}"].astype(str) == "true"
            said |= images[f"{model} {hit}"].astype(str) == "True"
            assert said.to_dict() == own[f"{hit}_hit"].to_dict(), (model, hit)
    assert table["top1_hit"].any() and not table["top5_hit"].all()
    questions = downloaded(small, "#questions-csv")
    for model, rows in rows_of_questions(finished.results).items():
        assert questions["question"].tolist() == rows["question"].tolist()
        assert questions[f"{model} correct"].tolist() == rows["correct"].tolist()
        parts = (1000 * questions[f"{model} P(yes)"]).round().tolist()
        assert parts == (1000 * rows["p_yes"]).round().tolist()


def test_questions_show_each_answer_and_sort_by_how_sure_it_is(
    small: Tab, finished: Project
) -> None:
    answers = rows_of_questions(finished.results)
    keys = ["image", "question"]

    def shown() -> list[tuple[str, str]]:
        found = small.page.locator(".asked li").evaluate_all(
            """nodes => nodes.map((node) => [
                node.querySelector("button").ariaLabel.replace("Look at ", ""),
                node.querySelector("p").firstChild.textContent,
            ])"""
        )
        return [tuple(each) for each in found]

    chips = small.page.locator(".asked .chip").all_inner_texts()
    expected = []
    for place in range(24):
        for model, rows in answers.items():
            row = rows.iloc[place]
            said = row["answer"] if row["correct"] else {"yes": "no", "no": "yes"}[row["answer"]]
            assert said == ("yes" if row["p_yes"] > 0.5 else "no")
            sign = "✓" if row["correct"] else "✗"
            expected.append(f"{sign} {model}: {said} (P(yes) {round(row['p_yes'], 3):.2f})")
    assert [re.sub(r"\d\.\d+", "", chip) for chip in chips] == [
        re.sub(r"\d\.\d+", "", chip) for chip in expected
    ]
    found, wanted = (
        [float(re.findall(r"\d\.\d+", chip)[-1]) for chip in each] for each in (chips, expected)
    )
    assert found == pytest.approx(wanted, abs=0.0101)

    sure = {
        model: (rows.set_index(keys)["p_yes"].mul(1000).round() - 500).abs()
        for model, rows in answers.items()
    }
    for model, of in {"asked": sure["asked"], "": sure["asked"] + sure["other"]}.items():
        small.choose("qmodel", model)
        for sort, ascending in {"confident": False, "unsure": True}.items():
            small.choose("qsort", sort)
            assert of.loc[shown()].tolist() == of.sort_values(ascending=ascending).tolist()
    right = sum(rows.set_index(keys)["correct"].astype(int) for rows in answers.values())
    for sort, ascending in {"hardest": True, "easiest": False}.items():
        small.choose("qsort", sort)
        assert right.loc[shown()].tolist() == right.sort_values(ascending=ascending).tolist()


def enlarged(report: Path, target: Path, times: int) -> Path:
    """The same page with each image and question as often as this, under names of their own."""
    text = report.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    data = json.loads(found[1])
    explorer, questions = data["explorer"], data["questions"]
    explorer["images"] = [f"{n}/{name}" for n in range(times) for name in explorer["images"]]
    for key in ("category", "generator", "width", "height", "picture"):
        explorer[key] *= times
    for model in explorer["models"]:
        model["hits"] = {rule: digits * times for rule, digits in model["hits"].items()}
        for block in model["blocks"]:
            block["classes"] *= times
            block["parts"] *= times
    for key in ("image", "picture", "question", "answer", "kind", "generator"):
        questions[key] *= times
    for model in questions["models"]:
        model["parts"] *= times
        model["correct"] *= times
    # `<` and the like can stand in no script.
    content = json.dumps(data).replace("<", "\\u003c").replace("&", "\\u0026")
    target.write_text(text.replace(found[1], content), encoding="utf-8")
    return target


def test_pages_hold_all_images_once_and_begin_anew(
    browser: Any, finished: Project, tmp_path: Path
) -> None:
    page = enlarged(finished.results / "report.html", tmp_path / "report.html", 12)
    tab = Tab(browser, page, "#page=2")
    assert tab.shown() == 144
    pager = tab.page.locator("#images-pager")
    assert "Page 2 of 3" in pager.inner_text()
    pager.get_by_role("button", name="Previous page").click()
    found = cards(tab)
    assert len(found) == 60
    for number in (2, 3):
        pager.get_by_role("button", name="Next page").click()
        assert f"Page {number} of 3" in pager.inner_text()
        found += cards(tab)
    data = tab.page.evaluate("JSON.parse(document.getElementById('data').textContent)")
    assert found == data["explorer"]["images"]
    assert pager.get_by_role("button", name="Next page").is_disabled()
    # Whatever changes what is shown, or its order, begins at the first page.
    for key, value in {"category": "clock", "sort": "hardest", "hit": "top5"}.items():
        tab.choose("view", "pictures")
        tab.page.evaluate("location.hash = '#page=2'")
        pager.get_by_text("Page 2 of").wait_for()
        tab.choose(key, value)
        assert "page=" not in tab.page.evaluate("location.hash"), key
        tab.page.locator("[data-reset=images]").click()
    questions = tab.page.locator("#questions-pager")
    assert "Page 1 of 6" in questions.inner_text()
    questions.get_by_role("button", name="Next page").click()
    assert "qpage=2" in tab.page.evaluate("location.hash")
    assert tab.page.locator(".asked li").count() == 48
    tab.choose("qkind", "colour")
    assert "qpage" not in tab.page.evaluate("location.hash")
    tab.context.close()


def test_charts_show_the_numbers_of_the_tables_under_what_is_chosen(
    small: Tab, finished: Project
) -> None:
    tables = {
        path.stem: pd.read_parquet(path) for path in (finished.results / "tables").glob("*.parquet")
    }
    page = small.page
    page.locator("[data-chart=models]").scroll_into_view_if_needed()
    page.locator("[data-chart=models] svg").wait_for()

    def same(found: list[list[float]], rows: pd.DataFrame, columns: list[str]) -> None:
        expected = rows[columns].to_numpy(float).tolist()
        assert len(found) == len(expected) > 0
        assert np.array(sorted(found)) == pytest.approx(np.array(sorted(expected)), abs=2e-5)

    one, two = "[stroke='var(--one)']", "[stroke='var(--two)']"
    filled = "g[fill='var(--one)']"
    for rule, hit in ((RULE, "top5"), ("restricted", "top1"), ("restricted", "top5")):
        # What is near is drawn again by the choice, the rest when it is printed.
        small.choose("rule", rule)
        small.choose("hit", hit)
        bounds = [f"{hit}_low", f"{hit}_high"]
        accuracy = tables["accuracy"].query("rule == @rule and generator == '*'")
        means = accuracy[accuracy["category"] == "*"]
        cells = accuracy[accuracy["category"] != "*"]
        same(marks(page, "models", f"{filled} circle", "cx"), means, [hit])
        same(marks(page, "models", f"g{one} line", "x1", "x2"), means, bounds)
        stated = tables["reference"].query("rule == @rule and generator == '*'").dropna()
        same(marks(page, "models", f"g{two} circle", "cx"), stated, [f"reference_{hit}"])
        draw_all(page)

        chart = page.locator("[data-chart=categories] svg")
        found = chart.locator("rect").evaluate_all(
            "rects => rects.map((rect) => rect.getAttribute('fill'))"
        )
        fills = chart.evaluate(
            "(svg, values) => values.map((value) => svg.scale('color').apply(value))",
            cells[hit].tolist(),
        )
        assert sorted(found) == sorted(fills)
        texts = chart.locator("text").evaluate_all("nodes => nodes.map((n) => n.textContent)")
        numbers = [text for text in texts if text.isdigit()]
        assert sorted(numbers) == sorted(f"{np.floor(100 * v + 0.5):.0f}" for v in cells[hit])

        best = page.evaluate("JSON.parse(document.getElementById('data').textContent).best")
        of_best = cells[cells["model"] == best]
        same(marks(page, "best", f"{filled} circle", "cx"), of_best, [hit])
        same(marks(page, "best", f"g{one} line", "x1", "x2"), of_best, bounds)

        agreement = tables["agreement"].query("rule == @rule")
        bars = marks(page, "agreement", f"{filled} rect", "x", "right")
        same(bars, agreement.assign(zero=0.0), ["zero", f"all_{hit}"])
        bars = marks(page, "agreement", "g[fill='var(--two)'] rect", "x", "right")
        left = agreement.assign(left=-agreement[f"none_{hit}"], zero=0.0)
        same(bars, left, ["left", "zero"])

        difficulty = tables["difficulty"].query(
            "rule == @rule and hit == @hit and category == '*' and generator == '*'"
        )
        bars = marks(page, "difficulty", f"{filled} rect", "y", "bottom")
        same(bars, difficulty.assign(zero=0.0), ["n", "zero"])

        by_generator = tables["accuracy"].query("rule == @rule and category == '*'")
        by_generator = by_generator[by_generator["generator"] != "*"]
        same(marks(page, "generators", f"{filled} circle", "cx"), by_generator, [hit])
        same(marks(page, "generators", f"g{one} line", "x1", "x2"), by_generator, bounds)
        pairs = tables["generators"].query("rule == @rule and hit == @hit")
        same(marks(page, "differences", f"{filled} circle", "cx"), pairs, ["difference"])
        same(marks(page, "differences", f"g{one} line", "x1", "x2"), pairs, ["low", "high"])

    vqa = tables["vqa"]
    same(marks(page, "vqa", f"{filled} circle", "cx"), vqa, ["accuracy"])
    same(marks(page, "vqa", f"g{one} line", "x1", "x2"), vqa, ["low", "high"])
    kinds = tables["vqa_groups"].query("by == 'kind'")
    same(marks(page, "kinds", f"{filled} circle", "cx"), kinds, ["accuracy"])
    same(marks(page, "kinds", f"g{one} line", "x1", "x2"), kinds, ["low", "high"])
    calibration = tables["vqa_calibration"].query("n > 0")
    place = ["mean_p_yes", "share_yes"]
    same(marks(page, "calibration", f"{filled} circle", "cx", "cy"), calibration, place)
    spans = marks(page, "calibration", f"g{one} line", "x1", "y1", "y2")
    same([[x, *sorted(y)] for x, *y in spans], calibration, ["mean_p_yes", "low", "high"])

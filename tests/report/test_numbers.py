"""What the page computes by itself: from data of the test's own, and against the run's tables.

The small project's models are sure of everything, so that an order by confidence is none. Where
that matters the page holds other data: more images and questions, and what each model says of them
drawn by lot. That a page's data are the run's is stated in ``test_page.py``.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.report.browsing import RULE, Tab, draw_all, marks
from tests.support import Project

TIMES = 12
WORDS = {0: "wrong", 1: "within five", 2: "right at first"}
OTHER = {"yes": "no", "no": "yes"}


@dataclass(frozen=True)
class Made:
    """A page with data by lot.

    Attributes:
        path: of the page.
        images: a row per rule, model and image: ``category``, ``digit`` (2 for a hit of the first
            guess, 1 for one within five), ``first`` (name of the first guess), ``parts``.
        questions: a row per model and question, in the page's order.
    """

    path: Path
    images: pd.DataFrame
    questions: pd.DataFrame


@pytest.fixture(scope="module")
def made(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Made:
    lot = random.Random(0)
    text = (finished.results / "report.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    data = json.loads(found[1])
    explorer, questions = data["explorer"], data["questions"]
    explorer["images"] = [f"{n:02}/{name}" for n in range(TIMES) for name in explorer["images"]]
    for key in ("category", "generator", "width", "height", "picture"):
        explorer[key] *= TIMES
    names, number = explorer["names"], len(explorer["images"])
    images = []
    for model in explorer["models"]:
        model["blocks"], model["top"] = [], {}
        for rule in explorer["rules"]:
            digits = lot.choices((0, 1, 2), k=number)
            classes = [lot.sample(range(len(names)), 5) for _ in range(number)]
            parts = [sorted(lot.sample(range(200), 4), reverse=True) for _ in range(number)]
            parts = [[lot.randrange(200, 400), *each] for each in parts]
            model["hits"][rule] = "".join(map(str, digits))
            model["top"][rule] = len(model["blocks"])
            model["blocks"].append({"classes": [*chain(*classes)], "parts": [*chain(*parts)]})
            images += [
                {"rule": rule, "model": model["name"], "image": image, "category": category}
                | {"digit": digit, "first": names[of[0]], "parts": part[0]}
                for image, category, digit, of, part in zip(
                    explorer["images"], explorer["category"], digits, classes, parts, strict=True
                )
            ]
    for key in ("image", "picture", "question", "answer", "kind", "generator"):
        questions[key] *= TIMES
    questions["question"] = [f"{n}: {each}" for n, each in enumerate(questions["question"])]
    rows = []
    for model in questions["models"]:
        parts = [lot.randrange(1001) for _ in questions["question"]]
        yes = [answer == "yes" for answer in questions["answer"]]
        correct = [(part > 500) == each for part, each in zip(parts, yes, strict=True)]
        model["yes"] = [part / 1000 for part in parts]
        model["correct"] = "".join(str(int(each)) for each in correct)
        columns = {key: questions[key] for key in ("image", "question", "answer", "kind")}
        rows.append(pd.DataFrame({**columns, "parts": parts, "correct": correct}))
        rows[-1]["model"] = model["name"]
    path = tmp_path_factory.mktemp("made") / "report.html"
    content = json.dumps(data).replace("<", "\\u003c").replace("&", "\\u0026")
    path.write_text(text.replace(found[1], content), encoding="utf-8")
    return Made(path, pd.DataFrame(images), pd.concat(rows, ignore_index=True))


@pytest.fixture
def tab(browser: Any, made: Made) -> Iterator[Tab]:
    tab = Tab(browser, made.path)
    yield tab
    assert tab.complaints == []
    tab.context.close()


def cards(tab: Tab) -> list[str]:
    """The images of the page of cards, in order."""
    return tab.page.locator(".card img").evaluate_all("nodes => nodes.map((node) => node.alt)")


def percent(share: float, digits: int = 1) -> str:
    """As the page rounds: halves upwards."""
    return f"{np.floor(100 * share * 10**digits + 0.5) / 10**digits:.{digits}f}%"


def downloaded(tab: Tab, button: str) -> pd.DataFrame:
    with tab.page.expect_download() as downloading:
        tab.page.locator(button).click()
    return pd.read_csv(downloading.value.path())


@pytest.mark.long
def test_images_sort_by_what_one_model_or_all_are_sure_of(tab: Tab, made: Made) -> None:
    for rule in (RULE, "restricted"):
        tab.choose("rule", rule)
        parts = made.images.query("rule == @rule").pivot_table("parts", "image", "model")
        for model, sure in {"": parts.sum(axis=1), "resnet": parts["resnet"]}.items():
            tab.choose("model", model)
            for sort, ascending in {"confident": False, "unsure": True}.items():
                tab.choose("sort", sort)
                expected = sure.sort_values(ascending=ascending, kind="stable").index[:60]
                assert cards(tab) == expected.tolist(), (rule, model, sort)


@pytest.mark.long
@pytest.mark.parametrize(("rule", "hit"), [(RULE, "top1"), ("restricted", "top5")])
def test_the_line_the_cards_and_the_large_view_say_how_many_are_right(
    tab: Tab, made: Made, rule: str, hit: str
) -> None:
    tab.choose("rule", rule)
    tab.choose("hit", hit)
    tab.choose("category", "clock")
    rows = made.images.query("rule == @rule and category == 'clock'")
    rows = rows.assign(right=rows["digit"] >= (2 if hit == "top1" else 1))
    right = rows.pivot_table("right", "image", "model", "sum").astype(int)
    count, said = tab.page.locator("#images-count"), tab.page.locator(".card .said")
    average = percent(right.to_numpy().mean())
    assert count.inner_text() == (
        f"48 of 144 images · the 2 models get {average} of them on average"
    )
    numbers = {image: f"{n} of 2 models" for image, n in right.sum(axis=1).items()}
    assert said.all_inner_texts() == [f"{numbers[image]} right" for image in cards(tab)]
    tab.choose("model", "resnet")
    assert count.inner_text() == (
        f"48 of 144 images · resnet is right on {percent(right['resnet'].mean())}"
    )
    own = rows[rows["model"] == "resnet"].set_index("image").loc[cards(tab)]
    for text, (_, row) in zip(said.all_inner_texts(), own.iterrows(), strict=True):
        guess, _, share = text.rpartition(" ")
        assert guess == f"{WORDS[row['digit']]}: {row['first']}"
        assert int(share.rstrip("%")) == pytest.approx(row["parts"] / 10, abs=0.501)
    tab.page.locator(".card").first.click()
    for image in cards(tab)[:6]:
        facts = tab.page.locator("#large .facts div").evaluate_all(
            "nodes => nodes.map((node) => [...node.children].map((each) => each.textContent))"
        )
        assert dict(facts)["File"] == image
        assert dict(facts)[f"Right under {rule}"] == numbers[image]
        tab.page.keyboard.press("ArrowRight")


@pytest.mark.long
def test_downloads_hold_the_hits_and_answers_that_are_shown(tab: Tab, made: Made) -> None:
    tab.choose("rule", "classes")
    table = downloaded(tab, "#images-csv").set_index("image")
    assert len(table) == 144
    assert set(table["rule"]) == {"classes"}
    for model in ("effnet", "resnet"):
        own = made.images.query("rule == 'classes' and model == @model").set_index("image")
        own = own.loc[table.index]
        assert table[f"{model} top1"].tolist() == (own["digit"] == 2).tolist()
        assert table[f"{model} top5"].tolist() == (own["digit"] >= 1).tolist()
        assert table[f"{model} first guess"].tolist() == own["first"].tolist()
    table = downloaded(tab, "#questions-csv")
    for model, own in made.questions.groupby("model"):
        for column in ("image", "question", "answer", "kind"):
            assert table[column].tolist() == own[column].tolist()
        assert table[f"{model} correct"].tolist() == own["correct"].tolist()
        assert table[f"{model} P(yes)"].tolist() == (own["parts"] / 1000).tolist()


@pytest.mark.long
def test_questions_show_each_answer_and_sort_by_how_sure_it_is(tab: Tab, made: Made) -> None:
    def shown() -> list[str]:
        return tab.page.locator(".asked li p").evaluate_all(
            "nodes => nodes.map((node) => node.firstChild.textContent)"
        )

    by_question = {
        model: rows.set_index("question") for model, rows in made.questions.groupby("model")
    }
    chips = iter(tab.page.locator(".asked .chip").all_inner_texts())
    for question in shown():
        for model, rows in by_question.items():
            row, chip = rows.loc[question], next(chips)
            said = row["answer"] if row["correct"] else OTHER[row["answer"]]
            assert said == ("yes" if row["parts"] > 500 else "no")
            sign = "✓" if row["correct"] else "✗"
            assert chip.startswith(f"{sign} {model}: {said} (P(yes) ")
            number = float(chip.split(" ")[-1].rstrip(")"))
            assert number == pytest.approx(row["parts"] / 1000, abs=0.00501)
    sure = {model: (rows["parts"] - 500).abs() for model, rows in by_question.items()}
    right = sum(rows["correct"].astype(int) for rows in by_question.values())
    for model, of in {"asked": sure["asked"], "": sure["asked"] + sure["other"]}.items():
        tab.choose("qmodel", model)
        orders = {"confident": (of, False), "unsure": (of, True)}
        for sort, (values, ascending) in {
            **orders,
            "hardest": (right, True),
            "easiest": (right, False),
        }.items():
            tab.choose("qsort", sort)
            expected = values.sort_values(ascending=ascending, kind="stable").index[:48]
            assert shown() == expected.tolist(), (model, sort)


@pytest.mark.long
def test_pages_hold_everything_once_and_begin_anew(browser: Any, tab: Tab, made: Made) -> None:
    pager = tab.page.locator("#images-pager")
    following = pager.get_by_role("button", name="Next page")
    found = cards(tab)
    assert len(found) == 60
    for number in (2, 3):
        following.click()
        assert f"Page {number} of 3" in pager.inner_text()
        found += cards(tab)
    assert found == made.images["image"].unique().tolist()
    assert following.is_disabled()
    pager.get_by_role("button", name="Previous page").click()
    assert cards(tab) == found[60:120]
    # Whatever changes what is shown, or its order, begins at the first page.
    for key, value in {"sort": "hardest", "find": "muse", "hit": "top5"}.items():
        if "page=2" not in tab.page.evaluate("location.hash"):
            following.click()
        tab.choose(key, value)
        assert "page=" not in tab.page.evaluate("location.hash"), key
    questions = tab.page.locator("#questions-pager")
    questions.get_by_role("button", name="Next page").click()
    assert "Page 2 of 6" in questions.inner_text()
    assert "qpage=2" in tab.page.evaluate("location.hash")
    tab.choose("qkind", "colour")
    assert "qpage" not in tab.page.evaluate("location.hash")


@pytest.mark.long
def test_charts_show_the_numbers_of_the_tables_under_what_is_chosen(
    small: Tab, finished: Project
) -> None:
    tables = {
        path.stem: pd.read_parquet(path) for path in (finished.results / "tables").glob("*.parquet")
    }
    page = small.page
    page.locator("[data-chart=models]").scroll_into_view_if_needed()
    page.locator("[data-chart=models] svg").wait_for()

    def same(
        found: list[list[float]], rows: pd.DataFrame, columns: list[str], within: float = 2e-5
    ) -> None:
        expected = rows[columns].to_numpy(float).tolist()
        assert len(found) == len(expected) > 0
        assert np.array(sorted(found)) == pytest.approx(np.array(sorted(expected)), abs=within)

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
        stated = tables["reference"].query("rule == @rule and generator == '*'")
        stated = stated.dropna(subset=f"reference_{hit}")
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
        assert sorted(numbers) == sorted(percent(v, 0).rstrip("%") for v in cells[hit])

        best = page.evaluate("JSON.parse(document.getElementById('data').textContent).best")
        of_best = cells[cells["model"] == best]
        same(marks(page, "best", f"{filled} circle", "cx"), of_best, [hit])
        same(marks(page, "best", f"g{one} line", "x1", "x2"), of_best, bounds)

        inset = 0.02  # a bar stands off its neighbours by two pixels on every side
        agreement = tables["agreement"].query("rule == @rule")
        bars = marks(page, "agreement", f"{filled} rect", "x", "right")
        same(bars, agreement.assign(zero=0.0), ["zero", f"all_{hit}"], inset)
        bars = marks(page, "agreement", "g[fill='var(--two)'] rect", "x", "right")
        left = agreement.assign(left=-agreement[f"none_{hit}"], zero=0.0)
        same(bars, left, ["left", "zero"], inset)

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
    small.choose("rule", RULE)
    draw_all(page)
    bins = tables["calibration_bins"].query("rule == @RULE and generator == '*'")
    same(marks(page, "confidence", f"{filled} circle", "cx", "cy"), bins, ["confidence", "top1"])
    spans = marks(page, "confidence", f"g{one} line", "x1", "y1", "y2")
    same([[x, *sorted(y)] for x, *y in spans], bins, ["confidence", "low", "high"])
    calibration = tables["vqa_calibration"].query("n > 0")
    place = ["mean_p_yes", "share_yes"]
    same(marks(page, "calibration", f"{filled} circle", "cx", "cy"), calibration, place)
    spans = marks(page, "calibration", f"g{one} line", "x1", "y1", "y2")
    same([[x, *sorted(y)] for x, *y in spans], calibration, ["mean_p_yes", "low", "high"])


@pytest.mark.long
def test_photographs_are_what_is_subtracted(
    browser: Any, finished: Project, tmp_path: Path
) -> None:
    """Whichever of the two names comes first in the table: here the first is said to be real."""
    text = (finished.results / "report.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    table = pd.read_csv(finished.results / "tables" / "generators.csv")
    rows = table[(table["rule"] == RULE) & (table["hit"] == "top1")]
    (first,), (second,) = rows["a"].unique(), rows["b"].unique()
    data["explorer"]["real"] = [first]
    path = tmp_path / "report.html"
    content = json.dumps(data).replace("<", "\\u003c").replace("&", "\\u0026")
    path.write_text(text.replace(found[1], content), encoding="utf-8")
    tab = Tab(browser, path)
    tab.page.locator("[data-chart=differences]").scroll_into_view_if_needed()
    chart = tab.page.locator("[data-chart=differences] svg")
    chart.wait_for()
    texts = chart.locator("text").all_text_contents()
    assert f"{second} \N{MINUS SIGN} {first} (real)" in texts
    places = marks(tab.page, "differences", "g[fill='var(--one)'] circle", "cx")
    assert sorted(x for (x,) in places) == pytest.approx(sorted(-rows["difference"]), abs=2e-5)
    bounds = marks(tab.page, "differences", "g[stroke='var(--one)'] line", "x1", "x2")
    expected = sorted([-high, -low] for low, high in rows[["low", "high"]].to_numpy())
    assert np.array(sorted(bounds)) == pytest.approx(np.array(expected), abs=2e-5)
    tab.context.close()

"""The explorer in a browser: two models beside one another, mistakes, searches, what counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthsight.labels.definitions import Definition
from synthsight.labels.matching import accepted_classes
from synthsight.labels.spaces import load_labels
from tests.browser import AXE, faults, until
from tests.report.browsing import RULE, Tab, hits
from tests.support import Project

TWO = ("effnet", "resnet")
#: Where the buttons for the table of models are.
MODELS = "[aria-label=Models] + .as-text"


def predictions(results: Path, rule: str = RULE) -> pd.DataFrame:
    """The names of the five classes that each model predicts, a row an image and model."""
    table = hits(results)
    table = table[table["rule"] == rule].copy()
    names = {
        model: json.loads(
            pq.read_schema(results / "scores" / f"{model}.parquet").metadata[b"class_names"]
        )
        for model in TWO
    }
    table["said"] = [
        [names[model][number] for number in predicted]
        for model, predicted in zip(table["model"], table["predicted"], strict=True)
    ]
    return table


def four(table: pd.DataFrame, hit: str) -> dict[str, int]:
    """How many images both, the first alone, the second alone and neither of :data:`TWO` get."""
    right = table.pivot_table(f"{hit}_hit", "image", "model", "all").astype(bool)
    first, second = (right[model] for model in TWO)
    outcomes = {"both": first & second, "first": first & ~second, "second": ~first & second}
    outcomes["neither"] = ~first & ~second
    return {outcome: int(which.sum()) for outcome, which in outcomes.items()}


def numbers(tab: Tab) -> dict[str, int]:
    """The same, as the page says it."""
    buttons = tab.page.locator("#images-beside [data-outcome]")
    return {
        str(button.get_attribute("data-outcome")): int(button.locator("strong").inner_text())
        for button in buttons.all()
    }


@pytest.mark.long
def test_two_models_are_beside_one_another(small: Tab, finished: Project) -> None:
    table = hits(finished.results)
    small.choose("model", TWO[0])
    small.choose("against", TWO[1])
    for rule in ("classes", RULE):
        for hit in ("top5", "top1"):
            small.choose("rule", rule)
            small.choose("hit", hit)
            expected = four(table[table["rule"] == rule], hit)
            assert numbers(small) == expected
            assert sum(expected.values()) == small.shown() == 12
            for outcome, number in expected.items():
                small.page.locator(f"[data-outcome={outcome}]").click()
                assert small.shown() == number, (rule, hit, outcome)
                assert numbers(small) == expected, "the other groups stay in sight"
                focused = small.page.evaluate("document.activeElement.dataset.outcome")
                assert focused == outcome
                small.page.locator(f"[data-outcome={outcome}]").click()
    small.choose("generator", "muse")
    of = table[(table["rule"] == RULE) & (table["generator"] == "muse")]
    assert numbers(small) == four(of, "top1")
    small.choose("view", "grid")
    assert small.page.locator(".grid thead th").all_inner_texts()[1:] == [*TWO]
    small.page.locator("#images-list button").first.click()
    assert small.page.locator(".guesses section.chosen h3").count() == 2
    if AXE.is_file():
        assert faults(small.page) == []


@pytest.mark.long
def test_the_paired_difference_is_said_from_the_side_of_the_first(
    small: Tab, finished: Project
) -> None:
    table = pd.read_csv(finished.results / "tables" / "comparisons.csv")
    row = table[
        (table["kind"] == "model")
        & (table["generator"] == "*")
        & (table["hit"] == "top5")
        & (table["rule"] == RULE)
    ].iloc[0]
    assert (row["a"], row["b"]) == TWO
    assert row["difference"] != 0, "or the sides could not be told apart"
    small.choose("hit", "top5")
    for first, second, sign in ((*TWO, 1), (*TWO[::-1], -1)):
        small.reset("images")
        small.choose("model", first)
        small.choose("against", second)
        said = small.page.inner_text("#images-beside > p")
        low, high = sorted((sign * row["low"], sign * row["high"]))
        word = "more" if sign * row["difference"] > 0 else "less"
        assert f"{first} gets {100 * abs(row['difference']):.1f} points {word}" in said
        bounds = f"({100 * low:.1f} to {100 * high:.1f}, paired)".replace("-", "\N{MINUS SIGN}")
        assert bounds in said
        means = {"effnet": row["a_mean"], "resnet": row["b_mean"]}
        alone = {"effnet": row["only_a"], "resnet": row["only_b"]}
        assert f": {first} {100 * means[first]:.1f}%, {second} {100 * means[second]:.1f}%" in said
        assert f"{first} alone gets {alone[first]} image" in said


@pytest.mark.long
def test_a_pair_stays_a_pair(small: Tab, browser: Any, finished: Project) -> None:
    """What cannot be is mended in sight: one model beside itself, an outcome of two without two."""
    small.choose("against", "resnet")
    read = (
        "[...document.querySelectorAll('[data-key=model],[data-key=against],[data-key=outcome]')]"
    )
    values = f"{read}.map((node) => node.value)"
    assert small.page.evaluate(values) == ["effnet", "resnet", ""]
    small.choose("outcome", "first")
    address = small.page.evaluate("location.hash")
    shown = small.shown()
    small.choose("model", "resnet")
    assert small.page.evaluate(values) == ["resnet", "", ""]
    assert small.page.locator("#images-beside").is_hidden()
    other = Tab(browser, finished.results / "report.html", address)
    assert other.page.evaluate(values) == ["effnet", "resnet", "first"]
    assert other.shown() == shown
    other.context.close()


@pytest.mark.long
def test_images_are_found_by_how_many_models_get_them(small: Tab, finished: Project) -> None:
    table = pd.read_csv(finished.results / "tables" / "difficulty.csv")
    chosen = (table[["generator", "category"]] == "*").all(axis=1)
    for rule in ("restricted", RULE):
        small.choose("rule", rule)
        for hit in ("top1", "top5"):
            small.choose("hit", hit)
            of = table[chosen & (table["rule"] == rule) & (table["hit"] == hit)]
            for row in of.to_dict("records"):
                small.choose("gets", str(row["models"]))
                assert small.shown() == row["n"], (rule, hit, row["models"])
            small.reset("images")


@pytest.mark.long
def test_a_search_looks_at_names_and_guesses(small: Tab, finished: Project) -> None:
    table = predictions(finished.results)
    first = table.assign(first=table["said"].str[0])
    name = str(first["first"].value_counts().index[0])
    by_image = first.groupby("image")
    part = name[: len(name) // 2 + 1].upper()
    said = by_image["first"].agg(lambda each: any(part.lower() in one.lower() for one in each))
    in_name = said.index.str.lower().str.contains(part.lower(), regex=False)
    small.choose("find", part)
    assert 0 < small.shown() == (said | in_name).sum()
    small.choose("model", "resnet")
    of_one = table[table["model"] == "resnet"].set_index("image")["said"]
    said = of_one.map(lambda each: any(part.lower() in one.lower() for one in each))
    in_name = said.index.str.lower().str.contains(part.lower(), regex=False)
    assert small.shown() == (said | in_name).sum(), "of a chosen model all five guesses"
    small.reset("images")
    small.choose("guess", name)
    assert small.shown() == by_image["first"].agg(lambda each: (each == name).any()).sum()
    small.choose("model", "effnet")
    of_one = first[first["model"] == "effnet"].set_index("image")["first"]
    assert small.shown() == (of_one == name).sum()


@pytest.mark.long
def test_the_guess_that_counted_is_marked(small: Tab, finished: Project) -> None:
    """By the rules themselves, class by class, and not by the audit that the page goes by."""
    space = load_labels(str(finished.folder / "labels.txt"))
    for rule in (RULE, "classes"):
        small.choose("rule", rule)
        table = predictions(finished.results, rule).set_index(["image", "model"])
        marked = 0
        for card in range(small.shown()):
            small.page.locator(".card").nth(card).click()
            image = small.page.inner_text("#large dd a")
            category = image.split("/")[1]
            taken = accepted_classes(Definition().target(category), space, rule)
            for section in small.page.locator(".guesses section").all():
                model = section.locator("h3").inner_text().split("\n")[1]
                predicted = table.loc[(image, model), "predicted"]
                places = [place for place, number in enumerate(predicted) if taken[number]][:1]
                classes = section.locator("li").evaluate_all("nodes => nodes.map(n => n.className)")
                assert [n for n, each in enumerate(classes) if each == "counted"] == places
                marked += len(places)
            small.page.locator("#large-close").click()
        assert marked > 0


@pytest.mark.long
def test_a_picture_leads_to_the_file_itself(small: Tab, finished: Project) -> None:
    small.page.locator(".card").first.click()
    link = small.page.locator("#large dd a").first
    address = link.evaluate("node => node.href")
    assert address == (finished.folder / "pictures" / link.inner_text()).as_uri()
    assert link.get_attribute("href") == f"../../pictures/{link.inner_text()}", "moved together"


@pytest.mark.long
def test_the_head_follows_what_is_chosen(small: Tab, finished: Project) -> None:
    table = pd.read_csv(finished.results / "tables" / "accuracy.csv")
    means = table[(table[["generator", "category"]] == "*").all(axis=1)]
    for rule in sorted(means["rule"].unique()):
        for hit in ("top1", "top5"):
            small.choose("rule", rule)
            small.choose("hit", hit)
            best = means[means["rule"] == rule].sort_values([hit, "model"], ascending=[False, True])
            row = best.iloc[0]
            said = small.page.inner_text(".answer.first")
            how = "with its first guess" if hit == "top1" else "within five guesses"
            assert f"is right {how} on {100 * row[hit]:.1f}%" in said
            assert row["model"] in said or "share the first place" in said
            assert set(small.page.locator("[data-rule]").all_inner_texts()) == {rule}
            lines = small.page.locator("table[data-name=models] tbody tr")
            order = lines.evaluate_all("nodes => nodes.map((node) => node.dataset.model)")
            assert order == best["model"].tolist()
            for each in ("top1", "top5"):
                cells = small.page.locator(f"[data-name=models] [data-cell={each}]")
                assert [text.split("\n")[0] for text in cells.all_inner_texts()] == [
                    f"{100 * value:.1f}%" for value in best[each]
                ]
    assert small.page.locator("#answers .answer").count() >= 2


@pytest.mark.long
def test_mistakes_are_counted_and_lead_to_their_images(small: Tab, finished: Project) -> None:
    table = predictions(finished.results)
    table["first"] = table["said"].str[0]
    page = small.page
    for model in ("", "resnet"):
        small.choose("mistaken", model)
        of = table if not model else table[table["model"] == model]
        heads = page.locator(".mistakes thead th").all_inner_texts()[1:]
        assert heads[0] == "right"
        assert heads[-1] == "others"
        for row in page.locator(".mistakes tbody tr").all():
            category = row.locator("th").inner_text()
            found = of[of["category"] == category]
            cells = [text.rstrip("%") for text in row.locator("td").all_inner_texts()]
            wrong = found[~found["top1_hit"].astype(bool)]
            counted = [len(found) - len(wrong)]
            counted += [(wrong["first"] == name).sum() for name in heads[1:-1]]
            counted += [len(wrong) - sum(counted[1:])]
            shares = [f"{100 * n / len(found):.0f}" if n else "" for n in counted]
            assert [int(each or 0) for each in cells] == pytest.approx(
                [int(each or 0) for each in shares], abs=1
            )
            assert [each == "" for each in cells] == [n == 0 for n in counted]
    most = table[~table["top1_hit"].astype(bool) & (table["model"] == "resnet")]
    (category, name), images = next(iter(most.groupby(["category", "first"])["image"]))
    label = page.locator(f".mistakes button[title^='{category}: resnet, {name},']")
    label.focus()
    page.keyboard.press("Enter")
    assert small.shown() == images.nunique()
    alts = page.locator(".card img").evaluate_all("nodes => nodes.map((node) => node.alt)")
    assert sorted(alts) == sorted(images)
    assert page.evaluate("document.activeElement.id") == "images-count"


def copied(tab: Tab, place: str, language: str) -> str:
    tab.page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    tab.page.locator(place).get_by_role("button", name=f"Copy as {language}").click()
    until(tab.page, "window.copied !== undefined")
    text = tab.page.evaluate("window.copied")
    assert isinstance(text, str)
    return text


@pytest.mark.long
def test_tables_are_copied_for_papers(small: Tab, finished: Project) -> None:
    values = pd.read_csv(finished.results / "tables" / "accuracy.csv")
    place = "details[data-table=accuracy]"
    small.page.locator(place).evaluate("node => { node.open = true; }")
    lines = copied(small, place, "LaTeX").splitlines()
    assert lines[0] == r"\begin{tabular}{" + "llll" + "r" * (len(values.columns) - 4) + "}"
    assert lines[1] == r"\toprule"
    assert lines[2] == " & ".join(c.replace("_", r"\_") for c in values.columns) + r" \\"
    assert len(lines) == len(values) + 6
    small.page.locator(f"{place} input[type=search]").fill("muse")
    small.page.locator(f"{place} .dt-info", has_text="filtered").wait_for()
    lines = copied(small, place, "Markdown").splitlines()
    left = values[values["generator"] == "muse"]
    assert len(lines) == len(left) + 2
    cells = [line.strip("| ").split(" | ") for line in lines[2:]]
    assert [float(row[5]) for row in cells] == pytest.approx(left["top1"].tolist(), rel=1e-3)
    small.page.evaluate("delete window.copied")
    models = copied(small, MODELS, "Markdown").splitlines()
    assert models[0].startswith("| Model | Top-1 |")
    assert [any(f"| {model} " in line for line in models) for model in TWO] == [True, True]


@pytest.mark.long
def test_what_latex_would_take_for_commands_is_text(small: Tab) -> None:
    """A table with such names in place of those of the run."""
    hostile = r"a_b%c&d#e$f{g}h\i~j^k<l>m|n" + "“\n\N{MINUS SIGN}1"
    small.page.locator(".plain tbody th").first.evaluate(
        "(node, name) => { node.textContent = name; }", hostile
    )
    lines = copied(small, MODELS, "LaTeX").splitlines()
    row = next(line for line in lines if line.startswith("a"))
    assert row.startswith(
        r"a\_b\%c\&d\#e\$f\{g\}h\textbackslash{}i\textasciitilde{}j\textasciicircum{}k"
        r"\textless{}l\textgreater{}m\textbar{}n“ $-$1 & "
    )
    small.page.evaluate("delete window.copied")
    markdown = copied(small, MODELS, "Markdown").splitlines()
    assert markdown[2].startswith(r"| a\_b%c&d#e$f{g}h\\i~j^k\<l\>m\|n“ " "\N{MINUS SIGN}1 | ")

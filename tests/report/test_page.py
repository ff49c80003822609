"""The report without a browser: what it says, what it holds, and that nothing in it comes alive."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from synthsight.classifiers.score import SCHEMA
from synthsight.images.manifest import ImageRecord
from synthsight.images.sampling import (
    may_be_shown,
    pictures_at_most,
    sample,
    stratified_sample,
)
from synthsight.pages.embed import script_hash, script_json, script_text
from synthsight.report import assets
from synthsight.report.answer import agreement_answer, images_answer
from synthsight.report.asked import questions_answer
from synthsight.report.attributes import ranges
from synthsight.report.explorer import image_data
from synthsight.report.facts import describe_preprocessing
from synthsight.report.line import line_caption, robustness_answer
from synthsight.report.page import _references as references
from synthsight.report.phrases import percent
from synthsight.report.tables import page_table, read_counted, read_table
from synthsight.report.thumbnails import write_thumbnails
from synthsight.statistics.agreement import IMAGES_SCHEMA
from synthsight.worker.server import import_program
from tests.support import REPOSITORY, Project, draw_image

RULE = "words/simple"


def text_of(project: Project) -> str:
    return (project.results / "report.html").read_text(encoding="utf-8")


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


# What it says ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "said"),
    [
        (0, "No model gets the only image with its first guess."),
        (1, "1 of 2 models gets the only image with its first guess."),
        (2, "Both models get the only image with their first guess."),
    ],
)
def test_one_image_is_not_counted(hits: int, said: str) -> None:
    images = pd.DataFrame({"rule": RULE, "models": 2, "top1": [hits, 1], "real": [False, True]})
    assert agreement_answer(images, RULE) == said


@pytest.mark.parametrize(
    ("fraction", "said"),
    [
        (1, "100.0%"),
        (0, "0.0%"),
        (2999 / 3000, "99.97%"),
        (1 / 3000, "0.03%"),
        (0.9994, "99.9%"),
        (0.5, "50.0%"),
    ],
)
def test_less_than_all_is_not_said_to_be_all(fraction: float, said: str) -> None:
    assert percent(fraction) == said


def test_the_answer_has_the_numbers_of_the_tables(finished: Project) -> None:
    table = pd.read_csv(finished.results / "tables" / "accuracy.csv")
    means = table[(table[["category", "generator"]] == "*").all(axis=1) & (table["rule"] == RULE)]
    best = means.sort_values(["top1", "model"], ascending=[False, True]).iloc[0]
    (said, *more) = re.findall(r'<p class="answer.*?">(.*?)</p>', text_of(finished))
    assert f"{best['n']} generated images of 3 categories, {best['model']}, the best of 2" in said
    interval = f"95% interval {100 * best['top1_low']:.1f} to {100 * best['top1_high']:.1f}%"
    assert f"first guess on {100 * best['top1']:.1f}% ({interval})" in said
    assert f"within five on {100 * best['top5']:.1f}%" in said
    images = pd.read_parquet(finished.results / "tables" / "images.parquet")
    images = images[images["rule"] == RULE]
    every, none = (images["top1"] == 2).sum(), (images["top1"] == 0).sum()
    assert f"get {every} of the 12 generated images" in more[0]
    assert (f"none gets {none} " if none else "one at least gets each") in more[0]
    vqa = pd.read_csv(finished.results / "tables" / "vqa.csv")
    assert (
        f"Of 24 yes/no questions about 6 images, {vqa.iloc[vqa['accuracy'].argmax()]['model']}"
        in (more[1])
    )
    assert f"{100 * vqa['accuracy'].max():.1f}% right" in more[1]
    assert f"always saying yes would get {100 * 8 / 24:.1f}%" in more[1]


def accuracy_row(**changes: Any) -> dict[str, Any]:
    row = {"model": "m", "category": "*", "generator": "*", "rule": RULE, "n": 1, "top1": 0.5}
    row |= {"top5": 0.9, "top1_low": 0.4, "top1_high": 0.6, "top5_low": 0.8, "top5_high": 1.0}
    return row | changes


REFERENCE_ROW = {"model": "m", "category": "*", "generator": "*", "rule": RULE}
REFERENCE_ROW |= {"kind": "published"}


def ranking_of(shares: dict[str, float]) -> pd.DataFrame:
    """How often each model holds the first rank, and rows that are about something else."""
    rows = [
        {"generator": generator, "rule": rule, "hit": hit, "model": model, "rank": rank}
        | {"share": share if own else 0.123}
        for model, share in shares.items()
        for generator, rule, hit, rank, own in (
            ("*", RULE, "top1", 1, True),
            ("*", RULE, "top1", 2, False),
            ("*", RULE, "top5", 1, False),
            ("*", "classes", "top1", 1, False),
            ("photographs", RULE, "top1", 1, False),
        )
    ]
    return pd.DataFrame(rows)


RANKING = ranking_of({"m": 1.0})


@pytest.mark.parametrize(
    ("top1", "shares", "said"),
    [
        ((0.8, 0.5, 0.3), (0.97, 0.03, 0), "b, the best of 3 models, is right"),
        (
            (0.8, 0.79, 0.3),
            (0.56, 0.44, 0),
            "b, the best of 3 models here, and of 56.0% of draws of other images like these, is",
        ),
        (
            (0.8, 0.8, 0.3),
            (0.5, 0.5, 0),
            "a, one of 2 models that share the first place of 3, is right",
        ),
    ],
    ids=["surely", "perhaps", "tied"],
)
def test_the_best_model_is_the_best_as_far_as_the_ranking_says(
    top1: tuple[float, ...], shares: tuple[float, ...], said: str
) -> None:
    names = "bac"
    rows = [accuracy_row(model=m, top1=value) for m, value in zip(names, top1, strict=True)]
    accuracy = pd.DataFrame([*rows, accuracy_row(model="b", category="kite")])
    ranking = ranking_of(dict(zip(names, shares, strict=True)))
    table = pd.DataFrame([{**REFERENCE_ROW, "model": "x"}])
    assert said in images_answer(accuracy, table, ranking, RULE, 0.95)


def test_a_measured_reference_is_said_with_its_photographs_and_categories() -> None:
    rows = [accuracy_row(), accuracy_row(category="kite"), accuracy_row(category="vase")]
    drop = {"reference_top1": 0.8, "drop_top1": 0.2, "drop_top1_low": 0.1, "drop_top1_high": 0.4}
    measured = {**REFERENCE_ROW, "kind": "measured", "source": "photos", **drop}
    measured |= {"n_reference": 120, "categories": 2}
    stated = {**REFERENCE_ROW, "source": "a paper", "reference_top1": 0.9, "drop_top1": 0.4}
    ends = {
        2: "on 120 real photographs it gets 80.0%, 20.0 points more (10.0 to 40.0).",
        1: "on 120 real photographs of 1 category it gets 80.0%, 20.0 points more (10.0 to 40.0) "
        "than on generated ones of these.",
    }
    for categories, end in ends.items():
        table = pd.DataFrame([stated, measured | {"categories": categories}])
        said = images_answer(pd.DataFrame(rows), table, RANKING, RULE, 0.95)
        assert said.endswith(end)
        assert "stated" not in said


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (0.75, "stated to get 75.0%, 25.0 points more (15.0 to 35.0)."),
        (0.25, "stated to get 25.0%, 25.0 points less (15.0 to 35.0)."),
        (float("nan"), "within five on 90.0% (90% interval 80.0 to 100.0%)."),
    ],
)
def test_the_drop_is_said_in_the_right_direction(reference: float, expected: str) -> None:
    accuracy = pd.DataFrame([accuracy_row(), accuracy_row(category="kite")])
    drop = {"source": "photographs", "reference_top1": reference, "drop_top1": reference - 0.5}
    drop |= {"drop_top1_low": reference - 0.6, "drop_top1_high": reference - 0.4}
    table = pd.DataFrame([{**REFERENCE_ROW, **drop}])
    said = images_answer(accuracy, table, RANKING, RULE, 0.9)
    assert said.startswith("Shown 1 generated image of 1 category, m is right")
    assert said.endswith(expected)


def test_the_drop_is_that_of_all_generators_and_of_the_rule() -> None:
    accuracy = pd.DataFrame([accuracy_row(), accuracy_row(category="kite")])
    drop = {**REFERENCE_ROW, "source": "photos", "drop_top1_low": 0.0, "drop_top1_high": 0.3}
    rows = [
        {**drop, "generator": generator, "rule": rule, "reference_top1": value, "drop_top1": 0.1}
        for generator, rule, value in (
            ("dalle", RULE, 0.1),
            ("*", "classes", 0.2),
            ("*", RULE, 0.3),
        )
    ]
    for table in (rows, rows[::-1]):
        said = images_answer(accuracy, pd.DataFrame(table), RANKING, RULE, 0.9)
        assert "stated to get 30.0%" in said
        assert references(pd.DataFrame(table), RULE) == {"m": rows[2]}


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ([(-1, 1), (-1, 1)], "None of the 2 models does better or worse"),
        ([(0.1, 1), (-1, 1)], "a does better on generated images than the line over all 2"),
        ([(0.1, 1), (-1, -0.1)], "a does better and b does worse on"),
        ([(0.1, 1), (0.1, 1), (-1, -0.1), (-1, -0.2)], "a and b do better and d and c do worse"),
        ([(0.1, 1)] * 6, "a, b, c and 3 more models do better on"),
    ],
)
def test_models_off_the_line_are_named(bounds: list[tuple[float, float]], said: str) -> None:
    rows = [
        ("abcdef"[number], "words/simple", "top1", -number, *bound)
        for number, bound in enumerate(bounds)
    ]
    table = pd.DataFrame(rows, columns=["model", "rule", "hit", "residual", "low", "high"])
    table["slope"] = 0.4
    others = table.assign(hit="top5", low=1, high=2), table.assign(rule="classes", low=1, high=2)
    assert said in str(robustness_answer(pd.concat([table, *others]), "words/simple"))
    assert robustness_answer(table.head(0), "words/simple") is None
    assert robustness_answer(None, "words/simple") is None


@pytest.mark.parametrize("slope", [0.0, -0.096])
def test_a_line_that_does_not_rise_lets_expect_nothing(slope: float) -> None:
    table = pd.DataFrame({"model": ["a", "b"], "rule": "words/simple", "hit": "top1"})
    table = table.assign(residual=0.2, low=0.1, high=0.3, slope=slope)
    assert robustness_answer(table, "words/simple") == (
        "The accuracies of the 2 models on photographs do not go with those on generated images: "
        f"the line over all of them has a slope of {'-0.10' if slope else '0.00'}, so that no "
        "accuracy is to be expected of one on photographs."
    )
    assert "and does not rise" in line_caption(table, "words/simple")
    rising = line_caption(table.assign(slope=0.258), "words/simple")
    assert rising.startswith(
        "Under words/simple, with the first guess, the line has a slope of 0.26:"
    )
    assert " a slope of 0.26: above it " in rising and rising.endswith("lets expect.")
    assert line_caption(table, "classes") == line_caption(None, "classes") == ""


def test_the_questions_answer_names_the_reference_where_it_is_known() -> None:
    row = {"model": "ofa", "n": 241, "images": 50, "accuracy": 0.773, "low": 0.7, "high": 0.83}
    row |= {"always_yes": 132 / 241, "reference_yes_no": 0.947, "source": "VQA-v2 test-std"}
    row |= {"gain": None, "unanswered": 0, "all_wrong": 0.773, "all_right": 0.773}
    said = questions_answer(pd.DataFrame([row]), 0.95)
    assert said == (
        "Of 241 yes/no questions about 50 images, ofa answers 77.3% right (95% interval 70.0 to "
        "83.0%); always saying yes would get 54.8%, and on its reference (VQA-v2 test-std) it is "
        "stated to get 94.7%."
    )
    row |= {"blind": 0.49, "gain": 0.283, "gain_low": 0.2, "gain_high": 0.36}
    assert questions_answer(pd.DataFrame([row]), 0.95).removeprefix(said[:-1]) == (
        ". With a grey picture in the place of each image it gets 49.0%: seeing adds 28.3 points "
        "(20.0 to 36.0)."
    )


def test_what_was_run_and_how_to_run_it_again_is_there(finished: Project) -> None:
    text = text_of(finished)
    for model in ("effnet", "resnet", "asked", "other"):
        note = finished.folder / "resources" / "weights" / f"{model}.json"
        assert json.loads(note.read_text(encoding="utf-8"))["safetensors_sha256"] in text
    assert "dream 6, muse 6" in text
    assert "short side to 72 pixels (bilinear), the middle 64 x 64" in text
    assert "root: pictures" in text
    assert "batch_size" not in text, "a setting of speed is no part of what was run"
    assert re.search(r"<dt>torch</dt><dd>\d", text)


def digest_of_images(project: Project) -> str:
    """What the page states, from the files: ``sha256sum`` of all in the order of their names."""
    root = project.folder / "pictures"
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.png"))
    lines = [
        f"{hashlib.sha256((root / name).read_bytes()).hexdigest()}  {name}\n" for name in names
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_what_makes_numbers_doubtful_is_said_at_the_top(finished: Project) -> None:
    said = re.findall(r'<li class="remark">(.*?)</li>', text_of(finished))
    assert (
        "Top-5 under restricted is always right, except for categories without a class: there are "
        "3 categories to choose from."
    ) in said
    alike = set()
    for path in (finished.results / "scores").glob("*.parquet"):
        rows = [row for row in pq.read_table(path).to_pylist() if row["rule"] == RULE]
        wrong = sum(not row["top1_hit"] for row in rows)
        if len({row["predicted"][0] for row in rows}) == 1 and len(rows) >= 10 and wrong >= 3:
            alike.add(f"{path.stem} gives all {len(rows)} images the same best class")
    assert {each.partition(",")[0] for each in said if " gives all " in each} == alike


def test_the_images_digest_is_of_their_bytes_and_names(finished: Project) -> None:
    assert digest_of_images(finished) in text_of(finished)


def test_the_date_is_that_of_the_newest_scores_in_any_order(tmp_path: Path) -> None:
    import_program(REPOSITORY / "workflow" / "scripts" / "report.py")
    date = sys.modules["_program_report"]._date
    days = {"first": 1_700_000_000, "last": 1_800_000_000, "second": 1_750_000_000}
    for name, when in days.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, when))
    assert date([str(tmp_path / name) for name in days]) == "2027-01-15"
    assert date([str(tmp_path / "first"), str(tmp_path / "second")]) == "2025-06-15"
    os.utime(tmp_path / "first", (0, 1_699_919_999))  # the last second of a day in UTC
    assert date([str(tmp_path / "first")]) == "2023-11-13"


def test_preprocessing_is_described() -> None:
    about = {"resize": [300, 200], "crop": None, "interpolation": "bicubic"}
    about |= {"mean": [0, 0.5, 1], "std": [1, 1, 1]}
    assert describe_preprocessing(about) == (
        "squashed to 200 x 300 pixels (bicubic), the whole image; mean 0, 0.5, 1, deviation 1, 1, 1"
    )
    text = {"labels": "kept/mine.txt", "names": "simple", "classes": 6, "templates": ["a {}."]}
    assert describe_preprocessing({**about, "text": text}).endswith(
        "1, 1, 1. Zero-shot: asked for the 6 classes of mine.txt, simple names, as “a {}.”"
    )
    assert "the run's 6 categories alone" in describe_preprocessing(
        {**about, "text": {**text, "of_run": True}}
    )


# What it holds -----------------------------------------------------------------------------------


def test_the_explorer_has_what_the_scores_have(finished: Project) -> None:
    explorer = data_of(text_of(finished))["explorer"]
    for model in explorer["models"]:
        file = pq.read_table(finished.results / "scores" / f"{model['name']}.parquet")
        names = json.loads(file.schema.metadata[b"class_names"])
        scores = file.to_pandas().set_index(["image", "rule"])
        for place, image in enumerate(explorer["images"]):
            for rule in explorer["rules"]:
                row = scores.loc[(image, rule)]
                assert int(model["hits"][rule][place]) == int(row["top1_hit"]) + int(
                    row["top5_hit"]
                )
                block = model["blocks"][model["top"][rule]]
                part = slice(5 * place, 5 * place + 5)
                said = [explorer["names"][n] for n in block["classes"][part] if n >= 0]
                assert said == [names[n] for n in row["predicted"]]
                shares = [round(1000 * p) for p in row["probability"]]
                assert block["parts"][part][: len(shares)] == shares
    assert len(explorer["images"]) == 12


def test_rules_with_other_probabilities_have_predictions_of_their_own(tmp_path: Path) -> None:
    row = {"image": "a", "category": "c", "generator": None, "top1_hit": True, "top5_hit": True}
    row |= {"predicted": [1, 0]}
    shares = {"x": [0.7, 0.3], "y": [0.7, 0.3], "z": [0.6, 0.4]}
    rows = [{**row, "rule": rule, "probability": share} for rule, share in shares.items()]
    metadata = {"model": "m", "class_names": json.dumps(["zero", "one"])}
    path = tmp_path / "m.parquet"
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA.with_metadata(metadata)), path)
    record = ImageRecord("a", "c", None, "", 1, 1, "ok", None)
    (model,) = image_data([record], [path], {})["models"]
    assert model["top"]["x"] == model["top"]["y"] != model["top"]["z"]
    for rule, share in shares.items():
        parts = model["blocks"][model["top"][rule]]["parts"]
        assert parts == [round(1000 * each) for each in share] + [0, 0, 0]


def test_the_explorer_knows_which_generators_are_real(tmp_path: Path) -> None:
    row = {"rule": "x", "top1_hit": True, "top5_hit": True, "predicted": [1], "probability": [1.0]}
    rows = [
        {**row, "image": name, "category": "c", "generator": name, "real": name == "photos"}
        for name in ("mj", "photos", "sd")
    ]
    path = tmp_path / "m.parquet"
    metadata = {"model": "m", "class_names": json.dumps(["zero", "one"])}
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA.with_metadata(metadata)), path)
    records = [ImageRecord(r["image"], "c", r["image"], "", 1, 1, "ok", None) for r in rows]
    assert image_data(records, [path], {})["real"] == ["photos"]
    assert image_data(records[:1], [path], {})["real"] == ["photos"]


def test_the_questions_have_what_the_answers_have(finished: Project) -> None:
    questions = data_of(text_of(finished))["questions"]
    assert len(questions["question"]) == 24
    for model in questions["models"]:
        rows = pd.read_parquet(finished.results / "vqa" / f"{model['name']}.parquet")
        assert questions["image"] == rows["image"].tolist()
        assert [digit == "1" for digit in model["correct"]] == rows["correct"].tolist()
        assert model["yes"] == pytest.approx(rows["p_yes"].tolist(), abs=5.01e-6)


def test_each_picture_is_there_once_and_is_the_right_one(finished: Project) -> None:
    text = text_of(finished)
    chunks = re.findall(r'id="pictures-\d+">(.*?)</script>', text)
    pictures = [base64.b64decode(each) for chunk in chunks for each in json.loads(chunk)]
    data = data_of(text)
    explorer, questions = data["explorer"], data["questions"]
    assert len(pictures) == 12, "the questions' images are among those that are classified"
    for name, number in zip(explorer["images"], explorer["picture"], strict=True):
        with Image.open(io.BytesIO(pictures[number])) as small:
            assert small.format == "WEBP"
            assert small.size == (explorer["width"][number], explorer["height"][number])
            original = Image.open(finished.folder / "pictures" / name).convert("RGB")
            difference = sum(
                abs(a - b)
                for a, b in zip(small.convert("RGB").tobytes(), original.tobytes(), strict=True)
            )
            assert difference / len(original.tobytes()) < 6, name
    by_name = dict(zip(explorer["images"], explorer["picture"], strict=True))
    assert questions["picture"] == [by_name[name] for name in questions["image"]]


def test_every_table_of_the_run_is_in_the_page(finished: Project) -> None:
    tables = data_of(text_of(finished))["tables"]
    made = {path.stem for path in (finished.results / "tables").glob("*.csv")}
    assert set(tables) == made
    accuracy = pd.read_csv(finished.results / "tables" / "accuracy.csv")
    again = pd.DataFrame(
        dict(zip(tables["accuracy"]["columns"], tables["accuracy"]["values"], strict=True))
    )
    pd.testing.assert_frame_equal(again, accuracy, check_dtype=False, rtol=1e-5)
    text = text_of(finished)
    shown = set(re.findall(r'data-table="(\w+)"', text))
    assert shown == made - {"excluded", "duplicates"}, "there are none, so there is nothing to show"


def test_a_long_table_is_cut_to_the_primary_rule_and_says_so() -> None:
    rows = pd.DataFrame({"rule": ["a", "b"] * 8_000, "value": range(16_000)})
    cut = page_table(rows, "b")
    assert cut["left_out"] == 8_000
    assert set(cut["values"][0]) == {"b"}
    assert page_table(pd.DataFrame({"x": [float("nan"), 1e-17, 1 / 3]}), "b")["values"] == [
        [None, 0.0, 0.333333]
    ]


@pytest.mark.long
def test_the_page_is_small_and_the_same_each_time(project: Project) -> None:
    before = (project.results / "report.html").read_bytes()
    assert len(before) < 2_000_000
    project.run("--forcerun", "report", "thumbnails", "thumbnails_vqa")
    assert (project.results / "report.html").read_bytes() == before


# The sample --------------------------------------------------------------------------------------


def test_a_sample_is_part_of_a_larger_one_and_in_order() -> None:
    names = [f"{number}.png" for number in range(50)]
    small, large = sample(names, 10), sample(reversed(names), 20)
    assert len(small) == 10
    assert set(small) < set(large)
    assert small == sorted(small)
    assert sample(names, 100) == sorted(names)
    assert small != sorted(names)[:10], "by the checksums, not by the names"


def test_each_category_has_its_share_of_the_sample_and_at_least_one() -> None:
    images = {"a": [f"a{n}" for n in range(600)], "b": [f"b{n}" for n in range(398)], "c": ["c"]}
    unknown = {category: {None: names} for category, names in images.items()}
    chosen = stratified_sample(unknown, 101)
    counts = {name: sum(image[0] == name for image in chosen) for name in images}
    assert counts == {"a": 60, "b": 40, "c": 1}
    assert stratified_sample(unknown, 999) == sorted(n for of in images.values() for n in of)
    assert len(stratified_sample(unknown, 1)) == 3


strata = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.dictionaries(st.sampled_from([None, "dream", "muse", "photo"]), st.integers(0, 40)),
    min_size=1,
)


@given(strata, st.integers(1, 200))
@example({"a": {"dream": 40, "photo": 1}, "b": {"muse": 30}}, 2)
@example({each: {"dream": 30, "muse": 1} for each in "abcd"}, 4)
def test_each_category_and_source_is_in_the_sample_and_has_a_picture(
    sizes: dict[str, dict[str | None, int]], limit: int
) -> None:
    images = {
        category: {of: [f"{category}/{of}/{n}" for n in range(size)] for of, size in each.items()}
        for category, each in sizes.items()
    }
    total = sum(sum(each.values()) for each in sizes.values())
    chosen = stratified_sample(images, limit)
    assert chosen == sorted(set(chosen))
    full = {category for category, each in sizes.items() if any(each.values())}
    known = {str(of) for each in sizes.values() for of, size in each.items() if size}
    assert {image.split("/")[0] for image in chosen} == full
    assert {image.split("/")[1] for image in chosen} == known
    if total <= limit:
        assert len(chosen) == total
    elif limit >= len(full):
        # A source that no category has room for comes on top.
        assert limit <= len(chosen) <= limit + len(known) - 1
    for category, each in images.items():
        pictures = set(may_be_shown(each, limit))
        assert {image for image in chosen if image.split("/")[0] == category} <= pictures
        for of, names in each.items():
            here = [image for image in chosen if image.startswith(f"{category}/{of}/")]
            share = limit * len(names) / total if total else 0
            assert total <= limit or len(here) <= max(2, share + 2)


@given(strata, st.integers(1, 200), st.floats(0, 0.5))
def test_fewer_pictures_than_the_limit_are_enough_while_most_files_are_images(
    sizes: dict[str, dict[str | None, int]], limit: int, unusable: float
) -> None:
    files = {
        category: {of: [f"{category}/{of}/{n}" for n in range(size)] for of, size in each.items()}
        for category, each in sizes.items()
    }
    counts = {category: sum(map(len, of.values())) for category, of in files.items()}
    # The worst case: all that is no image is in the last category that has any files.
    lost = int(unusable * sum(counts.values()))
    images = {
        category: {of: list(names) for of, names in each.items()}
        for category, each in files.items()
    }
    for category in sorted(images, reverse=True):
        for names in images[category].values():
            while lost and names:
                names.pop()
                lost -= 1
    for image in stratified_sample(images, limit):
        category = image.split("/")[0]
        bound = pictures_at_most(counts[category], sum(counts.values()), limit)
        assert image in may_be_shown(images[category], bound)


def test_how_many_pictures_are_made_changes_rarely_and_only_where_that_saves_work() -> None:
    assert pictures_at_most(110, 1862, 2000) == 2000, "all are shown"
    assert pictures_at_most(200, 2100, 2000) == 2000, "nearly all are shown"
    assert pictures_at_most(0, 2100, 2000) == 2000
    assert pictures_at_most(2000, 200_000, 2000) == 64, "of which 20 are shown"
    assert pictures_at_most(10_000, 1_000_000, 2000) == 64
    bounds = {pictures_at_most(2000 + more, 200_000 + more, 2000) for more in range(100)}
    assert bounds == {64}


@pytest.mark.long
def test_beyond_the_bound_the_page_holds_a_sample_and_says_so(project: Project) -> None:
    project.configure({**project.config, "report": {"images": 4}})
    project.run()
    text = text_of(project)
    data = data_of(text)
    assert len(data["explorer"]["images"]) == 4
    assert set(data["explorer"]["category"]) == {"bagel", "clock", "toilet_seat"}
    assert "This page holds 4 of the run's 12 images" in html.unescape(text)
    assert len(set(data["questions"]["image"])) == 4
    assert "This page holds 16 of the run's 24" in html.unescape(text)
    # What is said of the run is said of all of its images.
    assert "Shown 12 generated images" in text
    assert "dream 6, muse 6" in text
    assert digest_of_images(project) in text


@pytest.mark.long
def test_where_most_files_are_no_images_the_page_holds_what_there_are_pictures_of(
    project: Project,
) -> None:
    folder = project.folder / "pictures" / "dream"
    for number in range(16):
        draw_image(folder / "clock" / f"more{number}.png", 900 + number)
    for category in ("bagel", "toilet_seat"):
        for number in range(100):
            (folder / category / f"broken{number}.png").write_bytes(b"no image")
    project.configure({**project.config, "report": {"images": 12}})
    project.run("results/small/report.html")
    # Of 228 files clock has 20, a share of two images; of the 28 images it has a share of eight.
    pictures = project.results / "thumbnails" / "images" / "clock.parquet"
    assert pq.read_metadata(pictures).num_rows == 5
    text = text_of(project)
    shown = data_of(text)["explorer"]["category"]
    assert (shown.count("clock"), shown.count("bagel"), shown.count("toilet_seat")) == (5, 2, 2)
    assert "This page holds 9 of the run's 28 images" in html.unescape(text)


def test_of_the_table_of_images_the_page_reads_what_it_counts_and_says_the_same(
    tmp_path: Path,
) -> None:
    rows = [
        {"image": f"{n}.png", "category": "a", "generator": None, "real": n == 5, "rule": rule}
        | {"top1": n % 3, "top5": None if rule == "classes" else 2, "models": 2}
        for rule in ("classes", "restricted")
        for n in range(6)
    ]
    path = tmp_path / "images.parquet"
    pq.write_table(pa.Table.from_pylist(rows, IMAGES_SCHEMA), path)
    whole, counted = read_table(path), read_counted(path)
    assert not {"image", "category", "generator"} & set(counted)
    for rule in ("classes", "restricted"):
        for hit in ("top1", "top5"):
            said = agreement_answer(counted, rule, hit=hit)
            assert said == agreement_answer(whole, rule, hit=hit)
            assert (said is None) == (rule == "classes" and hit == "top5")
    assert "get 1 of the 5 generated images" in str(agreement_answer(counted, "restricted"))


def test_a_picture_is_no_larger_than_asked(tmp_path: Path) -> None:
    write_thumbnails(["a"], lambda _: Image.new("RGB", (640, 320)), 100, tmp_path / "p.parquet")
    (webp,) = pq.read_table(tmp_path / "p.parquet")["webp"].to_pylist()
    with Image.open(io.BytesIO(webp)) as picture:
        assert picture.size == (100, 50)


# Nothing comes alive -----------------------------------------------------------------------------


def test_text_in_json_cannot_leave_its_element() -> None:
    hostile = {"</script><script>alert(1)</script>": "<!-- & \u2028 \ud800"}
    text = script_json(hostile)
    assert not set("<>&\u2028") & set(text)
    (key,) = json.loads(text)
    assert key == next(iter(hostile))


def test_a_program_that_would_end_its_element_is_refused() -> None:
    for program in ('"</SCRIPT>"', "a <!--b"):
        with pytest.raises(ValueError, match="cannot be embedded"):
            script_text(program)


def test_the_policy_lets_the_page_s_own_programs_run_and_nothing_in(finished: Project) -> None:
    text = text_of(finished)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    rules = dict(part.split(" ", 1) for part in html.unescape(policy[1]).split("; "))
    programs = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert rules["script-src"].split() == [script_hash(program) for program in programs]
    assert text.index("Content-Security-Policy") < text.index("<style>")
    # Not one attribute that loads anything, or runs.
    markup = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)
    assert not re.search(r"\s(src|srcset|on\w+|style)\s*=", markup)
    assert set(re.findall(r'href="(.)', markup)) == {"#"}


def test_libraries_are_the_published_ones() -> None:
    folder = Path(assets.__file__).parent / "vendor"
    digests = dict(
        reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines()
    )
    assert set(digests) == {path.name for path in folder.glob("*.js")}
    for name, digest in digests.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert (folder / name.replace(".min.js", ".LICENSE")).is_file()
        assert f"`{name}`" in (folder / "README.md").read_text(encoding="utf-8")


def test_the_program_is_all_of_its_modules_without_their_imports() -> None:
    folder = Path(assets.__file__).parent / "program"
    assert sorted(assets.PROGRAM) == sorted(path.stem for path in folder.iterdir())
    text = assets.program()
    assert not re.search(r"^\s*(import|export)\b", text, re.MULTILINE)
    for name in assets.PROGRAM:
        last = (folder / f"{name}.js").read_text(encoding="utf-8").rstrip("\n").split("\n")[-1]
        assert f"\n  {last.removeprefix('export ')}\n" in text, name
    assert text.startswith('"use strict";\n')


# What is not there, and what is many -------------------------------------------------------------


@pytest.mark.long
def test_without_questions_and_with_one_generator_and_model(project: Project) -> None:
    config = project.config
    del config["vqa"]
    del config["models"][1]
    shutil.rmtree(project.folder / "pictures" / "muse")
    project.configure({**config, "matching": {"rules": ["classes"], "primary": "classes"}})
    project.run("results/small/report.html")
    text = text_of(project)
    data = data_of(text)
    assert data["questions"] is None
    assert "generators" not in data["tables"]
    assert 'id="questions"' not in text
    assert 'id="generators"' not in text
    assert "There is only one model" in text
    assert "the best of " not in text.partition("<nav")[0]


def test_images_without_generator_and_fewer_predictions(project: Project) -> None:
    """Under ``restricted`` there are no more predictions than categories."""
    scores = [project.results / "scores" / "resnet.parquet"]
    from synthsight.images.manifest import read_manifest

    records = read_manifest(project.results / "images" / "clock.parquet")
    (model,) = image_data(records, scores, {})["models"]
    assert model["top"]["restricted"] != model["top"][RULE]
    block = model["blocks"][model["top"]["restricted"]]
    assert [n < 0 for n in block["classes"]] == [False, False, False, True, True] * len(records)
    assert model["top"]["words/lemmas"] == model["top"][RULE], "the same predictions stand once"


# What makes it again -----------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("src/synthsight/report/program/state.js", 'sort: "name"', 'sort: "hardest"'),
        ("src/synthsight/pages/style.css", "--page: #fff", "--page: #fefefe"),
        ("src/synthsight/report/templates/report.html.j2", "<h1>", '<h1 class="x">'),
        ("src/synthsight/report/page.py", "CHUNK = 100", "CHUNK = 200"),
    ],
)
def test_an_edit_of_the_page_makes_the_report_again_and_nothing_else(
    project: Project, edit: Callable[[str, str, str], None], file: str, old: str, new: str
) -> None:
    edit(file, old, new)
    assert project.plan() == {("report",)}


@pytest.mark.long
def test_another_size_of_pictures_makes_them_and_the_page_again(project: Project) -> None:
    project.configure({**project.config, "report": {"thumbnail": 64}})
    pictures = {("thumbnails", c) for c in ("bagel", "clock", "toilet_seat")}
    pictures |= {("thumbnails_vqa", shard) for shard in ("1", "2")}
    pictures |= {("thumbnails_duplicates",)}
    assert project.plan() == {("report",)} | pictures


@pytest.mark.long
def test_duplicates_are_in_the_page_as_pairs_of_pictures(project: Project) -> None:
    folder = project.folder / "pictures"
    demo = REPOSITORY / "resources" / "demo" / "images" / "crayon" / "kite"
    original = folder / "muse" / "clock" / "s.png"
    scene = Image.open(sorted(demo.iterdir())[0]).convert("RGB")
    scene.save(original)
    shutil.copy(original, folder / "muse" / "bagel" / "<b>.png")
    scene.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "dream" / "clock" / "m.jpg")
    done = project.run("results/small/report.html")
    assert "2 pairs of duplicates or near duplicates among 15 images (1 of the same file, " in done
    text = text_of(project)
    section = text[text.index('<section id="duplicates"') : text.index('<section id="methods"')]
    names = re.findall(r"<figcaption>(.*?)</figcaption>", section)
    assert [html.unescape(each) for each in names] == [
        *("muse/bagel/<b>.png", "muse/clock/s.png"),
        *("dream/clock/m.jpg", "muse/bagel/<b>.png"),
    ]
    assert "the same file" in section and "mirrored, " in section
    pictures = re.findall(r'src="data:image/webp;base64,(.*?)"', section)
    assert [Image.open(io.BytesIO(base64.b64decode(each))).format for each in pictures] == [
        *["WEBP"] * 4
    ]
    remarks = re.findall(r'<li class="remark">(.*?)</li>', text)
    (remark,) = [each for each in remarks if "two categories" in each]
    assert "muse/bagel/&lt;b&gt;.png and muse/clock/s.png (the same file)" in remark


@pytest.mark.long
def test_an_excluded_file_is_listed_in_the_page(project: Project) -> None:
    (project.folder / "pictures" / "muse" / "clock" / "<b>.png").write_bytes(b"")
    draw_image(project.folder / "pictures" / "muse" / "clock" / "<i>.png", seed=77)
    project.run("results/small/report.html")
    text = text_of(project)
    assert "<b>" not in text
    assert "<i>" not in text
    tables = data_of(text)["tables"]
    assert tables["excluded"]["values"][0] == ["muse/clock/<b>.png"]
    assert "muse/clock/<i>.png" in data_of(text)["explorer"]["images"]


def test_ranges_of_attributes_keep_all_their_digits() -> None:
    """The tables on the page are rounded, which would move images across an edge."""
    columns = ["attribute", "kind", "value", "low_edge", "high_edge", "model"]
    rows = [
        ("seed", "number", "123457 to 123457", 123456.7891, 123456.7892, "a"),
        ("seed", "number", "123457 to 123457", 123456.7891, 123456.7892, "b"),
        ("style", "value", "ink", float("nan"), float("nan"), "a"),
    ]
    seed, style = ranges(pd.DataFrame(rows, columns=columns))
    assert (seed["low"], seed["high"]) == (123456.7891, 123456.7892)
    assert style == {
        "attribute": "style",
        "kind": "value",
        "value": "ink",
        "low": None,
        "high": None,
    }

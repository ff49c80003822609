"""What is said of predictions made elsewhere, and what the page has where hits are not known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.classifiers.score import SCHEMA
from synthsight.images.manifest import ImageRecord
from synthsight.report.answer import images_answer, means
from synthsight.report.explorer import image_data
from synthsight.report.imported import no_duplicates, of_predictions
from synthsight.report.line import robustness_answer
from synthsight.report.remarks import always_right, same_best_class
from tests.report.test_page import RANKING, REFERENCE_ROW, RULE, accuracy_row


def note(**about: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"count": 0, "first": []}
    found = {"images": 40, "missing": {"what": "refuse", **nothing}, "unknown": nothing}
    found |= {"kind": "ranks", "ranks": 5, "classes": 1000, **about}
    return {"name": "told", "predictions": found}


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({}, []),
        ({"kind": "logits", "ranks": 3, "classes": 3}, []),
        ({"ranks": 3, "classes": 3}, []),
        (
            {"ranks": 1},
            [
                "Top-5 of told is not known, since its predictions name no more than one class of "
                "some images: agreement and differences at top-5 are about the other models"
            ],
        ),
        (
            {"missing": {"what": "wrong", "count": 5, "first": ["a", "b", "c", "d", "e"]}},
            [
                "5 of 40 images have no prediction of told and are counted as wrong (missing: "
                "wrong): a, b, c and 2 more"
            ],
        ),
        (
            {"missing": {"what": "exclude", "count": 1, "first": ["a"]}},
            [
                "1 of 40 images have no prediction of told and are left out for all models "
                "(missing: exclude): a"
            ],
        ),
        (
            {"unknown": {"count": 2, "first": ["x", "y"]}},
            ["The predictions of told are also about 2 images that the run does not have: x, y"],
        ),
        (
            {"columns": {"image": "image", "label": "pred"}, "unread": ["label", "note"]},
            [
                "What told predicts is read from the label in 'pred'; other columns of its file "
                "are not read: label, note"
            ],
        ),
        (
            {"folders": "sd/val", "example": ["sd/val/kite/1.png", "kite/1.png"]},
            [
                "The paths in the predictions of told have sd/val in front of the run's: "
                "sd/val/kite/1.png is taken for kite/1.png"
            ],
        ),
        (
            {"order": "probability", "ties": {"first": 0, "fifth": 7}},
            [
                "The predictions of told have equal probabilities in 0 images at the first place, "
                "and in 7 at the fifth and the next: the class with the lower index goes first, by "
                "no merit of its own"
            ],
        ),
        ({"order": "rank", "ties": {"first": 0, "fifth": 0}, "unread": [], "folders": ""}, []),
    ],
)
def test_remarks_say_what_is_missing_and_what_is_not_known(
    about: dict[str, Any], said: list[str]
) -> None:
    assert of_predictions(note(**about)) == said
    assert of_predictions({"name": "network", "architecture": {}}) == []


def test_images_without_a_prediction_are_told_from_duplicates() -> None:
    excluded = [("a", "no prediction of told"), ("b", "the same file as 'c'")]
    excluded += [("d", "marked: label wrong")]
    assert no_duplicates(excluded) == {"a": "no prediction of told", "d": "marked: label wrong"}


def test_the_answer_says_nothing_of_five_guesses_that_are_not_known() -> None:
    unknown = dict.fromkeys(("top5", "top5_low", "top5_high"), float("nan"))
    rows = [accuracy_row(**unknown), accuracy_row(category="kite", **unknown)]
    reference = pd.DataFrame([{**REFERENCE_ROW, "model": "x"}])
    said = images_answer(pd.DataFrame(rows), reference, RANKING, RULE, 0.95)
    assert said == (
        "Shown 1 generated image of 1 category, m is right with its first guess on 50.0% (95% "
        "interval 40.0 to 60.0%)."
    )


@pytest.mark.parametrize("names", ["m", "mn"])
def test_the_answer_says_that_first_guesses_are_known_of_no_model(names: str) -> None:
    unknown = dict.fromkeys(("top1", "top1_low", "top1_high", "top5"), float("nan"))
    rows = [
        accuracy_row(model=name, category=category, n=12, **unknown)
        for name in names
        for category in ("*", "kite", "vase")
    ]
    reference = pd.DataFrame([{**REFERENCE_ROW, "model": "x"}])
    said = images_answer(pd.DataFrame(rows), reference, RANKING.head(0), RULE, 0.95)
    assert said == (
        "Shown 12 generated images of 2 categories, how often a model is right with its first "
        f"guess is not known under {RULE}: the predictions leave open which category they choose."
    )


def test_the_only_model_of_which_hits_are_known_is_not_the_best_of_several() -> None:
    rows = [
        accuracy_row(),
        accuracy_row(category="kite"),
        accuracy_row(model="n", top1=float("nan")),
    ]
    reference = pd.DataFrame([{**REFERENCE_ROW, "model": "x"}])
    said = images_answer(pd.DataFrame(rows), reference, RANKING.head(0), RULE, 0.95)
    assert "1 category, m is right with its first guess on 50.0%" in said


def test_nothing_is_said_of_a_line_on_which_there_is_no_model() -> None:
    names = ["rule", "hit", "model", "residual", "low", "high", "slope"]
    table = pd.DataFrame([("classes", "top1", "m", 0.1, 0.05, 0.2, 0.9)], columns=names)
    assert robustness_answer(table, "classes") is not None
    assert robustness_answer(table, RULE) is None


def test_a_model_of_which_nothing_is_known_under_a_rule_is_the_last() -> None:
    rows = [accuracy_row(model="a", top1=float("nan")), accuracy_row(model="b", top1=0.1)]
    assert means(pd.DataFrame(rows), RULE)["model"].tolist() == ["b", "a"]


def scores(
    path: Path, hits: list[tuple[bool | None, bool | None]], rule: str = "restricted"
) -> Path:
    first = rule != "restricted"  # then of all images the same class, and of some none at all
    rows = [
        {"image": f"{n}.png", "category": "kite" if n % 2 else "vase", "rule": rule}
        | {"real": False, "top1_hit": top1, "top5_hit": top5}
        | {"predicted": None if top1 is None else ([] if n > 15 else [1]) if first else [n % 2]}
        | {"probability": None if top1 is None else [] if first and n > 15 else [None]}
        for n, (top1, top5) in enumerate(hits)
    ]
    described = {"model": "told", "class_names": json.dumps(["kite", *map(str, range(9))])}
    table = pa.Table.from_pylist(rows, schema=SCHEMA.with_metadata(described))
    pq.write_table(table, path)
    return path


def test_the_explorer_has_a_digit_for_what_is_not_known(tmp_path: Path) -> None:
    records = [ImageRecord(f"{n}.png", "kite", None, "0" * 64, 1, 1, "ok", None) for n in range(3)]
    for hits, digits, five in (
        ([(True, True), (False, True), (False, False)], "210", True),
        ([(True, None), (False, None), (False, None)], "233", False),
        ([(None, None)] * 3, "444", False),
    ):
        path = scores(tmp_path / "scores", hits)  # type: ignore[arg-type]
        (model,) = image_data(records, [path], {})["models"]
        assert model["hits"] == {"restricted": digits}
        assert model["five"] == {"restricted": five}
        parts = model["blocks"][0]["parts"][::5]
        assert parts == ([0] * 3 if digits == "444" else [-1] * 3)


def test_images_without_a_prediction_are_no_class_that_all_have(tmp_path: Path) -> None:
    path = scores(tmp_path / "scores", [(False, None)] * 20, "words/simple")
    assert "gives all 16 images the same best class" in str(same_best_class(path))
    model = pq.read_schema(path).metadata[b"model"].decode()
    said = str(same_best_class(path, {model}))
    assert said.endswith("or the column that is read, is most likely not what was meant")
    assert "weights" not in said
    assert same_best_class(scores(path, [(None, None)] * 20)) is None
    assert always_right(path, 2) is None

"""What the page says of numbers that are doubtful, whatever the tables look like."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.classifiers.score import SCHEMA
from synthsight.images.manifest import ImageRecord
from synthsight.report.remarks import (
    always_right,
    remarks,
    same_answer,
    same_best_class,
    same_weights,
)
from synthsight.statistics.columns import DUPLICATES

CATEGORIES = ("cat", "dog")


def scores(
    path: Path,
    best: list[int],
    rules: tuple[str, ...],
    classes: int = 8,
    categories: tuple[str, ...] = CATEGORIES,
    choices: int = 5,
) -> Path:
    """Scores of a model with these best classes; under a choice, those of other categories."""
    rows = [
        {
            "image": str(number),
            "category": categories[number % len(categories)],
            "generator": None,
            "rule": rule,
            "top1_hit": True,
            "top5_hit": True,
            "predicted": (
                [(7 - number - more) % classes for more in range(choices)]
                if rule == "restricted"
                else [index, 1]
            ),
            "probability": [0.5, 0.2],
        }
        for rule in rules
        for number, index in enumerate(best)
    ]
    names = json.dumps([f"class {number}" for number in range(classes)])
    schema = SCHEMA.with_metadata({"model": path.stem, "class_names": names})
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def record(image: str, category: str, sha256: str, status: str = "ok") -> ImageRecord:
    return ImageRecord(image, category, None, sha256, 9, 9, status, None)


@pytest.mark.parametrize(
    ("best", "rules", "said"),
    [
        ([3, 3, 3], ("words/simple",), True),
        ([3, 3, 3], ("restricted", "classes"), True),
        ([3, 4, 3], ("restricted", "classes"), False),
        ([3], ("words/simple",), False),
        ([3, 3, 3], ("restricted",), False),
    ],
)
def test_a_model_with_one_best_class_for_all_images(
    tmp_path: Path, best: list[int], rules: tuple[str, ...], said: bool
) -> None:
    found = same_best_class(scores(tmp_path / "net.parquet", best, rules))
    assert (found is not None) == said
    assert found is None or found.startswith(
        "net gives all 3 images the same best class, 'class 3'"
    )


def test_one_best_class_for_the_images_of_one_category_may_be_right(tmp_path: Path) -> None:
    path = scores(tmp_path / "net.parquet", [3, 3], ("classes",), categories=("cat",))
    assert same_best_class(path) is None


@pytest.mark.parametrize(
    ("rules", "classes", "categories", "choices", "said"),
    [
        (("classes",), 5, 3, 0, "net has 5 classes, so its top-5 is always right"),
        (("classes",), 6, 3, 0, None),
        (("classes", "restricted"), 6, 5, 5, "Top-5 under restricted is always right"),
        (("classes", "restricted"), 6, 6, 5, None),
        (("classes", "restricted"), 6, 6, 3, "Top-5 under restricted is always right"),
        (("classes", "restricted"), 6, 3, 1, "Under restricted there is nothing to choose from"),
        (("classes", "restricted"), 6, 3, 0, None),
    ],
)
def test_hits_that_cannot_be_missed(
    tmp_path: Path,
    rules: tuple[str, ...],
    classes: int,
    categories: int,
    choices: int,
    said: str | None,
) -> None:
    path = scores(tmp_path / "net.parquet", [1, 2], rules, classes, choices=choices)
    assert str(always_right(path, categories)).startswith(str(said))


def test_remarks_count_all_rows_of_one_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever rules the rows have that are read at a time."""
    monkeypatch.setattr("synthsight.report.remarks._ROWS", 4)
    path = scores(tmp_path / "net.parquet", [3] * 9, ("words/simple", "restricted", "classes"))
    assert "all 9 images the same best class" in str(same_best_class(path))
    assert "Top-5 under restricted" in str(always_right(path, 5))
    best = [3] * 8 + [4]
    assert (
        same_best_class(scores(tmp_path / "net.parquet", best, ("restricted", "classes"))) is None
    )


def test_weights_under_two_names() -> None:
    notes = [
        {"name": name, "safetensors_sha256": sum_} for name, sum_ in zip("abc", "xyx", strict=True)
    ]
    (said,) = same_weights(notes)
    assert said.startswith("a and c have the same weights")
    assert same_weights(notes[:2]) == []


def test_a_model_that_answers_all_questions_alike() -> None:
    table = pd.DataFrame(
        [
            {"model": "m", "n": 9, "n_yes": 5, "n_no": 4, "yes_yes": 5, "no_yes": 4},
            {"model": "k", "n": 9, "n_yes": 5, "n_no": 4, "yes_yes": 0, "no_yes": 0},
            {"model": "l", "n": 9, "n_yes": 5, "n_no": 4, "yes_yes": 5, "no_yes": 0},
            {"model": "j", "n": 5, "n_yes": 5, "n_no": 0, "yes_yes": 5, "no_yes": 0},
        ]
    )
    assert [said.partition(" questions")[0] for said in same_answer(table)] == [
        "m answers yes to all 9",
        "k answers no to all 9",
    ]


def test_pictures_in_several_categories_are_named_and_nothing_else_is_said(tmp_path: Path) -> None:
    path = scores(tmp_path / "net.parquet", [1, 2], ("classes",))
    found = [record(f"{category}/{n}", category, "x") for category in CATEGORIES for n in range(10)]
    pair = {"a": "cat/1", "b": "cat/2", "category_a": "cat", "category_b": "cat"}
    pair |= {"generator_a": None, "generator_b": None, "kind": "exact", "bits": 0}
    pair |= {"mirrored": False}
    pairs = pd.DataFrame([pair], columns=DUPLICATES)
    assert remarks(found, [path], [], pairs.iloc[:0]) == []
    (said,) = remarks(found, [path], [], pairs)
    assert said.startswith("1 of 20 images are nearly the same as another one of their category ")
    assert remarks([*found, record("dog/z", "dog", "x")], [path], [], pairs) == []
    (said,) = remarks(found, [path], [], pairs.assign(b="dog/3", category_b="dog"))
    assert said == (
        "1 pair of images is of two categories and the same picture, or nearly, so that one label "
        "of each is most likely wrong: cat/1 and dog/3 (the same file). Remove the wrong ones "
        "(tables/duplicates.csv has all)."
    )

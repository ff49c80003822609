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
    chooses,
    cut_off,
    mixed_versions,
    other_checksum,
    remarks,
    same_answer,
    same_best_class,
    same_weights,
    ungrouped,
    unit_of_images,
    unit_of_questions,
)
from synthsight.statistics.columns import DUPLICATES

CATEGORIES = ("cat", "dog")
NO_DUPLICATES = pd.DataFrame(columns=DUPLICATES)


def scores(
    path: Path,
    best: list[int],
    rules: tuple[str, ...],
    classes: int = 8,
    categories: tuple[str, ...] = CATEGORIES,
    choices: int = 5,
    groups: tuple[str | None, ...] = (None,),
    right: tuple[str, ...] = ("cat",),
) -> Path:
    """Scores of a model with these best classes; under a choice, those of other categories.

    Its guesses are right for images of the categories ``right``.
    """
    rows = [
        {
            "image": str(number),
            "category": categories[number % len(categories)],
            "generator": None,
            "group": groups[number % len(groups)],
            "real": False,
            "rule": rule,
            "top1_hit": categories[number % len(categories)] in right,
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
        ([3] * 10, ("words/simple",), True),
        ([3] * 10, ("restricted", "classes"), True),
        ([3, 4] + [3] * 8, ("restricted", "classes"), False),
        ([3] * 9, ("words/simple",), False),
        ([3] * 10, ("restricted",), False),
    ],
)
def test_a_model_with_one_best_class_for_all_images(
    tmp_path: Path, best: list[int], rules: tuple[str, ...], said: bool
) -> None:
    found = same_best_class(scores(tmp_path / "net.parquet", best, rules))
    assert (found is not None) == said
    assert found is None or found.startswith(
        "net gives all 10 images the same best class, 'class 3'"
    )


def test_an_adapted_model_with_one_best_class_was_badly_trained_and_has_no_wrong_weights(
    tmp_path: Path,
) -> None:
    path = scores(tmp_path / "net.parquet", [3] * 10, ("classes",))
    said = str(same_best_class(path, adapted={"net"}))
    assert "lower the `learning_rate`" in said and "weights" not in said
    assert "its weights or its preprocessing" in str(same_best_class(path, adapted={"other"}))


def test_one_best_class_for_the_images_of_one_category_may_be_right(tmp_path: Path) -> None:
    path = scores(tmp_path / "net.parquet", [3] * 30, ("classes",), categories=("cat",), right=())
    assert same_best_class(path) is None


@pytest.mark.parametrize(
    ("images", "right", "said"),
    [(10, ("cat",), False), (15, ("cat",), True), (15, ("cat", "dog"), False), (15, (), True)],
)
def test_one_best_class_may_be_right_for_all_images_but_a_few(
    tmp_path: Path, images: int, right: tuple[str, ...], said: bool
) -> None:
    """A fifth of the images show a dog: two of ten are mistaken, three of fifteen too many."""
    shown = ("cat", "cat", "dog", "cat", "cat")
    path = scores(tmp_path / "net.parquet", [3] * images, ("classes",), 8, shown, right=right)
    assert (same_best_class(path) is not None) == said


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
    path = scores(tmp_path / "net.parquet", [3] * 11, ("words/simple", "restricted", "classes"))
    assert "all 11 images the same best class" in str(same_best_class(path))
    assert "Top-5 under restricted" in str(always_right(path, 5))
    best = [3] * 10 + [4]
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


def test_weights_with_another_checksum_than_stated_are_remarked_upon() -> None:
    """An earlier version used them, with a line in a log."""
    note = {"name": "a", "source": "hf-hub:b/c", "checksum": "differs"}
    said = "The weights of a do not have the checksum that hf-hub:b/c states"
    assert str(other_checksum(note)).startswith(said)
    assert other_checksum({**note, "checksum": "verified"}) is None
    assert any(each.startswith(said) for each in remarks([], [], [note], NO_DUPLICATES))


def test_a_model_that_answers_all_questions_alike() -> None:
    table = pd.DataFrame(
        [
            {"model": "m", "n": 10, "n_yes": 7, "n_no": 3, "yes_yes": 7, "no_yes": 3},
            {"model": "k", "n": 10, "n_yes": 3, "n_no": 7, "yes_yes": 0, "no_yes": 0},
            {"model": "l", "n": 10, "n_yes": 5, "n_no": 5, "yes_yes": 5, "no_yes": 0},
            {"model": "all yes", "n": 15, "n_yes": 15, "n_no": 0, "yes_yes": 15, "no_yes": 0},
            {"model": "two no", "n": 10, "n_yes": 8, "n_no": 2, "yes_yes": 8, "no_yes": 2},
            {"model": "two yes", "n": 10, "n_yes": 2, "n_no": 8, "yes_yes": 0, "no_yes": 0},
            {"model": "few", "n": 9, "n_yes": 5, "n_no": 4, "yes_yes": 5, "no_yes": 4},
        ]
    )
    assert [said.partition(" questions")[0] for said in same_answer(table)] == [
        "m answers yes to all 10",
        "k answers no to all 10",
    ]


def test_versions_and_devices_that_differ_are_named() -> None:
    versions = {"torch": {"2.15.0", "1.0"}, "timm": ["1.0.31"], "device": ["cuda", "cpu"]}
    (said,) = remarks([], [], [], NO_DUPLICATES, None, versions)
    assert said == (
        "Not all results were made with the same software. device: cpu and cuda; torch: 1.0 and "
        "2.15.0. Differences between images, models or categories may be due to that. `snakemake "
        "--forceall` makes all of them alike."
    )
    assert mixed_versions({"torch": ["2.15.0", "2.15.0"]}) is None


def test_pictures_in_several_categories_are_named_and_nothing_else_is_said(tmp_path: Path) -> None:
    path = scores(tmp_path / "net.parquet", [1, 2], ("classes",))
    found = [record(f"{category}/{n}", category, "x") for category in CATEGORIES for n in range(10)]
    pair = {"a": "cat/1", "b": "cat/2", "category_a": "cat", "category_b": "cat"}
    pair |= {"generator_a": None, "generator_b": None, "kind": "exact", "bits": 0}
    pair |= {"mirrored": False, "real_a": False, "real_b": False}
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
    (said,) = remarks(found, [path], [], pairs.assign(b="dog/3", real_b=True))
    assert said.startswith("1 pair of images is of a photograph and a generated image, and the ")
    (said,) = remarks(found, [path], [], pairs, excluded={"cat/2"})
    assert said == (
        "1 of 20 images is left out as a duplicate or near duplicate (images.duplicates: exclude; "
        "tables/excluded.csv says of what)."
    )


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ((None,), None),
        (("cat//a", "cat//b"), None),
        (("cat//a", "cat//a", None), "1 of 4 images have no name that images.group matches"),
        ((None, None, None, "cat//a"), "3 of 4 images have no name that images.group matches"),
    ],
)
def test_images_without_a_group_are_told_where_others_have_one(
    tmp_path: Path, groups: tuple[str | None, ...], said: str | None
) -> None:
    """Whatever the number of rules."""
    rules = ("words/simple", "classes")
    path = scores(tmp_path / "net.parquet", [3, 4, 3, 2], rules, groups=groups)
    found = ungrouped(path)
    assert found is None if said is None else found is not None and found.startswith(said)
    assert sum("images.group" in each for each in remarks([], [path, path], [], NO_DUPLICATES)) == (
        said is not None
    )


def test_the_unit_of_chance_is_counted_and_named(tmp_path: Path) -> None:
    """An image without a group is one; whatever the number of rules, and of questions."""
    path = scores(
        tmp_path / "net.parquet",
        [3, 4, 3, 2],
        ("words/simple", "classes"),
        groups=("cat//a", "cat//a", None),
    )
    assert unit_of_images(path, "images.group") == "4 images are 2 draws, by images.group"
    asked = {
        "image": ["a", "a", "b", "c", "d"],
        "group": ["x", "x", "x", None, None],
        "sha256": ["1", "1", "2", "3", "3"],  # d is a copy of c
        **{"number": range(5), "p_yes": [0.5] * 5, "mass": [None] * 5, "correct": [True] * 5},
        **dict.fromkeys(("question", "answer", "generator", "first_word", "kind"), ["no"] * 5),
    }
    table = pa.table(asked).replace_schema_metadata({"model": "ofa"})
    pq.write_table(table, tmp_path / "asked.parquet")
    assert unit_of_questions([tmp_path / "asked.parquet"], "vqa.group") == (
        "3 images with questions are 2 draws, by vqa.group"
    )
    (said,) = remarks([], [path], [], NO_DUPLICATES, by="the column 'seed' of images.table")
    assert said.startswith("1 of 4 images have no text in the column 'seed' of images.table")


def test_a_model_that_was_asked_for_the_run_s_categories_alone_is_named() -> None:
    text = {"classes": 12, "of_run": True}
    note = {"name": "clip", "architecture": {"arguments": {"text": text}}}
    assert "clip was asked for the run's 12 categories alone" in str(chooses(note))
    other = {"name": "clip", "architecture": {"arguments": {"text": {"classes": 1000}}}}
    assert chooses(other) is None
    assert chooses({"name": "resnet", "architecture": {"arguments": {}}}) is None
    assert chooses({"name": "vilt", "family": "vilt"}) is None


def test_prompts_that_were_cut_off_are_counted() -> None:
    note = {"name": "clip", "text": {"prompts": 1000, "cut_off": 12}}
    assert "12 of 1,000 prompts for clip are longer than it reads" in str(cut_off(note))
    assert cut_off({"name": "clip", "text": {"prompts": 1000, "cut_off": 0}}) is None
    assert cut_off({"name": "resnet"}) is None


def test_a_model_that_mostly_begins_its_answers_otherwise_is_named() -> None:
    one = {"n": 40, "yes_yes": 10, "yes_no": 10, "no_yes": 10, "no_no": 10, "n_yes": 20, "n_no": 20}
    vqa = pd.DataFrame(
        [
            {**one, "model": "thinks", "mass": 0.11},
            {**one, "model": "answers", "mass": 0.93},
            {**one, "model": "chooses", "mass": None},
        ]
    )
    (said,) = remarks([], [], [], NO_DUPLICATES, vqa)
    assert said.startswith("thinks gives yes and no together a probability of 11% only, on average")

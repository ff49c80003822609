"""Folders that are called as ImageNet calls its classes are understood, and that is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthsight.commands.survey import survey
from synthsight.labels.folders import meanings
from synthsight.labels.matching import accepted_classes
from synthsight.labels.spaces import load_labels
from synthsight.plan import specs
from tests.plan.test_config import answered_, error, errors, images, load, workplace_, write

__all__ = ["answered_", "workplace_"]  # fixtures

pytestmark = pytest.mark.usefixtures("answered")

IMAGENET = load_labels("imagenet-1k")
SYNSET, NUMBER, FULL = "n02129165", "291", "lion, king of beasts, Panthera leo"


def of(root: str = "set", **parts: str) -> Path:
    return write(images=f"images: {{root: {root}}}", **parts)


def classes(config: Path, category: str, rule: str) -> list[int]:
    """The numbers of the classes that count for a category."""
    target = load(config).categories[category].target
    return np.flatnonzero(accepted_classes(target, IMAGENET, rule)).tolist()


@pytest.mark.parametrize(
    ("folder", "form"),
    [
        (SYNSET, "WordNet synsets"),
        (NUMBER, "the numbers of ImageNet's classes, from 0"),
        (FULL, "several of ImageNet's names of a class"),
        ("lion,_king_of_beasts", "several of ImageNet's names of a class"),
    ],
)
@pytest.mark.parametrize("generator", ["", "muse/"])
def test_a_folder_that_stands_for_a_class_is_a_category_of_its_name(
    folder: str, form: str, generator: str
) -> None:
    images(f"{generator}{folder}/a.png", root="set")
    found = load(of())
    assert list(found.categories) == ["lion"]
    category = found.categories["lion"]
    assert category.folders == ((generator.strip("/") or None, f"{generator}{folder}"),)
    assert category.definition.classes == {SYNSET: f"the folder is called {folder}"}
    assert found.warnings == (
        f"folders called by {form} are taken for these classes alone: {folder!r} is 'lion'",
    )
    for rule in ("classes", "restricted"):
        assert classes(of(), "lion", rule) == [291]
    assert classes(of(), "lion", "words/simple") == [150, 291], "the sea lion, as in the paper"
    assert specs.index_images(found, "lion")["folders"] == category.folders
    (model,) = found.models
    assert specs.score(found, model)["categories"]["lion"]["classes"] == (SYNSET,)


def test_the_class_alone_counts_where_the_name_is_also_another_s() -> None:
    """Two classes are called crane; the word rules go by words, as always."""
    images("n03126707/a.png", "n02129165/a.png", root="set")
    for rule in ("classes", "restricted"):
        assert classes(of(), "crane", rule) == [517]
    assert classes(of(), "crane", "words/lemmas") == [134, 517]


def test_all_thousand_synsets_and_all_thousand_numbers_have_different_names() -> None:
    synsets = meanings(IMAGENET.synsets or ())
    numbers = meanings(map(str, range(1000)))
    assert [synsets[each].name for each in IMAGENET.synsets or ()] == list(IMAGENET.simple)
    assert [numbers[str(each)].name for each in range(1000)] == list(IMAGENET.simple)


@pytest.mark.parametrize(
    "names",
    [
        ["0", "1", "2"],
        ["291", "pizza"],
        ["291", "1000"],
        ["n99999999"],
        ["lion"],
        ["cat, dog"],
        ["goldfish,"],
        [","],
    ],
    ids=["counted from 0", "mixed", "beyond", "no synset", "a name", "two classes", "half", "none"],
)
def test_other_names_are_what_they_say(names: list[str]) -> None:
    assert meanings(names) == {}


def test_numbers_that_any_set_may_count_by_are_refused_with_what_they_may_be() -> None:
    images("0/a.png", "1/a.png", root="set")
    said = "\n".join(errors(of()))
    assert "category '0' can never be hit" in said
    assert "it is how ImageNet calls the class 'tench', so give it that name" in said


def test_numbers_that_a_model_s_own_classes_are_called_by_stay_those() -> None:
    Path("digits.txt").write_text("\n".join(f"{n}, digit {n}" for n in range(1000)))
    images("7/a.png", "3/a.png", root="set")
    models = "models:\n  - {model: torchvision/alexnet, checkpoint: a.pth, labels: digits.txt}"
    Path("a.pth").write_bytes(b"x")
    assert list(load(of(models=models)).categories) == ["3", "7"]


def test_two_folders_of_one_class_are_an_error_with_both() -> None:
    images("a/n02129165/1.png", "b/lion/1.png", root="set")
    said = error(of())
    assert "the folders 'b/lion' and 'a/n02129165' would both be the category 'lion'" in said
    images("007/a.png", "7/a.png", root="numbers")
    assert "would both be the category 'cock'" in error(of("numbers"))


@pytest.mark.parametrize("listed", [SYNSET, "lion"])
def test_a_list_of_categories_may_have_either_name(listed: str) -> None:
    images(f"muse/{SYNSET}/1.png", "muse/n07873807/1.png", root="set")
    found = load(of(x=f"categories: [{listed}]"))
    assert list(found.categories) == ["lion"]
    assert specs.report(found)["settings"]["categories"] == ["lion"]
    assert list(load(of()).categories) == ["lion", "pizza"]


def test_a_definition_of_one_s_own_holds() -> None:
    images(f"{SYNSET}/1.png", root="set")
    own = "category_definitions: own.yaml"
    Path("own.yaml").write_text("lion: {also: [big cat], classes: {n02128385: a leopard}}\n")
    found = load(of(x=own))
    assert found.categories["lion"].target.classes == ("n02128385",)
    assert not [note for note in found.warnings if "own.yaml" in note]
    Path("own.yaml").write_text(f"{SYNSET}: {{classes: {{n02128385: a leopard}}}}\n")
    assert list(load(of(x=own)).categories) == [SYNSET], "who defines the code means it"


def test_a_survey_judges_a_folder_by_the_class_that_it_stands_for() -> None:
    images("muse/n02129165/1.png", "muse/lion, king of beasts/1.png", root="set")
    looked = survey(Path("set"), Path("resources/categories.yaml"))
    assert [each.name for each in looked.categories] == ["lion, king of beasts", SYNSET]
    assert looked.refused == []

"""The audit names what the word rules take wrongly and leave out."""

from __future__ import annotations

import pandas as pd
import pytest

from synthsight.labels.audit import HOMONYM, NEAR_TWIN, NOTHING, label_audit, messages
from synthsight.labels.definitions import Definition, DefinitionError, read_definitions
from synthsight.labels.matching import RULES, accepted_classes
from synthsight.labels.spaces import LabelSpace, load_labels
from tests.support import REPOSITORY

DEFINITIONS = read_definitions(REPOSITORY / "resources" / "categories.yaml")


@pytest.fixture(scope="module")
def audit() -> pd.DataFrame:
    return label_audit(DEFINITIONS, [load_labels("imagenet-1k")], RULES)


def flagged(audit: pd.DataFrame, flag: str) -> set[tuple[str, int]]:
    rows = audit[audit["flag"] == flag]
    return set(zip(rows["category"], rows["index"], strict=True))


def test_the_homonyms_of_the_paper_s_categories_are_suspected(audit: pd.DataFrame) -> None:
    """The hawk, the squirrel monkey, the gas mask and the trailer truck."""
    assert flagged(audit, HOMONYM) == {
        ("kite", 21),
        ("squirrel", 382),
        ("helmet", 570),
        ("tractor", 867),
    }


def test_the_near_twins_of_the_paper_s_categories_are_named(audit: pd.DataFrame) -> None:
    twins = flagged(audit, NEAR_TWIN)
    assert twins >= {("sunglass", 837), ("turtle", 36), ("elephant", 101), ("helmet", 715)}
    assert ("turtle", 33) in twins, "loggerhead counts by its synonyms only"
    row = audit[(audit["category"] == "turtle") & (audit["index"] == 33)].iloc[0]
    assert row["flagged_rules"] == "words/simple"
    assert row["accepted_by"] == "words/lemmas classes restricted"


def test_a_category_without_any_class_is_said_to_have_none(audit: pd.DataFrame) -> None:
    row = audit[audit["flag"] == NOTHING]
    assert row["category"].tolist() == ["kite"]
    assert row["flagged_rules"].tolist() == ["classes restricted"]
    assert row["index"].isna().all()


def test_the_table_holds_exactly_what_the_rules_accept(audit: pd.DataFrame) -> None:
    space = load_labels("imagenet-1k")
    for name, definition in DEFINITIONS.items():
        rows = audit[(audit["category"] == name) & audit["index"].notna()].set_index("index")
        for rule in RULES:
            found = accepted_classes(definition.target(name), space, rule).nonzero()[0].tolist()
            by_rule = [index for index, by in rows["accepted_by"].items() if rule in by.split()]
            assert sorted(by_rule) == found


def test_names_definition_and_reason_stand_beside_each_class(audit: pd.DataFrame) -> None:
    row = audit[(audit["category"] == "elephant") & (audit["index"] == 101)].iloc[0]
    assert row["synset"] == "n01871265"
    assert row["names"] == "tusker"
    assert row["definition"].startswith("any mammal with prominent tusks")
    assert "boars" in row["why"]


def test_without_a_choice_a_plural_is_suspected_to_be_a_twin() -> None:
    space = LabelSpace(
        "test", ("sunglass", "sunglasses", "glass"), (("sunglass",), ("sunglasses",), ("glass",))
    )
    audit = label_audit({"sunglass": Definition()}, [space], ["words/simple", "classes"])
    assert flagged(audit, NEAR_TWIN) == {("sunglass", 1)}
    assert not flagged(audit, HOMONYM)


def test_what_a_word_rule_leaves_out_is_no_twin_unless_it_is_wanted() -> None:
    space = LabelSpace("test", ("gasmask",), (("gasmask", "gas helmet"),))
    audit = label_audit({"helmet": Definition()}, [space], ["words/simple", "words/lemmas"])
    (row,) = audit[audit["index"].notna()].to_dict("records")
    assert row["accepted_by"] == "words/lemmas"
    assert pd.isna(row["flag"])


def test_the_flags_are_said_plainly(audit: pd.DataFrame) -> None:
    said = messages(audit)
    assert len(said) == audit["flag"].notna().sum()
    (kite,) = [text for text in said if text.startswith("kite: words")]
    assert "n01608432" in kite
    assert "hawks" in kite
    assert HOMONYM in kite


def test_several_rules_count_and_one_counts(audit: pd.DataFrame) -> None:
    said = messages(audit)
    assert any(text.startswith("kite: words/simple and words/lemmas count kite (") for text in said)
    assert any(text.startswith("tractor: words/lemmas counts trailer truck") for text in said)
    assert any(text.startswith("turtle: words/simple does not count loggerhead") for text in said)
    assert any(text.startswith("elephant: words/simple and words/lemmas do not") for text in said)
    assert any("no class counts under classes and restricted" in text for text in said)


def test_a_class_that_is_the_category_itself_is_no_homonym() -> None:
    """Of the toy kite ImageNet has no class, and so nobody chose one; the run's own has it."""
    names = ("kite", "sunglass", "kite string")
    lemmas = (("kite",), ("sunglass", "sunglasses"), ("kite string",))
    space = LabelSpace("somewhere/classes/categories-0a1b.json", names, lemmas)
    given = {name: Definition(classes={}) for name in ("kite", "sunglass")}
    audit = label_audit(given, [space], RULES)
    (row,) = audit[audit["flag"].notna()].to_dict("records")
    assert (row["category"], row["names"], row["flag"]) == ("kite", "kite string", HOMONYM)
    (said,) = messages(audit)
    assert said.endswith("homonym suspected [the run's categories]")
    elsewhere = label_audit(given, [LabelSpace("labels.txt", names, lemmas)], RULES)
    assert ("kite", 0) in flagged(elsewhere, HOMONYM)


def test_categories_that_accept_the_same_class_are_named() -> None:
    space = LabelSpace("test", ("golden retriever", "hawk"), (("golden retriever",), ("hawk",)))
    names = ("golden retriever", "hawk", "retriever")
    audit = label_audit({name: Definition() for name in names}, [space], RULES)
    assert audit["shared_with"].where(audit["shared_with"].notna(), "").tolist() == [
        *("retriever", "", "golden retriever"),
    ]
    assert [text.partition(":")[0] for text in messages(audit)] == ["golden retriever", "retriever"]
    assert "shares golden retriever with retriever: " in messages(audit)[0]
    alone = label_audit({name: Definition() for name in names}, [space], ["words/lemmas"])
    assert alone["shared_with"].isna().all(), "no choice among categories is asked for"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("kite: {classes: {n99999999: x}}", "there is no synset n99999999"),
        ("kite: {classes: [n01608432]}", "kite: classes: .* is not of type 'object'"),
        ("kite: {class: {}}", "'class' was unexpected"),
        ("kite: {also: ['--']}", "has no word in it"),
        (
            "Fire Engine: {also: [a]}\nfire_engine: {also: [a]}",
            "'Fire Engine' and 'fire_engine'",
        ),
        ("hare: {also: [x]}\nno: {also: [x]}", r"line 2: .* the key no as text.*quotes: \"no\""),
        ("007:\n  also: [x]", 'line 1: .*"007"'),
        ("kite:\n  classes:\n    1: x", "line 3: "),
        ("version https://git-lfs.github.com/spec/v1\n", "not YAML: it is a Git LFS pointer"),
        ("<!DOCTYPE html><html>", "not YAML: it is a web page"),
    ],
)
def test_definitions_that_mean_nothing_are_refused(tmp_path, content: str, message: str) -> None:
    path = tmp_path / "categories.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DefinitionError, match=message):
        read_definitions(path)

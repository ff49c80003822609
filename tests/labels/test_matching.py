"""Which classes of which list count as a hit for a category, under each rule."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthsight.labels.definitions import read_definitions
from synthsight.labels.matching import RULES, Target, accepted_classes, contains, words
from synthsight.labels.spaces import LabelSpace, load_labels, wordnet_names
from tests.support import REPOSITORY

# Class indices of ImageNet-1k, looked up by hand: (simple, lemmas).
ACCEPTED = {
    "bagel": ([931], [931]),
    "clock": ([409, 530, 892], [409, 530, 892]),
    "elephant": ([385, 386], [385, 386]),
    "helmet": ([518, 560], [518, 560, 570]),
    "kite": ([21], [21]),
    "mushroom": ([947], [947]),
    "pizza": ([963], [963]),
    "pretzel": ([932], [932]),
    "rabbit": ([330, 331], [330, 331, 332]),
    "squirrel": ([335, 382], [335, 382]),
    "sunglass": ([836], [836]),
    "teddy": ([850], [850]),
    "toilet seat": ([861], [861]),
    "tractor": ([866], [866, 867]),
    "turtle": ([34, 35, 37], [33, 34, 35, 37]),
    "umbrella": ([879], [879]),
    "vase": ([883], [883]),
}
ALSO = {"rabbit": ["hare"]}


def accepted(category: str, rule: str, also: list[str] | None = None) -> list[int]:
    found = accepted_classes(Target(category, tuple(also or ())), load_labels("imagenet-1k"), rule)
    assert found.shape == (1000,)
    return [int(index) for index in found.nonzero()[0]]


def hit(category: str, *names: str, also: tuple[str, ...] = ()) -> bool:
    """Whether a class with these names counts for a category, under `words/lemmas`."""
    space = LabelSpace("test", (names[0],), (names,))
    return bool(accepted_classes(Target(category, also), space, "words/lemmas")[0])


@pytest.mark.parametrize("rule", ["words/simple", "words/lemmas"])
@pytest.mark.parametrize("category", ACCEPTED)
def test_each_category_of_the_paper_accepts_these_classes(category: str, rule: str) -> None:
    expected = ACCEPTED[category][rule == "words/lemmas"]
    assert accepted(category, rule, ALSO.get(category)) == expected


def test_there_are_these_rules() -> None:
    assert set(RULES) == {"words/simple", "words/lemmas", "classes", "restricted"}


def test_hare_counts_for_rabbit_only_where_it_is_named() -> None:
    assert accepted("rabbit", "words/simple") == [330]
    assert accepted("rabbit", "words/lemmas") == [330, 332]
    assert accepted("hare", "words/simple") == [331]


def test_a_further_name_may_have_two_words() -> None:
    assert hit("rabbit", "Belgian hare", also=("Belgian hare",))
    assert not hit("rabbit", "hare", also=("Belgian hare",))


def test_two_words_count_in_their_order_and_side_by_side_alone() -> None:
    assert hit("toilet seat", "toilet seat")
    assert hit("toilet seat", "white toilet seat cover")
    assert not hit("toilet seat", "seat toilet")
    assert not hit("toilet seat", "toilet bowl seat")
    assert not hit("toilet seat", "toilet")
    assert not hit("toilet seat", "seat")


def test_two_words_must_stand_within_one_name() -> None:
    assert not hit("toilet seat", "toilet", "seat")
    assert not hit("toilet seat", "public toilet", "seat belt")
    assert hit("toilet seat", "lid", "toilet seat")


def test_three_words_count_likewise() -> None:
    assert accepted("great_white_shark", "words/simple") == [2]
    assert hit("great white shark", "great white shark")
    assert not hit("great white shark", "great white heron")


def test_a_word_is_a_whole_word() -> None:
    assert not hit("sunglass", "sunglasses")
    assert not hit("sunglasses", "sunglass")
    assert not hit("kite", "kites")
    assert not hit("cat", "catamaran", "bobcat", "polecat")
    assert hit("cat", "tiger cat")


def test_case_does_not_count() -> None:
    assert hit("Pizza", "pizza")
    assert hit("pizza", "PIZZA pie")
    assert hit("STRASSE", "Straße")


@pytest.mark.parametrize(
    "name", ["toilet_seat", "toilet-seat", "Toilet  Seat", "toilet/seat", "toilet.seat"]
)
def test_blank_underscore_and_hyphen_all_separate_words(name: str) -> None:
    assert words(name) == ("toilet", "seat")
    assert hit(name, "toilet seat")
    assert hit("toilet seat", name)


@pytest.mark.parametrize("name", ["carpenter's kit", "carpenter\u2019s kit", "carpenters_kit"])
def test_an_apostrophe_is_dropped(name: str) -> None:
    assert words(name) == ("carpenters", "kit")
    assert accepted(name, "words/simple") == [477]


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert words("cafe\u0301") == words("café") == ("café",)
    assert hit("café", "cafe\u0301")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("\u0939\u093f\u0928\u094d\u0926\u0940", ("\u0939\u093f\u0928\u094d\u0926\u0940",)),
        ("x\u0331y q\u0301", ("x\u0331y", "q\u0301")),
        ("rock\u00b4n\u00b4roll", ("rock", "n", "roll")),
        ("\u0645\u06cc\u200c\u062e", ("\u0645\u06cc\u062e",)),
        ("\u2764\ufe0f heart", ("heart",)),
    ],
)
def test_marks_belong_to_their_letters(name: str, found: tuple[str, ...]) -> None:
    assert words(name) == found


def test_signs_at_the_end_of_a_word_make_another_of_it() -> None:
    assert words("C++") == ("c++",) and words("a C# book") == ("a", "c#", "book")
    assert not hit("C++", "C") and not hit("C", "C#") and not hit("F\u266f", "F")
    assert hit("C++", "C++ code")
    assert words("salt+pepper #5") == ("salt", "pepper", "5")


def test_the_words_of_all_names_of_wordnet_are_their_letters_and_digits() -> None:
    names = {name for names in wordnet_names().values() for name in names}
    names |= set(load_labels("imagenet-1k").simple)
    assert len(names) > 30_000
    for name in names:
        bare = name.casefold().replace("'", "")
        assert words(name) == tuple(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", bare)))


def test_letters_of_another_width_and_ligatures_are_the_letters_they_stand_for() -> None:
    assert words("\uff34\uff45\uff44\uff44\uff59 \ufb01sh") == ("teddy", "fish")
    assert hit("gold\ufb01sh", "goldfish")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("LEGO\u2122 brick", ("lego", "brick")),
        ("LEGO\u00ae", ("lego",)),
        ("lego\u2122s", ("legos",)),
        ("\u00a9 Kite\u2120", ("kite",)),
        ("Chanel \u21165", ("chanel", "no", "5")),
        ("2\u00bd ton truck", ("2", "1", "2", "ton", "truck")),
        ("m\u00b2", ("m2",)),
        ("\ufb01sh\ufb02y", ("fishfly",)),
        ("4\u33a5", ("4m3",)),
    ],
)
def test_signs_of_trademarks_are_no_letters(name: str, found: tuple[str, ...]) -> None:
    assert words(name) == found
    assert words(" ".join(found)) == found


def test_digits_are_part_of_words() -> None:
    assert words("Boeing 747-400") == ("boeing", "747", "400")


def test_a_name_without_words_hits_nothing() -> None:
    assert not hit("---", "anything")
    assert not hit("", "anything")
    assert not hit("cat", "dog", also=("", "_"))


def test_simple_names_leave_the_synonyms_out() -> None:
    space = LabelSpace("test", ("gasmask",), (("gasmask", "gas helmet"),))
    assert not accepted_classes(Target("helmet"), space, "words/simple")[0]
    assert accepted_classes(Target("helmet"), space, "words/lemmas")[0]


@given(st.lists(st.sampled_from("abc"), max_size=6), st.lists(st.sampled_from("abc"), max_size=3))
def test_contains_is_what_a_search_in_text_finds(name: list[str], wanted: list[str]) -> None:
    found = f" {' '.join(wanted)} " in f" {' '.join(name)} " if wanted else True
    assert contains(" ".join(name), tuple(wanted)) == found


# Chosen classes ----------------------------------------------------------------------------------

DEFINITIONS = read_definitions(REPOSITORY / "resources" / "categories.yaml")
CHOSEN = {
    "bagel": [931],
    "clock": [409, 530, 892],
    "elephant": [101, 385, 386],
    "helmet": [518, 560, 715],
    "kite": [],
    "mushroom": [947, 992, 993, 994, 997],
    "pizza": [963],
    "pretzel": [932],
    "rabbit": [330, 331, 332],
    "squirrel": [335],
    "sunglass": [836, 837],
    "teddy": [850],
    "toilet_seat": [861],
    "tractor": [866],
    "turtle": [33, 34, 35, 36, 37],
    "umbrella": [879],
    "vase": [883],
}


@pytest.mark.parametrize("rule", ["classes", "restricted"])
@pytest.mark.parametrize("category", CHOSEN)
def test_the_chosen_classes_of_the_paper_s_categories(category: str, rule: str) -> None:
    target = DEFINITIONS[category].target(category)
    found = accepted_classes(target, load_labels("imagenet-1k"), rule)
    assert found.nonzero()[0].tolist() == CHOSEN[category]


def test_every_chosen_class_has_its_reason() -> None:
    for definition in DEFINITIONS.values():
        assert all(reason for reason in (definition.classes or {}).values())


def test_a_category_for_which_nobody_has_chosen_takes_what_the_lemmas_take() -> None:
    space = load_labels("imagenet-1k")
    for target in (Target("tiger"), Target("rabbit", ("hare",))):
        assert (
            accepted_classes(target, space, "classes")
            == accepted_classes(target, space, "words/lemmas")
        ).all()


def test_in_a_label_file_synsets_and_names_choose_by_name() -> None:
    space = LabelSpace(
        "test", ("tusker", "big cat", "wood"), (("tusker",), ("big cat",), ("wood",))
    )
    target = Target("elephant", classes=("n01871265", "Big Cat"))
    assert accepted_classes(target, space, "classes").tolist() == [True, True, False]
    # A name means the whole name, not a word in it.
    assert not accepted_classes(Target("x", classes=("cat",)), space, "classes").any()


def test_in_a_label_file_a_synset_means_each_of_its_names() -> None:
    first, *others = wordnet_names()["n02127052"]
    assert first == "lynx" and others == ["catamount"]
    for name in (first, *others):
        space = LabelSpace("test", (name,), ((name,),))
        assert accepted_classes(Target("x", classes=("n02127052",)), space, "classes").all()


@pytest.mark.parametrize("rule", ["classes", "restricted"])
def test_where_categories_are_the_classes_each_accepts_its_own(rule: str) -> None:
    """Also one that no class of ImageNet's shows, and one whose name is another's synonym."""
    names = ("toy kite", "toilet seat", "cap", "hat")
    lemmas = (*((name,) for name in names[:3]), ("hat", "cap"))
    of_run = LabelSpace("kept/classes/categories-0a1b2c3d.json", names, lemmas)
    listed = LabelSpace("classes/mine.json", names, lemmas)
    expected = {
        Target("toy_kite", classes=()): ([0], []),
        Target("toilet_seat"): ([1], [1]),
        Target("cap"): ([2], [2, 3]),
        Target("hat", classes=("cap",)): ([3], [2, 3]),
    }
    for target, (own, chosen) in expected.items():
        for labels, right in ((of_run, own), (listed, chosen)):
            assert accepted_classes(target, labels, rule).nonzero()[0].tolist() == right


def test_a_rule_has_the_same_shape_in_figures_and_report() -> None:
    shapes = {
        "o": ("circle", "●"),
        "^": ("triangle", "▲"),
        "s": ("square", "■"),
        "D": ("diamond", "◆"),
    }
    for rule in RULES.values():
        assert (rule.mark.symbol, rule.mark.sign) == shapes[rule.mark.marker], rule.name
    assert len({rule.mark.stroke for rule in RULES.values()}) == len(RULES)

"""What counts as a hit: the paper's word rule, and what a person would accept.

"First all words in the predicted labels are extracted, and then the prediction is counted as a hit
if the ground-truth is in this set. In case of ground-truth having two words, then it should happen
[...] exactly as it is" (Borji 2022, section 2). Case does not count.

The word rule goes by names: ``kite`` accepts the hawk, ``sunglass`` leaves out the class
*sunglasses*. The rule ``classes`` instead accepts what a person has chosen for each category, and
``restricted`` asks for the best of the run's categories, by these same classes.

All that is known about the rules is in one place, :data:`RULES`: the configuration accepts the
names in it, scoring and the label audit ask it what counts, and figures and report draw and explain
rules by it. To add a rule, add an entry.
"""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from synthsight.doors import UnknownNameError
from synthsight.labels.spaces import LabelSpace, are_of_run, wordnet_names
from synthsight.wording import did_you_mean

_SYNSET = re.compile(r"n\d{8}")

#: Dropped within words: apostrophes, and what only says how letters are joined, broken or drawn
#: (soft hyphen, joiners and non-joiner, variation selectors).
_DROPPED = re.compile("['\u2019\u00ad\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]")

#: Signs that would become letters or digits of the word that they stand at: those of trademarks and
#: the like are dropped, ``№`` and fractions parted from it.
_SIGNS = {ord(sign): "" for sign in "\u2122\u2120\u00ae\u00a9\u2117\U0001f16a\U0001f16b"}
_SIGNS |= {ord(sign): f" {sign} " for sign in "\u2116\u00bc\u00bd\u00be\u2189"}
_SIGNS |= {sign: f" {chr(sign)} " for sign in range(0x2150, 0x215F)}

#: A letter or digit, and all letters, digits and marks after it; at the end also the signs that
#: make another name of it. Of what is not ASCII only these are left when it is used.
_WORD = re.compile(r"[^\W_](?:[^\W_]|[^\x00-\x7f])*(?:[+#]++(?![^\W_]))?")


@lru_cache(maxsize=100_000)
def words(name: str) -> tuple[str, ...]:
    """The words of a category or a class name, case-folded.

    Everything but letters and digits separates words (space, underscore, hyphen), except that an
    apostrophe is dropped: ``carpenter's kit`` has the words of ``carpenters_kit``. Combining marks
    belong to the letter before them, and signs at the end of a word that make another name of it
    to that word: ``C++`` is not ``C``. Signs of trademarks are dropped: ``LEGO™`` is ``lego``.
    """
    plain = unicodedata.normalize("NFKC", name.translate(_SIGNS))
    folded = unicodedata.normalize("NFKC", plain.casefold())
    text = _DROPPED.sub("", folded)
    if not text.isascii():
        text = "".join(each if each.isascii() or _in_word(each) else " " for each in text)
    return tuple(_WORD.findall(text))


def _in_word(character: str) -> bool:
    """Whether a character that is not ASCII is a letter, a digit, or belongs to the one before."""
    return (
        character.isalnum()
        or unicodedata.category(character) in ("Mn", "Mc")
        or character in "\u266d\u266f"  # flat and sharp, as in F#
    )


def contains(name: str, wanted: tuple[str, ...]) -> bool:
    """Whether the words ``wanted`` occur in a row in ``name``."""
    found = words(name)
    length = len(wanted)
    return any(found[i : i + length] == wanted for i in range(len(found) - length + 1))


@dataclass(frozen=True)
class Target:
    """A category as something to be recognised.

    Attributes:
        name: if it has several words, they must occur in this order within one class name.
        also: further names that the word rules accept, such as ``hare`` for ``rabbit``.
        classes: what a person accepts: synsets (``n02504013``) or names of classes; None if nobody
            has chosen, an empty tuple if no class shows the thing.
    """

    name: str
    also: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None


def chosen(classes: Iterable[str], labels: LabelSpace) -> npt.NDArray[np.bool_]:
    """The classes of a label space that are among the chosen ones, bool (classes,).

    Where the label space has synsets, a synset means that class; in a label file it means any class
    with one of the synset's names. A name means any class of that name, word for word.
    """
    classes = set(classes)
    if labels.synsets is not None:
        wanted = {each for each in classes if is_synset(each)}
        by_synset = np.array([synset in wanted for synset in labels.synsets], dtype=np.bool_)
        return by_synset | _named({each for each in classes if not is_synset(each)}, labels)
    names = {name for each in classes for name in wordnet_names().get(each, (each,))}
    return _named(names, labels)


def _named(names: Iterable[str], labels: LabelSpace) -> npt.NDArray[np.bool_]:
    wanted = {words(name) for name in names}
    return np.array(
        [any(words(name) in wanted for name in lemmas) for lemmas in labels.lemmas], dtype=np.bool_
    )


def is_synset(name: str) -> bool:
    """Whether a name has the form of a synset's identifier."""
    return _SYNSET.fullmatch(name) is not None


# The rules ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mark:
    """How a rule is distinguished from others drawn with it.

    Attributes:
        marker: in the figures, a matplotlib marker.
        color: in the figures, a matplotlib colour.
        symbol: in the report's charts, a symbol of Observable Plot.
        sign: in their legends, a character that looks like ``symbol``.
        stroke: in the report, a CSS colour that is visible on light and dark pages, such as
            ``var(--one)`` of its style sheet or ``light-dark(#00a, #aaf)``.
    """

    marker: str
    color: str
    symbol: str
    sign: str
    stroke: str


@dataclass(frozen=True)
class Rule:
    """A matching rule: which predictions are right.

    Attributes:
        name: as in the configuration, the tables and the figures.
        meaning: one line that completes "a guess is right if".
        accepts: returns the classes that count for a category, bool (classes,).
        looks_at: what decides whether a class counts: its ``names``, so that the label audit looks
            for homonyms and for twins that are left out, or its ``meaning``, judged by a person.
        mark: its own in figures and report.
        choice: whether the guess is one of the run's categories, by the classes that each of them
            accepts, instead of one of all classes.
    """

    name: str
    meaning: str
    accepts: Callable[[Target, LabelSpace], npt.NDArray[np.bool_]]
    looks_at: Literal["names", "meaning"]
    mark: Mark
    choice: bool = False


def by_words(target: Target, names: Iterable[Iterable[str]]) -> npt.NDArray[np.bool_]:
    """Which classes have the category's words, or those of a further name, in one of their names.

    Args:
        target: the category.
        names: one or more of each class.
    """
    wanted = [words(name) for name in (target.name, *target.also)]
    return np.array(
        [
            any(contains(name, each) for name in of_class for each in wanted if each)
            for of_class in names
        ],
        dtype=np.bool_,
    )


def _in_simple_names(target: Target, labels: LabelSpace) -> npt.NDArray[np.bool_]:
    return by_words(target, labels.names("simple"))


def _in_lemmas(target: Target, labels: LabelSpace) -> npt.NDArray[np.bool_]:
    return by_words(target, labels.names("lemmas"))


def _by_choice(target: Target, labels: LabelSpace) -> npt.NDArray[np.bool_]:
    """The chosen classes or, if nobody has chosen any, those that the lemmas accept.

    Where the classes are the run's categories it is the category's own, whatever was chosen of
    others: no class of ImageNet's shows the toy kite, but the category's does.
    """
    if are_of_run(labels.name):
        own = words(target.name)
        return np.array([words(name) == own for name in labels.simple], dtype=np.bool_)
    if target.classes is None:
        return _in_lemmas(target, labels)
    return chosen(target.classes, labels)


#: All matching rules, by name, in the order used in documents and defaults.
RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            name="words/simple",
            meaning=(
                "the category's words are, in order, among the words of the predicted class's one "
                "name (Borji 2022)"
            ),
            accepts=_in_simple_names,
            looks_at="names",
            mark=Mark("o", "#0072B2", "circle", "●", "var(--one)"),
        ),
        Rule(
            name="words/lemmas",
            meaning=(
                "the category's words are, in order, among the words of one of the predicted "
                "class's WordNet names"
            ),
            accepts=_in_lemmas,
            looks_at="names",
            mark=Mark("^", "#D55E00", "triangle", "▲", "var(--two)"),
        ),
        Rule(
            name="classes",
            meaning="the predicted class is one that a person chose for the category",
            accepts=_by_choice,
            looks_at="meaning",
            mark=Mark("s", "#E69F00", "square", "■", "var(--mid)"),
        ),
        Rule(
            name="restricted",
            meaning=(
                "the best of the run's categories, by the classes that a person chose for each, is "
                "the right one"
            ),
            accepts=_by_choice,
            looks_at="meaning",
            mark=Mark("D", "#009E73", "diamond", "◆", "var(--three)"),
            choice=True,
        ),
    )
}


def find_rule(name: str) -> Rule:
    """The rule of this name.

    Raises:
        UnknownNameError: there is none; the message lists the known rules, or a close one.
    """
    try:
        return RULES[name]
    except KeyError:
        known = did_you_mean(name, RULES) or f"; known: {', '.join(RULES)}"
        raise UnknownNameError(f"unknown matching rule {name!r}{known}") from None


def accepted_classes(target: Target, labels: LabelSpace, rule: str) -> npt.NDArray[np.bool_]:
    """The classes that count as a hit for a category.

    Args:
        target: the category.
        labels: the model's classes.
        rule: the name of one of :data:`RULES`.

    Returns:
        bool (classes,).

    Raises:
        UnknownNameError: there is no such rule.
    """
    return find_rule(rule).accepts(target, labels)


def admit_rules(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the configuration's schema with the rules filled in; by default all are used.

    Args:
        schema: with ``matching.rules``, whose description has the placeholder ``{meanings}``, and
            ``matching.primary``. One that has been filled in already stays as it is.
    """
    filled: dict[str, Any] = copy.deepcopy(dict(schema))
    matching = filled["properties"]["matching"]["properties"]
    meanings = "; ".join(f"{rule.name}: {rule.meaning}" for rule in RULES.values())
    description = matching["rules"]["description"]
    matching["rules"]["description"] = description.replace("{meanings}", meanings)
    matching["rules"]["items"] = {"enum": list(RULES)}
    matching["rules"]["default"] = list(RULES)
    matching["primary"]["enum"] = list(RULES)
    return filled

"""What counts as a hit: the paper's word rule, and what a person would accept.

"First all words in the predicted labels are extracted, and then the prediction is counted as a hit
if the ground-truth is in this set. In case of ground-truth having two words, then it should happen
[...] exactly as it is" (Borji 2022, section 2). Case does not count.

The word rule takes classes for their names: ``kite`` takes the hawk, ``sunglass`` leaves out the
class *sunglasses*. The rule ``classes`` takes what a person has chosen for each category instead,
and ``restricted`` asks for the best of the run's categories, by these same classes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from synthsight.labels.spaces import LabelSpace, wordnet_names

#: The word rules: which of a class's names the category is looked for in.
_WORD_RULES = {"words/simple": "simple", "words/lemmas": "lemmas"}

#: All matching rules.
RULES = (*_WORD_RULES, "classes", "restricted")

_SYNSET = re.compile(r"n\d{8}")

_APOSTROPHES = str.maketrans("", "", "'\u2019")
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=100_000)
def words(name: str) -> tuple[str, ...]:
    """The words of a category or a class name, folded to one case.

    Everything that is no letter or digit separates words (blank, underscore, hyphen), except that
    an apostrophe is dropped: ``carpenter's kit`` has the words of ``carpenters_kit``.
    """
    folded = unicodedata.normalize("NFKC", name).casefold().translate(_APOSTROPHES)
    return tuple(_WORD.findall(folded))


def contains(name: str, wanted: tuple[str, ...]) -> bool:
    """Whether ``wanted`` occurs in the words of ``name``, one behind the other."""
    found = words(name)
    length = len(wanted)
    return any(found[i : i + length] == wanted for i in range(len(found) - length + 1))


@dataclass(frozen=True)
class Target:
    """A category as something to be recognised.

    Attributes:
        name: two or more words must occur in this order within one name.
        also: further names that the word rules accept, as ``hare`` for ``rabbit``.
        classes: what a person accepts: synsets (``n02504013``) or names of classes; None if nobody
            has chosen, an empty tuple if no class shows the thing.
    """

    name: str
    also: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None


def accepted_classes(target: Target, labels: LabelSpace, rule: str) -> npt.NDArray[np.bool_]:
    """The classes that count as a hit for a category.

    Args:
        target: the category.
        labels: the model's classes.
        rule: one of :data:`RULES`. Under ``classes`` and ``restricted`` a category for which nobody
            has chosen takes what ``words/lemmas`` takes.

    Returns:
        bool (classes,).
    """
    if rule not in _WORD_RULES and target.classes is not None:
        return _chosen(target.classes, labels)
    wanted = [words(name) for name in (target.name, *target.also)]
    return np.array(
        [
            any(contains(name, each) for name in names for each in wanted if each)
            for names in labels.names(_WORD_RULES.get(rule, "lemmas"))
        ],
        dtype=np.bool_,
    )


def _chosen(classes: tuple[str, ...], labels: LabelSpace) -> npt.NDArray[np.bool_]:
    """The classes of a label space that are among the chosen ones.

    Where the space has synsets, a synset means that class. In a label file it means a class with
    one of the synset's names, and a name a class of that name, word for word.
    """
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

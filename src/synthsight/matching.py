"""What counts as a hit: the paper's word rule.

"First all words in the predicted labels are extracted, and then the prediction is counted as a hit
if the ground-truth is in this set. In case of ground-truth having two words, then it should happen
[...] exactly as it is" (Borji 2022, section 2). Case does not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from synthsight.labels import LabelSpace

#: The matching rules, by name: which of a class's names the category is looked for in.
RULES = {"words/simple": "simple", "words/lemmas": "lemmas"}

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


def accepted_classes(
    category: str, also: Iterable[str], labels: LabelSpace, rule: str
) -> npt.NDArray[np.bool_]:
    """The classes that count as a hit for a category.

    Args:
        category: its name; two or more words must occur in this order within one name.
        also: further names that are accepted, as ``hare`` for ``rabbit``.
        labels: the model's classes.
        rule: a key of :data:`RULES`.

    Returns:
        bool (classes,).
    """
    wanted = [words(name) for name in (category, *also)]
    return np.array(
        [
            any(contains(name, target) for name in names for target in wanted if target)
            for names in labels.names(RULES[rule])
        ],
        dtype=np.bool_,
    )

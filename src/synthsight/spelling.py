"""When names that are written differently are one name to people."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

#: What separates words besides blanks: marks of connection, dashes, and points of all heights.
_SEPARATORS = re.compile(r"[\s_\-.\u00b7\u2022\u2027\u2219\u22c5\u3002\u30fb]+")

#: Unicode's categories of what is drawn like a hyphen, like an underscore, and not at all.
_DRAWN = {"Pd": "-", "Pc": "_", "Cf": ""}

#: Not drawn either: letters that only fill a place, joiners, and variation selectors.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")


@lru_cache(maxsize=65536)
def name_key(name: str) -> str:
    """What names that people would take for one have in common; of signs alone, themselves.

    For names of generators, of folders of images and in files of questions alike. Case, the form of
    letters in Unicode, invisible characters, what separates words, whether anything does, and the
    mark at the end are no difference: ``DALL-E 2``, ``dall_e_2.`` and ``DALLE2`` are one. Between
    digits it counts that something separates, but not what: ``v1-4`` is ``v1.4``, and not ``v14``.
    """
    folded = _seen(name).casefold()
    if not folded.isascii():
        folded = _seen(folded)
    spaced = _SEPARATORS.sub(" ", folded).rstrip("?! ").lstrip(" ")
    return re.sub(r"(?<!\d) | (?!\d)", "", spaced) or name


def spelt(names: Sequence[str]) -> list[str]:
    """Names in quotes; with escapes where they look the same, as composed letters do."""
    same = len(set(map(_seen, names))) < len(names)
    return [ascii(name) if same else repr(name) for name in names]


def _seen(name: str) -> str:
    """A name as the eye has it, in one form of Unicode."""
    if name.isascii():
        return name
    composed = unicodedata.normalize("NFKC", _UNSEEN.sub("", name)).replace("\u2212", "-")
    return "".join(_DRAWN.get(unicodedata.category(each), each) for each in composed)

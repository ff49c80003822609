"""From what is said to an answer: whether a text says yes or no."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

#: A letter or digit, perhaps behind what joins it to the word before: ``no-one``, ``no's``.
_MORE = r"[-\u2010\u2011'\u2019]?[^\W_]"

#: Yes or no as a word of its own. An accent that cannot be composed makes it another one.
_WORD = re.compile(
    rf"(?<![^\W_])(?<![^\W_][-\u2010\u2011'\u2019])(yes|no)(?!{_MORE}|[\u0300-\u036f])",
    re.IGNORECASE,
)


def yes_or_no(text: str) -> Literal["yes", "no"] | None:
    """What a text says, if exactly one of the words yes and no stands in it.

    Case does not matter, nor do punctuation, marks of emphasis and how often the word is said:
    ``No.`` and ``**No**, no dog.`` say no. Parts of words are none (``none``, ``not``,
    ``know``, ``no-one``). Nothing is made of what a sentence means: ``There is a dog`` says
    neither, and ``Yes and no`` neither.

    Args:
        text: what was said, of any length.

    Returns:
        ``yes`` or ``no``; None if neither or both of the words stand there.
    """
    said = {word.lower() for word in _WORD.findall(unicodedata.normalize("NFKC", text))}
    if said == {"yes"}:
        return "yes"
    return "no" if said == {"no"} else None

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

#: What says that there is no answer, in which the word no is none either.
_NO_ANSWER = re.compile(
    r"""\b no \s+ (?:
        (?:idea|clue|opinion|comment|answer|response|reply) s? \b
      | (?:way|means) \s+ (?:to|of) \s+ (?:tell|know|say|see|determin)
      | (?:image|picture|photo|photograph|attachment) s? \s+
        (?:(?:is|was|are|were|has \s+ been|have \s+ been) \s+)?
        (?:attached|provided|given|uploaded|supplied|included|available|shared|received) \b
    )""",
    re.IGNORECASE | re.VERBOSE,
)

#: What a text begins with: perhaps words that announce an answer, and the first one after these.
_FIRST = re.compile(
    r"[\W_]* (?:(?:the [\W_]+)? answer [\W_]+ (?:is [\W_]+)?)? ([^\W_]+)",
    re.IGNORECASE | re.VERBOSE,
)


def yes_or_no(text: str) -> Literal["yes", "no"] | None:
    """What a text says, if exactly one of the words yes and no stands in it.

    Case does not matter, nor do punctuation, marks of emphasis and how often the word is said:
    ``No.`` and ``**No**, no dog.`` say no. Parts of words are none (``none``, ``not``,
    ``know``, ``no-one``), nor is one in what says that there is no answer (``no idea``, ``no
    answer``, ``no way to tell``, ``no image was provided``). Nothing else is made of what a
    sentence means: ``There is a dog`` says neither, and ``Yes and no`` neither.

    Args:
        text: what was said, of any length.

    Returns:
        ``yes`` or ``no``; None if neither or both of the words stand there.
    """
    plain = _NO_ANSWER.sub("-", _plain(text))
    said = {word.lower() for word in _WORD.findall(plain)}
    if said == {"yes"}:
        return "yes"
    return "no" if said == {"no"} else None


def begins_so(text: str) -> bool:
    """Whether yes or no is the first word of a text, perhaps behind ``Answer:``.

    A text in which the word stands further on may say something else: ``It is hard to see, no?``.

    Args:
        text: what was said, of any length.
    """
    first = _FIRST.match(_plain(text))
    return first is not None and first[1].lower() in ("yes", "no")


def _plain(text: str) -> str:
    """A text in plain letters; the sign for a number, whose plain letters are No, is left out."""
    return unicodedata.normalize("NFKC", text.replace("\u2116", "-"))

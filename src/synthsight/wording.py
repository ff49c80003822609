"""Pieces of messages that several parts of synthsight share."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> str:
    """A question to append to a message about an unknown name; empty if no known one is close.

    Args:
        name: what was found.
        known: the valid names.
        most: at most how many names to offer.
        cutoff: how similar they must be, from 0 to 1 (see :func:`difflib.get_close_matches`).
    """
    close = difflib.get_close_matches(name, list(known), n=most, cutoff=cutoff)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


def one_line(text: object, most: int | None = None) -> str:
    """A text on one line, runs of spaces collapsed, cut after ``most`` characters."""
    line = " ".join(str(text).split())
    return line if most is None or len(line) <= most else f"{line[:most]}..."


def printable(text: object) -> str:
    r"""A text as it may be shown on a terminal.

    Control characters other than line breaks, of which terminals make commands, and those that turn
    the direction of writing are escaped, as in ``\\x1b``. They come with names in archives and with
    servers' answers.
    """
    return "".join(repr(each)[1:-1] if _commands(each) else each for each in str(text))


def _commands(character: str) -> bool:
    """Whether a terminal obeys a character instead of showing it."""
    turns = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    control = unicodedata.category(character) in ("Cc", "Cs") and character != "\n"
    return control or character in turns

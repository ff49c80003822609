"""Pieces of messages that several parts of synthsight share."""

from __future__ import annotations

import difflib
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

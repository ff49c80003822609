"""Formatting text for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from synthsight.wording import printable

#: Maximum line width; names and paths that are longer are not broken.
WIDTH = 79


def paragraph(text: str, label: str = "", margin: str | None = None) -> list[str]:
    """Wrap a text: the first line after a label, the others after a margin of the same width.

    Lines after the first line break, which draw something, are kept as they are.
    """
    margin = " " * len(label) if margin is None else margin
    words, *drawn = printable(text).split("\n")
    wrapped = textwrap.wrap(
        words,
        WIDTH,
        initial_indent=label,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapped + [f"{margin}{line}" for line in drawn]


def count(number: int, noun: str) -> str:
    """A number with its noun, such as ``1 image`` or ``1,862 images``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], most: int = 20) -> str:
    """The first of some names, separated by commas, and how many more there are."""
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

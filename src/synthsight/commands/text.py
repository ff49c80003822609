"""Text for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

#: Columns of what is printed; names and paths that are longer stay whole.
WIDTH = 79


def paragraph(text: str, label: str = "", margin: str | None = None) -> list[str]:
    """A text in lines: the first behind a label, the others behind a margin, by default as wide."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=label,
        subsequent_indent=" " * len(label) if margin is None else margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


def count(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names one behind the other, and how many more there are."""
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

"""Text in figures: safe to draw, measured, and made to fit."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import takewhile

from matplotlib import rc_context
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from synthsight.figures.fonts import drawable, families
from synthsight.figures.look import look

SMALL, NORMAL, LARGE = 6.0, 6.5, 8.0
"""Font sizes in points: the smallest text, labels, and the heading."""

_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})  # categories of characters
_MEASURED = 200  # pixels per inch at which text is measured, whatever it is drawn with


def plain(text: object) -> str:
    r"""Make a name from the data safe to draw on one line.

    Line breaks and other invisible characters become spaces. A character that the font lacks is
    escaped (``\u86cb``): with empty boxes, all such names would look the same. A name without
    visible characters becomes ``(blank)``.
    """
    characters, known = [], drawable(families())
    for character in str(text):
        if unicodedata.category(character) in _INVISIBLE:
            characters.append(" ")
        elif ord(character) in known:
            characters.append(character)
        else:
            code = ord(character)
            characters.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return " ".join("".join(characters).split()) or "(blank)"


def escapes(text: str) -> bool:
    """Whether :func:`plain` escapes a character of a name."""
    known = drawable(families())
    return any(
        ord(each) not in known and unicodedata.category(each) not in _INVISIBLE for each in text
    )


def text_width(text: str, size: float = NORMAL, bold: bool = False) -> float:
    """Printed width of a line of text in inches."""
    return _text_width(text, size, bold, families(), look().hinting)


@lru_cache(maxsize=65536)
def _text_width(text: str, size: float, bold: bool, names: tuple[str, ...], hinting: str) -> float:
    font = FontProperties(family=list(names), size=size, weight="bold" if bold else "normal")
    with rc_context({"text.hinting": hinting}):
        width, _, _ = _renderer().get_text_width_height_descent(  # type: ignore[no-untyped-call]
            text, font, ismath=False
        )
    return float(width) / _MEASURED


@lru_cache(maxsize=1)
def _renderer() -> RendererAgg:
    return RendererAgg(1, 1, _MEASURED)  # type: ignore[no-untyped-call]


def elide(
    text: str, width: float, size: float = NORMAL, bold: bool = False, head: float = 0.5
) -> str:
    """Shorten ``text`` to ``width`` inches with an ellipsis.

    Args:
        text: One line, see :func:`plain`.
        width: Room in inches.
        size: Font size in points.
        bold: Whether the text is drawn bold.
        head: Share of the kept characters that come from the beginning; the rest comes from the
            end, where names of models and files often differ.
    """
    if text_width(text, size, bold) <= width:
        return text

    def shortened(kept: int) -> str:
        front = math.ceil(kept * head)
        back = kept - front
        return text[:front].rstrip() + "…" + (text[len(text) - back :].lstrip() if back else "")

    low, high = 0, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(shortened(middle), size, bold) <= width:
            low = middle
        else:
            high = middle - 1
    return shortened(low)


def elide_all(texts: Sequence[str], width: float, size: float = NORMAL) -> list[str]:
    """Shorten names so that different names stay different where possible."""
    shortest: list[str] = []
    for head in (0.5, 0.25, 0.75, 0.1, 0.9):
        shortened = [elide(text, width, size, head=head) for text in texts]
        if len(set(shortened)) == len(set(texts)):
            return shortened
        shortest = shortest or shortened
    shortened = _without_what_they_share(texts, width, size)
    return shortened if len(set(shortened)) > len(set(shortest)) else shortest


def _without_what_they_share(texts: Sequence[str], width: float, size: float) -> list[str]:
    """Names of which the long ones are shortened from where all of these begin and end alike."""
    long = {text for text in texts if text_width(text, size) > width}
    start = _alike(long)
    end = _alike({text[::-1] for text in long})

    def part(text: str, kept: int) -> str:
        first, last = max(0, start - kept), len(text) - max(0, end - kept)
        return "…" * (first > 0) + text[first : max(last, first + 1)] + "…" * (last < len(text))

    # As much of what they share as all of them have room for.
    for kept in range(16, 0, -1):
        if all(text_width(part(text, kept), size) <= width for text in long):
            break
    return [elide(part(text, kept), width, size) if text in long else text for text in texts]


def _alike(texts: Collection[str]) -> int:
    """How many characters all of these texts begin with."""
    return sum(1 for _ in takewhile(lambda each: len(set(each)) == 1, zip(*texts, strict=False)))


def wrap(
    text: str, width: float, size: float = NORMAL, bold: bool = False, lines: int = 2
) -> list[str]:
    """Break ``text`` into at most ``lines`` lines of ``width`` inches; the rest is elided.

    Lines break after a space or one of ``_ - / . ,``, and within a word only if it is too long.
    """
    broken: list[str] = []
    current = ""
    for token in re.split(r"(?<=[ _\-/.,])", text):
        if current and text_width((current + token).rstrip(), size, bold) > width:
            broken.append(current)
            current = ""
        current += token
        while text_width(current.rstrip(), size, bold) > width and len(current) > 1:
            cut = len(current) - 1
            while cut > 1 and text_width(current[:cut], size, bold) > width:
                cut -= 1
            broken.append(current[:cut])
            current = current[cut:]
    broken.append(current)
    if len(broken) > lines:
        broken[lines - 1 :] = [elide("".join(broken[lines - 1 :]), width, size, bold, head=1.0)]
    return [line.strip() for line in broken]


def label_column(
    texts: Sequence[object], limit: float, size: float = NORMAL
) -> tuple[list[str], float]:
    """Prepare the labels of a figure's rows.

    Returns:
        The labels, plain and at most ``limit`` inches wide, or a third of a narrow figure, and the
        width of the widest.
    """
    limit = min(limit, 0.32 * look().width)
    labels = elide_all([plain(text) for text in texts], limit, size)
    return labels, max((text_width(label, size) for label in labels), default=0.0)


def percent(level: float) -> str:
    """A confidence level as ``95%`` or ``99.5%``."""
    return f"{100 * level:g}%"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 image``, ``1,862 images``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"

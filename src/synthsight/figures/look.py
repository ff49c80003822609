"""What a run decides of how its figures look: their width, whether they have titles, their fonts.

No number depends on these, so a figure's function does not get them among its arguments: its
program sets them for as long as it draws, and :mod:`synthsight.figures.style` asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

NARROW = 5.0
"""Figures of fewer inches than this have their panels one below the other."""


@dataclass(frozen=True)
class Look:
    """How figures look.

    Attributes:
        width: in inches; by default the text width of a journal page.
        title: whether title and subtitle are drawn. Otherwise they are in the files' metadata.
        dpi: pixels per inch of a PNG, and of pictures inside a PDF or SVG.
        fonts: families and font files that are tried before matplotlib's own.
    """

    width: float = 7.2
    title: bool = True
    dpi: int = 200
    fonts: tuple[str, ...] = ()

    @property
    def hinting(self) -> str:
        """How glyphs are fitted to pixels: not at all at an unusual resolution.

        There text would get wider or narrower by up to a tenth, and not fit where it was put.
        """
        return "default" if self.dpi == Look.dpi else "none"

    @property
    def narrow(self) -> bool:
        """Whether there is no room for panels side by side."""
        return self.width < NARROW


def look_of(stated: Mapping[str, Any]) -> Look:
    """The look that a spec states: what it leaves out is as usual."""
    known = {name: value for name, value in stated.items() if name != "contents"}
    return Look(**{**known, "fonts": tuple(stated.get("fonts", ()))})


_USUAL = Look()
_look: ContextVar[Look] = ContextVar("look", default=_USUAL)


def look() -> Look:
    """How figures that are drawn now look."""
    return _look.get()


@contextmanager
def looking(wanted: Look) -> Iterator[None]:
    """Draw and save figures that look as wanted."""
    token = _look.set(wanted)
    try:
        yield
    finally:
        _look.reset(token)

"""The fonts of figures: those that a run names, then the one that matplotlib ships."""

from __future__ import annotations

import logging
import os
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties

from synthsight.errors import SynthsightError
from synthsight.figures.look import look

FAMILY = "DejaVu Sans"
"""matplotlib ships this family, so a figure has the same bytes on every machine."""
ENDINGS = (".ttf", ".otf", ".ttc", ".otc")
"""Endings of font files; another name is that of a family."""

# A family without a bold face is drawn in the one that it has, which nobody has to be told.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


class FontError(SynthsightError):
    """A font that the configuration names is not there, or cannot be read."""


def families() -> tuple[str, ...]:
    """The families that text is drawn in: of each character the first that has it.

    Raises:
        FontError: one that the run names is not to be had.
    """
    return families_of(look().fonts)


@lru_cache(maxsize=8)
def families_of(fonts: tuple[str, ...]) -> tuple[str, ...]:
    """The families that are named, or whose files are, and :data:`FAMILY`.

    Args:
        fonts: names of families, or font files (:data:`ENDINGS`).

    Raises:
        FontError: as above.
    """
    found = [_of_file(f) if f.lower().endswith(ENDINGS) else _known(f) for f in fonts]
    return tuple(dict.fromkeys([*found, FAMILY]))


def _of_file(path: str) -> str:
    """The family of a font file, which matplotlib knows from now on."""
    manager = font_manager.fontManager
    before = len(manager.ttflist)
    try:
        manager.addfont(path)
    except (OSError, RuntimeError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "no font"
        raise FontError(
            f"figures.fonts: {path} cannot be read as a font ({why}); give a TrueType or OpenType "
            "file"
        ) from None
    return str(manager.ttflist[before].name)


def _known(family: str) -> str:
    """A family, if this machine has it."""
    try:
        font_manager.findfont(FontProperties(family=family), fallback_to_default=False)
    except ValueError:
        raise FontError(
            f"figures.fonts: this machine has no font family {family!r}; `fc-list : family` lists "
            "those that it has, and a font file can be named by its path"
        ) from None
    return family


@lru_cache(maxsize=8)
def drawable(names: tuple[str, ...]) -> frozenset[int]:
    """Code points that a list of families has in both normal and bold weight."""
    weights = []
    for weight in ("normal", "bold"):
        files = [font_manager.findfont(FontProperties(family=n, weight=weight)) for n in names]
        weights.append(frozenset(c for f in files for c in font_manager.get_font(f).get_charmap()))
    return weights[0] & weights[1]

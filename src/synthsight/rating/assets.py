"""The ingredients of the pages that people rate images on: template, style, program.

They count for the digest of what imports this module, as its own code does: see
:mod:`synthsight.plan.digest`.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.pages import assets as pages

_FOLDER = Path(__file__).parent

TEMPLATES = _FOLDER / "templates"

#: The modules of the pages' program, in the order in which they run.
PROGRAM = ("order", "progress", "choices", "session", "screens")


def style() -> str:
    """The style sheet."""
    return pages.style() + pages.read(_FOLDER / "style.css")


def program() -> str:
    """The pages' own program: its modules as one script."""
    own = (_FOLDER / "program" / f"{name}.js" for name in PROGRAM)
    return pages.one_script([pages.BASICS, *own])

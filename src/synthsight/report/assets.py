"""The page's ingredients apart from data: template, style, program, libraries.

They count for the digest of what imports this module, as its own code does: see
:mod:`synthsight.plan.digest`.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.pages import assets as pages

_FOLDER = Path(__file__).parent

TEMPLATES = _FOLDER / "templates"

#: Where the modules of the page's own program are.
PROGRAMS = _FOLDER / "program"

#: Libraries, in the order in which they must be loaded.
LIBRARIES = ("d3", "plot", "datatables")

#: The modules of the page's own program, in the order in which they run.
PROGRAM = (
    *("helpers", "state", "showing", "leads", "attributes", "head", "places", "choosing"),
    *("images", "beside", "mistakes", "large", "marking", "questions", "formats", "tables"),
    *("plots", "accuracies", "agreeing", "robustness", "confidence", "answers", "learning"),
    *("saving", "charts", "people", "looks", "map", "begin"),
)


def library(name: str) -> str:
    """The program text of one of :data:`LIBRARIES`."""
    return pages.read(_FOLDER / "vendor" / f"{name}.min.js")


def style() -> str:
    """The style sheet."""
    return pages.style() + pages.read(_FOLDER / "style.css")


def program() -> str:
    """The page's own program: its modules as one script."""
    own = (PROGRAMS / f"{name}.js" for name in PROGRAM)
    return pages.one_script([pages.BASICS, *own])

"""The ingredients of the page that compares two runs: the report's, and a template and style.

They count for the digest of what imports this module, as its own code does: see
:mod:`synthsight.plan.digest`. No program of the workflow does.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.pages import assets as pages
from synthsight.report import assets as report

_FOLDER = Path(__file__).parent

TEMPLATES = _FOLDER / "templates"

#: The report's library that the page needs, and the modules of the report's program.
LIBRARY = "datatables"
PROGRAM = ("helpers", "formats", "tables")


def library() -> str:
    """The program text of the library."""
    return report.library(LIBRARY)


def style() -> str:
    """The style sheet: the report's, and what only this page has."""
    return report.style() + pages.read(_FOLDER / "style.css")


def program() -> str:
    """The page's program: what makes tables of the report's."""
    own = (report.PROGRAMS / f"{name}.js" for name in PROGRAM)
    return pages.one_script([pages.BASICS, *own])

"""The page's ingredients apart from data: template, style, program, libraries.

They count for the digest of what imports this module, as its own code does: see
:mod:`synthsight.plan.digest`.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

_FOLDER = Path(__file__).parent

TEMPLATES = _FOLDER / "templates"

#: Libraries, in the order in which they must be loaded.
LIBRARIES = ("d3", "plot", "datatables")

#: The modules of the page's own program, in the order in which they run.
PROGRAM = (
    *("helpers", "state", "choosing", "images", "large", "questions", "tables"),
    *("plots", "robustness", "charts", "people", "begin"),
)

_HEAD = """\
"use strict";
// The page's program. Text from the data is only ever set as text, never as markup.
(() => {
"""
_TAIL = "})();\n"

_IMPORT = re.compile(r"^import .*\n+", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def library(name: str) -> str:
    """The program text of one of :data:`LIBRARIES`."""
    return _read(f"vendor/{name}.min.js")


def style() -> str:
    """The style sheet."""
    return _read("style.css")


def program() -> str:
    """The page's own program: its modules as one script.

    A page opened from disk cannot load modules, so they are concatenated into one function, without
    their imports and exports. This requires that an import is one line, that ``export`` precedes a
    declaration, and that no two modules declare the same name.
    """
    parts = [
        _EXPORT.sub("", _IMPORT.sub("", _read(f"program/{name}.js"))).lstrip("\n")
        for name in PROGRAM
    ]
    return _HEAD + textwrap.indent("\n".join(parts), "  ") + _TAIL


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")

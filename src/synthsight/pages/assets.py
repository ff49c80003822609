"""What all pages are made of: the common style and program, and how modules become one script.

They count for the digest of what imports this module, as its own code does: see
:mod:`synthsight.plan.digest`.
"""

from __future__ import annotations

import base64
import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import jinja2

from synthsight.pages.embed import script_json

_FOLDER = Path(__file__).parent

#: The module that the programs of all pages begin with.
BASICS = _FOLDER / "program" / "basics.js"

_HEAD = """\
"use strict";
// The page's program. Text from the data is only ever set as text, never as markup.
(() => {
"""
_TAIL = "})();\n"

_IMPORT = re.compile(r"^(?:import|export \{.*\} from) .*\n+", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def style() -> str:
    """The style sheet that comes before a page's own."""
    return read(_FOLDER / "style.css")


def one_script(modules: Iterable[Path]) -> str:
    """Modules as one script.

    A page opened from disk cannot load modules, so they are concatenated into one function, without
    their imports and exports. This requires that an import is one line, that ``export`` precedes a
    declaration or names what is passed on from another module in one line, and that no two modules
    declare the same name.

    Args:
        modules: their files, in the order in which they run.
    """
    parts = [_EXPORT.sub("", _IMPORT.sub("", read(path))).lstrip("\n") for path in modules]
    return _HEAD + textwrap.indent("\n".join(parts), "  ") + _TAIL


def read(path: Path) -> str:
    """The text of a file that belongs to a page."""
    return path.read_text(encoding="utf-8")


def templates(folder: Path) -> jinja2.Environment:
    """Templates that escape whatever they are given, and refuse what they are not given.

    Args:
        folder: where they are.
    """
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def chunks(pictures: Sequence[bytes], size: int) -> list[str]:
    """Pictures as JSON, ``size`` to a script element: a page parses what it needs of them."""
    encoded = [base64.b64encode(picture).decode() for picture in pictures]
    return [script_json(encoded[i : i + size]) for i in range(0, len(encoded), size)]

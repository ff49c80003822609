"""What the page is made of besides data: template, style, program, libraries."""

from __future__ import annotations

import hashlib
from pathlib import Path

_FOLDER = Path(__file__).parent

TEMPLATES = _FOLDER / "templates"

#: Libraries, in the order in which they must be loaded.
LIBRARIES = ("d3", "plot", "datatables")


def library(name: str) -> str:
    """The program text of one of :data:`LIBRARIES`."""
    return _read(f"vendor/{name}.min.js")


def style() -> str:
    """The style sheet."""
    return _read("style.css")


def program() -> str:
    """Our own program of the page."""
    return _read("report.js")


def assets_digest() -> str:
    """A digest of all these files: an edit of one makes the page again, and nothing else."""
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.rglob("*")):
        if path.suffix in (".j2", ".css", ".js"):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(_FOLDER).as_posix()} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()[:16]


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")

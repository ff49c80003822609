"""Digests of the code that a program reaches; with the settings, they decide what reruns."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from synthsight.canonical import canonical_json
from synthsight.files import keep, read_kept

_PACKAGE = "synthsight"
_SOURCE = Path(__file__).parents[1]
#: What is kept: parsed sources by their sha256.
_SOURCES = "code.json"
_PYTHON = sys.version.split()[0]

#: A module of this name hands out what lies in and below its folder and is no program of Python's.
ASSETS = "assets.py"

#: What such a file may be: templates, style sheets and programs of pages.
ENDINGS = (".j2", ".css", ".js")


def code_digest(program: Path, doors: Iterable[str] = ()) -> str:
    """A digest of a program and of every module of this package that it reaches by import.

    Imports are followed wherever they occur, including in functions. Comments, blank lines,
    formatting and docstrings, which do not change what runs, do not change the digest. Files that a
    module called :data:`ASSETS` hands out count with it, byte by byte.

    Args:
        program: its file.
        doors: modules that it imports by name, through a :class:`synthsight.doors.Registry`.
    """
    digest = hashlib.sha256()
    digest.update(_read(program).text.encode())
    reached = _reached(program, *_files(doors))
    for name, path in sorted((str(path.relative_to(_SOURCE)), path) for path in reached):
        digest.update(f"\n{name}\n{_read(path).text}".encode())
        if path.name == ASSETS:
            digest.update(_assets_digest(path.parent))
    return digest.hexdigest()[:16]


def recall_sources(kept: Path) -> None:
    """Take over what :func:`code_digests` kept in a folder, before any digest is asked for.

    Parsing sources is a good part of the workflow's start-up time.
    """
    known = read_kept(kept / _SOURCES, _is_cache)
    if known is not None and known["python"] == _PYTHON:
        _PARSED.update(known["parsed"])
        _KNOWN.update(known["parsed"])


def code_digests(programs: Iterable[Path], kept: Path, doors: Iterable[str] = ()) -> dict[str, str]:
    """The digests of programs, by file name without extension.

    Args:
        programs: their files.
        kept: folder for what :func:`recall_sources` reads at the next start. It is written if
            anything is new.
        doors: modules that :func:`code_digest` will be asked for, to cache their parsed sources as
            well.
    """
    digests = {program.stem: code_digest(program) for program in programs}
    _reached(*_files(doors))
    used = {source: _PARSED[source] for source in sorted(_USED)}
    if _KNOWN.keys() != used.keys():
        keep(kept / _SOURCES, canonical_json({"python": _PYTHON, "parsed": used}))
    return digests


def _is_cache(kept: Any) -> bool:
    """Whether a cache maps each sha256 to what :func:`_parse` gives."""
    try:
        return isinstance(kept["python"], str) and all(
            isinstance(text, str)
            and len(text) == 64
            and all(isinstance(name, str) for name in names)
            for text, names in kept["parsed"].values()
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


#: Parsed sources by their sha256: the sha256 of the normal form, and the names imported.
_PARSED: dict[str, list[Any]] = {}

#: Those of them that were kept.
_KNOWN: dict[str, list[Any]] = {}

#: The sha256 of each source that was read.
_USED: set[str] = set()


def _reached(*paths: Path) -> set[Path]:
    """The modules that some files import, directly or not, including those files themselves."""
    reached = {path for path in paths if path.is_relative_to(_SOURCE)}
    todo = list(paths)
    while todo:
        for module in _read(todo.pop()).imports - reached:
            reached.add(module)
            todo.append(module)
    return reached


class _Source(NamedTuple):
    """The relevant parts of a file: the sha256 of its normal form; its imports."""

    text: str
    imports: frozenset[Path]


@cache
def _read(path: Path) -> _Source:
    """Read a file, once for all programs: every start of the workflow waits for this."""
    content = path.read_bytes()
    source = hashlib.sha256(content).hexdigest()
    if source not in _PARSED:
        _PARSED[source] = _parse(content, path)
    _USED.add(source)
    text, names = _PARSED[source]
    return _Source(text, _files(names))


@cache
def _assets_digest(folder: Path) -> bytes:
    """A digest of the names and the contents of files that no import leads to."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in ENDINGS:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
            digest.update(content)
    return digest.digest()


def _parse(content: bytes, path: Path) -> list[Any]:
    """The sha256 of a source as unparsed by Python, without docstrings, and the names imported."""
    tree = ast.parse(content, str(path))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.update(_imported_names(node))
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return [hashlib.sha256(ast.unparse(tree).encode()).hexdigest(), sorted(names)]


def _files(names: Iterable[str]) -> frozenset[Path]:
    """The files of this package's modules that imported names refer to."""
    files: set[Path] = set()
    for name in names:
        parts = name.split(".")
        # `from synthsight.figures import style` may import a module or something in it, and
        # importing a module runs its parent packages.
        for length in range(1, len(parts) + 1):
            base = _SOURCE.joinpath(*parts[1:length])
            for candidate in (base.with_suffix(".py"), base / "__init__.py"):
                if candidate.is_file():
                    files.add(candidate)
    return frozenset(files)


def _imported_names(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if _is_ours(alias.name))
    elif node.module and _is_ours(node.module):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == _PACKAGE

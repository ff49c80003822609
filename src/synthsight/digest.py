"""Digests that decide what runs again: of settings, and of the code that a program reaches."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = "synthsight"
_SOURCE = Path(__file__).parent


def canonical_json(value: Any) -> str:
    """JSON that is the same for equal values: keys sorted, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def code_digest(program: Path) -> str:
    """A digest of a program and of every module of this package that it reaches by import.

    Imports are followed wherever they stand, in functions too. What does not change what runs does
    not change the digest: comments, blank lines, formatting, docstrings.
    """
    digest = hashlib.sha256()
    digest.update(_normalised(program).encode())
    for name, path in sorted((str(path.relative_to(_SOURCE)), path) for path in _reached(program)):
        digest.update(f"\n{name}\n{_normalised(path)}".encode())
    return digest.hexdigest()[:16]


def _reached(path: Path) -> set[Path]:
    reached: set[Path] = set()
    todo = [path]
    while todo:
        for module in _imports(todo.pop()) - reached:
            reached.add(module)
            todo.append(module)
    return reached


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def _imports(path: Path) -> frozenset[Path]:
    """The files of this package's modules that a file imports."""
    files: set[Path] = set()
    for name in _imported_names(_parse(path)):
        parts = name.split(".")
        # `from synthsight.figures import style` may name a module or something in it, and
        # importing a module runs the packages above it.
        for length in range(1, len(parts) + 1):
            base = _SOURCE.joinpath(*parts[1:length])
            for candidate in (base.with_suffix(".py"), base / "__init__.py"):
                if candidate.is_file():
                    files.add(candidate)
    return frozenset(files)


def _imported_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and _is_ours(node.module):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == _PACKAGE


@cache
def _normalised(path: Path) -> str:
    """The source as Python prints it, without docstrings."""
    tree = _parse(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)

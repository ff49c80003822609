"""How the package is laid out: what its packages hold, and what a module may import, and how."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthsight.plan.digest import ASSETS, ENDINGS
from tests.support import REPOSITORY

SOURCE = REPOSITORY / "src" / "synthsight"
PROGRAMS = REPOSITORY / "workflow" / "scripts"

#: Rooms in which networks are run, and what must be importable without one even there: what is
#: read after the networks have run, and what the configuration reads before.
NETWORKS = ("synthsight.inference", "synthsight.classifiers", "synthsight.vqa")
WITHOUT = (
    "synthsight.classifiers.score",
    "synthsight.classifiers.judging",
    "synthsight.classifiers.registry",
    *(f"synthsight.inference.{name}" for name in ("folders", "hub", "repositories")),
    *(f"synthsight.vqa.{name}" for name in ("questions", "kinds", "score", "families.registry")),
    *(f"synthsight.vqa.{name}" for name in ("answers", "putting", "words", "endpoint.asking")),
    *(f"synthsight.vqa.{name}" for name in ("joining", "words", "elsewhere.importing")),
)

#: Those that import modules by name: the registries, and the worker, which is told its programs.
BY_NAME = ("doors.py", "worker/server.py")

#: This one loads a file of torchvision without what stands around it. That is none of ours.
FOREIGN = ("labels/spaces.py",)


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = sorted(module_of(path) for path in SOURCE.rglob("*.py") if path.name != "__main__.py")


def inside(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


# What the packages hold --------------------------------------------------------------------------


def test_the_init_files_of_packages_hold_a_docstring_and_nothing_else() -> None:
    """They run, and count for the digest of code, wherever a module below them is imported.

    A name that one of them re-exported would let an edit of one statistic run every program again.
    """
    found = [path for path in SOURCE.rglob("*") if path.is_dir() and any(path.glob("*.py"))]
    assert len(found) > 8
    for folder in found:
        tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), folder
        assert len(tree.body) == 1, f"{folder}: more than a docstring in __init__.py"


# How modules are imported ------------------------------------------------------------------------


def imports_of(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """The statements that import, each with the full names of what it imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def not_followed(path: Path) -> list[str]:
    """What a file does with imports that the digest of code cannot follow."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for node, name in imports_of(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            found.append(f"a relative import of {name}")
        package, _, rest = name.partition(".")
        # What is read of a distribution's metadata or data is no code.
        harmless = rest.partition(".")[0] in ("metadata", "resources")
        if package in ("importlib", "runpy", "pkgutil", "imp") and not harmless:
            found.append(name)
        if rest.split(".")[-1] == "*":
            found.append(f"all names of {package}")
    names = (getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(tree))
    return found + [name for name in names if name in ("__import__", "import_module", "exec")]


@pytest.mark.long
def test_no_module_is_imported_in_a_way_that_the_digest_of_code_does_not_follow() -> None:
    exceptions = {SOURCE / name for name in (*BY_NAME, *FOREIGN)}
    found = {
        str(path.relative_to(REPOSITORY)): not_followed(path)
        for path in [*SOURCE.rglob("*.py"), *PROGRAMS.glob("*.py")]
        if path not in exceptions
    }
    assert len(found) > 80
    assert {path: ways for path, ways in found.items() if ways} == {}
    assert all(not_followed(path) for path in exceptions), "an exception that is none any more"


@pytest.mark.parametrize(
    "statement",
    [
        "from . import spaces",
        "from .spaces import load_labels",
        "import importlib\nimportlib.import_module('synthsight.tables')",
        "from importlib import import_module",
        "import importlib.util as u",
        "__import__('synthsight.tables')",
        "def late():\n    import runpy",
        "from synthsight.tables import *",
        "exec('import synthsight.tables')",
    ],
)
def test_a_way_that_is_not_followed_is_noticed(statement: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(statement, encoding="utf-8")
    assert not_followed(tmp_path / "module.py")


# What modules import -----------------------------------------------------------------------------

#: Imports modules in turn, without the libraries of networks, and says which of them could not be,
#: and after which of them drawing had been imported.
IMPORT = """
import importlib, json, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "torchvision", "timm", "transformers", "safetensors.torch"):
            raise ImportError(f"it imports {name}")

sys.meta_path.insert(0, Refuse())
failed, drawing = {}, None
for module in sys.argv[1:]:
    try:
        importlib.import_module(module)
    except ImportError as error:
        failed[module] = str(error)
    if drawing is None and "matplotlib" in sys.modules:
        drawing = module
print(json.dumps([failed, drawing, "matplotlib.pyplot" in sys.modules]))
"""


@pytest.mark.long
def test_networks_are_imported_only_where_they_run() -> None:
    """Seconds for each start of a program, and gigabytes for who only looks at results.

    Drawing is left to the figures, and needs no window: pyplot would ask for one.
    """
    free = [module for module in MODULES if module in WITHOUT or not inside(module, NETWORKS)]
    assert {"synthsight.vqa.questions", "synthsight.plan.digest", "synthsight.doors"} < {*free}
    free.sort(key=lambda module: inside(module, ("synthsight.figures",)))
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, *free],
        env={"PYTHONPATH": str(SOURCE.parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    failed, drawing, pyplot = json.loads(done.stdout)
    assert failed == {}
    assert drawing is not None and inside(drawing, ("synthsight.figures",))
    assert not pyplot


def test_whatever_is_not_python_counts_for_a_digest_or_is_never_read() -> None:
    """Of a data file that no module :data:`ASSETS` hands out, a change would not be noticed."""
    silent = {"py.typed", "README.md", "SHA256SUMS"}
    found = [
        path
        for path in SOURCE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".LICENSE")
    ]
    assert len(found) > 10
    for path in found:
        handed_out = any((folder / ASSETS).is_file() for folder in path.parents)
        assert path.name in silent or (handed_out and path.suffix in ENDINGS), path

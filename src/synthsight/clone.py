"""Where synthsight runs: with which copy of the package, and in which locale."""

from __future__ import annotations

import os
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

from synthsight.errors import SynthsightError

#: The package that is imported.
PACKAGE = Path(__file__).resolve().parent


class OtherCopyError(SynthsightError):
    """The package that is imported belongs to another copy of the project."""


def package_of(clone: Path) -> Path:
    """Where a clone of the project keeps its package."""
    return (clone / "src" / "synthsight").resolve()


def is_clone(folder: Path) -> bool:
    """Whether a folder is a clone of the project, with a package of its own."""
    return (package_of(folder) / "__init__.py").is_file() and (folder / "Snakefile").is_file()


def require_own(clone: Path, what: str) -> None:
    """Refuse to go on with a package that is not that of ``clone``.

    An environment that was made in one folder imports the package of that folder, also for a copy
    of the project elsewhere: then an edit of the copy would change nothing, without a word.

    Args:
        clone: a folder of the project.
        what: what runs, for the message.

    Raises:
        OtherCopyError: the clone has no package, or another one was imported.
    """
    own = package_of(clone)
    if own == PACKAGE:
        return
    lacks = "" if own.is_dir() else f", which does not exist (was {clone} copied in part?)"
    raise OtherCopyError(
        f"{what} belongs to the package in {own}{lacks}, but Python imported the one in {PACKAGE}. "
        f"Run `make venv` in {clone} and use its .venv, or set PYTHONPATH={own.parent}"
    )


class LocaleError(SynthsightError):
    """Names of files would be read in another encoding than they are written in."""


def require_utf8() -> None:
    """Refuse a locale in which Python does not read the names of files as UTF-8.

    All names that are not plain ASCII would be others, and their images left out as unreadable.

    Raises:
        LocaleError: saying what to set.
    """
    encoding = sys.getfilesystemencoding()
    if encoding.lower().replace("-", "") != "utf8":
        raise LocaleError(
            f"in this locale names of files are read as {encoding}, so images with other letters "
            "than a to z would not be found: set PYTHONUTF8=1 (export PYTHONUTF8=1) and run again"
        )


def own_version() -> str:
    """The version of the package that runs.

    It stands in the clone's pyproject.toml. What is installed may have been installed from another
    copy, or before the version changed.
    """
    try:
        content = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text("utf-8"))
        if content["project"]["name"] == PACKAGE.name:
            return str(content["project"]["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not in a clone
    return version(PACKAGE.name)


def export(clone: Path) -> None:
    """Make all programs that this process starts import the clone's package.

    They import nothing from the folder that they run in, where a stray ``random.py`` or ``timm.py``
    would be taken for what it is called like.
    """
    earlier = os.environ.get("PYTHONPATH")
    places = [str(clone.resolve() / "src"), *([earlier] if earlier else [])]
    os.environ["PYTHONPATH"] = os.pathsep.join(places)
    os.environ["PYTHONSAFEPATH"] = "1"

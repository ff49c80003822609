"""Names given by users: whether they are valid in paths and tables, and unique."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence

from synthsight.bounds import Key
from synthsight.plan.config.messages import Problem

#: In a path of Snakemake's this is a variable: ``<temp>`` would become ``temp``, without a word.
_PATHVAR = re.compile(r"<[a-z][a-z0-9_]*>")


def bad_name(name: str, *, in_paths: bool = True) -> str | None:
    """Why a name cannot be used in tables and, unless it is a generator's, in paths; or None."""
    if not name.strip():
        return "is blank"
    if name == "*":
        return "is reserved: in the tables it stands for all"
    if "/" in name or name.startswith("."):
        return "cannot be used as a name: it contains a slash or starts with a dot"
    if re.search(r"[{}\x00-\x1f\x7f]", name) or not name.isprintable():
        return "cannot be used as a name: it contains braces or control characters"
    if in_paths and (found := _PATHVAR.search(name)):
        return f"cannot be used as a name: {found[0]!r} in it means a folder to Snakemake"
    if len(os.fsencode(name)) > 120:
        return "is too long for a name: the limit is 120 bytes"
    return None


def named_files(key: Key, named: str | Sequence[str] | None) -> Iterator[tuple[Key, str]]:
    """The files that a key names, one or several or none, each with its own key."""
    if isinstance(named, str):
        yield key, named
    else:
        for index, path in enumerate(named or ()):
            yield (*key, index), path


def bad_path(path: str | None) -> str | None:
    """Why a file cannot be an input of a rule, or None."""
    if path is None or (found := _PATHVAR.search(path)) is None:
        return None
    return f"{path!r}: {found[0]!r} in it means a folder to Snakemake. Rename it"


def check_model_name(
    name: str, earlier: Mapping[str, str], key: Key, problems: list[Problem]
) -> None:
    """Check that a model's name is valid and unique; ``earlier`` maps taken names to their keys."""
    if message := bad_name(name):
        problems.append(Problem(key, f"the name {name!r} {message}: give a `name`"))
    if name in earlier:
        message = (
            f"the name {name!r} is also that of {earlier[name]}: give one of them another `name`"
        )
        problems.append(Problem(key, message))

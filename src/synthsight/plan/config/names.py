"""Names that users give: fit for paths and tables, and not taken twice."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from synthsight.bounds import Key
from synthsight.plan.config.messages import Problem


def bad_name(name: str) -> str | None:
    """Why a name cannot stand in paths and tables, or None."""
    if not name.strip():
        return "is blank"
    if name == "*":
        return "is reserved: in the tables it stands for all"
    if "/" in name or name.startswith("."):
        return "cannot be used as a name: it has a slash in it or starts with a dot"
    if re.search(r"[{}\x00-\x1f\x7f]", name) or not name.isprintable():
        return "cannot be used as a name: it has braces or control characters in it"
    if len(os.fsencode(name)) > 120:
        return "is too long for a name: the limit is 120 bytes"
    return None


def check_model_name(
    name: str, earlier: Mapping[str, str], key: Key, problems: list[Problem]
) -> None:
    """A model's name must be fit for paths and its own; ``earlier`` says whose a taken one is."""
    if message := bad_name(name):
        problems.append(Problem(key, f"the name {name!r} {message}: give a `name`"))
    if name in earlier:
        message = (
            f"the name {name!r} is that of {earlier[name]} too: give one of them another `name`"
        )
        problems.append(Problem(key, message))

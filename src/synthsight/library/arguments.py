"""What notebooks pass as arguments: names, lists of names and paths, or a message that says so."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from synthsight.library.errors import ApiError
from synthsight.wording import one_line


def text(what: str, given: object) -> str:
    """An argument that is a name.

    Args:
        what: what messages call it.
        given: the argument.

    Raises:
        ApiError: it is no text, or an empty one.
    """
    if not isinstance(given, str) or not given:
        raise ApiError(f"{what} is one name, a text, not {shown(given)}")
    return given


def texts(what: str, given: object) -> list[str]:
    """An argument that is a list of names: any iterable of texts, but no text, path or mapping.

    It is gone through once, so that a generator counts, too.

    Args:
        what: what messages call it.
        given: the argument.

    Raises:
        ApiError: it is something else.
    """
    no_list = (str, bytes, os.PathLike, Mapping, pd.DataFrame)
    if isinstance(given, no_list) or not isinstance(given, Iterable):
        hint = f": write [{given!r}]" if isinstance(given, str) else ""
        raise ApiError(f"{what} is a list of names, not {shown(given)}{hint}")
    names: list[str] = []
    for each in given:
        if not isinstance(each, str):
            raise ApiError(f"{what} is a list of names, and {shown(each)} in it is none")
        names.append(str(each))
    return names


def path(what: str, given: Any) -> str:
    """An argument that is the path of a file or folder, or a name in the place of one.

    Args:
        what: what messages call it.
        given: the argument.

    Raises:
        ApiError: it is something else, or empty.
    """
    written = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(written, str) or not written:
        raise ApiError(f"{what} is a path, a text or a `Path`, not {shown(given)}")
    return written


def shown(given: object) -> str:
    """A value as messages show it, on one line of a bounded length."""
    return one_line(repr(given), 60)

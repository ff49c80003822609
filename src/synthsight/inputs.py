"""How rules pass their inputs to ``tabulate.py`` and ``plot.py``, which serve many rules.

A rule's inputs have names, and each may be one file or thousands. On the command line each is
described as ``PARAMETER=KIND:COUNT``, and their files follow in the same order, as one list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: The parameter of a figure's program that holds the sha256 of the images that the figure shows.
INDEXED = "indexed"


def describe(inputs: Iterable[tuple[str, str, int]]) -> list[str]:
    """Describe each input, given as ``(parameter, kind, number of files)``, for a command line."""
    return [f"{parameter}={kind}:{count}" for parameter, kind, count in inputs]


def deal(described: Iterable[str], files: Sequence[str]) -> dict[str, tuple[str, list[str]]]:
    """Undo :func:`describe`: the kind and the files of each parameter.

    Raises:
        ValueError: there are fewer or more files than described.
    """
    dealt: dict[str, tuple[str, list[str]]] = {}
    start = 0
    for each in described:
        parameter, _, rest = each.partition("=")
        kind, _, count = rest.partition(":")
        dealt[parameter] = (kind, list(files[start : start + int(count)]))
        start += int(count)
    if start != len(files):
        raise ValueError(f"got {len(files)} files, but {start} are described: {list(described)}")
    return dealt

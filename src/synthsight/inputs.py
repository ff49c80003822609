"""How rules hand their inputs to ``tabulate.py`` and ``plot.py``, which serve many rules.

A rule's inputs have names, and each may be one file or thousands. On the command line they stand as
``PARAMETER=KIND:COUNT`` and, in the same order, as one list of files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def describe(inputs: Iterable[tuple[str, str, int]]) -> list[str]:
    """Parameter, kind and number of files of each input, as they stand on a command line."""
    return [f"{parameter}={kind}:{count}" for parameter, kind, count in inputs]


def deal(described: Iterable[str], files: Sequence[str]) -> dict[str, tuple[str, list[str]]]:
    """The way back: for each parameter its kind and its files.

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
        raise ValueError(f"{len(files)} files were given, {start} described: {list(described)}")
    return dealt

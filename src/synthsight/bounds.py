"""Bounds on the content of files that people write, checked before anything else.

YAML allows more than settings need: structures that contain themselves, a few references that
expand to a billion elements, numbers of any length, text that cannot be encoded. Content that
passes can be walked, copied, printed and used as a path.
"""

from __future__ import annotations

from typing import Any

#: Bounds on the number of elements, references expanded; on nesting; on integers; and on the
#: characters of a text, which no path exceeds.
MAX_ELEMENTS = 100_000
MAX_DEPTH = 50
MAX_INTEGER = 2**53
MAX_LENGTH = 4_096

Key = tuple[str | int, ...]


def fault(content: Any) -> tuple[Key, str] | None:
    """The first fault in a file's content, with its place; None if there is none."""
    waiting: list[tuple[Key, Any]] = [((), content)]
    elements = 0
    while waiting:
        key, value = waiting.pop()
        elements += 1
        if elements > MAX_ELEMENTS:
            return (), f"more than {MAX_ELEMENTS:,} elements, counting those that aliases repeat"
        if len(key) > MAX_DEPTH:
            return key[:2], f"nested more than {MAX_DEPTH} deep, or holds itself"
        if isinstance(value, dict):
            for name, inner in value.items():
                if message := _fault(name):
                    return key, f"a key {message}"
                # Keys of other types are refused later, by what is expected in that place.
                waiting.append(((*key, str(name)), inner))
        elif isinstance(value, list | tuple | set):
            waiting += [((*key, index), inner) for index, inner in enumerate(value)]
        elif message := _fault(value):
            return key, message
    return None


def _fault(value: Any) -> str | None:
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return f"beyond {MAX_INTEGER}, the largest number accepted"
    if isinstance(value, str | bytes) and len(value) > MAX_LENGTH:
        return f"has more than {MAX_LENGTH:,} characters"
    if isinstance(value, str):
        if "\0" in value:
            return "holds a zero character"
        try:
            value.encode()
        except UnicodeEncodeError:
            return "holds half a character (a lone surrogate)"
    return None

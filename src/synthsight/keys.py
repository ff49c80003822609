"""Keys that stand twice in a file that people write: YAML and JSON take the later one, silently."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import yaml


def repeated_keys(text: str) -> list[str]:
    """A message for each key that occurs more than once in a mapping, with both lines.

    Merge keys (``<<``), and the keys that they bring and others override, are meant to repeat.

    Args:
        text: YAML or JSON.

    Raises:
        yaml.YAMLError, RecursionError: it is neither.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        names = _repeated_in_json(text)
        if names is None:
            raise
        return [f"the key {name!r} stands twice; remove one of them" for name in names]
    return [
        f"line {later}: the key {name!r} is also on line {earlier}, and only the later one would "
        "be taken; remove one of them"
        for name, earlier, later in _repeated(root)
    ]


def _repeated(root: yaml.Node | None) -> Iterator[tuple[str, int, int]]:
    """Keys that occur more than once in a mapping, each with the lines of two occurrences."""
    waiting = [] if root is None else [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # repeated by an alias, or a structure that contains itself
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += reversed(node.value)
        elif isinstance(node, yaml.MappingNode):
            lines: dict[Hashable, int] = {}
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                    line = key.start_mark.line + 1
                    if (key.tag, key.value) in lines:
                        yield key.value, lines[key.tag, key.value], line
                    lines[key.tag, key.value] = line
            waiting += [value for _, value in reversed(node.value)]


def _repeated_in_json(text: str) -> list[str] | None:
    """Keys that occur twice in JSON that is not YAML, as with tabs; None if it is not JSON."""
    found: list[str] = []

    def note(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        found.extend(name for index, name in enumerate(names) if name in names[:index])
        return dict(pairs)

    try:
        json.loads(text, object_pairs_hook=note)
    except ValueError:
        return None
    return found

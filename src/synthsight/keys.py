"""Keys that YAML and JSON silently take otherwise than people who write them expect.

Of a key that stands twice in a mapping the later one is taken, and ``no`` and ``007`` are not text
without quotes.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import yaml

#: What YAML calls text, and a merge key.
_TEXTS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")


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


def keys_not_text(text: str) -> list[str]:
    """A message for each key that YAML reads as something else than text, with its line.

    Args:
        text: YAML.

    Raises:
        yaml.YAMLError, RecursionError: it is none.
    """
    return [
        f"line {key.start_mark.line + 1}: YAML does not read the key {key.value} as text; if it is "
        f'a name, write it in quotes: "{key.value}"'
        for mapping in _mappings(yaml.compose(text, Loader=yaml.SafeLoader))
        for key, _ in mapping.value
        if isinstance(key, yaml.ScalarNode) and key.tag not in _TEXTS
    ]


def _repeated(root: yaml.Node | None) -> Iterator[tuple[str, int, int]]:
    """Keys that occur more than once in a mapping, each with the lines of two occurrences."""
    for mapping in _mappings(root):
        lines: dict[Hashable, int] = {}
        for key, _ in mapping.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                line = key.start_mark.line + 1
                if (key.tag, key.value) in lines:
                    yield key.value, lines[key.tag, key.value], line
                lines[key.tag, key.value] = line


def _mappings(root: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    """All mappings, each once, in the order of the text."""
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
            yield node
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

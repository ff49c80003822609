"""What is sound in a configuration that its schema refuses: its other mistakes are told, too.

Whoever mends the keys that the schema refuses should not be told only then that a file is missing.
So what has nothing to do with these is checked nevertheless; nothing is told that might be no
mistake once they are mended.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthsight.bounds import Key
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.schema import schema_problems

#: Lists whose entries are checked one by one.
_LISTS: tuple[Key, ...] = (("models",), ("encoders",), ("adapt",), ("vqa", "models"))

#: What other parts of a configuration are compared with.
_COMPARED = ("images", "categories", "category_definitions", "matching", "models", "encoders")

#: What refers to models by their names.
_REFERRING = ("adapt", "transfer", "distances", "map")

#: How messages begin that say something of a path alone.
_OF_PATHS = ("no file ", "no folder ")


@dataclass(frozen=True)
class Sound:
    """The sound part of a configuration.

    Attributes:
        config: it.
        faulty: the sections and the entries of lists that are not in it, or not as written.
    """

    config: Mapping[str, Any]
    faulty: frozenset[Key]

    def others(self, problems: Iterable[Problem]) -> list[Problem]:
        """Of what is wrong with the sound part that which is so whatever the rest will be.

        Args:
            problems: with keys of :attr:`config`; those returned have the configuration's.
        """
        alone = any(place[0] in _COMPARED for place in self.faulty)
        found = []
        for each in problems:
            key = self._written(each.key)
            of_entry = any(key[: len(name)] == name != key for name in _LISTS)
            if _place(key) in self.faulty or key[:1] in self.faulty:
                continue
            of_path = key[:1] != ("categories",) and each.message.startswith(_OF_PATHS)
            if not alone or of_entry or of_path:
                found.append(Problem(key, each.message))
        return found

    def _written(self, key: Key) -> Key:
        """A key as in the configuration, where lists still have the entries that are left out."""
        for name in _LISTS:
            at = len(name)
            if key[:at] == name and len(key) > at and isinstance(key[at], int):
                index = int(key[at])
                for gone in sorted(p[at] for p in self.faulty if p[:at] == name and len(p) > at):
                    index += int(gone) <= index
                return (*name, index, *key[at + 1 :])
        return key


def sound_part(
    config: Mapping[str, Any], schema: Mapping[str, Any], problems: Sequence[Problem]
) -> Sound | None:
    """What is left of a configuration without what its schema refuses; None if that is too little.

    Args:
        config: the configuration.
        schema: its schema.
        problems: what the schema says of it.
    """
    faulty = {_place(each.key) for each in problems if each.key}
    sound = copy.deepcopy(dict(config))
    unknown = [each.key for each in problems if each.message.startswith("unknown key")]
    for place in sorted(faulty, key=lambda place: (len(place), str(place))):
        if place == ("run",):
            sound["run"] = "run"
        elif place == ("images",):
            for key in unknown:
                if key[:1] == place:
                    _delete(sound, key)
        elif len(place) == 1:
            sound.pop(str(place[0]), None)
    for name in _LISTS:
        gone = sorted(
            (p for p in faulty if p[: len(name)] == name and len(p) > len(name)), key=_last
        )
        for place in reversed(gone):
            _delete(sound, place)
    if faulty & {("models",), ("encoders",)} or any(p[0] in ("models", "encoders") for p in faulty):
        for section in _REFERRING:
            sound.pop(section, None)
    return None if schema_problems(sound, schema) else Sound(sound, frozenset(faulty))


def _place(key: Key) -> Key:
    """The entry of a list that a key is in, or its section."""
    for name in _LISTS:
        if key[: len(name)] == name and len(key) > len(name):
            return key[: len(name) + 1]
    return key[:1]


def _last(place: Key) -> int:
    return int(place[-1])


def _delete(config: dict[str, Any], key: Key) -> None:
    """Take out what a key names, if it is there."""
    part: Any = config
    for each in key[:-1]:
        try:
            part = part[each]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(part, list) and isinstance(key[-1], int) and key[-1] < len(part):
        del part[key[-1]]
    elif isinstance(part, dict):
        part.pop(key[-1], None)

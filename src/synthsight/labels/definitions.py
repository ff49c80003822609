"""Definitions of categories beyond their names, read from a YAML file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from synthsight import bounds
from synthsight.contents import another_kind
from synthsight.errors import SynthsightError
from synthsight.files import hint_at
from synthsight.keys import keys_not_text, repeated_keys
from synthsight.labels.matching import Target, is_synset, words
from synthsight.labels.spaces import wordnet_names
from synthsight.wording import one_line

#: The file's schema: categories, each with its definition.
_SCHEMA = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            "also": {"type": "array", "items": {"type": "string"}},
            "classes": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
}

_EXAMPLE = (
    "write a category's name, and below it `also: [NAME, ...]` or `classes: {SYNSET: REASON, ...}`"
)


class DefinitionError(SynthsightError):
    """A file of category definitions that cannot be used; the message says where."""


@dataclass(frozen=True)
class Definition:
    """What is known about a category.

    Attributes:
        also: further names that the word rules accept.
        classes: the classes that a person accepts, synsets or names, each with the reason; None if
            nobody has chosen.
    """

    also: tuple[str, ...] = ()
    classes: dict[str, str] | None = field(default=None)

    def target(self, name: str) -> Target:
        """The category called ``name`` as something to be recognised."""
        return Target(name, self.also, None if self.classes is None else tuple(self.classes))


def read_definitions(path: Path) -> dict[str, Definition]:
    """The definitions in a YAML file, by category.

    Raises:
        DefinitionError: it cannot be read, or see :func:`definitions_in`.
    """
    kind = another_kind(path, "text", "json", "empty")
    if kind is not None:
        raise DefinitionError(f"{path} is not YAML: it is {kind}")
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = yaml.safe_load(text) or {}
        repeated = repeated_keys(text)
    except FileNotFoundError:
        raise DefinitionError(f"no file {str(path)!r}{hint_at(path)}") from None
    except OSError as error:
        raise DefinitionError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except RecursionError:
        raise DefinitionError(f"{path}: nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: bad text, numbers and dates
        raise DefinitionError(f"{path} is not YAML: {one_line(error)}") from None
    if repeated:
        raise DefinitionError("\n".join(f"{path}, {message}" for message in repeated))
    # What has no bounds is refused below, and not walked through before.
    sound = isinstance(content, dict) and not bounds.fault(content)
    if sound and (others := keys_not_text(text)):
        raise DefinitionError("\n".join(f"{path}, {message}" for message in others))
    return definitions_in(content, str(path))


def definitions_in(content: Any, source: str) -> dict[str, Definition]:
    """The definitions in what a YAML file of them holds, by category.

    Args:
        content: categories, each with a mapping of ``also``, ``classes`` or both.
        source: what messages call it.

    Raises:
        DefinitionError: it does not follow the schema, names a synset that does not exist, or one
            category stands there twice, written in different ways.
    """
    if wrong := bounds.fault(content):
        place = ": ".join(map(str, wrong[0])) or "the file"
        raise DefinitionError(f"{source}: {place}: {wrong[1]}")
    for fault in jsonschema.Draft202012Validator(_SCHEMA).iter_errors(content):
        place = ": ".join(map(str, fault.absolute_path)) or "the file"
        raise DefinitionError(f"{source}: {place}: {fault.message}; {_EXAMPLE}")
    definitions = {}
    for name, about in content.items():
        definition = Definition(tuple(sorted(about.get("also", ()))), about.get("classes"))
        for each in (*definition.also, *(definition.classes or ())):
            if not words(each):
                raise DefinitionError(f"{source}: {name}: {each!r} has no word in it; {_EXAMPLE}")
            if is_synset(each) and each not in wordnet_names():
                raise DefinitionError(f"{source}: {name}: there is no synset {each}")
        definitions[name] = definition
    if twice := written_twice(definitions):
        raise DefinitionError(f"{source}: {twice}. Keep one of them")
    return definitions


def written_twice(names: Iterable[str]) -> str | None:
    """Words on two names that are one category, as ``fire_engine`` and ``Fire Engine``, if any."""
    first: dict[tuple[str, ...], str] = {}
    for name in names:
        if (other := first.setdefault(words(name), name)) != name:
            return f"{other!r} and {name!r} are one category, written in different ways"
    return None

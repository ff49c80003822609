"""Reading label files: a line per class, and the other forms in which people keep their names."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthsight.contents import another_kind
from synthsight.errors import SynthsightError
from synthsight.labels.order import Ordered, OrderError, cells, check, choose, in_order
from synthsight.labels.tables import columns, read_table

_FORMS = (
    "expected a line per class, or JSON: a list of names, or a mapping from 0, 1, 2, ... to names "
    "or from names to 0, 1, 2, ..."
)

#: Keys below which JSON has the classes: a config.json, annotations such as COCO's, and others.
_INSIDE = ("id2label", "categories", "names", "classes", "labels")

_SYNSET = re.compile(r"(n[0-9]{8})(?:[\s,:]+(.*))?")

#: A class that is called by its number alone.
_NO_NAME = re.compile(r"(?i)(?:(?:class|label|category|id|index)[\W_]{0,9})?\d+\W{0,9}")


class LabelError(SynthsightError):
    """A label space that does not exist, or a label file that cannot be used."""


@dataclass(frozen=True)
class Labels:
    """The classes of a label file, in the order of the model's outputs.

    Attributes:
        names: the names of each class, the simple one first.
        synsets: WordNet's identifier of each class, if the file has it.
        notes: what the user should know about how the file was read.
    """

    names: tuple[tuple[str, ...], ...]
    synsets: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def read_label_file(name: str, wordnet: Callable[[], Mapping[str, tuple[str, ...]]]) -> Labels:
    """Read a label file.

    It is UTF-8 text: a line per class, with its names separated by commas; perhaps with a number in
    front or at the end, from 0 or 1, or a synset in front, or with synsets alone. Where all lines
    have numbers, these give the order. Or it is a table with a header. Or it is JSON or what Python
    prints: a list, a mapping from numbers, as ``imagenet_class_index.json`` and the ``id2label`` of
    a config.json, or to numbers, or pairs, or mappings with a number and a name each.

    Args:
        name: its path.
        wordnet: returns all names of each synset, for a file of synsets alone.

    Raises:
        LabelError: it cannot be read, is something else, does not say the names of all classes, or
            has numbers that leave their order open; the message names the file and the line.
    """
    path = Path(name)
    kind = another_kind(path, "text", "json", "empty", "utf-16")
    if kind is not None:
        raise LabelError(f"{name}: it is {kind}, not a label file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LabelError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise LabelError(f"{name}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    kind = another_kind(path, "text", "empty")
    is_json = kind is not None and kind.name == "json"
    try:
        ordered = _from_json(text) if is_json or text.lstrip()[:1] in ("[", "{", "(") else None
        if ordered is None:
            ordered = _from_lines(text)
            if is_json and not ordered.numbered:  # as `[7] hen` is, which looks like JSON
                raise OrderError(f"neither JSON nor text that can be used; {_FORMS}")
    except OrderError as error:
        raise LabelError(f"{name}: {error}") from None
    synsets, texts = _synsets(name, ordered, wordnet)
    names = [_split(each, ordered.numbered) for each in texts]
    for line, each in zip(ordered.lines, names, strict=True):
        if not each and is_json:
            raise LabelError(f"{name}: class {line} has no name")
        if not each:
            raise LabelError(f"{name}, line {line + 1}: a class without a name")
    if all(_NO_NAME.fullmatch(each) for those in names for each in those):
        raise LabelError(
            f"{name}: its {len(names):,} classes have numbers, not names, so no category would "
            "match. If they are called so, give each a second name in a JSON list in the order of "
            'the model\'s outputs: ["7, seven", ...]'
        )
    notes = ordered.notes
    if synsets is not None and list(synsets) != sorted(synsets):
        notes += (
            "its synsets are not in alphabetical order, and the outputs of nearly all models of "
            "ImageNet are: compare with where the model is from",
        )
    return Labels(tuple(names), synsets, notes)


def _synsets(
    name: str, ordered: Ordered, wordnet: Callable[[], Mapping[str, tuple[str, ...]]]
) -> tuple[tuple[str, ...] | None, list[str]]:
    """The synsets in front of the names of all classes, if they are, and what is left of these."""
    texts = [text.strip() for text in ordered.texts]
    found = [match for match in map(_SYNSET.fullmatch, texts) if match]
    if len(found) < len(texts):  # perhaps a class for the background is added to ImageNet's
        other = {match[0]: match[2] or match[1] for match in found}
        return None, [other.get(text, text) for text in texts]
    synsets = tuple(match[1] for match in found)
    if list(ordered.lines) != sorted(ordered.lines) and list(synsets) != sorted(synsets):
        raise LabelError(
            f"{name}: each line has a synset and a number, and the numbers are in the order "
            "neither of the lines nor of the synsets. Sort the file as the model's outputs are, "
            "and remove the numbers"
        )
    rest = [match[2] or "" for match in found]
    if any(rest):
        return synsets, rest
    known = wordnet()
    unknown = [synset for synset in synsets if synset not in known]
    if unknown:
        raise LabelError(f"{name}: WordNet's names of {unknown[0]} are not known here")
    return synsets, [", ".join(known[synset]) for synset in synsets]


# Lines ----------------------------------------------------------------------------------------


def _from_lines(text: str) -> Ordered:
    lines = text.split("\n")  # not splitlines(), which also splits at form feeds and the like
    while lines and not lines[-1].strip(" \t\r}"):  # a Python mapping may end in a line of its own
        lines.pop()
    if not lines:
        raise OrderError("empty; it needs one line per class of the model")
    if (table := read_table(lines)) is not None:
        return table
    found = [_SYNSET.fullmatch(line.strip()) for line in lines]
    synsets = [match[1] for match in found if match]
    if len(synsets) < len(lines):
        return in_order(lines)
    rest = [match[2] or "" for match in found if match]
    if all(map(str.isdecimal, rest)):
        return in_order([f"{number}: {each}" for number, each in zip(rest, synsets, strict=True)])
    ordered = in_order(rest)
    texts = zip(ordered.lines, ordered.texts, strict=True)
    return replace(ordered, texts=tuple(f"{synsets[line]} {text}" for line, text in texts))


def _split(text: str, digits_last: bool) -> tuple[str, ...]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(sorted(names, key=str.isdigit) if digits_last else names)


# JSON -----------------------------------------------------------------------------------------


def _from_json(text: str) -> Ordered | None:
    """The classes of a text in JSON or Python's notation; None if it is neither."""
    try:
        content = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        content = _from_python(text)
        if content is None:
            return None
    for key in _INSIDE:
        if isinstance(content, dict) and isinstance(content.get(key), dict | list):
            content = content[key]
            break
    if isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        rows = [[str(cell) for cell in row.values()] for row in content]
        same = all(row.keys() == content[0].keys() for row in content)
        if same and (table := columns(list(content[0]), rows)) is not None:
            return table
    texts = []
    values = _values(content)
    for index, value in enumerate(values):
        parts = [value] if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise OrderError(f"class {index} is {str(value)[:80]!r}; {_FORMS}")
        texts.append(", ".join(parts))
    return Ordered(tuple(texts), tuple(range(len(texts))))


def _from_python(text: str) -> Any:
    """A list or mapping in Python's notation, as JSON has it; None if the text is none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text.strip(), mode="eval").body
        if not isinstance(tree, ast.List | ast.Dict | ast.Tuple):
            return None
        keys = [ast.literal_eval(key) for key in getattr(tree, "keys", ()) if key is not None]
        content = ast.literal_eval(tree)
        if len(set(keys)) < len(keys):
            raise OrderError("a key occurs twice in a mapping")
        return json.loads(json.dumps(content), object_pairs_hook=_once)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise OrderError("a key occurs twice in a mapping")
    return mapping


def _values(content: Any) -> list[Any]:
    """What a JSON file says of each class, in the order of the model's outputs."""
    if isinstance(content, dict) and content:
        if all(isinstance(v, int) and not isinstance(v, bool) for v in content.values()):
            if len(set(content.values())) < len(content):
                raise OrderError("two names have the same number")
            content = {str(number): key for key, number in content.items()}
        by = {int(key): said for key, said in content.items() if key.isdecimal() and len(key) < 8}
        if sorted(by) == list(range(len(content))):
            return [by[number] for number in sorted(by)]
    elif isinstance(content, list) and content:
        return _pairs_in_order(content)
    raise OrderError(f"{_FORMS}, without gaps")


def _pairs_in_order(content: list[Any]) -> list[Any]:
    """A list of classes; if it has pairs of a number and names, these in the numbers' order."""
    rows = [value for value in content if isinstance(value, list) and len(value) > 1]
    if len(rows) < max(2, len(content)):
        return content
    found = cells([[str(cell) for cell in row] for row in rows])
    numbers = choose(found)
    if numbers is not None and numbers.place in (0, -1):
        rest = slice(1, None) if numbers.place == 0 else slice(-1)
        return [rows[line][rest] for line in numbers.lines]
    for each in found:
        check(each)
    return content

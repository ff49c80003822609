"""Reading label files: a line per class, and the other forms in which people keep their names."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthsight.contents import another_kind
from synthsight.errors import SynthsightError

_FORMS = (
    "expected a line per class, or JSON: a list of names, or a mapping from 0, 1, 2, ... to names "
    "or from names to 0, 1, 2, ..."
)

_SYNSET = re.compile(r"(n[0-9]{8})(?:[\s,:]+(.*))?")

#: A number in front of a name: ``7 hen``, ``7: hen``, ``7|hen``, ``(7) hen``, ``class 7: hen``.
_NUMBERED = re.compile(
    r"(?i)[{(\[]?\s*['\"]?(?:(?:class|label|index|id)[\s_]*)?([0-9]{1,7})(?:\.0+)?['\"]?\s*"
    r"([:,;\t|=]|[)\]]?\s*(?:[-=]>|-(?=\s))|[)\]](?=\s)|\.(?=\s|[^\W\d])|\s)\s*(.*)"
)
_HEADER = re.compile(
    r"(?i)(class[ _]?)?(id|idx|index|number|no|nr|label[ _]?id|target|output)\s*[,;:\t|=].*"
    r"|(names|classes|labels|id2label)\s*:"
)

#: The same at the end of a line, as in ``tench,0`` below ``name,index``, or ``tench 0``.
_NUMBER_LAST = re.compile(
    r"(.*[^\s,;:|=])(\s*[,;:|=]\s*|\s*[-=]>\s*|\s+)[(\[]?['\"]?([0-9]{1,7})(?:\.0+)?['\"]?[)\]]?"
)
_HEADER_LAST = re.compile(
    r"(?i).*[,;:\t|=]\s*(class[ _]?)?(id|idx|index|number|no|nr|label([ _]?id)?|class|target)"
)

#: What stands between columns, between words, and between parts of words, as in ``1-kite``.
_COLUMNS = re.compile(r"[,;:|=\t]")
_BETWEEN = re.compile(r"[\s,;:|=()\[\]{}#'\"<>/]+")
_JOINTS = re.compile(r"(?:[^\w.]|_)+")

#: A part of a line that is a whole number.
_WHOLE = re.compile(r"([+-]?[0-9]{1,7})(?:\.0*)?")

#: The places of a line where a number may stand, from its beginning and from its end.
_PLACES = (0, -1, 1, -2, 2, -3, 3, -4)


class LabelError(SynthsightError):
    """A label space that does not exist, or a label file that cannot be used."""


@dataclass(frozen=True)
class Labels:
    """The classes of a label file, in the order of the model's outputs.

    Attributes:
        names: the names of each class, the simple one first.
        synsets: WordNet's identifier of each class, if the file has it.
    """

    names: tuple[tuple[str, ...], ...]
    synsets: tuple[str, ...] | None = None


def read_label_file(name: str, wordnet: Callable[[], Mapping[str, tuple[str, ...]]]) -> Labels:
    """Read a label file.

    It is UTF-8 text: a line per class, with its names separated by commas; perhaps with a number in
    front or at the end, from 0 or 1, or a synset in front, or with synsets alone. Where all lines
    have numbers, these give the order. Or it is JSON: a list, a mapping from numbers, as
    ``imagenet_class_index.json`` and the ``id2label`` of a config.json, or to numbers, or pairs.

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
    if kind is not None and kind.name == "json":
        labels = _from_json(name, text)
    else:
        labels = _from_lines(name, text, wordnet)
    if all(name.isdigit() for names in labels.names for name in names):
        raise LabelError(
            f"{name}: its {len(labels.names):,} lines are numbers, not names, so no category would "
            "match. If classes are called so, give each a second name: 7, seven"
        )
    return labels


# Lines ----------------------------------------------------------------------------------------


def _from_lines(
    name: str, text: str, wordnet: Callable[[], Mapping[str, tuple[str, ...]]]
) -> Labels:
    lines = text.split("\n")  # not splitlines(), which also splits at form feeds and the like
    while lines and not lines[-1].strip(" \t\r}"):  # a Python mapping may end in a line of its own
        lines.pop()
    if not lines:
        raise LabelError(f"{name}: empty; it needs one line per class of the model")
    lines = _in_order(name, lines)
    found = [_SYNSET.fullmatch(line.strip()) for line in lines]
    synsets = tuple(match[1] for match in found if match)
    if len(synsets) < len(lines):
        return Labels(_names(name, lines))
    rest = [match[2] or "" for match in found if match]
    if not any(rest):
        known = wordnet()
        unknown = [synset for synset in synsets if synset not in known]
        if unknown:
            raise LabelError(f"{name}: WordNet's names of {unknown[0]} are not known here")
        return Labels(tuple(known[synset] for synset in synsets), synsets)
    ordered = _in_order(name, rest)
    # The synsets stay where they are.
    if any(said not in line for said, line in zip(ordered, rest, strict=False)):
        raise LabelError(
            f"{name}: each line has a synset and a number, and the numbers are not in the order of "
            "the lines. Sort the file as the model's outputs are, and remove the numbers"
        )
    return Labels(_names(name, ordered), synsets)


def _in_order(name: str, lines: Sequence[str]) -> list[str]:
    """The lines in the order of the numbers in front of them or at their end, without these.

    They stay as they are if the numbers are part of the names.

    Raises:
        LabelError: there are numbers that seem to be those of the classes, but do not say the order
            of all.
    """
    rows = [line.strip() for line in lines]
    if len(rows) > 1 and _HEADER.fullmatch(rows[0]) and _NUMBERED.fullmatch(rows[1]):
        del rows[0]
    if len(rows) < 2:
        return list(lines)
    ordered = _by_first_number(name, rows) or _by_last_number(name, rows)
    if ordered is None and not all(map(_SYNSET.fullmatch, rows)):
        for between in (_COLUMNS, _BETWEEN, _JOINTS):
            split = [map(str.strip, between.split(row)) for row in rows]
            _check_numbers(name, [[part for part in parts if part] for parts in split])
    return ordered or list(lines)


def _by_first_number(name: str, rows: Sequence[str]) -> list[str] | None:
    """Lines such as ``0 tench`` in the order of their numbers, without these; None for others."""
    found = [match for match in map(_NUMBERED.fullmatch, rows) if match]
    if len(found) < len(rows):
        return None
    numbers = [int(match[1]) for match in found]
    if not _are_all(numbers):
        if all(match[2] == ":" for match in found):
            start = min(*numbers, 1)
            lost = sorted({*range(start, start + len(rows))} - {*numbers})
            raise LabelError(
                f"{name}: its lines are numbered, but not from 0 or 1 without gaps: {lost[:3]} "
                "are missing"
            )
        return None  # names that begin with a number, such as years
    texts = dict(zip(numbers, (match[3] for match in found), strict=True))
    if all(match[2].isspace() for match in found) and _are_amounts(texts.values()):
        return None
    return [_unquoted(texts[number]) for number in sorted(texts)]


def _by_last_number(name: str, rows: Sequence[str]) -> list[str] | None:
    """Lines such as ``tench,0`` in the order of their numbers, without these; None for others.

    Raises:
        LabelError: the numbers are not those of the classes, so what they mean is unknown.
    """
    if len(rows) > 2 and _HEADER_LAST.fullmatch(rows[0]):
        rows = rows[1:]
    found = [match for match in map(_NUMBER_LAST.fullmatch, rows) if match]
    if len(found) < len(rows) or all(match[1].isdigit() for match in found):
        return None
    texts = {int(match[3]): match[1] for match in found}
    in_a_column = all("\t" in match[2] or not match[2].isspace() for match in found)
    if len(texts) < len(rows) or not _are_all(texts):
        if not in_a_column:
            return None  # names that end in a number, such as years
        raise LabelError(
            f"{name}: each line ends in a number, but these are not 0, 1, 2, ... or 1, 2, 3, ... "
            "without gaps and repeats. If they say which output a class is, correct them; else "
            "remove them, and sort the lines as the model's outputs are"
        )
    if not in_a_column and _are_amounts(texts.values()):
        return None
    ordered = [_unquoted(texts[number]) for number in sorted(texts)]
    if not in_a_column and list(texts) != sorted(texts):
        raise LabelError(
            f"{name}: each line ends in a number after a blank, in another order than the lines. "
            "If it says which output a class is, write it with a comma (tench,0); if it belongs to "
            "the name, write a JSON list of the names"
        )
    return ordered


def _are_all(numbers: Collection[int]) -> bool:
    """Whether numbers are 0, 1, 2, ... or 1, 2, 3, ..., in any order."""
    first = min(numbers)
    return first in (0, 1) and sorted(numbers) == [*range(first, first + len(numbers))]


def _check_numbers(name: str, rows: Sequence[Sequence[str]]) -> None:
    """Refuse names with numbers that seem to be those of the classes and differ from the order.

    They seem so if nearly all lines have one at the same place, and together they are most of
    those that there are classes. In names, as years and models of cars, they are not.

    Args:
        name: the file, for the message.
        rows: the parts of each line.

    Raises:
        LabelError: such numbers are not the lines' own.
    """
    count = len(rows)
    for place in _PLACES:
        numbers: dict[int, int] = {}
        for line, row in enumerate(rows):
            if -len(row) <= place < len(row) and (whole := _WHOLE.fullmatch(row[place])):
                numbers[line] = int(whole[1])
        if len(numbers) < max(2, count - max(1, count // 10)):
            continue
        distinct = {number for number in numbers.values() if -1 <= number <= count + 1}
        if len(distinct) < max(2, 3 * count // 4):
            continue
        if not distinct & {0, 1} and len(distinct) < max(count, 3):
            continue
        steps = {number - line for line, number in numbers.items()}
        if len(numbers) == count and steps in ({0}, {1}):
            return
        if steps in ({0}, {1}) or _are_amounts(
            " ".join(part for part in row if part != row[place])
            for line, row in enumerate(rows)
            if line in numbers
        ):
            continue
        raise LabelError(
            f"{name}: its lines have numbers that look like those of the classes, but "
            f"{_trouble(numbers, count)}, so the order is unknown. If they are, write each in "
            "front, `0: NAME`, from 0 or 1 without gaps and repeats; if not, write the names as a "
            'JSON list in the order of the model\'s outputs: ["NAME", ...]'
        )


def _trouble(numbers: Mapping[int, int], count: int) -> str:
    """Why numbers, by line from 0, are not understood as those of all classes."""
    if len(numbers) < count:
        return f"line {next(line for line in range(count) if line not in numbers) + 1} has none"
    twice = [number for number, times in Counter(numbers.values()).items() if times > 1]
    if twice:
        return f"{twice[0]} stands twice"
    if not _are_all(numbers.values()):
        return "they are not 0, 1, 2, ... or 1, 2, 3, ... without gaps"
    return "they are in another order than the lines, and in a form that is not read"


def _are_amounts(names: Iterable[str]) -> bool:
    """Whether numbers tell names apart that are otherwise alike, as in ``1 cent`` and ``2 cents``.

    A few of ImageNet's classes have the same name, so some repeats prove nothing.
    """
    alike = [name.casefold().removesuffix("s") for name in names]
    return 2 * len(set(alike)) <= len(alike)


def _unquoted(text: str) -> str:
    """A name without what a Python or JSON mapping writes around it."""
    bare = text.rstrip("},; \t\r")
    quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\""
    return bare[1:-1] if quoted else text


def _names(name: str, lines: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    found = []
    for number, line in enumerate(lines, start=1):
        names = _split(line)
        if not names:
            raise LabelError(f"{name}, line {number}: a class without a name")
        found.append(names)
    return tuple(found)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


# JSON -----------------------------------------------------------------------------------------


def _from_json(name: str, text: str) -> Labels:
    try:
        content = json.loads(text, object_pairs_hook=lambda pairs: _once(name, pairs))
    except (ValueError, RecursionError):
        try:  # a Python mapping with quoted numbers looks like JSON, too
            return Labels(_names(name, _all_numbered(name, text)))
        except LabelError:
            raise LabelError(f"{name}: neither JSON nor text that can be used; {_FORMS}") from None
    if isinstance(content, dict) and isinstance(content.get("id2label"), dict):
        content = content["id2label"]
    values = _values(name, content)
    names, synsets = [], []
    for index, value in enumerate(values):
        parts = [value] if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise LabelError(f"{name}: class {index} is {str(value)[:80]!r}; {_FORMS}")
        if len(parts) > 1 and _SYNSET.fullmatch(parts[0]):
            synsets.append(parts[0])
            parts = parts[1:]
        split = tuple(each for part in parts for each in _split(part))
        if not split:
            raise LabelError(f"{name}: class {index} has no name")
        names.append(split)
    return Labels(tuple(names), tuple(synsets) if len(synsets) == len(names) else None)


def _once(name: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise LabelError(f"{name}: a key occurs twice in a mapping")
    return mapping


def _all_numbered(name: str, text: str) -> list[str]:
    lines = [line for line in text.split("\n") if line.strip(" \t\r{}")]
    ordered = _in_order(name, lines)
    if ordered == lines:
        raise LabelError(f"{name}: not numbered")
    return ordered


def _values(name: str, content: Any) -> list[Any]:
    """What a JSON file says of each class, in the order of the model's outputs."""
    if isinstance(content, dict) and content:
        if all(isinstance(v, int) and not isinstance(v, bool) for v in content.values()):
            if len(set(content.values())) < len(content):
                raise LabelError(f"{name}: two names have the same number")
            content = {str(number): key for key, number in content.items()}
        by = {int(key): said for key, said in content.items() if key.isdecimal() and len(key) < 8}
        if sorted(by) == list(range(len(content))):
            return [by[number] for number in sorted(by)]
    elif isinstance(content, list) and content:
        return _pairs_in_order(name, content)
    raise LabelError(f"{name}: {_FORMS}, without gaps")


def _pairs_in_order(name: str, content: list[Any]) -> list[Any]:
    """A list of classes; if it has pairs of a number and names, these in the numbers' order."""
    rows = [value for value in content if isinstance(value, list) and len(value) > 1]
    if len(rows) < max(2, len(content)):
        return content
    for place, rest in ((0, slice(1, None)), (-1, slice(None, -1))):
        numbers = [str(row[place]) for row in rows]
        if all(number.isdecimal() and len(number) < 8 for number in numbers):
            by_number = {int(number): row[rest] for number, row in zip(numbers, rows, strict=True)}
            if len(by_number) == len(rows) and _are_all(by_number):
                return [by_number[number] for number in sorted(by_number)]
    _check_numbers(name, [[str(part) for part in row] for row in rows])
    return content

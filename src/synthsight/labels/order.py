"""The classes of a label file in the order that the numbers in its lines give, where they do.

A column of numbers is the classes' if these are 0, 1, 2, ... or 1, 2, 3, ..., in any order. Two
such columns must agree. Numbers by which alone names differ (``angle: 90``) belong to the names;
other numbers that look like the classes' and are not in the order of the lines are refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from synthsight.errors import SynthsightError

#: How to write names that no number is taken from.
AS_A_LIST = 'write a JSON list of the names in the order of the model\'s outputs: ["NAME", ...]'


class OrderError(SynthsightError):
    """Numbers that leave the order of the classes open; the message says what to write."""


@dataclass(frozen=True)
class Ordered:
    """Classes in the order of the model's outputs.

    Attributes:
        texts: what the file says of each, less its number.
        lines: of each, which of the file's lines it was, from 0.
        numbered: whether numbers have given the order.
        notes: what the user should know about how the file was read.
    """

    texts: tuple[str, ...]
    lines: tuple[int, ...]
    numbered: bool = False
    notes: tuple[str, ...] = ()


#: A number as a part of a line, perhaps as in ``'7'``, ``(7)``, ``class 7`` or ``7.0``.
_NUMBER = re.compile(
    r"(?i)[\s({\['\"]*(?:(?:class|label|index|id)[\s_]*)?([+-]?\d{1,7})(?:\.0*)?[\s)}\]'\"]*"
)

#: ``7. hen``, ``(7) hen`` and ``7 - hen``, which are read as ``7: hen``.
_IN_FRONT = re.compile(
    r"\A([({\[]?\s*(?:(?i:class|label|index|id)[\s_]*)?\d{1,7})"
    r"(?:[)\]](?=\s)|[)\]]?\s*[-\u2013\u2014](?=\s)|\.(?=\s|[^\W\d]))\s*"
)

#: A number and a dot in front of a name, and in front of a name that begins with a digit.
_DOTTED = re.compile(r"\d{1,7}\.[^\W\d]|0\d{1,6}\.")
_DOT = re.compile(r"\A(\d{1,7})\.(?=\d)")

#: A line above a YAML list of classes.
_ABOVE = re.compile(r"(?i)(names|classes|labels|id2label)\s*:")

#: A line of a list in YAML or Markdown.
_MARKED = re.compile(r"\s{0,9}[-*\u2022]\s(.*)")

#: What stands between columns, between words (twice), and between parts of words, as in ``hen1``.
#: All but the last two kinds of numbers are read.
_COLUMNS = re.compile(r"([-=]>|[,;:|=\t])")
_BLANKS = re.compile(r"(\s+)")
_BETWEEN = re.compile(r"([\s,;:|=()\[\]{}#'\"<>/]+)")
_JOINTS = re.compile(r"((?:[^\w.]|_|(?<!\d)\.|\.(?!\d))+|(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d))")

#: The places of a line where a number may stand, from its beginning and from its end.
_PLACES = (0, -1, 1, -2, 2, -3, 3, -4)


@dataclass(frozen=True)
class _Numbers:
    """The numbers that lines have at one place.

    Attributes:
        place: the number of the part, from 0, or from -1 at the end.
        by_line: the number of each line that has one, by line from 0.
        rest: what else each of these lines says.
        signs: what stands between these and the numbers.
        count: how many lines there are.
    """

    place: int
    by_line: Mapping[int, int]
    rest: Sequence[str]
    signs: frozenset[str]
    count: int

    @property
    def whole(self) -> bool:
        """Whether they are those of all classes, unless they are all that tells names apart."""
        return len(self.by_line) == self.count and are_all(self.by_line.values()) and self.kinds > 1

    @property
    def kinds(self) -> int:
        """How many different names the lines have without them, ``cent`` and ``cents`` being one.

        A few of ImageNet's classes have the same name, so some repeats prove nothing.
        """
        return len({text.casefold().removesuffix("s") for text in self.rest})

    @property
    def are_amounts(self) -> bool:
        """Whether most names are alike without them, as ``1 cent`` and ``2 cents``."""
        return 2 * self.kinds <= len(self.rest)

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines in the order of their numbers."""
        return tuple(sorted(self.by_line, key=self.by_line.__getitem__))

    @property
    def in_order(self) -> bool:
        """Whether they say the order that the lines are in."""
        return {number - line for line, number in self.by_line.items()} in ({0}, {1})

    def __str__(self) -> str:
        first = ", ".join(map(str, list(self.by_line.values())[:3]))
        where = {0: "the first", -1: "the last"}.get(self.place)
        if where is None:
            where = f"number {self.place + 1}" if self.place > 0 else f"{-self.place} from the end"
        return f"{where} ({first}{', ...' if self.count > 3 else ''})"


def in_order(lines: Sequence[str]) -> Ordered:
    """The lines in the order of the numbers in front of them or at their end, without these.

    They stay as they are if the numbers are part of the names.

    Raises:
        OrderError: there are numbers that seem to be those of the classes, but do not say the order
            of all.
    """
    lines, above = _unmarked(lines)
    rows = _plain(lines[above:])
    if len(rows) < 2:
        return Ordered(tuple(lines), tuple(range(len(lines))))
    for between, places in ((_COLUMNS, _PLACES), (_BLANKS, (0, -1))):
        numbers = choose(_numbers([_parts(between, row) for row in rows], places))
        if numbers is None:
            continue
        if numbers.are_amounts and numbers.in_order:
            break
        after_a_blank = between is _BLANKS and numbers.place == -1
        if not numbers.in_order and (numbers.are_amounts or after_a_blank):
            raise _unknown_order(numbers)
        if numbers.place in (0, -1):
            _check_rest(numbers)
            texts = [_unquoted(numbers.rest[line]) for line in numbers.lines]
            return Ordered(tuple(texts), tuple(line + above for line in numbers.lines), True)
    notes = check_numbers(_plain(lines))
    if all(_unquoted(line) != line for line in lines):
        lines = [_unquoted(line) for line in lines]
    return Ordered(tuple(lines), tuple(range(len(lines))), notes=notes)


def choose(found: Iterable[_Numbers]) -> _Numbers | None:
    """The numbers that give the order, or None.

    Raises:
        OrderError: there are two that give different orders.
    """
    found = [numbers for numbers in found if numbers.whole]
    for other in found[1:]:
        if other.lines != found[0].lines:
            raise _two_orders(found[0], other)
    return found[0] if found else None


def _check_rest(numbers: _Numbers) -> None:
    """Compare the numbers that give the order with others in what else the lines say.

    Raises:
        OrderError: these give another order.
    """
    rows = _plain(numbers.rest)
    others = _numbers([_parts(_COLUMNS, row) for row in rows], (0, -1))
    if numbers.place == -1:
        others += _numbers([_parts(_BLANKS, row) for row in rows], (0,))
    for other in others:
        if other.whole and other.lines != numbers.lines:
            raise _two_orders(numbers, other)


def _two_orders(numbers: _Numbers, other: _Numbers) -> OrderError:
    """The error about two numbers in each line that give different orders."""
    return OrderError(
        f"its lines have two numbers of the classes, {numbers} and {other}, in different orders. "
        "Remove the one that does not say which output a class is; if it belongs to the names, "
        f"{AS_A_LIST}"
    )


def cells(rows: Sequence[Sequence[str]]) -> list[_Numbers]:
    """The numbers in rows of several cells, at all places where nearly all rows have one."""
    return _numbers([[part for cell in row for part in (", ", cell)][1:] for row in rows])


def are_all(numbers: Collection[int]) -> bool:
    """Whether numbers are 0, 1, 2, ... or 1, 2, 3, ..., in any order."""
    first = min(numbers, default=-1)
    return first in (0, 1) and sorted(numbers) == [*range(first, first + len(numbers))]


def check_numbers(rows: Sequence[str]) -> tuple[str, ...]:
    """Refuse names with numbers that seem to be those of the classes and differ from the order.

    Returns:
        A note, if numbers are part of words and are the lines' own.

    Raises:
        OrderError: such numbers are not the lines' own.
    """
    for between in (_COLUMNS, _BLANKS, _BETWEEN, _JOINTS):
        for numbers in _numbers([_parts(between, row) for row in rows]):
            if numbers.whole and numbers.in_order:
                if between is not _JOINTS or numbers.are_amounts:
                    return ()
                return (
                    f"{rows[0]!r}, {rows[1]!r}, ...: the numbers are read as part of the names. If "
                    "they are not, remove them",
                )
            check(numbers, column=between is _COLUMNS)
    return ()


def check(numbers: _Numbers, column: bool = True) -> None:
    """Refuse numbers that seem to be those of the classes, but do not say the order of all.

    They seem so if all lines have one in a column of its own at the end, or in front of a colon;
    elsewhere, if together they are most of those that there are classes. In names, as years and
    models of cars, they are not.

    Raises:
        OrderError: they seem so.
    """
    if numbers.are_amounts and not numbers.whole:
        return
    count, found = numbers.count, len(numbers.by_line)
    steps = {number - line for line, number in numbers.by_line.items()}
    alone = numbers.place == -1 or (numbers.place == 0 and numbers.signs == {":"})
    if not (column and alone and found == count):
        distinct = {number for number in numbers.by_line.values() if -1 <= number <= count + 1}
        least = 3 * count // 4 if column else -(-3 * found // 4)
        if len(distinct) < max(2, least) or numbers.in_order or (len(steps) == 1 and not column):
            return
        if not distinct & {0, 1} and len(distinct) < max(count, 3):
            return
    raise _unknown_order(numbers)


def _unknown_order(numbers: _Numbers) -> OrderError:
    """The error about numbers that are not understood as those of all classes."""
    lines, values = numbers.by_line, numbers.by_line.values()
    twice = [number for number, times in Counter(values).items() if times > 1]
    if len(lines) < numbers.count:
        line = next(line for line in range(numbers.count) if line not in lines)
        trouble = f"line {line + 1} has none{'' if line else ' (if it is a header, remove it)'}"
    elif twice:
        trouble = f"{twice[0]} stands twice"
    elif not are_all(values):
        trouble = "they are not 0, 1, 2, ... or 1, 2, 3, ... without gaps"
        start = min(*values, 1)
        if start >= 0:
            lost = min({*range(start, start + numbers.count)} - {*values})
            trouble += f" ({lost} is missing)"
    else:
        trouble = "they are in another order than the lines, and may belong to the names"
    return OrderError(
        f"its lines have numbers that look like those of the classes, but {trouble}, so the order "
        "is unknown. If they are, write each in front, `0: NAME`, from 0 or 1 without gaps and "
        f"repeats; if not, {AS_A_LIST}"
    )


def _unmarked(lines: Sequence[str]) -> tuple[Sequence[str], bool]:
    """Lines without the marks of a list, and whether the first one stands above the others."""
    above = len(lines) > 1 and _ABOVE.fullmatch(lines[0].strip()) is not None
    marked = [_MARKED.fullmatch(line) for line in lines[above:]]
    items = [match[1] for match in marked if match]
    return ([*lines[:above], *items] if len(items) == len(marked) else lines), above


def _plain(lines: Sequence[str]) -> list[str]:
    """Lines with plain digits for such as ``①``, and a colon behind a number in front of them.

    ``1.5`` is one number, but not where most lines are as ``001.hen``.
    """
    rows = []
    for line in lines:
        digits = (
            unicodedata.normalize("NFKC", each) if unicodedata.category(each) == "No" else each
            for each in line
        )
        rows.append("".join(digits).strip().rstrip("},; "))
    dotted = 2 * sum(_DOTTED.match(row) is not None for row in rows) > len(rows)
    rows = [_DOT.sub(r"\1: ", row, count=1) for row in rows] if dotted else rows
    return [_IN_FRONT.sub(r"\1: ", row, count=1) for row in rows]


def _parts(between: re.Pattern[str], row: str) -> list[str]:
    """The parts of a row, with what stands between each two of them; no empty ones at its ends."""
    parts = between.split(row)
    start = 2 if len(parts) > 1 and not parts[0] else 0
    return parts[start : -2 if len(parts) > start + 2 and not parts[-1] else None]


def _numbers(rows: Sequence[Sequence[str]], places: Iterable[int] = _PLACES) -> list[_Numbers]:
    """The numbers in rows, each given as by :func:`_parts`, where nearly all have one."""
    found = (_at(rows, place) for place in places)
    return [numbers for numbers in found if numbers is not None]


def _at(rows: Sequence[Sequence[str]], place: int) -> _Numbers | None:
    by_line: dict[int, int] = {}
    rest: list[str] = []
    signs: set[str] = set()
    for line, row in enumerate(rows):
        count = (len(row) + 1) // 2
        index = 2 * (place if place >= 0 else count + place)
        if 0 <= index < len(row) and (found := _NUMBER.fullmatch(row[index])):
            by_line[line] = int(found[1])
            before, after = (row[: index - 1], row[index + 1 :]) if index else ([], row[2:])
            rest.append("".join((*before, *after)).strip())
            signs.update(row[index - 1 : index] if index else row[1:2])
        elif line - len(by_line) >= max(1, len(rows) // 10):
            return None
    if len(by_line) < 2:
        return None
    return _Numbers(place, by_line, rest, frozenset(signs), len(rows))


def _unquoted(text: str) -> str:
    """A name without what Python and JSON write around it."""
    bare = text.strip("{}()[],; \t\r")
    quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\"" and bare.count(bare[0]) == 2
    return bare[1:-1] if quoted else text

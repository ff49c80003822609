"""Reading JSON that holds one mapping after another: a list, lines, or a list within a mapping."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from synthsight.contents import encoding_of
from synthsight.errors import SynthsightError

#: Characters that are read at a time of a list within a mapping.
_CHUNK = 2**20

#: What may stand between values.
_BLANKS = " \t\r\n"
_COMMA = re.compile(r"[ \t\r\n]*,[ \t\r\n]*")


class JsonError(SynthsightError):
    """What is wrong with JSON.

    Attributes:
        line: the line on which it is, from 1; None where lines are not counted.
    """

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line


def json_rows(lines: IO[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the mappings of JSON, each with the line on which it begins, from 1.

    A list is held as text, of which one mapping at a time is parsed; of mappings that stand in a
    line each, one line is held at a time. Which of both it is, the first character says.

    Raises:
        JsonError: it is neither, something in it is no mapping, or has a key twice.
    """
    before, first = 0, lines.readline()
    while first and not first.strip():
        before, first = before + 1, lines.readline()
    if first.lstrip()[:1] == "{":
        for line, content in _with_first(first, lines, before + 1):
            if content.strip():
                yield line, _mapping(line, _parsed(content, line, only=line == before + 1))
    else:
        yield from _list_of(first + lines.read(), before)


def is_json_lines(path: Path) -> bool:
    """Whether a file has a mapping of JSON in its first line, and the next begins in its second.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is no text.
    """
    with path.open(encoding=encoding_of(path)) as lines:
        there = (line for line in lines if line.strip())
        first, second = next(there, ""), next(there, "")
    if first.lstrip()[:1] != "{" or second.lstrip()[:1] != "{":
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _with_first(first: str, rest: IO[str], line: int) -> Iterator[tuple[int, str]]:
    yield line, first
    yield from enumerate(rest, start=line + 1)


def _list_of(text: str, before: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The elements one by one, so that the line of each is known."""
    decoder = json.JSONDecoder(object_pairs_hook=_once)

    def skip(position: int) -> int:
        while position < len(text) and text[position] in _BLANKS:
            position += 1
        return position

    def wrong(position: int, message: str) -> JsonError:
        return JsonError(before + text.count("\n", 0, position) + 1, message)

    position = skip(0)
    if text[position : position + 1] != "[":
        raise wrong(position, _EXPECTED)
    position = skip(position + 1)
    line, counted = before + 1, 0
    while text[position : position + 1] != "]":
        line, counted = line + text.count("\n", counted, position), position
        try:
            element, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise wrong(error.pos, error.msg) from error
        except RecursionError as error:
            raise wrong(position, "nested too deeply") from error
        except ValueError as error:
            raise wrong(position, str(error)) from error
        yield line, _mapping(line, element)
        position = skip(position)
        if text[position : position + 1] == ",":
            position = skip(position + 1)
        elif text[position : position + 1] != "]":
            raise wrong(position, "expected a comma or the end of the list")
    if skip(position + 1) != len(text):
        raise wrong(skip(position + 1), "text after the end of the list")


_EXPECTED = "expected a list of mappings: [{...}, {...}], or a mapping in each line"


def _parsed(text: str, line: int, only: bool) -> Any:
    """The value in a line; if it is the first, it may begin one that spans several."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        ends_early = only and error.pos >= len(text.rstrip())
        raise JsonError(line, _EXPECTED if ends_early else error.msg) from error
    except RecursionError as error:
        raise JsonError(line, "nested too deeply") from error
    except ValueError as error:
        raise JsonError(line, str(error)) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON mapping, in which no key may occur twice."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} occurs twice in a mapping")
    return mapping


def _mapping(line: int, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise JsonError(line, "expected a mapping with the columns as keys")
    return value


# A list within a mapping -----------------------------------------------------------------------


def entries_of(path: Path, key: str) -> Iterator[Any]:
    """Yield the elements of the list that a JSON mapping has under a key.

    The file is read in parts, and one element is in memory at a time, however long the list is. The
    mapping's other values are parsed and dropped.

    Raises:
        JsonError: it is no JSON mapping, or has no such list.
        OSError: the file cannot be read.
        UnicodeDecodeError: it is no text.
    """
    with path.open(encoding=encoding_of(path)) as file:
        text = _Text(file)
        text.expect("{")
        found = False
        while text.next() != "}":
            name = text.value()
            text.expect(":")
            if name != key:
                text.value()
            elif found:
                raise JsonError(None, f"the key {key!r} occurs twice")
            elif text.next() != "[":
                raise JsonError(None, f"{key!r} is not a list")
            else:
                found = True
                yield from text.elements()
            if text.next() == ",":
                text.expect(",")
            elif text.next() != "}":
                raise JsonError(None, "expected a comma or the end of the mapping")
        text.expect("}")
        if text.next():
            raise JsonError(None, "text after the end of the mapping")
        if not found:
            raise JsonError(None, f"no list {key!r}")


def keys_of(path: Path) -> list[str]:
    """The keys of a JSON mapping, up to and with the first whose value is a list.

    Empty if the file does not begin as one.

    Raises:
        OSError: the file cannot be read.
        UnicodeDecodeError: it is no text.
    """
    names: list[str] = []
    try:
        with path.open(encoding=encoding_of(path)) as file:
            text = _Text(file)
            text.expect("{")
            while text.next() == '"':
                names.append(text.value())
                text.expect(":")
                if text.next() == "[":
                    break
                text.value()
                if text.next() == ",":
                    text.expect(",")
    except JsonError:
        return []
    return names


class _Text:
    """JSON that is read in parts, value by value."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._text, self._at = file, "", 0
        self._decoder = json.JSONDecoder()

    def _more(self) -> bool:
        """Read on; whether there was more."""
        # As much again as could not be parsed: a large value is begun anew a few times only.
        read = self._file.read(max(_CHUNK, len(self._text) - self._at))
        self._text = self._text[self._at :] + read
        self._at = 0
        return bool(read)

    def next(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANKS:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def expect(self, character: str) -> None:
        """Pass over a character."""
        found = self.next()
        if found != character:
            raise JsonError(None, f"expected {character!r}, found {found or 'its end'!r}")
        self._at += 1

    def value(self) -> Any:
        """The next value."""
        self.next()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    raise JsonError(None, error.msg) from error
                continue
            except RecursionError as error:
                raise JsonError(None, "nested too deeply") from error
            except ValueError as error:  # a number of too many digits
                raise JsonError(None, str(error)) from error
            # A number may go on behind what has been read.
            if end == len(self._text) and isinstance(value, int | float) and self._more():
                continue
            self._at = end
            return value

    def elements(self) -> Iterator[Any]:
        """The elements of the list that begins here."""
        self.expect("[")
        while self.next() != "]":
            yield self.value()
            comma = _COMMA.match(self._text, self._at)
            if comma is not None:
                self._at = comma.end()
            elif self.next() == ",":  # it was not read yet
                self.expect(",")
            elif self.next() != "]":
                raise JsonError(None, "expected a comma or the end of the list")
        self.expect("]")

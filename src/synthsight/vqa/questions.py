"""Yes/no questions about images: which rows of a file can be asked, and why the others cannot."""

from __future__ import annotations

import difflib
import os
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from synthsight.images.reading import SUFFIXES
from synthsight.vqa.readers import read_rows

#: Number of missing images for which a close name is suggested: each costs a scan of all names.
_HINTS = 100

_YES = frozenset({"yes", "true", "1"})
_NO = frozenset({"no", "false", "0"})


@dataclass(frozen=True)
class Question:
    """A question, as given in the file.

    Attributes:
        line: line of the file, from 1; for Parquet, which has no lines, the row, from 1.
        image: path below the images' root, in POSIX form.
        question: its text, without surrounding whitespace.
        answer: the truth, ``yes`` or ``no``; the file's own text if it is neither.
        generator: the image's generator, or None.
        objects: names of objects in the image, separated by ``&&``, for OFA's prompt, or None.
        reason: why the question is left out; None if it is not.
    """

    line: int
    image: str
    question: str
    answer: str
    generator: str | None = None
    objects: str | None = None
    reason: str | None = None


def read_questions(path: Path, columns: Mapping[str, str], root: Path) -> list[Question]:
    """Read a file of questions; those that cannot be asked have a ``reason``.

    Reasons are a missing or unusable image name, an empty question, an answer other than yes/no,
    true/false or 1/0 (in any case), and a repeated question: the later one is left out if the
    answers agree, both if they do not, since either may be wrong. Images are only checked for
    existence, not opened.

    Args:
        path: CSV, TSV, JSON (a list of mappings), JSONL or Parquet, by extension; text is UTF-8.
        columns: the file's names for the columns image, question, answer, generator and objects.
            The last two may be absent if they keep these default names.
        root: folder that image paths are relative to.

    Raises:
        synthsight.vqa.readers.QuestionsError: the file cannot be read, or lacks a column.
    """
    rows = read_rows(path, columns)
    find = _ImageFinder(root)
    questions = [_parse(line, row, columns, find) for line, row in rows]
    return _without_repeats(questions)


class _ImageFinder:
    """Checks whether images exist; looks each of them up once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.missing = 0
        self.resolved_root = root.resolve()
        self.reason = cache(self._reason)

    def _reason(self, image: str) -> str | None:
        """Why an image cannot be used, judging by its name, or None."""
        path = PurePosixPath(image)
        if path.is_absolute() or ".." in path.parts or "\0" in image:
            return f"the image's path must stay below {self.root}"
        file = self.root / path
        try:
            # Checked first, since any link in the path may lead anywhere.
            if not file.resolve().is_relative_to(self.resolved_root):
                return f"a link that leads out of {self.root}: copy the file instead"
            if not file.exists():
                return f"no such image below {self.root}{self._close(path, file.parent)}"
        except (OSError, RuntimeError) as error:  # a name that is too long, a loop of links
            return f"cannot be looked up: {getattr(error, 'strerror', None) or 'a loop of links'}"
        if file.suffix.lower() not in SUFFIXES:
            return f"not an image by its name (extensions read: {' '.join(sorted(SUFFIXES))})"
        return None

    def _close(self, path: PurePosixPath, folder: Path) -> str:
        """A hint at the name closest to a missing one; for the first missing ones only."""
        self.missing += 1
        if self.missing > _HINTS:
            return ""
        hint = difflib.get_close_matches(path.name[:255], self._names(folder), n=1)
        return f"; close: {(path.parent / hint[0]).as_posix()}" if hint else ""

    @cache  # noqa: B019 (lives only while one file is read)
    def _names(self, folder: Path) -> list[str]:
        return sorted(os.listdir(folder)) if folder.is_dir() else []


def _parse(
    line: int, row: Mapping[str, Any], columns: Mapping[str, str], find: _ImageFinder
) -> Question:
    values = {key: _text(row.get(name)) for key, name in columns.items()}
    image = PurePosixPath(values["image"]).as_posix() if values["image"] else ""
    answer = values["answer"].lower()
    reason = None
    if not all(_is_text(value) for value in values.values()):
        reason = "text that contains half a character (a lone surrogate)"
        values = {key: value.encode("utf-8", "replace").decode() for key, value in values.items()}
        image = image.encode("utf-8", "replace").decode()
    elif not image:
        reason = "no image"
    elif not values["question"]:
        reason = "an empty question"
    elif answer not in _YES | _NO:
        found = f"{values['answer']!r}" if answer else "none"
        reason = f"the answer must be yes or no (or true/false, 1/0); found {found}"
    else:
        answer = "yes" if answer in _YES else "no"
        reason = find.reason(image)
    return Question(
        line=line,
        image=image,
        question=values["question"],
        answer=answer if reason is None else values["answer"],
        generator=values.get("generator") or None,
        objects=values.get("objects") or None,
        reason=reason,
    )


def _is_text(value: str) -> bool:
    """Whether it can be written as UTF-8; JSON can escape text that cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(value: Any) -> str:
    """A cell as text: true is ``true``, 1.0 is ``1``, a missing value is empty."""
    if isinstance(value, dict | list | tuple):
        return reprlib.repr(value)  # short, whatever its size
    if value is None or value != value:  # NaN, which Parquet may hold for a missing value
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace").strip()
    return str(value).strip()


def _without_repeats(questions: Sequence[Question]) -> list[Question]:
    """The questions, with repeats about the same image marked.

    Case and the amount of whitespace between words are ignored.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for index, question in enumerate(questions):
        if question.reason is None:
            normalized = " ".join(question.question.casefold().split())
            groups.setdefault((question.image, normalized), []).append(index)
    marked = list(questions)
    for first, *others in groups.values():
        same = {questions[index].answer for index in (first, *others)}
        for index in others if len(same) == 1 else (first, *others) if others else ():
            other = first if index != first else others[0]
            line = questions[other].line
            reason = f"the same question as on line {line}"
            if len(same) > 1:
                lines = ", ".join(str(questions[i].line) for i in (first, *others) if i != index)
                reason = f"also asked on line {lines}, but with a different answer"
            marked[index] = replace(questions[index], reason=reason)
    return marked

"""Yes/no questions about images: which of a file's rows can be asked, and why the others cannot."""

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

#: Missing images for which a close name is looked for: that costs a look at every name there is.
_HINTS = 100

_YES = frozenset({"yes", "true", "1"})
_NO = frozenset({"no", "false", "0"})


@dataclass(frozen=True)
class Question:
    """A question, as it stands in the file.

    Attributes:
        line: of the file, from 1; in Parquet, where there are no lines, the row, from 1.
        image: path below the images' root, POSIX form.
        question: its text, without blanks around it.
        answer: ``yes`` or ``no``, the truth; what the file says where it is neither.
        generator: of the image, or None.
        objects: names of objects in the image, ``&&`` between them, for OFA's prompt, or None.
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

    A reason is a missing or unusable name of an image, an empty question, an answer other than
    yes/no, true/false, 1/0 (in any case), or a question that the file has twice: the later one is
    left out if the answers agree, both if they do not, since either may be wrong. Images are looked
    for, not opened.

    Args:
        path: CSV, TSV, JSON (a list of mappings), JSONL or Parquet, by its ending; text is UTF-8.
        columns: what the columns image, question, answer, generator and objects are called in the
            file. The last two may be missing under these very names.
        root: folder that the images' paths start from.

    Raises:
        synthsight.vqa.readers.QuestionsError: the file cannot be read, or lacks a column.
    """
    rows = read_rows(path, columns)
    find = _ImageFinder(root)
    questions = [_parse(line, row, columns, find) for line, row in rows]
    return _without_repeats(questions)


class _ImageFinder:
    """Whether images are there; looks each of them up once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.missing = 0
        self.resolved_root = root.resolve()
        self.reason = cache(self._reason)

    def _reason(self, image: str) -> str | None:
        """Why an image cannot be used, as far as its name tells, or None."""
        path = PurePosixPath(image)
        if path.is_absolute() or ".." in path.parts or "\0" in image:
            return f"the image's path must lead from {self.root} downwards"
        file = self.root / path
        try:
            # Before anything else, since a link on the way may lead anywhere.
            if not file.resolve().is_relative_to(self.resolved_root):
                return f"a link that leads out of {self.root}: copy the file instead"
            if not file.exists():
                return f"no such image below {self.root}{self._close(path, file.parent)}"
        except (OSError, RuntimeError) as error:  # a name that is too long, a loop of links
            return f"cannot be looked for: {getattr(error, 'strerror', None) or 'a loop of links'}"
        if file.suffix.lower() not in SUFFIXES:
            return f"not an image by its name (endings that are read: {' '.join(sorted(SUFFIXES))})"
        return None

    def _close(self, path: PurePosixPath, folder: Path) -> str:
        """What to say of the name most like a missing one; of the first missing ones only."""
        self.missing += 1
        if self.missing > _HINTS:
            return ""
        hint = difflib.get_close_matches(path.name[:255], self._names(folder), n=1)
        return f"; close: {(path.parent / hint[0]).as_posix()}" if hint else ""

    @cache  # noqa: B019 (it lives as long as one reading of a file)
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
        reason = "text with half a character in it (a lone surrogate)"
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
    """Whether any file can hold it; JSON can name what none can."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(value: Any) -> str:
    """A cell as text: true is ``true``, 1.0 is ``1``, nothing is empty."""
    if isinstance(value, dict | list | tuple):
        return reprlib.repr(value)  # which is short, however much there is
    if value is None or value != value:  # NaN, which Parquet may hold for nothing
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace").strip()
    return str(value).strip()


def _without_repeats(questions: Sequence[Question]) -> list[Question]:
    """The questions, repeats of the same one about the same image marked.

    Case, and how many blanks stand between words, make no difference.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for index, question in enumerate(questions):
        if question.reason is None:
            spoken = " ".join(question.question.casefold().split())
            groups.setdefault((question.image, spoken), []).append(index)
    marked = list(questions)
    for first, *others in groups.values():
        same = {questions[index].answer for index in (first, *others)}
        for index in others if len(same) == 1 else (first, *others) if others else ():
            other = first if index != first else others[0]
            line = questions[other].line
            reason = f"the same question as in line {line}"
            if len(same) > 1:
                lines = ", ".join(str(questions[i].line) for i in (first, *others) if i != index)
                reason = f"asked in line {lines} too, but with different answers"
            marked[index] = replace(questions[index], reason=reason)
    return marked

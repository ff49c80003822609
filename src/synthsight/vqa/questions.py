"""Yes/no questions about images: which rows of a file can be asked, and why the others cannot."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthsight.tables import ALL
from synthsight.vqa.finding import ImageFinder
from synthsight.vqa.readers import read_rows

_YES = frozenset({"yes", "y", "true", "t", "1", "1.0"})
_NO = frozenset({"no", "n", "false", "f", "0", "0.0"})


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


def read_questions(
    path: Path, columns: Mapping[str, str], root: Path, notes: list[str] | None = None
) -> list[Question]:
    """Read a file of questions; those that cannot be asked have a ``reason``.

    Reasons are a missing or unusable image name, an empty question, an answer other than yes/no,
    true/false or 1/0 (in any case, or in short), and a repeated question: the later one is left
    out if the answers agree, both if they do not, since either may be wrong. Images are only
    checked for existence; one that is written otherwise than its file is called, but can only mean
    that one, is taken (see :class:`synthsight.vqa.finding.ImageFinder`).

    Args:
        path: CSV, TSV, JSON (a list of mappings), JSONL or Parquet, by extension; text is UTF-8.
        columns: the file's names for the columns image, question, answer, generator and objects.
            The last two may be absent if they keep these default names.
        root: folder that image paths are relative to.
        notes: receives a line on images that are written otherwise.

    Raises:
        synthsight.vqa.readers.QuestionsError: the file cannot be read, or lacks a column.
    """
    rows = read_rows(path, columns)
    find = ImageFinder(root)
    questions = [_parse(line, row, columns, find) for line, row in rows]
    if notes is not None and find.renamed:
        written, image = find.renamed[0]
        notes.append(
            f"{path}: {len(find.renamed)} images are written otherwise than their files are called "
            f"and are taken for these, the first: {written!r} for {image!r}"
        )
    return _without_repeats(questions)


def _parse(
    line: int, row: Mapping[str, Any], columns: Mapping[str, str], find: ImageFinder
) -> Question:
    values = {key: _text(row.get(name)) for key, name in columns.items()}
    image = values["image"]
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
    elif values.get("generator") == ALL:
        reason = f"a generator cannot be called {ALL!r}, which stands for all of them in the tables"
    else:
        answer = "yes" if answer in _YES else "no"
        image, reason = find.find(image)
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

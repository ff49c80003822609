"""Yes/no questions about images: which rows of a file can be asked, and why the others cannot."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from synthsight.images.finding import ImageFinder
from synthsight.spelling import name_key, spelt
from synthsight.tables import ALL
from synthsight.tabular import Form, TableError, read_rows
from synthsight.values import NO, YES, is_allowed, is_writable, text_of
from synthsight.vqa.repeats import comparable, find_repeats
from synthsight.wording import one_line

#: What stands between the names of objects.
_BETWEEN = "&&"

#: Columns that a file need not have.
OPTIONAL = ("generator", "objects", "group")

#: What is kept of groups beside the questions: by image, the group, or null.
GROUPS = pa.schema([(name, pa.string()) for name in ("image", "group")])

#: What else than text a column may hold.
_ALLOWED = {
    "answer": "text, a number or true/false",
    **dict.fromkeys(("generator", "group"), "text or a number"),
}


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
        group: what the image has in common with others of one prompt, seed or scene, or None. It
            decides nothing about what is asked, so digests of questions are without it.
    """

    line: int
    image: str
    question: str
    answer: str
    generator: str | None = None
    objects: str | None = None
    reason: str | None = None
    group: str | None = field(default=None, repr=False)


def read_questions(
    path: Path, columns: Mapping[str, str], root: Path, notes: list[str] | None = None
) -> list[Question]:
    """Read a file of questions; those that cannot be asked have a ``reason``.

    Reasons are a missing or unusable image name, an empty question, an answer other than yes/no,
    true/false or 1/0 (in any case, or in short), a value that is no text, as a mapping, and a
    repeated question: the later one is left out if the answers agree, both if they do not, since
    either may be wrong (see :func:`synthsight.vqa.repeats.comparable`). Images are only
    checked for existence; one that is written otherwise than its file is called, but can only mean
    that one, is taken (see :class:`synthsight.images.finding.ImageFinder`).

    Args:
        path: CSV, TSV, JSON (a list of mappings), JSONL or Parquet, by extension; text is UTF-8.
        columns: the file's names for the columns image, question, answer, generator, objects and
            group. The last three may be absent if they keep these default names; what is not named
            is not read.
        root: folder that image paths are relative to.
        notes: receives a line on images that are written otherwise, on columns with a name like an
            optional one's, and on images in the folder of another generator.

    Raises:
        synthsight.tabular.TableError: the file cannot be read, lacks a column, or gives an
            image two generators or two groups.
    """
    optional = [name for name in OPTIONAL if name in columns]
    form = Form(columns, optional, "vqa.columns", "a file of questions", "questions")
    rows = list(read_rows(path, form, notes))
    find = ImageFinder(root)
    questions = [_parse(line, row, columns, find) for line, row in rows]
    if notes is not None and find.renamed:
        written, image = find.renamed[0]
        notes.append(
            f"{path}: {len(find.renamed)} images are written otherwise than their files are called "
            f"and are taken for these, the first: {written!r} for {image!r}"
        )
    _check_generators(path, questions)
    _check_groups(path, questions)
    if notes is not None and (note := _in_other_folders(questions)):
        notes.append(f"{path}: {note}")
    return _without_repeats(questions)


def _parse(
    line: int, row: Mapping[str, Any], columns: Mapping[str, str], find: ImageFinder
) -> Question:
    cells = {key: row.get(name) for key, name in columns.items()}
    if isinstance(objects := cells.get("objects"), list):
        cells["objects"] = _joined(objects)
    values = {key: text_of(cell) for key, cell in cells.items()}
    image = values["image"]
    answer = values["answer"].lower()
    reason = None
    if not all(is_writable(value) for value in values.values()):
        reason = "text that contains half a character (a lone surrogate)"
        values = {key: value.encode("utf-8", "replace").decode() for key, value in values.items()}
        image = image.encode("utf-8", "replace").decode()
    elif other := next((key for key, cell in cells.items() if not _is_allowed(key, cell)), None):
        reason = (
            f"the {other} must be {_allowed(other)}; found {type(cells[other]).__name__}: "
            f"{one_line(values[other], 80)}"
        )
    elif not image:
        reason = "no image"
    elif not comparable(values["question"]):
        reason = "an empty question"
    elif answer not in YES | NO:
        found = f"{values['answer']!r}" if answer else "none"
        reason = f"the answer must be yes or no (or true/false, 1/0); found {found}"
    elif values.get("generator") == ALL:
        reason = f"a generator cannot be called {ALL!r}, which stands for all of them in the tables"
    else:
        answer = "yes" if answer in YES else "no"
        image, reason = find.find(image)
    return Question(
        line=line,
        image=image,
        question=values["question"],
        answer=answer if reason is None else values["answer"],
        generator=values.get("generator") or None,
        objects=values.get("objects") or None,
        reason=reason,
        group=unicodedata.normalize("NFC", values.get("group", "")) or None,
    )


def _joined(names: list[Any]) -> Any:
    """A list of objects' names as one text; the list itself if they are not all text."""
    if not all(isinstance(name, str) for name in names):
        return names
    return _BETWEEN.join(name.strip() for name in names if name.strip())


def _is_allowed(key: str, cell: Any) -> bool:
    """Whether a cell is what its column may hold; anything may be missing."""
    return is_allowed(cell, number=key in _ALLOWED, truth=key == "answer")


def _allowed(key: str) -> str:
    if key == "objects":
        return f"text with {_BETWEEN} between the names, or a list of texts"
    return _ALLOWED.get(key, "text")


def _check_generators(path: Path, questions: Sequence[Question]) -> None:
    """Refuse two generators that people would take for one, and an image with two generators.

    An image with a generator in some of its rows only is refused, too.
    """
    alike: dict[str, dict[str, Question]] = {}
    first: dict[str, Question] = {}
    for question in questions:
        if question.reason is not None:
            continue
        if (name := question.generator) is not None:
            spellings = alike.setdefault(name_key(name), {})
            spellings.setdefault(name, question)
            if len(spellings) > 1:
                named = zip(spelt(list(spellings)), spellings.values(), strict=True)
                raise TableError(
                    f"{path}: the generators "
                    + " and ".join(f"{shown} (line {found.line})" for shown, found in named)
                    + " differ only in how the name is written: their questions would be counted "
                    "apart. Give them one name"
                )
        other = first.setdefault(question.image, question)
        if other.generator != name:
            raise TableError(
                f"{path}: {question.image!r} has {_made_by(other)} on line {other.line}, but "
                f"{_made_by(question)} on line {question.line}. An image has one generator: "
                "give it in all of its rows"
            )


def _made_by(question: Question) -> str:
    return "no generator" if question.generator is None else f"generator {question.generator!r}"


def _check_groups(path: Path, questions: Sequence[Question]) -> None:
    """Refuse an image with two groups, or with one in some of its rows only."""
    first: dict[str, Question] = {}
    for question in questions:
        if question.reason is None:
            other = first.setdefault(question.image, question)
            if other.group != question.group:
                named = [
                    "no group" if each.group is None else f"the group {each.group!r}"
                    for each in (other, question)
                ]
                raise TableError(
                    f"{path}: {question.image!r} has {named[0]} on line {other.line}, but "
                    f"{named[1]} on line {question.line}. An image has one group: give it in all "
                    "of its rows"
                )


def _in_other_folders(questions: Sequence[Question]) -> str | None:
    """A note on images that lie in the folder of another generator of the file, or None."""
    known = {
        name_key(question.generator): question.generator
        for question in questions
        if question.generator is not None
    }
    found: dict[str, tuple[Question, str]] = {}
    for question in questions:
        if question.reason is None and question.generator is not None:
            own = name_key(question.generator)
            folders = list(map(name_key, PurePosixPath(question.image).parts[:-1]))
            others = [known[key] for key in folders if key in known and key != own]
            if others and own not in folders:
                found.setdefault(question.image, (question, others[0]))
    if not found:
        return None
    question, folder = next(iter(found.values()))
    return (
        f"{len(found)} images lie in the folder of another generator than theirs, the first: "
        f"{question.image!r} with generator {question.generator!r} on line {question.line}, in the "
        f"folder of {folder!r}"
    )


def _without_repeats(questions: Sequence[Question]) -> list[Question]:
    """The questions, with repeats about the same image marked."""
    usable = [index for index, question in enumerate(questions) if question.reason is None]
    marked = list(questions)
    asked = [(questions[i].image, questions[i].question, questions[i].answer) for i in usable]
    for number, repeat in find_repeats(asked).items():
        lines = [questions[usable[other]].line for other in repeat.others]
        reason = f"the same question as on line {lines[0]}"
        if not repeat.agree:
            shown = ", ".join(map(str, lines)) + (f" and {repeat.more} more" if repeat.more else "")
            reason = f"also asked on line {shown}, but with a different answer"
        index = usable[number]
        marked[index] = replace(questions[index], reason=reason)
    return marked

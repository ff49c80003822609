"""Yes/no questions about images: which rows of files can be asked, and why the others cannot."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthsight.images.finding import ImageFinder
from synthsight.tables import ALL
from synthsight.tabular import Form, read_rows
from synthsight.values import NO, YES, is_allowed, is_writable, text_of
from synthsight.vqa.consistency import (
    check_generators,
    check_groups,
    in_other_folders,
    without_repeats,
)
from synthsight.vqa.question import Question
from synthsight.vqa.repeats import comparable
from synthsight.vqa.sets.below import Below
from synthsight.vqa.sets.forms import PROMPT, advice, recognise
from synthsight.vqa.sets.reading import check_pairs, read_set, read_vqa2
from synthsight.wording import one_line

#: What stands between the names of objects.
_BETWEEN = "&&"

#: Columns that a file need not have.
OPTIONAL = ("generator", "objects", "group")

#: What is kept of groups beside the questions: by image, the group, or null.
GROUPS = pa.schema([(name, pa.string()) for name in ("image", "group")])

#: Questions of which nobody expects that their answers differ, if there are fewer.
_FEW = 10

#: What else than text a column may hold.
_ALLOWED = {
    "answer": "text, a number or true/false",
    **dict.fromkeys(("generator", "group"), "text or a number"),
}


@dataclass(frozen=True)
class Asked:
    """What files of questions hold.

    Attributes:
        questions: the questions, in the order of the files; those that cannot be asked have a
            ``reason``.
        prompts: whether the groups of images are the prompts of a set of questions.
    """

    questions: list[Question]
    prompts: bool


def read_questions(
    files: Path | Sequence[Path],
    columns: Mapping[str, str],
    root: Path,
    notes: list[str] | None = None,
    annotations: Sequence[Path] = (),
    kept: Path | None = None,
) -> list[Question]:
    """The questions of :func:`read_asked`."""
    return read_asked(files, columns, root, notes, annotations, kept).questions


def read_stated(
    spec: Mapping[str, Any], kept: str | None = None, notes: list[str] | None = None
) -> list[Question]:
    """The questions that a job's spec names.

    Args:
        spec: with ``questions``, a file or several, ``columns``, ``root``, and perhaps
            ``annotations``, for :func:`read_asked`.
        kept: folder of caches, or None.
        notes: as in :func:`read_asked`.
    """
    named = spec["questions"]
    files = [named] if isinstance(named, str) else named
    annotations = list(map(Path, spec.get("annotations", ())))
    return read_questions(
        *(list(map(Path, files)), spec["columns"], Path(spec["root"])),
        notes=notes,
        annotations=annotations,
        kept=None if kept is None else Path(kept),
    )


def read_asked(
    files: Path | Sequence[Path],
    columns: Mapping[str, str],
    root: Path,
    notes: list[str] | None = None,
    annotations: Sequence[Path] = (),
    kept: Path | None = None,
) -> Asked:
    """Read files of questions; those that cannot be asked have a ``reason``.

    Reasons are a missing or unusable image name, an empty question, an answer other than yes/no,
    true/false or 1/0 (in any case, or in short), a value that is no text, as a mapping, and a
    repeated question: the later one is left out if the answers agree, both if they do not, since
    either may be wrong (see :func:`synthsight.vqa.repeats.comparable`). Images are only
    checked for existence; one that is written otherwise than its file is called, but can only mean
    that one, is taken (see :class:`synthsight.images.finding.ImageFinder`).

    A file that lacks one of the columns image, question and answer may be a set of questions in a
    form in which such sets are published (:mod:`synthsight.vqa.sets.forms`); it is then read as
    that, and a note says so.

    Args:
        files: one or several, of formats that :mod:`synthsight.tabular` reads.
        columns: the file's names for the columns image, question, answer, generator, objects and
            group. The last three may be absent if they keep these default names; what is not named
            is not read.
        root: folder that image paths are relative to.
        notes: receives a line on images that are written otherwise, on columns with a name like an
            optional one's, on images in the folder of another generator, on sets that were
            recognised, and on answers that are all the same.
        annotations: of VQA v2, one file for each of ``files``; otherwise none.
        kept: folder of caches, in which what takes long to read is kept; None to keep nothing.

    Raises:
        synthsight.tabular.TableError: a file cannot be read, lacks a column, or gives an
            image two generators or two groups.
    """
    paths = [files] if isinstance(files, Path) else list(files)
    reading = _Reading(columns, root, [] if notes is None else notes, kept)
    check_pairs(paths, annotations)
    if annotations:
        found = read_vqa2(paths, annotations, reading.below, reading.notes, kept)
        questions = [
            reading.question(path, given.line, {**given.cells, "image": shown.image}, why)
            for path, (given, shown) in found
            for why in (given.reason or shown.reason,)
        ]
    else:
        questions = [each for path in paths for each in reading.rows(path)]
    if reading.told:
        questions = list(map(reading.completed, questions))
    where = str(paths[0]) if len(paths) == 1 else "vqa.questions"
    if reading.find.renamed:
        written, image = reading.find.renamed[0]
        reading.notes.append(
            f"{where}: {len(reading.find.renamed)} images are written otherwise than their files "
            f"are called and are taken for these, the first: {written!r} for {image!r}"
        )
    check_generators(questions)
    check_groups(questions)
    if note := in_other_folders(questions):
        reading.notes.append(f"{where}: {note}")
    questions = without_repeats(questions)
    if note := _one_answer(questions):
        reading.notes.append(f"{where}: {note}")
    return Asked(questions, reading.prompts)


class _Reading:
    """Files of questions while they are read."""

    def __init__(
        self, columns: Mapping[str, str], root: Path, notes: list[str], kept: Path | None
    ) -> None:
        self.columns, self.notes, self.kept = columns, notes, kept
        self.find, self.below = ImageFinder(root), Below(root)
        self.prompts = False
        #: The generator and the group of images, where folders and prompts tell them.
        self.told: dict[str, tuple[str | None, str | None]] = {}

    def rows(self, path: Path) -> Iterator[Question]:
        """The questions of a table."""
        form = recognise(path, self.columns)
        if form is None:
            columns = list(self.columns.items())
            for line, row in read_rows(path, self._form(path), self.notes):
                yield self.question(path, line, {key: row.get(name) for key, name in columns})
            return
        self.prompts |= form.by == PROMPT
        found = read_set(path, form, self.columns, self.find, self.below, self.notes, self.kept)
        for given, shown in found:
            cells = {**given.cells, "image": shown.image}
            if form.by == PROMPT:
                cells["generator"] = cells.get("generator") or shown.generator
                cells["group"] = cells.get("group") or given.cells["image"]
            question = self.question(path, given.line, cells, given.reason or shown.reason)
            if form.by == PROMPT and shown.reason is None:
                self.told.setdefault(question.image, (question.generator, question.group))
            yield question

    def completed(self, question: Question) -> Question:
        """A question, with what a set of questions says of its image and its own file does not."""
        generator, group = self.told.get(question.image, (None, None))
        if generator is not None and question.generator is None:
            question = replace(question, generator=generator)
        if group is not None and question.group is None:
            question = replace(question, group=group)
        return question

    def _form(self, path: Path) -> Form:
        optional = [name for name in OPTIONAL if name in self.columns]
        return Form(
            *(self.columns, optional, "vqa.columns", "a file of questions", "questions"),
            embedded=advice(path),
        )

    def question(
        self, path: Path, line: int, cells: Mapping[str, Any], reason: str | None = None
    ) -> Question:
        """A question of what its row says, with the reason why it is left out."""
        values, odd = {}, []
        for key, cell in cells.items():
            if cell is None:
                values[key] = ""
                continue
            if type(cell) is str:  # nearly all are, and 200,000 questions must not take long
                values[key] = cell.strip()
                if not (cell.isascii() or is_writable(cell)):
                    odd.append(key)
                continue
            whole = _joined(cell) if key == "objects" and isinstance(cell, list) else cell
            values[key] = text_of(whole)
            if not (is_writable(values[key]) and _is_allowed(key, whole)):
                odd.append(key)
        image, answer = values["image"], values["answer"].lower()
        if odd:
            reason = _oddity(odd[0], cells[odd[0]], values)
            if not all(map(is_writable, values.values())):
                values = {k: v.encode("utf-8", "replace").decode() for k, v in values.items()}
            image = values["image"]
        elif reason is not None:
            pass
        elif not image:
            reason = "no image"
        elif not comparable(values["question"]):
            reason = "an empty question"
        elif answer not in YES and answer not in NO:
            found = f"{values['answer']!r}" if answer else "none"
            reason = f"the answer must be yes or no (or true/false, 1/0); found {found}"
        elif values.get("generator") == ALL:
            reason = (
                f"a generator cannot be called {ALL!r}, which stands for all of them in the tables"
            )
        else:
            answer = "yes" if answer in YES else "no"
            image, reason = self.find.find(image)
        group = values.get("group") or None
        return Question(
            line=line,
            image=image,
            question=values["question"],
            answer=answer if reason is None else values["answer"],
            generator=values.get("generator") or None,
            objects=values.get("objects") or None,
            reason=reason,
            group=group and unicodedata.normalize("NFC", group),
            file=os.fspath(path),
        )


def _oddity(key: str, cell: Any, values: Mapping[str, str]) -> str:
    """Why a value is none that its column may hold."""
    if not all(map(is_writable, values.values())):
        return "text that contains half a character (a lone surrogate)"
    return (
        f"the {key} must be {_allowed(key)}; found {type(cell).__name__}: "
        f"{one_line(values[key], 80)}"
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


def _one_answer(questions: Sequence[Question]) -> str | None:
    """A note if all questions that can be asked have one answer, or None."""
    answers = {question.answer for question in questions if question.reason is None}
    count = sum(question.reason is None for question in questions)
    if len(answers) != 1 or count < _FEW:
        return None
    answer = answers.pop()
    return (
        f"the answer to all {count:,} questions is {answer}: a model that always says {answer} is "
        "always right, so that accuracy says nothing without questions with the other answer"
    )

"""Reading what people say of images: files with a row a response, in two forms.

Which responses count is decided where the images are known
(:mod:`synthsight.people.import_people`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthsight.people.words import CANNOT_TELL, OTHER
from synthsight.spelling import name_key
from synthsight.tabular import Form, TableError, read_rows
from synthsight.values import is_allowed, is_writable, text_of
from synthsight.wording import one_line

#: What people are asked for: a category for each image, or yes or no to each question.
KINDS = ("labels", "answers")

#: These and other words for them. ``na`` is model-vs-human's, for no response in time; ``no idea``
#: would otherwise be a sentence that says no.
_OTHER = (OTHER, "something else", "none of these")
_CANNOT_TELL = (CANNOT_TELL, "can't tell", "can\u2019t tell", "na", "n/a", "no idea")

#: The columns of model-vs-human that count. Its ``category`` is what the image shows.
_TOOLBOX = {"rater": "subj", "image": "imagename", "response": "object_response"}
_STATED = "category"

#: A whole number as a decimal one.
_WHOLE = re.compile(r"-?\d+\.0*")

#: Columns that either form may have and that are not read.
_KNOWN = frozenset({"seconds", "session", "trial", "rt", "category", "condition"})


@dataclass(frozen=True)
class Response:
    """A row of such a file.

    Attributes:
        file: the file.
        line: its line, from 1; for Parquet, which has no lines, the row, from 1.
        rater: who responds.
        image: the image as it is written.
        response: what is said, as it is written.
        question: what it is about, as it is written; None for labels.
        stated: the category that the file gives the image, as model-vs-human's do, or None.
        reason: why the row cannot be used, whatever the images are; None if it can.
    """

    file: str
    line: int
    rater: str
    image: str
    response: str
    question: str | None = None
    stated: str | None = None
    reason: str | None = None


def read_responses(
    path: Path, columns: Mapping[str, str], kind: str, notes: list[str]
) -> list[Response]:
    """Read a file of what people say.

    Args:
        path: CSV, TSV, JSON (a list of mappings), JSONL or Parquet, by extension; text is UTF-8.
        columns: the file's names for the columns rater, image, response and question; a file of
            labels that has those of model-vs-human instead is read by these.
        kind: one of :data:`KINDS`.
        notes: receives a line on columns that are not read.

    Raises:
        synthsight.tabular.TableError: the file cannot be read, lacks a column, or has those of
            model-vs-human and some of the others.
    """
    asked = kind == "answers"
    wanted = {key: columns[key] for key in ("rater", "image", "response")}
    if asked:
        wanted["question"] = columns["question"]
    toolbox = not asked and _is_of_toolbox(path, wanted)
    form = _form(_TOOLBOX if toolbox else wanted, kind)
    seen: list[str] = []
    found = [
        _parse(str(path), line, row, form.columns, toolbox)
        for line, row in read_rows(path, form, notes, seen)
    ]
    further = [
        name
        for name in dict.fromkeys(seen)
        if name not in form.columns.values() and name.lower() not in _KNOWN
    ]
    if further:
        named = ", ".join(map(repr, further[:10])) + (" and more" if len(further) > 10 else "")
        notes.append(f"{path}: the columns {named} are not read")
    return found


def _form(columns: Mapping[str, str], kind: str) -> Form:
    return Form(columns, (), "people.columns", f"a file of people's {kind}", "responses")


def _is_of_toolbox(path: Path, wanted: Mapping[str, str]) -> bool:
    """Whether a file is read by the columns of model-vs-human: it has them, and none of its own.

    Raises:
        synthsight.tabular.TableError: it has some of its own, too, so that either may be meant.
    """
    try:
        _, row = next(iter(read_rows(path, _form(_TOOLBOX, "labels"))))
    except (TableError, StopIteration):
        return False
    theirs = set(_TOOLBOX.values())
    own = {key: name for key, name in wanted.items() if name not in theirs}
    there = [name for name in own.values() if name in row]
    if not row.keys() >= theirs or (own and len(there) == len(own)):
        return False
    if there:
        raise TableError(
            f"{path} has the columns of model-vs-human ({', '.join(_TOOLBOX.values())}) and "
            f"{', '.join(map(repr, there))}: which is meant? Write the names of the columns that "
            "count as `people.columns`, or take the others out of the file"
        )
    return True


def _parse(
    file: str, line: int, row: Mapping[str, Any], columns: Mapping[str, str], toolbox: bool
) -> Response:
    cells = {key: row.get(name) for key, name in columns.items()}
    stated = row.get(_STATED) if toolbox else None
    values = {key: text_of(cell) for key, cell in (*cells.items(), ("stated", stated))}
    if _WHOLE.fullmatch(values["rater"]):  # as pandas writes a column of numbers that has gaps
        values["rater"] = values["rater"].partition(".")[0]
    other = next((key for key, cell in cells.items() if not _is_allowed(key, cell)), None)
    reason = None
    if not all(map(is_writable, values.values())):
        reason = "text that contains half a character (a lone surrogate)"
        values = {key: value.encode("utf-8", "replace").decode() for key, value in values.items()}
    elif other is not None:
        reason = (
            f"the {other} must be text; found {type(cells[other]).__name__}: "
            f"{one_line(values[other], 80)}"
        )
    elif not values["rater"]:
        reason = "no rater"
    elif not values["image"]:
        reason = "no image"
    elif "question" in values and not values["question"]:
        reason = "no question"
    elif not values["response"]:
        reason = f"no response; who cannot tell says {CANNOT_TELL!r}"
    return Response(
        *(file, line, values["rater"], values["image"], values["response"]),
        question=values.get("question"),
        stated=values["stated"] or None,
        reason=reason,
    )


def _is_allowed(key: str, cell: Any) -> bool:
    """Whether a cell is what its column may hold: raters may be numbers, responses true or 1."""
    free = key in ("rater", "response")
    return is_allowed(cell, number=free, truth=key == "response")


class Vocabulary:
    """What responses mean: the categories of a run, or yes and no.

    A category is understood as names of folders are: in any case, with spaces, underscores or
    neither between its words. One that is itself called ``other`` is that category.

    Args:
        answers: the categories, or yes and no with the words for them, by what each means.
        sentences: tells what other texts mean, or None of those that mean nothing that counts.

    Attributes:
        sentences_read: the texts that it told the meaning of, each once, and their meanings.
    """

    def __init__(
        self,
        answers: Mapping[str, str],
        sentences: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._sentences = sentences
        self.sentences_read: dict[str, str] = {}
        self._meant = {name_key(word): CANNOT_TELL for word in _CANNOT_TELL}
        self._exact = dict(answers)
        self._several: dict[str, list[str]] = {}
        for written, meant in answers.items():
            key = name_key(written)
            self._several.setdefault(key, [])
            if meant not in self._several[key]:
                self._several[key].append(meant)
            self._meant[key] = meant

    def meant(self, response: str) -> str | None:
        """What a response means; None if it is none of these."""
        if response in self._exact:
            return self._exact[response]
        key = name_key(response)
        if len(self._several.get(key, ())) > 1:
            return None
        if key in self._meant:
            return self._meant[key]
        meant = self._sentences(response)
        if meant is not None:
            self.sentences_read[response] = meant
        return meant

    @property
    def known(self) -> Sequence[str]:
        """The words that it knows, as they are to be written."""
        return [*dict.fromkeys(self._exact), CANNOT_TELL]


def vocabulary_of(categories: Sequence[str]) -> Vocabulary:
    """What people may say an image shows: a category, other, or that they cannot tell."""
    keys = set(map(name_key, categories))
    others = {word: OTHER for word in _OTHER if name_key(word) not in keys}
    return Vocabulary({**{category: category for category in categories}, **others})

"""Files of answers that models gave elsewhere: which columns hold what, and their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from synthsight.errors import SynthsightError
from synthsight.tabular import Form, read_rows
from synthsight.values import is_allowed, text_of
from synthsight.wording import did_you_mean, one_line

#: What the columns of a table hold.
ROLES = ("image", "question", "answer", "p_yes")

#: Names that columns have in files of others, the surest first: of what a model answered, where
#: ``answer`` is the truth (in VLMEvalKit's results, and in scored answers of a run), and of images.
_ANSWERS = ("prediction", "predicted")
_IMAGES = ("image_path",)

#: The keys by which lmms-eval's samples are told, and those that hold what the model said.
_SAMPLE, _SAID = "doc_id", ("filtered_resps", "resps")

#: Where the documents in lmms-eval's samples may say which image they are about.
_OF_DOCUMENT = ("image", "image_path", "image_source", "file_name", "filename", "image_id")

#: What stands for the image in prompts.
_MARK = "<image>"

#: How messages call such a file, its rows, and where its columns are stated.
_KEY, _FILE, _ROWS = "vqa.models.columns", "a file of answers", "answers"


class AnswersError(SynthsightError):
    """A file of answers that cannot be used."""


@dataclass(frozen=True)
class Given:
    """A row of a file of answers.

    Attributes:
        line: its line, from 1; for Parquet, which has no lines, the row, from 1.
        image: the image as it is written; None if the row does not say.
        questions: what may be the question, as it is written: one text, or a prompt and its lines.
        answer: what was answered, text or a number or true or false; None if nothing is known.
        p_yes: P(yes), likewise.
    """

    line: int
    image: str | None
    questions: tuple[str, ...]
    answer: Any = None
    p_yes: Any = None


@dataclass(frozen=True)
class Source:
    """A file of answers, and how it is read.

    Attributes:
        path: the file.
        kind: what it is, in words.
        columns: names of columns, by what they hold (:data:`ROLES`).
        unread: its other columns.
        stated: what the configuration names of these columns.
    """

    path: Path
    kind: str
    columns: Mapping[str, str]
    unread: Sequence[str] = ()
    stated: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_log(self) -> bool:
        """Whether it is lmms-eval's samples, which have no columns of their own."""
        return not self.columns

    def rows(self) -> Iterator[Given]:
        """Yield its rows.

        Raises:
            AnswersError: a cell cannot be what its column holds, or no row has an answer.
            synthsight.tabular.TableError: it cannot be read, or lacks a column.
        """
        if self.is_log:
            for line, row in read_rows(self.path, Form({}, (), _KEY, _FILE, _ROWS)):
                yield _of_log(self.path, line, row)
            return
        there = False
        for line, row in read_rows(self.path, _form(self.columns)):
            if "image" not in self.columns and row.get("image"):
                raise AnswersError(
                    f"{self.path}, line {line}: it has an image, and the first row has none: give "
                    "all rows one"
                )
            there = there or any(self.columns.get(role) in row for role in ("answer", "p_yes"))
            yield self._of_table(line, row)
        if not there:
            raise _without_answers(self.path, [*self.columns.values(), *self.unread])

    def _of_table(self, line: int, row: Mapping[str, Any]) -> Given:
        cells = {role: row.get(name) for role, name in self.columns.items()}
        for role, cell in cells.items():
            given = role in ("answer", "p_yes")
            if not is_allowed(cell, number=given or role == "image", truth=role == "answer"):
                raise AnswersError(
                    f"{self.path}, line {line}: {self.columns[role]!r} must be "
                    f"{'text or a number' if given else 'text'}; found {type(cell).__name__}: "
                    f"{one_line(text_of(cell), 80)}"
                )
        image = text_of(cells["image"]) if "image" in cells else None
        question = text_of(cells["question"])
        for role, text in (("image", image), ("question", question)):
            if text == "":
                raise AnswersError(f"{self.path}, line {line}: no {role}; remove the row")
        return Given(line, image, (question,), cells.get("answer"), cells.get("p_yes"))


def open_source(path: Path, stated: Mapping[str, str]) -> Source:
    """Find out how a file of answers is to be read, by its columns.

    A table has a row for each question: its image, its text, and ``answer`` or ``p_yes`` or both.
    If it has a column ``prediction`` or ``predicted``, as VLMEvalKit's results and a run's own
    scored answers do, that is what was answered, and ``answer`` is the truth. The image may be
    missing if no question is asked about two images of the run. lmms-eval's samples (JSON lines)
    are told by ``doc_id`` and ``filtered_resps``.

    Args:
        path: CSV, TSV, JSON (a list of mappings), JSONL or Parquet, by extension; text is UTF-8.
        stated: the file's names for columns, by what they hold (:data:`ROLES`).

    Raises:
        AnswersError: it has no column with answers.
        synthsight.tabular.TableError: it cannot be read, or lacks a column.
    """
    names, fixed = _names(path, stated)
    if not stated and _SAMPLE in names and any(name in names for name in _SAID):
        return Source(path, "lmms-eval's samples", {})
    columns = {"question": stated.get("question", "question")}
    image = next((each for each in ("image", *_IMAGES) if each in names), None)
    answer = next((each for each in (*_ANSWERS, "answer") if each in names), None)
    for role, default in (("image", image), ("answer", answer), ("p_yes", "p_yes")):
        name = stated.get(role, default)
        if name is not None and (role in stated or not fixed or name in names):
            columns[role] = name
    if "answer" not in columns and not fixed:
        columns["answer"] = "answer"  # the rows of JSON need not all have it
    if not {"answer", "p_yes"} & columns.keys():
        raise _without_answers(path, names)
    unread = tuple(name for name in names if name not in columns.values())
    is_result = columns.get("answer") == "prediction" and "index" in names
    kind = "VLMEvalKit's results" if is_result else "a table"
    return Source(path, kind, columns, unread, dict(stated))


def _names(path: Path, stated: Mapping[str, str]) -> tuple[list[str], bool]:
    """The names of a file's columns, and whether all rows have these, as those of JSON need not."""
    question = stated.get("question", "question")
    form, found = Form({"question": question}, (), _KEY, _FILE, _ROWS), list[str]()
    row = next(iter(read_rows(path, form, found=found)), None)
    if path.suffix.lower() == ".parquet":
        return list(pq.read_schema(path).names), True
    return (found, True) if found else ([*row[1]] if row else [], False)


def _form(columns: Mapping[str, str]) -> Form:
    optional = [role for role in ROLES if role != "question"]
    return Form({**columns}, optional, _KEY, _FILE, _ROWS)


def _without_answers(path: Path, names: Sequence[str]) -> AnswersError:
    known = ("answer", "p_yes", *_ANSWERS)
    hints = (did_you_mean(name, known) for name in names)
    close = next(((name, hint) for name, hint in zip(names, hints, strict=True) if hint), None)
    said = f" ({close[0]!r}{close[1]})" if close else ""
    return AnswersError(
        f"{path} has neither a column `answer` nor `p_yes`; it has: {', '.join(names)}{said}. "
        f"State the name of the column with the model's answers in {_KEY}.answer, or of that with "
        f"P(yes) in {_KEY}.p_yes"
    )


def _of_log(path: Path, line: int, row: Mapping[str, Any]) -> Given:
    """A sample of lmms-eval's: its document, if it is there, or its prompt, and what was said."""
    document = row.get("doc")
    document = document if isinstance(document, dict) else {}
    image = next((name for key in _OF_DOCUMENT if (name := _text(document.get(key)))), None)
    media = row.get("input_media")
    if image is None and isinstance(media, list) and len(media) == 1:
        image = _text(media[0])
    if image is not None and image.startswith("data:"):
        image = None
    question = _text(document.get("question"))
    prompt = _text(row.get("input"))
    if question is None and prompt is None:
        raise AnswersError(
            f"{path}, line {line}: neither `doc` with a `question` nor the prompt (`input`) as "
            "text, so it does not say what was asked. Make a table with the columns image, "
            "question and answer of it"
        )
    if question is None and prompt is not None:
        lines = [each.replace(_MARK, "").strip() for each in (prompt, *prompt.splitlines())]
        return Given(line, image, tuple(dict.fromkeys(filter(None, lines))), _said(path, line, row))
    return Given(line, image, (str(question),), _said(path, line, row))


def _said(path: Path, line: int, row: Mapping[str, Any]) -> str | None:
    """What the model said in a sample of lmms-eval's; None if nothing."""
    said = next((row[name] for name in _SAID if row.get(name) is not None), None)
    while isinstance(said, list) and len(said) == 1:
        said = said[0]
    if isinstance(said, list) and said:
        raise AnswersError(
            f"{path}, line {line}: several responses to one question, or log-likelihoods of "
            f"choices ({one_line(said, 80)}): only samples with one text each are read. Make a "
            "table with the columns image, question and answer or p_yes of it"
        )
    return said if isinstance(said, str) else None


def _text(cell: Any) -> str | None:
    return cell.strip() or None if isinstance(cell, str) else None

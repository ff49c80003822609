"""Files of answers that models gave elsewhere: which columns hold what, and their rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthsight.errors import SynthsightError
from synthsight.tabular import Form, folded, read_rows
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

#: Names of columns that may say so, too, in files of others, and of those with P(no).
_SOUNDS_LIKE_IMAGE = re.compile(r"image|(?<![a-z])(img|file|photo|picture|path)", re.IGNORECASE)
_P_NO = ("pno", "probno", "noprob", "probabilityno", "noprobability")

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
            AnswersError: a cell cannot be what its column holds.
            synthsight.tabular.TableError: it cannot be read, or lacks a column.
        """
        if self.is_log:
            for line, row in read_rows(self.path, Form({}, (), _KEY, _FILE, _ROWS)):
                yield _of_log(self.path, line, row)
            return
        for line, row in read_rows(self.path, _form(self.columns)):
            yield self._of_table(line, row)

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
                raise AnswersError(
                    f"{self.path}, line {line}: no {role}; add it, or remove the row"
                )
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

    Rows of JSON need not have the same keys: any row's are columns of the file.

    Raises:
        AnswersError: it has no column with answers, or several that may be, or one that may say
            which image a row is about or how probable no is, and that would not be read.
        synthsight.tabular.TableError: it cannot be read, or lacks a column.
    """
    names = _names(path, stated)
    if not stated and _SAMPLE in names and any(name in names for name in _SAID):
        return Source(path, "lmms-eval's samples", {})
    found = {
        "image": next((name for name in ("image", *_IMAGES) if name in names), None),
        "question": "question",
        "answer": _answers_in(path, names, stated),
        "p_yes": "p_yes" if "p_yes" in names else None,
    }
    columns = {role: name for role in ROLES if (name := stated.get(role, found[role]))}
    if not {"answer", "p_yes"} & columns.keys():
        raise _without_answers(path, names)
    unread = tuple(name for name in names if name not in columns.values())
    image = next((name for name in unread if _SOUNDS_LIKE_IMAGE.search(name)), None)
    if "image" not in columns and image is not None:
        raise AnswersError(
            f"{path} has no column `image`, and {image!r} may say which image a row is about. If "
            f"it does, state {_KEY}.image: {image}; otherwise rename it or remove it"
        )
    no = next((name for name in unread if folded(name) in _P_NO), None)
    if "p_yes" in columns and "p_yes" not in stated and no is not None:
        raise AnswersError(
            f"{path} has {no!r} beside {columns['p_yes']!r}: P(yes) is the share of yes in both "
            "together. Divide by their sum, if that is not 1, and remove the column, or state "
            f"{_KEY}.p_yes: {columns['p_yes']}"
        )
    is_result = columns.get("answer") == "prediction" and "index" in names
    kind = "VLMEvalKit's results" if is_result else "a table"
    return Source(path, kind, columns, unread, dict(stated))


def _answers_in(path: Path, names: Sequence[str], stated: Mapping[str, str]) -> str | None:
    """The column with what the model answered, of those that are known to hold it.

    Raises:
        AnswersError: there are two.
    """
    there = [name for name in _ANSWERS if name in names]
    if len(there) > 1 and "answer" not in stated:
        raise AnswersError(
            f"{path} has the columns {' and '.join(map(repr, there))}: state which of them the "
            f"model's answers are in as {_KEY}.answer"
        )
    return next((name for name in (*there, "answer") if name in names), None)


def _names(path: Path, stated: Mapping[str, str]) -> list[str]:
    """The names of a file's columns; of JSON, those of any row, since each may leave some out."""
    if path.suffix.lower() in (".json", ".jsonl"):
        wanted = {"question": "question", **stated} if stated else {}
        rows = read_rows(path, Form(wanted, (), _KEY, _FILE, _ROWS))
        return list(dict.fromkeys(name for _, row in rows for name in row))
    question = {"question": stated.get("question", "question")}
    form, found = Form(question, (), _KEY, _FILE, _ROWS), list[str]()
    next(iter(read_rows(path, form, found=found)), None)
    return found


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


def _said(path: Path, line: int, row: Mapping[str, Any]) -> Any:
    """What the model said in a sample of lmms-eval's, text or a number; None if nothing."""
    said = next((row[name] for name in _SAID if row.get(name) is not None), None)
    while isinstance(said, list) and len(said) == 1:
        said = said[0]
    if isinstance(said, list) and said:
        raise AnswersError(
            f"{path}, line {line}: several responses to one question, or log-likelihoods of "
            f"choices ({one_line(said, 80)}): only samples with one text each are read. Make a "
            "table with the columns image, question and answer or p_yes of it"
        )
    if not is_allowed(said, number=True, truth=True) and said != []:
        raise AnswersError(
            f"{path}, line {line}: the response is a {type(said).__name__}, not text: "
            f"{one_line(text_of(said), 80)}. Make a table with the columns image, question and "
            "answer or p_yes of it"
        )
    return None if said == [] else said


def _text(cell: Any) -> str | None:
    """Text or a whole number as text; None of anything else, and of nothing."""
    whole = isinstance(cell, int) and not isinstance(cell, bool)
    return text_of(cell) or None if whole or isinstance(cell, str) else None

"""Importing answers that were given elsewhere: joined with the run's questions, and counted."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from synthsight.files import atomic, sha256_of
from synthsight.origin import entry
from synthsight.tables import write_parquet
from synthsight.values import NO, YES, text_of
from synthsight.vqa.elsewhere.notes import note_of, sentences
from synthsight.vqa.elsewhere.places import SHOWN, Places
from synthsight.vqa.elsewhere.reading import AnswersError, Source, open_source
from synthsight.vqa.joining import RunQuestions
from synthsight.vqa.words import yes_or_no
from synthsight.wording import one_line

#: What is done about questions without an answer.
MISSING = ("refuse", "unanswered")

#: Schema of the file of answers.
SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("question", pa.string()),
        ("p_yes", pa.float64()),
        ("mass", pa.float64()),
        ("reason", pa.string()),
        ("predicted", pa.string()),
        ("said", pa.string()),
    ]
)

#: Characters that are kept of what a model said.
LONGEST = 200

#: What is said of an answer that is neither yes nor no.
UNPARSED = "what it says is neither yes nor no"

#: How what lmms-eval and VLMEvalKit write in the place of an answer begins, if there was none.
_FAILED = ("[LMMS_EVAL_REQUEST_FAILED", "Failed to obtain answer via API")

#: Answers of which all may well be right, if there are fewer.
_ENOUGH = 10

#: Names of columns beside ``answer`` that may hold what a model answered.
_SOUNDS = re.compile(
    r"pred|respon|resps|output|reply|said|generat|completion|model|yes", re.IGNORECASE
)


@dataclass(frozen=True)
class Wanted:
    """Which answers are imported.

    Attributes:
        model: the name that they go by.
        file: where they are.
        missing: one of :data:`MISSING`.
        columns: names of columns, by what they hold.
        reference: the model's accuracy elsewhere, if the user states it.
    """

    model: str
    file: Path
    missing: str = "refuse"
    columns: Mapping[str, str] = field(default_factory=dict)
    reference: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Answer:
    """What a row answers.

    Attributes:
        line: the row's line.
        p_yes: P(yes), if it is stated.
        predicted: what is answered, where it is known but P(yes) is not.
        said: the text, if it is more than yes or no.
        reason: why there is no answer that counts, or None.
    """

    line: int
    p_yes: float | None = None
    predicted: Literal["yes", "no"] | None = None
    said: str | None = None
    reason: str | None = None

    @property
    def verdict(self) -> tuple[float | None, str | None, str | None]:
        """What two rows about a question must agree on."""
        unparsed = self.said if self.reason is not None else None
        return self.p_yes, self.predicted, unparsed

    @property
    def says_yes(self) -> bool | None:
        """Whether it counts as yes; None if it does not count."""
        if self.p_yes is not None:
            return self.p_yes > 0.5
        return None if self.predicted is None else self.predicted == "yes"


def import_answers(
    wanted: Wanted,
    questions: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    note: str | os.PathLike[str],
) -> list[str]:
    """Import answers to the run's questions.

    Args:
        wanted: which.
        questions: the shards of all questions.
        output: the Parquet file, :data:`SCHEMA`, a row for each question that can be asked, sorted
            by image and question. Its metadata hold, as JSON under ``synthsight``, ``model``.
        note: the JSON file about them, in the place of one about weights.

    Returns:
        Sentences for people: what was recognised, what is missing, what was left aside.

    Raises:
        AnswersError: the file cannot be used: questions have no answer, and are to have one; none
            has; rows contradict each other or themselves; or they say no probability.
        synthsight.errors.SynthsightError: likewise.
    """
    asked = RunQuestions(questions)
    if not asked.rows:
        raise AnswersError(
            f"{wanted.file}: the run has no question that can be asked, so nothing is imported. "
            "The table `excluded_questions` says why"
        )
    source = open_source(wanted.file, wanted.columns)
    places = Places(asked, str(wanted.file))
    answers: dict[tuple[str, str], Answer] = {}
    rows = repeated = 0
    for rows, given in enumerate(source.rows(), start=1):  # noqa: B007
        key = places.find(given)
        if key is None:
            continue
        try:
            answer = answer_of(given.line, given.answer, given.p_yes)
        except AnswersError as error:
            raise AnswersError(f"{wanted.file}, line {given.line}: {error}") from None
        before = answers.setdefault(key, answer)
        if before is not answer:
            repeated += 1
            if before.verdict != answer.verdict:
                raise AnswersError(
                    f"{wanted.file}: lines {before.line} and {answer.line} answer "
                    f"{_named(key)} differently. Remove one of them"
                )
    keys = sorted((row["image"], row["question"]) for row in asked.rows)
    _check(wanted, keys, answers, places)
    truth = {(row["image"], row["question"]): row["answer"] == "yes" for row in asked.rows}
    all_right = _all_right(source, answers, truth)
    missing = Answer(0, reason=f"no answer in {wanted.file.name}")
    found = [answers.get(key, missing) for key in keys]
    columns = {
        "image": [image for image, _ in keys],
        "question": [question for _, question in keys],
        "p_yes": [each.p_yes for each in found],
        "mass": [None] * len(keys),
        "reason": [each.reason for each in found],
        "predicted": [each.predicted for each in found],
        "said": [each.said for each in found],
    }
    about = {"synthsight": json.dumps({"model": wanted.model})}
    write_parquet(output, pa.table(columns, SCHEMA).replace_schema_metadata(about))
    record = note_of(
        name=wanted.model,
        source=source,
        sha256=sha256_of(wanted.file),
        reference=wanted.reference,
        missing=wanted.missing,
        counts={
            "rows": rows,
            "repeated": repeated,
            "questions": len(keys),
            "answered": sum(each.says_yes is not None for each in found),
            "p_yes": sum(each.p_yes is not None for each in found),
            "unparsed": sum(each.said is not None and each.reason is not None for each in found),
        },
        without=[_named(key) for key in keys if _is_missing(answers.get(key))],
        unparsed=next((e.said for e in found if e.said is not None and e.reason is not None), None),
        places=places,
        all_right=all_right,
    )
    with atomic(note) as temporary:
        text = json.dumps({**record, **entry(note)}, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return sentences(record)


def answer_of(line: int, cell: Any, probability: Any) -> Answer:
    """What a row answers.

    Args:
        line: its line.
        cell: what was answered: yes or no or another word or number for it, or a text in which
            exactly one of the words yes and no stands; empty if nothing is known.
        probability: P(yes), a number or its text; empty, or NaN, if it is not known.

    Raises:
        AnswersError: the probability is none, contradicts the answer, or stands in its place;
            without file and line.
    """
    p_yes = _probability(probability)
    text = text_of(cell)
    text = text.encode("utf-8", "replace").decode()  # half a character cannot be written
    word = text.lower().rstrip(".")
    predicted = "yes" if word in YES else "no" if word in NO else yes_or_no(text)
    said = None if text.lower() in YES | NO | {""} else _cut(text)
    if text.startswith(_FAILED):
        reason = f"the request failed: {one_line(text, 80)}"
        return Answer(line, p_yes, reason=None if p_yes is not None else reason)
    if p_yes is not None:
        if predicted is not None and (predicted == "yes") != (p_yes > 0.5):
            raise AnswersError(
                f"the answer {one_line(text, 40)!r} contradicts P(yes) = {p_yes:g}: above 0.5 it "
                "means yes, and no otherwise. If the column of the answers is that of the truth, "
                "state another in vqa.models.columns.answer; otherwise remove one of the columns"
            )
        return Answer(line, p_yes, said=said)
    if not text:
        return Answer(line, reason=f"the file has no answer in line {line}")
    if predicted is None:
        number = _number(text)
        if number is not None and 0 < number < 1:
            raise AnswersError(
                f"the answer is the number {text[:40]}. If it is P(yes), name its column "
                "in vqa.models.columns.p_yes"
            )
        return Answer(line, said=said, reason=UNPARSED)
    return Answer(line, predicted=predicted, said=said)


def _probability(cell: Any) -> float | None:
    """P(yes) in a cell; None if it is empty."""
    text = text_of(cell)
    if not text:
        return None
    number = _number(text if isinstance(cell, str) else cell)
    if number is None:
        hint = ". Write a point before its decimals" if "," in text else ""
        raise AnswersError(f"P(yes) is {text[:40]!r}, which is not a number{hint}")
    if math.isnan(number):
        return None
    if not 0 <= number <= 1:
        hint = ". Write shares of 1" if 1 < number <= 100 else ""
        raise AnswersError(f"P(yes) is {text[:40]}, which is not between 0 and 1{hint}")
    return number


def _number(cell: Any) -> float | None:
    if isinstance(cell, bool):
        return None
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _named(key: tuple[str, str]) -> str:
    return f"{one_line(key[1], 80)!r} about {key[0]}"


def _is_missing(answer: Answer | None) -> bool:
    """Whether a question has no answer, not even one that is neither yes nor no."""
    return answer is None or (answer.reason is not None and answer.said is None)


def _check(
    wanted: Wanted,
    keys: Sequence[tuple[str, str]],
    answers: Mapping[tuple[str, str], Answer],
    places: Places,
) -> None:
    """Refuse a file that is about other questions, answers none, or does not answer all."""
    count = len(keys)
    others = places.others()
    if not answers:
        raise AnswersError(
            f"{wanted.file}: no row is about one of the run's {count:,} questions{others}; the "
            f"first of the run is {_named(keys[0])}"
        )
    if all(each.says_yes is None for each in answers.values()):
        said = next((each.said for each in answers.values() if each.said is not None), None)
        first = "" if said is None else f"; the first is {one_line(said, 80)!r}"
        raise AnswersError(
            f"{wanted.file}: none of its answers says yes or no{first}. If they stand in another "
            "column, name it in vqa.models.columns.answer"
        )
    missing = [key for key in keys if _is_missing(answers.get(key))]
    if missing and wanted.missing == "refuse":
        first = "; ".join(map(_named, missing[:SHOWN]))
        more = "; ..." if len(missing) > SHOWN else ""
        raise AnswersError(
            f"{wanted.file}: {len(missing):,} of the run's {count:,} questions have no answer of "
            f"{wanted.model}: {first}{more}{others}. Add them, or write `missing: unanswered` "
            "beside `answers`: they are then left out for all models, and counted"
        )


def _all_right(
    source: Source,
    answers: Mapping[tuple[str, str], Answer],
    truth: Mapping[tuple[str, str], bool],
) -> bool:
    """Whether all answers are right, so that the column may be that of the truth.

    Raises:
        AnswersError: it most likely is, since there is another that may hold the answers.
    """
    judged = [
        answer.says_yes == truth[key]
        for key, answer in answers.items()
        if answer.says_yes is not None
    ]
    if len(judged) < _ENOUGH or not all(judged) or source.columns.get("answer") != "answer":
        return False
    if any(answer.p_yes is not None for answer in answers.values()):
        return False
    others = [name for name in source.unread if _SOUNDS.search(name)]
    if others and "answer" not in source.stated:
        raise AnswersError(
            f"{source.path}: the column 'answer' has the right answer to all {len(judged):,} "
            f"questions, so it is most likely the truth, and {', '.join(map(repr, others))} may be "
            "what the model answered. Name the column of its answers in vqa.models.columns.answer"
        )
    return True

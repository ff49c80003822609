"""Importing answers that were given elsewhere: joined with the run's questions, and counted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthsight.files import atomic, check_unchanged, sha256_of
from synthsight.origin import entry
from synthsight.tables import write_parquet
from synthsight.vqa.elsewhere.cells import Answer, answer_of, check_numbers
from synthsight.vqa.elsewhere.notes import note_of, sentences
from synthsight.vqa.elsewhere.places import SHOWN, Places
from synthsight.vqa.elsewhere.reading import AnswersError, open_source
from synthsight.vqa.elsewhere.truth import truth_in
from synthsight.vqa.joining import RunQuestions
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


@dataclass(frozen=True)
class Wanted:
    """Which answers are imported.

    Attributes:
        model: the name that they go by.
        file: where they are.
        missing: one of :data:`MISSING`.
        columns: names of columns, by what they hold.
        reference: the model's accuracy elsewhere, if the user states it.
        content: the file's sha256 as planned; what it is now if it is None.
    """

    model: str
    file: Path
    missing: str = "refuse"
    columns: Mapping[str, str] = field(default_factory=dict)
    reference: Mapping[str, Any] | None = None
    content: str | None = None


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
        synthsight.files.FileError: it has changed.
        synthsight.errors.SynthsightError: likewise.
    """
    asked = RunQuestions(questions)
    if not asked.rows:
        raise AnswersError(
            f"{wanted.file}: the run has no question that can be asked, so nothing is imported. "
            "The table `excluded_questions` says why"
        )
    content = wanted.content or sha256_of(wanted.file)
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
            if given.image is None or key in places.by_text:
                raise AnswersError(
                    f"{wanted.file}: lines {before.line} and {answer.line} both ask "
                    f"{one_line(key[1], 80)!r}, and do not say about which image. Add a column "
                    "`image`, or remove one of them if it is one question"
                )
            if before.failed or answer.failed:  # the request was made again
                answers[key] = answer if before.failed else before
            elif before.verdict != answer.verdict:
                raise AnswersError(
                    f"{wanted.file}: lines {before.line} and {answer.line} answer "
                    f"{_named(key)} differently. Remove one of them"
                )
        if given.image is None:
            places.by_text.add(key)
    check_unchanged(wanted.file, content)
    keys = sorted((row["image"], row["question"]) for row in asked.rows)
    _check(wanted, keys, answers, places)
    check_numbers(str(wanted.file), answers.values())
    truth = {(row["image"], row["question"]): row["answer"] == "yes" for row in asked.rows}
    in_truth = truth_in(source, answers, truth)
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
        sha256=content,
        reference=wanted.reference,
        missing=wanted.missing,
        counts={
            "rows": rows,
            "repeated": repeated,
            "questions": len(keys),
            "answered": sum(each.says_yes is not None for each in found),
            "p_yes": sum(each.p_yes is not None for each in found),
            "unparsed": sum(each.said is not None and each.reason is not None for each in found),
            "inside": sum(each.is_inside for each in found),
            "neither": sum(each.p_yes is not None and each.neither for each in found),
        },
        first={
            "unparsed": _said(e for e in found if e.reason is not None),
            "inside": _said(e for e in found if e.is_inside),
            "neither": _said(e for e in found if e.p_yes is not None and e.neither),
        },
        without=[_named(key) for key in keys if _is_missing(answers.get(key))],
        places=places,
        truth=in_truth,
    )
    with atomic(note) as temporary:
        text = json.dumps({**record, **entry(note)}, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return sentences(record)


def _said(answers: Iterable[Answer]) -> str | None:
    """The first text that was said."""
    return next((each.said for each in answers if each.said is not None), None)


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
            f"{wanted.file}: {wanted.model} has no answer to {len(missing):,} of the run's "
            f"{count:,} questions: {first}{more}{others}. Add them, or write `missing: unanswered` "
            "beside `answers`: they are then left out for all models, and counted"
        )

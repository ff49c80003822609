"""The pair of files in which VQA v2 is published: questions, and what ten people answered.

Goyal et al. 2017; https://visualqa.org describes both files. Those of VQA v1 have the same form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthsight.json_rows import JsonError, entries_of
from synthsight.tabular import TableError
from synthsight.values import NO, YES, text_of
from synthsight.vqa.sets.forms import ANNOTATIONS, QUESTIONS
from synthsight.vqa.sets.given import Given, Read
from synthsight.wording import one_line

#: The type of the questions that are asked.
_TYPE = "yes/no"

#: Numbers of questions that a note names.
_NAMED = 3


def read_pair(questions: Path, annotations: Path) -> Read:
    """The yes/no questions of a pair of files.

    A question's truth is what most people answered, if it is yes or no. Without a majority, and if
    the file itself states another answer as the most frequent, the question is left out.

    Raises:
        TableError: one of them is not such a file, or has two entries of one ``question_id``.
    """
    told = _annotated(annotations)
    passed: Counter[str] = Counter()
    found = []
    seen: set[Any] = set()
    for number, entry in enumerate(_entries(questions, QUESTIONS), start=1):
        about = _about(questions, QUESTIONS, number, entry, "question")
        if about in seen:
            raise TableError(f"{questions}: two questions with the question_id {about!r}")
        seen.add(about)
        truth = told.get(about)
        if isinstance(truth, str):
            passed[truth] += 1
            continue
        image = entry["image_id"]
        reason: str | None
        if truth is None:
            answer, reason = "", f"no annotation with its question_id, {about!r}, in {annotations}"
        else:
            answer, reason, stated = truth[0], truth[1], truth[2]
            if stated != image:
                reason = (
                    f"its image_id is {image!r}, and {stated!r} in {annotations}: the files do not "
                    "belong together"
                )
        if reason is None and not _is_number(image):
            reason = f"the image_id must be a number; found {one_line(text_of(image), 80)}"
        cells = {"image": text_of(image), "question": entry["question"], "answer": answer}
        found.append(Given(number, cells, reason))
    notes = []
    unknown = sum(about not in told for about in seen)
    if unknown:
        notes.append(f"{questions}: {unknown:,} questions have no annotation in {annotations}")
    more = [about for about in told if about not in seen]
    if more:
        named = ", ".join(map(repr, more[:_NAMED])) + (", ..." if len(more) > _NAMED else "")
        notes.append(
            f"{annotations}: {len(more):,} annotations are about no question of {questions}, with "
            f"the question_id {named}"
        )
    return Read(tuple(found), dict(sorted(passed.items())), tuple(notes))


def _annotated(path: Path) -> dict[Any, str | tuple[str, str | None, Any]]:
    """What is known of each question, by its id.

    That is its type, unless it is a yes/no question; or the truth, why there is none, and the id of
    the image.
    """
    told: dict[Any, str | tuple[str, str | None, Any]] = {}
    types: dict[str, str] = {}
    for number, entry in enumerate(_entries(path, ANNOTATIONS), start=1):
        about = _about(path, ANNOTATIONS, number, entry, "answer_type", "multiple_choice_answer")
        if about in told:
            raise TableError(f"{path}: two annotations with the question_id {about!r}")
        kind = text_of(entry["answer_type"])
        if kind == _TYPE:
            told[about] = (*_truth(entry), entry["image_id"])
        else:
            told[about] = types.setdefault(kind, kind)
    return told


def _truth(entry: Mapping[str, Any]) -> tuple[str, str | None]:
    """What most people answered to a question, and why that is not known."""
    stated = text_of(entry["multiple_choice_answer"])
    answers = entry.get("answers")
    if not isinstance(answers, list) or not answers:
        return stated, None  # some copies come without what each person said
    each = Counter(
        "yes" if said in YES else "no" if said in NO else "another"
        for said in (
            text_of(one.get("answer") if isinstance(one, dict) else one).lower() for one in answers
        )
    )
    if each["yes"] == each["no"]:
        return stated, (
            f"of {len(answers)} people as many say yes as say no ({each['yes']}), so that neither "
            "is true"
        )
    most = "yes" if each["yes"] > each["no"] else "no"
    if stated.lower() in YES | NO and (stated.lower() in YES) != (most == "yes"):
        return stated, (
            f"its multiple_choice_answer is {stated!r}, but of {len(answers)} people "
            f"{each[most]} say {most}"
        )
    return stated, None


def _entries(path: Path, key: str) -> Any:
    try:
        yield from entries_of(path, key)
    except JsonError as error:
        raise TableError(f"{path}, among its {key}: {error}") from error
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeError as error:
        raise TableError(f"{path} is not UTF-8 text") from error


def _about(path: Path, key: str, number: int, entry: Any, *needed: str) -> Any:
    """The id of an entry's question."""
    names = ("question_id", "image_id", *needed)
    if not isinstance(entry, dict) or not entry.keys() >= set(names):
        missing = [name for name in names if not isinstance(entry, dict) or name not in entry]
        raise TableError(
            f"{path}: number {number} of its {key} has no {' and no '.join(missing)}, as those of "
            "VQA v2 have"
        )
    about = entry["question_id"]
    if not isinstance(about, int | str):
        raise TableError(f"{path}: the question_id of number {number} of its {key} is no number")
    return about


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and text_of(value).isdecimal()

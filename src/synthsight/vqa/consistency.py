"""What questions must not say: two generators of an image, two groups, the same thing twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from synthsight.spelling import name_key, spelt
from synthsight.tabular import TableError
from synthsight.vqa.question import Question
from synthsight.vqa.repeats import find_repeats


def check_generators(questions: Sequence[Question]) -> None:
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
                    f"{question.file}: the generators "
                    + " and ".join(f"{shown} ({_on(found, question)})" for shown, found in named)
                    + " differ only in how the name is written: their questions would be counted "
                    "apart. Give them one name"
                )
        other = first.setdefault(question.image, question)
        if other.generator != name:
            raise TableError(
                f"{question.file}: {question.image!r} has {_made_by(other)} on "
                f"{_on(other, question)}, but {_made_by(question)} on line {question.line}. An "
                "image has one generator: give it in all of its rows"
            )


def _on(question: Question, beside: Question) -> str:
    """Where a question stands, for a message about another one."""
    of = "" if question.file == beside.file else f" of {question.file}"
    return f"line {question.line}{of}"


def _made_by(question: Question) -> str:
    return "no generator" if question.generator is None else f"generator {question.generator!r}"


def check_groups(questions: Sequence[Question]) -> None:
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
                    f"{question.file}: {question.image!r} has {named[0]} on "
                    f"{_on(other, question)}, but {named[1]} on line {question.line}. An image has "
                    "one group: give it in all of its rows"
                )


def in_other_folders(questions: Sequence[Question]) -> str | None:
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


def without_repeats(questions: Sequence[Question]) -> list[Question]:
    """The questions, with repeats about the same image marked."""
    usable = [index for index, question in enumerate(questions) if question.reason is None]
    marked = list(questions)
    asked = [(questions[i].image, questions[i].question, questions[i].answer) for i in usable]
    for number, repeat in find_repeats(asked).items():
        index = usable[number]
        others = [questions[usable[other]] for other in repeat.others]
        reason = f"the same question as on {_on(others[0], questions[index])}"
        if not repeat.agree:
            places = [_on(other, questions[index]) for other in others]
            shown = ", ".join([places[0], *(each.removeprefix("line ") for each in places[1:])])
            shown += f" and {repeat.more} more" if repeat.more else ""
            reason = f"also asked on {shown}, but with a different answer"
        marked[index] = replace(questions[index], reason=reason)
    return marked

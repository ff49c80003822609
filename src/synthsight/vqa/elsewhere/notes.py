"""The note about answers that were given elsewhere, and what it says in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthsight.vqa.elsewhere.places import SHOWN, Places
from synthsight.vqa.elsewhere.reading import Source
from synthsight.wording import one_line

#: Questions that a sentence names.
_NAMED = 3


def note_of(
    *,
    name: str,
    source: Source,
    sha256: str,
    reference: Mapping[str, Any] | None,
    missing: str,
    counts: Mapping[str, int],
    without: Sequence[str],
    first: Mapping[str, str | None],
    places: Places,
    truth: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What the note says; its keys are those of notes about weights, where they mean the same.

    Args:
        name: of the model.
        source: the file.
        sha256: of its bytes.
        reference: the model's accuracy elsewhere, if it is stated.
        missing: what becomes of questions without an answer.
        counts: ``rows`` of the file, those ``repeated``, ``questions`` of the run, and how many of
            these are ``answered``, have ``p_yes``, are ``unparsed``, are answered by a word
            ``inside`` a text, or have P(yes) and a text that says ``neither``.
        without: the questions without an answer, in words.
        first: the first text of those unparsed, inside and neither, if there is one.
        places: what the rows are about.
        truth: how many answers are right, if they may be the truth
            (:func:`synthsight.vqa.elsewhere.truth.truth_in`).
    """
    names = places.names
    return {
        "name": name,
        "family": "answers",
        "source": str(source.path),
        "sha256": sha256,
        "license": None,
        "reference": None if reference is None else dict(reference),
        "settings": {"missing": missing, "columns": dict(source.stated)},
        "answers": {
            "format": source.kind,
            "columns": dict(source.columns),
            "unread": list(source.unread),
            **counts,
            "missing": {
                "what": missing,
                "count": len(without),
                "first": list(without[:SHOWN]),
            },
            **{f"first_{name}": text for name, text in first.items()},
            "unknown": {"count": places.unknown, "first": places.first},
            "unusable": places.unusable,
            "by_text": len(places.by_text),
            "renamed": names.renamed,
            "example": names.example,
            "folders": names.folders,
            "truth": None if truth is None else dict(truth),
        },
    }


def sentences(note: Mapping[str, Any]) -> list[str]:
    """What people should know about imported answers, from their note, in the order of reading."""
    about, name = note["answers"], note["name"]
    said = [
        f"{name}: {about['rows']:,} rows of {note['source']} ({about['format']}) answer "
        f"{about['answered']:,} of {about['questions']:,} questions, {about['p_yes']:,} of them "
        "with P(yes)"
    ]
    if about["columns"]:
        read = ", ".join(f"{role}: {column}" for role, column in about["columns"].items())
        unread = f"; not read: {_these(about['unread'])}" if about["unread"] else ""
        said.append(f"columns that are read: {read}{unread}")
    if about["repeated"]:
        said.append(f"{_count(about['repeated'], 'row repeats', 'rows repeat')} what another says")
    return said + of_answers(note)


def of_answers(note: Mapping[str, Any]) -> list[str]:
    """What readers of the results should know of imported answers; nothing of other models.

    Args:
        note: about a VQA model.
    """
    about = note.get("answers")
    if about is None:
        return []
    name, missing, unknown = note["name"], about["missing"], about["unknown"]
    said = []
    if about["truth"]:
        said.append(_of_truth(note))
    if missing["count"]:
        said.append(
            f"{name} has no answer to {missing['count']:,} of {about['questions']:,} questions, "
            f"left out for all models (missing: unanswered): {_first(missing)}"
        )
    if about["unparsed"]:
        said.append(
            f"{about['unparsed']:,} of {about['questions']:,} answers of {name} are neither yes "
            "nor no, and their questions are left out for all models; the first is "
            f"{one_line(about['first_unparsed'], 80)!r}"
        )
    if about["inside"]:
        said.append(
            f"{about['inside']:,} of {about['questions']:,} answers of {name} are read from a yes "
            "or no that stands further on in a text, and may mean something else: the first is "
            f"{one_line(about['first_inside'], 80)!r}"
        )
    if about["neither"]:
        said.append(
            f"{about['neither']:,} of {about['questions']:,} answers of {name} have P(yes) and a "
            f"text that says neither yes nor no; P(yes) counts: make sure that it is no confidence "
            f"in the answer. The first is {one_line(about['first_neither'], 80)!r}"
        )
    if about["by_text"]:
        said.append(
            f"{_count(about['by_text'], 'answer', 'answers')} of {name} joined by the question "
            f"alone, since {note['source']} does not say about which image; each of these "
            "questions is asked about one image of the run"
        )
    if unknown["count"]:
        said.append(
            f"{_count(unknown['count'], 'row is', 'rows are')} about questions that the run does "
            f"not ask, in the answers of {name}: {_first(unknown)}"
        )
    if about["unusable"]:
        said.append(
            f"{_count(about['unusable'], 'row is', 'rows are')} about questions that are left out "
            f"of the run, in the answers of {name}"
        )
    if about["renamed"]:
        written, image = about["example"]
        front = f", all with {about['folders']} in front" if about["folders"] else ""
        said.append(
            f"{_count(about['renamed'], 'image is', 'images are')} written otherwise in the "
            f"answers of {name}{front}; each can mean one alone: {written} is taken for {image}"
        )
    return said


def _of_truth(note: Mapping[str, Any]) -> str:
    """About answers that may be the truth."""
    about, truth = note["answers"], note["answers"]["truth"]
    columns = [about["columns"][role] for role in ("answer", "p_yes") if role in about["columns"]]
    read = f", read from {_these(list(map(repr, columns)))}" if columns else ""
    others = truth["columns"]
    unread = f", and that {_these(list(map(repr, others)))} is rightly not read" if others else ""
    return (
        f"{truth['right']:,} of {truth['of']:,} answers of {note['name']} are right{read}: make "
        f"sure that {note['source']} is not the file of the questions, and what is read not the "
        f"truth{unread}"
    )


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def _first(about: Mapping[str, Any]) -> str:
    first = "; ".join(about["first"][:_NAMED])
    more = about["count"] - min(len(about["first"]), _NAMED)
    return first + (f"; and {more:,} more" if more else "")


def _these(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" and more" if len(names) > SHOWN else "")

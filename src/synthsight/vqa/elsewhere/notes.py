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
    unparsed: str | None,
    places: Places,
    all_right: bool,
) -> dict[str, Any]:
    """What the note says; its keys are those of notes about weights, where they mean the same.

    Args:
        name: of the model.
        source: the file.
        sha256: of its bytes.
        reference: the model's accuracy elsewhere, if it is stated.
        missing: what becomes of questions without an answer.
        counts: ``rows`` of the file, those ``repeated``, ``questions`` of the run, and how many of
            these are ``answered``, have ``p_yes``, and are ``unparsed``.
        without: the questions without an answer, in words.
        unparsed: the first answer that is neither yes nor no, if there is one.
        places: what the rows are about.
        all_right: whether all answers are right, in a column that may be that of the truth.
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
            "columns": {
                role: column
                for role, column in source.columns.items()
                if role != "p_yes" or counts["p_yes"]  # rows of JSON may have it, and need not
            },
            "unread": list(source.unread),
            **counts,
            "missing": {
                "what": missing,
                "count": len(without),
                "first": list(without[:SHOWN]),
            },
            "first_unparsed": unparsed,
            "unknown": {"count": places.unknown, "first": places.first},
            "unusable": places.unusable,
            "by_text": places.by_text,
            "renamed": names.renamed,
            "example": names.example,
            "folders": names.folders,
            "all_right": all_right,
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
    if about["by_text"]:
        said.append(
            f"{about['by_text']:,} rows do not say which image they are about; each question in "
            "them is asked about one image alone"
        )
    if about["repeated"]:
        said.append(f"{about['repeated']:,} rows repeat what another says")
    return said + [f"{sentence}" for sentence in of_answers(note)]


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
    if about["all_right"]:
        said.append(
            f"All answers of {name} are right: make sure that {note['source']} is not the file of "
            "the questions, and its column 'answer' not the truth"
        )
    if missing["count"]:
        said.append(
            f"{missing['count']:,} of {about['questions']:,} questions have no answer of {name} "
            f"and are left out for all models (missing: unanswered): {_first(missing)}"
        )
    if about["unparsed"]:
        said.append(
            f"{about['unparsed']:,} of {about['questions']:,} answers of {name} are neither yes "
            "nor no, and their questions are left out for all models; the first is "
            f"{one_line(about['first_unparsed'], 80)!r}"
        )
    if unknown["count"]:
        rows = "1 row" if unknown["count"] == 1 else f"{unknown['count']:,} rows"
        be = "is" if unknown["count"] == 1 else "are"
        said.append(
            f"{rows} of the answers of {name} {be} about questions that the run does not have: "
            f"{_first(unknown)}"
        )
    if about["unusable"]:
        said.append(
            f"{about['unusable']:,} rows of the answers of {name} are about questions that are "
            "left out of the run"
        )
    if about["renamed"]:
        written, image = about["example"]
        front = f", all with {about['folders']} in front" if about["folders"] else ""
        said.append(
            f"{about['renamed']:,} images are written otherwise in the answers of {name}{front}; "
            f"each can mean one alone: {written} is taken for {image}"
        )
    return said


def _first(about: Mapping[str, Any]) -> str:
    first = "; ".join(about["first"][:_NAMED])
    more = about["count"] - min(len(about["first"]), _NAMED)
    return first + (f"; and {more:,} more" if more else "")


def _these(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" and more" if len(names) > SHOWN else "")

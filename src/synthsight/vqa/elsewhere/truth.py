"""Telling the truth from answers: a column with the right answers may not be the model's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from synthsight.vqa.elsewhere.cells import Answer
from synthsight.vqa.elsewhere.reading import AnswersError, Source

#: Answers of which all may well be right, if there are fewer.
_ENOUGH = 10

#: The share of right answers from which on they may be the truth, with a few labels changed.
_MOST = 0.95

#: Names of columns that may hold what a model answered.
_SOUNDS = re.compile(
    r"pred|respon|resps|output|reply|said|generat|completion|model|yes"
    r"|result|extract|choice|vote|hypothes|raw",
    re.IGNORECASE,
)


def truth_in(
    source: Source,
    answers: Mapping[tuple[str, str], Answer],
    truth: Mapping[tuple[str, str], bool],
) -> dict[str, Any] | None:
    """Whether the answers may be the truth, since they are right.

    Args:
        source: the file.
        answers: by image and question.
        truth: whether the right answer is yes, likewise.

    Returns:
        None if they may not; else how many are ``right`` ``of`` how many, and the ``columns`` that
        are not read and may be the model's.

    Raises:
        AnswersError: they most likely are, and nobody has stated the column ``answer`` to be that
            of the answers, or there are too few to tell.
    """
    counted = {key: each for key, each in answers.items() if each.says_yes is not None}
    right, of = _right(counted, truth), len(counted)
    others = [name for name in source.unread if _SOUNDS.search(name)]
    if others and source.columns.get("answer") == "answer" and "answer" not in source.stated:
        words = {key: each for key, each in counted.items() if each.p_yes is None}
        hits = _right(words, truth)
        if words and (len(words) < _ENOUGH or hits >= _MOST * len(words)):
            raise AnswersError(
                f"{source.path}: the column 'answer' has the right answer to {hits:,} of "
                f"{len(words):,} questions, so it may be the truth, and "
                f"{', '.join(map(repr, others))} what the model answered. Name the column of its "
                "answers in vqa.models.columns.answer"
            )
    if right < _MOST * of or (not others and (right < of or of < _ENOUGH)):
        return None
    return {"right": right, "of": of, "columns": others}


def _right(answers: Mapping[tuple[str, str], Answer], truth: Mapping[tuple[str, str], bool]) -> int:
    return sum(each.says_yes == truth[key] for key, each in answers.items())

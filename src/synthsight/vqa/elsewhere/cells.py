"""Single answers that were given elsewhere: what a row's cells say, and whether it counts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from synthsight.values import NO, YES, text_of
from synthsight.vqa.elsewhere.reading import AnswersError
from synthsight.vqa.words import begins_so, yes_or_no
from synthsight.wording import one_line

#: Characters that are kept of what a model said.
LONGEST = 200

#: What is said of an answer that is neither yes nor no.
UNPARSED = "what it says is neither yes nor no"

#: How what lmms-eval and VLMEvalKit write in the place of an answer begins, if there was none.
_FAILED = ("[LMMS_EVAL_REQUEST_FAILED", "Failed to obtain answer via API")

#: What stands in the cell of a probability that is not known.
_EMPTY = ("", "nan", "na", "n/a", "none", "null")


@dataclass(frozen=True)
class Answer:
    """What a row answers.

    Attributes:
        line: the row's line.
        p_yes: P(yes), if it is stated.
        predicted: what is answered, where it is known but P(yes) is not.
        said: the text, if it is more than yes or no.
        reason: why there is no answer that counts, or None.
        number: the answer, where it is a number.
        failed: whether the row says that the request failed.
        neither: whether the text says neither yes nor no.
    """

    line: int
    p_yes: float | None = None
    predicted: Literal["yes", "no"] | None = None
    said: str | None = None
    reason: str | None = None
    number: float | None = None
    failed: bool = False
    neither: bool = False

    @property
    def verdict(self) -> tuple[float | None, str | None, str | None]:
        """What two rows about a question must agree on."""
        unparsed = self.said if self.reason is not None else None
        return self.p_yes, self.predicted, unparsed

    @property
    def is_inside(self) -> bool:
        """Whether it is told by a yes or no that stands further on in what was said."""
        if self.p_yes is not None or self.predicted is None or self.said is None:
            return False
        return _word_of(self.said) is None and not begins_so(self.said)

    @property
    def says_yes(self) -> bool | None:
        """Whether it counts as yes; None if it does not count."""
        if self.p_yes is not None:
            return self.p_yes > 0.5
        return None if self.predicted is None else self.predicted == "yes"


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
    number = _number(text)
    predicted = _word_of(text) or yes_or_no(text)
    said = None if text.lower() in YES | NO | {""} else _cut(text)
    neither = predicted is None and text != ""
    if text.startswith(_FAILED):
        reason = f"the request failed: {one_line(text, 80)}"
        return Answer(line, p_yes, reason=None if p_yes is not None else reason, failed=True)
    if p_yes is not None:
        if p_yes == 0.5 and predicted == "yes":
            p_yes = math.nextafter(0.5, 1)  # written with few decimals
        if predicted is not None and (predicted == "yes") != (p_yes > 0.5):
            raise AnswersError(
                f"the answer {one_line(text, 40)!r} contradicts P(yes) = {p_yes:g}: above 0.5 it "
                "means yes, and no otherwise. If the column of the answers is that of the truth, "
                "state another in vqa.models.columns.answer; otherwise remove one of the columns"
            )
        return Answer(line, p_yes, said=said, neither=neither)
    if not text:
        return Answer(line, reason=f"the file has no answer in line {line}")
    if predicted is None:
        if number is not None and 0 < number < 1:
            raise AnswersError(
                f"the answer is the number {text[:40]}. If it is P(yes), name its column "
                "in vqa.models.columns.p_yes"
            )
        return Answer(line, said=said, reason=UNPARSED, number=number, neither=True)
    return Answer(line, predicted=predicted, said=said, number=number)


def check_numbers(file: str, answers: Iterable[Answer]) -> None:
    """Refuse numbers of which some would be taken for yes and no, and are not all 0 and 1.

    Raises:
        AnswersError: there are such.
    """
    numbers = [each for each in answers if each.number is not None and math.isfinite(each.number)]
    other = next((each for each in numbers if each.number not in (0, 1)), None)
    taken = next((each for each in numbers if each.number in (0, 1)), None)
    if other is not None and taken is not None:
        raise AnswersError(
            f"{file}: the answer in line {taken.line} is {taken.number:g}, and in line "
            f"{other.line} {other.number:g}, so they are numbers on a scale, and not 1 for yes and "
            "0 for no. If it is P(yes), write it from 0 to 1 and name its column in "
            "vqa.models.columns.p_yes"
        )


def _probability(cell: Any) -> float | None:
    """P(yes) in a cell; None if it is empty."""
    text = text_of(cell)
    if text.lower() in _EMPTY:
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


def _word_of(text: str) -> Literal["yes", "no"] | None:
    """What a word or number for yes or no means; None of other texts."""
    word, number = text.lower().rstrip("."), _number(text)
    if word in YES or number == 1:
        return "yes"
    return "no" if word in NO or number == 0 else None


def _number(cell: Any) -> float | None:
    if isinstance(cell, bool):
        return None
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."

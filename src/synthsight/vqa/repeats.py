"""Questions that are asked more than once about a picture, under one name or several."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

#: Other questions that a reason names.
_NAMED = 4


@dataclass(frozen=True)
class Repeat:
    """Why a question is left out.

    Attributes:
        others: other questions that say the same, the first of them, of which the very first is
            asked if they agree.
        more: how many there are besides.
        agree: whether all of them have one answer; if not, any may be wrong, and all are left out.
    """

    others: tuple[int, ...]
    more: int
    agree: bool


@lru_cache(maxsize=65536)
def comparable(text: str) -> str:
    """A question as it is compared with others, never as it is asked.

    Case, the form of letters in Unicode, invisible characters, the amount of blanks and the mark at
    the end are no difference.
    """
    folded = text.casefold()
    if not text.isascii():
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        folded = "".join(each for each in folded if unicodedata.category(each) != "Cf")
    return " ".join(folded.split()).rstrip("?!. ")


def find_repeats(asked: Sequence[tuple[str, str, str]]) -> dict[int, Repeat]:
    """The questions to leave out, by index.

    Args:
        asked: what tells the picture, the question and the answer, of each question.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for index, (picture, question, _) in enumerate(asked):
        groups.setdefault((picture, comparable(question)), []).append(index)
    found = {}
    for group in groups.values():
        agree = len({asked[index][2] for index in group}) == 1
        for index in group[1:] if agree else group:
            others = tuple(other for other in group[: _NAMED + 1] if other != index)[:_NAMED]
            found[index] = Repeat(others, len(group) - 1 - len(others), agree)
    return found


def repeats_about_copies(rows: Iterable[tuple[str, str, str, str]]) -> dict[tuple[str, str], str]:
    """Why questions about a picture that is there under several names are left out.

    As for one name: of those with one answer the first is kept, by the images' names; of others
    none.

    Args:
        rows: image, question, answer and sha256 of each question that can be asked.

    Returns:
        The reasons, by image and question.
    """
    ordered = sorted(rows, key=lambda row: row[0])
    repeats = find_repeats([(sha256, question, answer) for _, question, answer, sha256 in ordered])
    reasons = {}
    for index, repeat in repeats.items():
        image, question = ordered[index][:2]
        other = ordered[repeat.others[0]][0]
        asked = "also asked" if repeat.agree else "asked, but with a different answer,"
        reasons[image, question] = f"{asked} about {other!r}, which is the same picture"
    return reasons

"""Marks that a reader of the report gives images, read back: such images are left out.

The report's large view sets them, and writes them as CSV with the columns image, mark and remark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthsight.errors import SynthsightError
from synthsight.people.finding import RatedImages
from synthsight.tabular import Form, TableError, read_rows
from synthsight.values import is_allowed, is_writable, text_of
from synthsight.wording import did_you_mean, one_line

#: What an image can be marked as; the report's page offers the same.
MARKS = ("label wrong", "bad picture")

#: How the reason begins for which a marked image is left out.
REASON = "marked: "

_COLUMNS = ("image", "mark", "remark")

#: Characters of a remark that a reason has, and marks that a sentence names.
_LONGEST, _NAMED = 200, 5


class MarksError(SynthsightError):
    """Marks of which none is about an image of the run."""


@dataclass(frozen=True)
class Mark:
    """A row of a file of marks.

    Attributes:
        place: its file and line, for messages.
        image: the image as it is written.
        mark: one of :data:`MARKS`.
        remark: what the reader has to say, on one line; may be empty.
    """

    place: str
    image: str
    mark: str
    remark: str

    @property
    def text(self) -> str:
        """The mark with its remark."""
        return f"{self.mark} ({self.remark})" if self.remark else self.mark


def read_marks(path: Path, notes: list[str] | None = None) -> list[Mark]:
    """Read a file of marks, in the order of its lines.

    Args:
        path: CSV, TSV, JSON, JSONL or Parquet, by extension, with the columns image and mark, and
            perhaps remark.
        notes: receives a line on each column with a name close to that of one that is absent.

    Raises:
        TableError: it cannot be read, has no rows, or a row has no image or another mark.
    """
    columns = {name: name for name in _COLUMNS}
    form = Form(columns, ("remark",), "images.marks", "a file of marks", "marks")
    found = []
    for line, row in read_rows(path, form, notes):
        place = f"{path}, line {line}"
        cells = [row.get(name) for name in _COLUMNS]
        image, mark, remark = map(text_of, cells)
        if not is_allowed(cells[0]) or not image:
            raise TableError(f"{place}: no image, but its path belongs here")
        if mark.casefold() not in MARKS:
            hint = did_you_mean(mark.casefold(), MARKS)
            raise TableError(f"{place}: the mark {mark!r}{hint}; write {' or '.join(MARKS)}")
        if not all(map(is_writable, (image, remark))):
            raise TableError(f"{place}: text that is not valid Unicode")
        found.append(Mark(place, image, mark.casefold(), one_line(remark, _LONGEST)))
    return found


def marked(
    marks: Sequence[Mark], images: Mapping[str, str | None], root: str
) -> tuple[dict[str, str], list[str]]:
    """Which usable images are left out because they are marked, and what people should know of it.

    An image that is excluded already keeps its reason. Several marks of one image are all named,
    each once.

    Args:
        marks: from :func:`read_marks`.
        images: every file of the run, with the reason for which it is excluded, or None.
        root: folder that the paths are relative to.

    Returns:
        The reasons by image, in the order of names, and sentences.

    Raises:
        MarksError: none of them is about an image of the run.
    """
    finder = RatedImages(images, {}, root)
    texts: dict[str, dict[str, None]] = {}
    unknown: list[str] = []
    excluded = 0
    for mark in marks:
        image, reason = _find(finder, mark.image, images)
        if image not in images:
            unknown.append(f"{mark.image!r} ({mark.place}: {reason})")
        elif reason is not None:
            excluded += 1
        else:
            texts.setdefault(image, {})[mark.text] = None
    if marks and len(unknown) == len(marks):
        raise MarksError(
            f"no marked image is one of the run: {_some(unknown)}. Paths in files of images.marks "
            f"start at images.root, {root!r}: was the file exported from the report of another run?"
        )
    reasons = {image: REASON + "; ".join(texts[image]) for image in sorted(texts)}
    said = []
    if reasons:
        said.append(
            f"{_count(len(reasons), 'image is', 'images are')} left out because people marked "
            f"{'it' if len(reasons) == 1 else 'them'} (images.marks; tables/excluded.csv has the "
            "marks)"
        )
    if excluded:
        said.append(f"{_count(excluded, 'mark is', 'marks are')} of files that are excluded anyway")
    if unknown:
        said.append(
            f"{_count(len(unknown), 'mark is', 'marks are')} of no image of the run and "
            f"{'counts' if len(unknown) == 1 else 'count'} for nothing: {_some(unknown)}"
        )
    return reasons, said


def _find(
    finder: RatedImages, written: str, images: Mapping[str, str | None]
) -> tuple[str, str | None]:
    """The image that is meant; exported names have a quote more where a spreadsheet would run them.

    See :mod:`synthsight.cells`.
    """
    if written not in images and written.startswith("'") and written[1:] in images:
        return written[1:], images[written[1:]]
    return finder.find(written)


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - _NAMED
    return ", ".join(texts[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def of_marks(reasons: Iterable[str]) -> list[str]:
    """A sentence for the report on images that are left out because they are marked, if any are.

    Args:
        reasons: why images are left out, from the table ``excluded``.
    """
    reasons = [reason for reason in reasons if reason.startswith(REASON)]
    if not reasons:
        return []
    parts = [
        f"{number:,} as {mark}"
        for mark in MARKS
        if (number := sum(mark in reason for reason in reasons))
    ]
    return [
        f"{_count(len(reasons), 'image is', 'images are')} left out because people marked "
        f"{'it' if len(reasons) == 1 else 'them'}, {' and '.join(parts)} (images.marks): who looks "
        "at what models get wrong, and marks it, lifts their accuracy"
    ]

"""Files with a number for every class: logits, or probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthsight.classifiers.judging import TOP
from synthsight.predictions.joining import Names
from synthsight.predictions.order import PredictionError
from synthsight.predictions.reading import as_list, is_empty
from synthsight.predictions.source import Part, Source
from synthsight.values import text_of

_Values = npt.NDArray[np.float32]

#: By how much probabilities may be off: they were rounded.
_ROUNDING = 1e-3

#: Images whose ties are looked for at a time, which bounds the memory.
_AT_ONCE = 256


@dataclass(frozen=True)
class Matrix:
    """Logits of images, or logarithms of probabilities, which rank and choose in the same way.

    Attributes:
        lengths: int64 (images,), the number of classes; 0 where there is no prediction.
        values: float32 (images, classes), in a file.
        rows: the number of rows read.
        by: ``logits`` or ``probability``.
        ties: how many images have equal numbers at the first place, and at the fifth.
    """

    lengths: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    rows: int
    by: str
    ties: tuple[int, int]

    def array(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """Some images' values as a column; null where there is no prediction."""
        values = pa.array(np.asarray(self.values[rows]).ravel())
        absent = pa.array(self.lengths[rows] == 0)
        return pa.FixedSizeListArray.from_arrays(values, self.values.shape[1], mask=absent)


def is_matrix(source: Source) -> bool:
    """Whether a file has numbers for all classes, and none that say which class is meant."""
    roles = {*source.layout.single, *source.layout.numbered}
    return not roles & {"label", "index", "guesses"}


def read_matrix(source: Source, names: Names, classes: int, count: int, room: IO[bytes]) -> Matrix:
    """Read a file with a number for every class.

    Args:
        source: the file.
        names: the run's images.
        classes: the number of classes of the label space.
        count: the number of the run's images.
        room: an empty file for the numbers, of which memory may hold too few.

    Raises:
        PredictionError: another number of classes, a number that is none, or an image twice; with
            the file and the row.
    """
    layout = source.layout
    by = "logits" if "logits" in {*layout.single, *layout.numbered} else "probability"
    size = max(count, 1) * classes * 4
    room.truncate(size)
    values: Any = np.memmap(room, np.float32, "r+", shape=(max(count, 1), classes))
    line_of = np.zeros(count, np.int64)
    rows = 0
    ties = np.zeros(2, np.int64)
    parts = source.matrices() if source.matrix else _parts(source, by)
    for lines, images, numbers in parts:
        rows += len(images)
        if numbers is not None and numbers.shape[1] != classes:
            raise PredictionError(
                f"{source.path}, row {lines[0]}: {numbers.shape[1]:,} numbers, but its labels name "
                f"{classes:,} classes"
            )
        for line, image in zip(lines, images, strict=True):
            if not text_of(image):
                where = f"{source.path}, row {line}"
                raise PredictionError(f"{where}: it does not say which image it is about")
        found = [
            names.find(image if isinstance(image, str) else text_of(image)) for image in images
        ]
        chosen = np.array([place for place, number in enumerate(found) if number is not None], int)
        if numbers is None or not len(chosen):
            continue
        numbers = _checked(numbers[chosen], by, source, lines[chosen])
        ties += _ties(numbers)
        for number, own in zip((found[place] for place in chosen), lines[chosen], strict=True):
            if line_of[number]:
                raise PredictionError(
                    f"{source.path}, row {own}: {names.images[number]!r} has another row, "
                    f"{line_of[number]}"
                )
            line_of[number] = own
        values[[found[place] for place in chosen]] = numbers
    lengths = np.where(line_of > 0, classes, 0).astype(np.int64)
    return Matrix(lengths, values, rows, by, (int(ties[0]), int(ties[1])))


def _ties(numbers: _Values) -> tuple[int, int]:
    """How many images have equal numbers at the first place, and at the fifth and the next.

    Classes without any probability are nothing that could be predicted, and tie with none.
    """
    first = fifth = 0
    for start in range(0, len(numbers), _AT_ONCE):
        part = numbers[start : start + _AT_ONCE]
        width = part.shape[1]
        best = np.sort(np.partition(part, max(width - TOP - 1, 0), axis=1)[:, -TOP - 1 :], axis=1)
        best = best[:, ::-1]
        first += int((best[:, :1] == best[:, 1:2]).sum())
        last = best[:, TOP - 1 : TOP]
        fifth += int(((last == best[:, TOP : TOP + 1]) & ~np.isneginf(last)).sum())
    return first, fifth


def _checked(
    numbers: _Values, by: str, source: Source, lines: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Numbers that can be ranked: logits, or the logarithms of probabilities."""

    def refuse(wrong: Any, what: str) -> None:
        if wrong.any():
            line = int(lines[np.flatnonzero(wrong)[0]])
            raise PredictionError(f"{source.path}, row {line}: {what}")

    # Classes may be masked with minus infinity, but not all of them.
    bad = np.isnan(numbers) | np.isposinf(numbers)
    refuse(bad.any(axis=1) | np.isneginf(numbers).all(axis=1), "NaN or infinite numbers")
    if by == "logits":
        return numbers
    outside = (numbers < 0) | (numbers > 1 + _ROUNDING)
    refuse(outside.any(axis=1), "a probability that is not in 0..1")
    refuse(
        np.abs(numbers.sum(axis=1, dtype=np.float64) - 1) > _ROUNDING * 10,
        "probabilities of all classes that do not sum to 1. If they are scores of another kind, "
        "call the column `logits`",
    )
    with np.errstate(divide="ignore"):
        logs: npt.NDArray[np.float32] = np.log(numbers)
    return logs


def _parts(source: Source, by: str) -> Iterator[Part]:
    """The rows of text, or of numbered columns, one by one."""
    layout = source.layout
    for line, row in source.rows():
        where = f"{source.path}, row {line}"
        image = row.get(layout.single["image"])
        if by in layout.numbered:
            cells: Any = [row.get(name) for name in layout.numbered[by]]
        else:
            cell = row.get(layout.single[by])
            try:
                cells = [] if is_empty(cell) else as_list(cell)
            except PredictionError as error:
                raise PredictionError(f"{where}: {error}") from None
        if not isinstance(cells, list):
            raise PredictionError(
                f"{where}: {by} of one class alone, and no label or index says of which. Columns "
                f"that are not read: {', '.join(layout.unread) or 'none'}"
            )
        rows = np.array([line])
        if all(is_empty(cell) for cell in cells):
            yield rows, [image], None
            continue
        try:
            values = np.array([float(cell) for cell in cells], np.float32)
        except (TypeError, ValueError, OverflowError):
            raise PredictionError(f"{where}: not all values of its {by} are numbers") from None
        yield rows, [image], values[None, :]

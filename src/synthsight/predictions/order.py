"""The order of predicted classes: by rank, list or probability, and nothing that contradicts it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from synthsight.classifiers.judging import TOP
from synthsight.errors import SynthsightError

#: By how much probabilities may grow with the rank, or exceed 1: they were rounded.
ROUNDING = 1e-6


class PredictionError(SynthsightError):
    """Predictions that contradict themselves, or do not say enough."""


class Guesses:
    """The guesses of a file, a number for each in each column."""

    def __init__(self) -> None:
        self.image, self.line, self.cls = array("i"), array("q"), array("i")
        self.order, self.score, self.probability = array("d"), array("d"), array("f")

    def add(
        self, image: int, line: int, cls: int, order: float, score: float, probability: float
    ) -> None:
        """Add a guess about an image: where it stands, its class, and what tells its order."""
        self.image.append(image)
        self.line.append(line)
        self.cls.append(cls)
        self.order.append(order)
        self.score.append(score)
        self.probability.append(probability)


class Table:
    """Guesses as columns, by image, and best first."""

    def __init__(self, found: Guesses) -> None:
        image = np.frombuffer(found.image, np.int32) if found.image else np.empty(0, np.int32)
        order = np.array(found.order)
        score = np.array(found.score)
        cls = np.array(found.cls, np.int32)
        by = np.lexsort((cls, np.nan_to_num(-score, nan=np.inf), order, image))
        self.image, self.order, self.score, self.cls = image[by], order[by], score[by], cls[by]
        self.line = np.array(found.line, np.int64)[by]
        self.probability = np.array(found.probability, np.float32)[by]

    @cached_property
    def same(self) -> npt.NDArray[np.bool_]:
        """Which guesses are about the same image as the one before."""
        return (
            np.r_[False, self.image[1:] == self.image[:-1]]
            if len(self.image)
            else np.zeros(0, bool)
        )

    @cached_property
    def place(self) -> npt.NDArray[np.int64]:
        """How many guesses of the same image come before each."""
        starts = np.flatnonzero(~self.same)
        sizes = np.diff(np.r_[starts, len(self.image)])
        return np.arange(len(self.image)) - np.repeat(starts, sizes)


class Check:
    """Refuses guesses of an image that contradict each other.

    Args:
        table: the guesses.
        at: tells the file and a line.
        word: what a line is called.
        images: the names of the images.
        classes: the names of the classes.
    """

    def __init__(
        self,
        table: Table,
        at: Callable[[int], str],
        word: str,
        images: Sequence[str],
        classes: Sequence[str],
    ) -> None:
        self.table, self.at, self.word = table, at, word
        self.images, self.classes_ = images, classes

    def _first(self, wrong: npt.NDArray[np.bool_]) -> Iterator[int]:
        """The first guess that is wrong, as written in the file, if there is one."""
        places = np.flatnonzero(wrong)
        if len(places):
            yield int(places[np.argmin(self.table.line[places])])

    def _about(self, place: int) -> str:
        image = self.images[self.table.image[place]]
        return f"{self.at(int(self.table.line[place]))}: {image!r}"

    def one_row(self) -> None:
        """Rows with lists: one for each image."""
        table = self.table
        again = table.same & (np.r_[-1, table.line[:-1]] != table.line)[: len(table.line)]
        for place in self._first(again):
            first, second = sorted(table.line[place - 1 : place + 1].tolist())
            raise PredictionError(
                f"{self.at(second)}: {self.images[table.image[place]]!r} has another row, "
                f"{self.word} {first}"
            )

    def ranks(self) -> None:
        """Ranks: from 0 or from 1, each once and none left out."""
        table = self.table
        lowest = int(table.order.min(initial=np.inf)) if len(table.order) else 0
        if lowest > 1:
            place = int(np.argmin(table.order))
            raise PredictionError(
                f"{self._about(place)}: ranks begin with {lowest}, not with 0 or 1"
            )
        for place in self._first(table.order - lowest < table.place):
            first, second = sorted(table.line[place - 1 : place + 1].tolist())
            raise PredictionError(
                f"{self.at(second)}: {self.images[table.image[place]]!r} has two rows of rank "
                f"{table.order[place]:g}, the other is {self.word} {first}"
            )
        for place in self._first(table.order - lowest > table.place):
            raise PredictionError(
                f"{self._about(place)} has a row of rank {table.order[place]:g}, and none of rank "
                f"{table.place[place] + lowest}"
            )

    def told(self) -> None:
        """Several rows of an image without ranks: a number in each must tell their order."""
        table = self.table
        several = table.same | np.r_[table.same[1:], False]
        for place in self._first(several & np.isnan(table.score)):
            raise PredictionError(
                f"{self._about(place)} has several rows, and neither a rank nor a probability that "
                "tells their order"
            )

    def as_many(self) -> None:
        """Several rows of an image without ranks: not more than most images have.

        A second row of a few images is a repeated or a contradicting prediction, and no ranking.
        """
        table = self.table
        counts = np.bincount(table.image)
        frequent = np.bincount(counts[counts > 0])
        usual = int(len(frequent) - 1 - np.argmax(frequent[::-1]))  # of those as frequent, more
        for place in self._first(counts[table.image] > usual):
            lines = np.sort(table.line[table.image == table.image[place]])[: usual + 1]
            shown = ", ".join(map(str, lines[:-1][-3:]))
            raise PredictionError(
                f"{self.at(int(lines[-1]))}: {self.images[table.image[place]]!r} has other rows, "
                f"too ({self.word} {shown}), and most images have {usual}. If its rows are ranked "
                "guesses, say so in a column `rank`; otherwise remove those that are not meant"
            )

    def ties(self) -> tuple[int, int]:
        """How many images have equal numbers at the first place, and at the fifth and the next."""
        table = self.table
        same = np.r_[False, table.score[1:] == table.score[:-1]][: len(table.score)] & table.same
        return int((same & (table.place == 1)).sum()), int((same & (table.place == TOP)).sum())

    def classes(self) -> None:
        """Each class of an image once."""
        table = self.table
        by = np.lexsort((table.line, table.cls, table.image))
        again = (np.diff(table.image[by]) == 0) & (np.diff(table.cls[by]) == 0)
        wrong = np.zeros(len(by), bool)
        wrong[by[1:][again] if len(by) else []] = True
        for place in self._first(wrong):
            of = (table.image == table.image[place]) & (table.cls == table.cls[place])
            lines = ", ".join(map(str, table.line[of][:3]))
            name = self.classes_[table.cls[place]]
            raise PredictionError(
                f"{self._about(place)} has the class {name!r} twice ({self.word} {lines})"
            )

    def scores(self) -> None:
        """Probabilities that do not grow with the rank."""
        table = self.table
        growth = np.diff(table.score, prepend=np.nan)[: len(table.score)]
        slack = ROUNDING * np.maximum(1, np.abs(np.nan_to_num(table.score)))
        for place in self._first(table.same & (growth > slack)):
            raise PredictionError(
                f"{self._about(place)} has {table.score[place]:g} at rank "
                f"{table.place[place] + 1}, more than {table.score[place - 1]:g} at the rank before"
            )

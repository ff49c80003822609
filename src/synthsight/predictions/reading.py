"""From the rows of a file of predictions to ranked classes of images, checked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthsight.predictions.classes import ClassError, Classes
from synthsight.predictions.joining import Names
from synthsight.predictions.layout import NAMES
from synthsight.predictions.order import ROUNDING, Check, Guesses, PredictionError, Table
from synthsight.predictions.source import Source
from synthsight.tabular import folded
from synthsight.values import text_of

#: What may stand in a list as NumPy prints it: text in quotes, or a word.
_ITEM = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|([^\s,\[\]()'\"]+)")

_EMPTY = ("", "nan", "none", "null", "na", "n/a")

_NAN = float("nan")


@dataclass(frozen=True)
class Ranked:
    """The classes predicted for images, best first.

    Attributes:
        lengths: int64 (images,), how many classes each image has; 0 where there is no prediction.
        classes: int32, image by image.
        probability: float32, likewise; NaN where the file states none.
        rows: the number of rows read.
        by: what tells the order: ``rank``, ``list``, ``probability``, ``logits`` or, where there is
            but one class for each image, ``single``.
        ties: how many images have equal numbers at the first place, and at the fifth, where these
            tell the order.
    """

    lengths: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int32]
    probability: npt.NDArray[np.float32]
    rows: int
    by: str
    ties: tuple[int, int]


@dataclass(frozen=True)
class _Guess:
    """One predicted class as it is written."""

    label: Any = None
    index: Any = None
    rank: Any = None
    probability: Any = None
    logits: Any = None

    @property
    def is_empty(self) -> bool:
        return is_empty(self.label) and is_empty(self.index)


def read_ranked(source: Source, names: Names, classes: Classes, count: int) -> Ranked:
    """Read a file that names the best class of each image, or several.

    Args:
        source: the file.
        names: the run's images.
        classes: those of the label space.
        count: the number of the run's images.

    Raises:
        PredictionError: a row means no class, or rows of an image contradict each other; with the
            file and the line.
        synthsight.tabular.TableError: the file cannot be read.
    """
    reader = _Reader(source, classes)
    found = Guesses()
    number = 0
    for line, row in source.rows():
        number += 1
        image = names.find(reader.image(line, row))
        if image is None:
            continue
        try:
            reader.add(found, image, line, row)
        except (ClassError, PredictionError) as error:
            raise PredictionError(f"{reader.at(line)}: {error}") from None
    return _ordered(found, reader, names, count, number)


class _Reader:
    """Reads the guesses in rows."""

    def __init__(self, source: Source, classes: Classes) -> None:
        self.path = source.path
        self.classes = classes
        self.single = source.layout.single
        self.numbered = source.layout.numbered
        self.word = "row" if source.kind in ("Parquet", "JSON of pandas") else "line"
        self.ranks = "rank" in self.single
        self.lists = bool(self.numbered) or "guesses" in self.single

    def at(self, line: int) -> str:
        return f"{self.path}, {self.word} {line}"

    def image(self, line: int, row: Mapping[str, Any]) -> str:
        cell = row.get(self.single["image"])
        text = cell if isinstance(cell, str) else text_of(cell)
        if not text.strip():
            raise PredictionError(f"{self.at(line)}: it does not say which image it is about")
        return text

    def add(self, found: Guesses, image: int, line: int, row: Mapping[str, Any]) -> None:
        """Add what a row says of an image."""
        guesses, listed = self._guesses(row)
        while guesses and guesses[-1].is_empty:
            guesses = guesses[:-1]
        for place, guess in enumerate(guesses):
            if guess.is_empty:
                raise PredictionError(
                    f"the guess of rank {place + 1} is empty, and later ones are not"
                )
            probability = _number(guess.probability, "probability")
            if not (math.isnan(probability) or -ROUNDING <= probability <= 1 + ROUNDING):
                percent = ": write 0.87 for 87%" if 1 < probability <= 100 else ""
                raise PredictionError(f"the probability {probability:g} is not in 0..1{percent}")
            score = _number(guess.logits, "logit") if math.isnan(probability) else probability
            order = float(place) if listed else self._rank(guess.rank)
            found.add(image, line, self._class(guess), order, score, probability)

    def _guesses(self, row: Mapping[str, Any]) -> tuple[Sequence[_Guess], bool]:
        """The guesses in a row by rank, and whether they came as a list."""
        cells: dict[str, Any] = {role: row.get(name) for role, name in self.single.items()}
        if "guesses" in cells:
            cells["label"] = cells.pop("guesses")  # no layout has both
        items = as_list(cells.get("label"))
        if isinstance(items, list) and any(isinstance(each, Mapping) for each in items):
            self.lists = True
            return [_of_item(each) for each in items], True
        cells |= {role: [row.get(name) for name in names] for role, names in self.numbered.items()}
        del cells["image"]
        cells = {role: as_list(cell) for role, cell in cells.items()}
        lists = {role: cell for role, cell in cells.items() if isinstance(cell, list)}
        if not lists:
            return [_Guess(**cells)], False
        self.lists = True
        lengths = {len(cell) for cell in lists.values()}
        flat = [role for role, cell in cells.items() if role not in lists and not is_empty(cell)]
        if len(lengths) > 1 or flat:
            if flat and not lists.keys() & {"label", "index"}:
                role, numbers = next(iter(lists.items()))
                raise PredictionError(
                    f"one {flat[0]} beside {len(numbers):,} numbers in its {role}. If they are of "
                    f"all classes, remove or rename the column {self.single.get(flat[0])!r}, which "
                    "is not read then"
                )
            wrong = ", ".join(f"{role}: {len(cell)}" for role, cell in lists.items())
            raise PredictionError(f"lists of different lengths ({wrong or flat[0]}) of one image")
        return [
            _Guess(**{role: cell[place] for role, cell in lists.items()})
            for place in range(lengths.pop())
        ], True

    def _rank(self, cell: Any) -> float:
        if not self.ranks:
            return 0.0
        text = text_of(cell)
        if not re.fullmatch(r"[0-9]{1,6}", text):
            raise PredictionError(f"the rank {text[:40]!r} is not a whole number")
        return float(text)

    def _class(self, guess: _Guess) -> int:
        label = "" if is_empty(guess.label) else text_of(guess.label)
        if is_empty(guess.index):
            return self.classes.by_label(label)
        text = text_of(guess.index)
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            raise PredictionError(f"the index {text[:40]!r} is not a whole number")
        index = self.classes.by_index(int(text))
        if label and not label.startswith("<unmapped:"):  # as timm has it
            self.classes.check_pair(index, label)
        return index


def _of_item(item: Any) -> _Guess:
    """A guess that is a mapping of its own, as pipelines of transformers give it."""
    if not isinstance(item, Mapping):
        raise PredictionError(f"{str(item)[:40]!r} stands among mappings with a label and a score")
    found: dict[str, Any] = {}
    for key, value in item.items():
        role = _roles().get(folded(str(key)))
        if role in _GUESS:
            if role in found:
                raise PredictionError(f"{sorted(item)} of a guess both mean its {role}")
            found[role] = value
    if not found.keys() & {"label", "index"}:
        raise PredictionError(f"a guess with the keys {sorted(map(str, item))} has no label")
    return _Guess(**found)


_GUESS = ("label", "index", "rank", "probability", "logits")

_ROLES: dict[str, str] = {}


def _roles() -> Mapping[str, str]:
    if not _ROLES:
        _ROLES.update({folded(name): role for role, names in NAMES.items() for name in names})
    return _ROLES


def as_list(cell: Any) -> Any:
    """A cell; if it is text that JSON, Python or NumPy wrote for a list, the list.

    Raises:
        PredictionError: it is nested too deeply; without the file and the line.
    """
    if isinstance(cell, tuple):
        return list(cell)
    if not isinstance(cell, str) or cell[:1] != "[" or cell.rstrip()[-1:] != "]":
        return cell
    try:
        return json.loads(cell)
    except RecursionError:
        raise PredictionError("a list is nested too deeply") from None
    except ValueError:
        pass
    return [
        re.sub(r"\\(.)", r"\1", quoted or double) if quoted or double else word
        for quoted, double, word in (match.groups("") for match in _ITEM.finditer(cell))
    ]


def is_empty(cell: Any) -> bool:
    """Whether a cell holds nothing, or a word for that."""
    if isinstance(cell, str):
        return len(cell) < 5 and cell.strip().casefold() in _EMPTY
    return cell is None or cell != cell


def _number(cell: Any, what: str) -> float:
    """A number in a cell; NaN if it is empty."""
    if isinstance(cell, float):
        return cell
    if is_empty(cell):
        return _NAN
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        raise PredictionError(f"the {what} {text_of(cell)[:40]!r} is not a number") from None
    if math.isinf(number) and what == "probability":
        raise PredictionError("the probability is infinite")
    return number


def _ordered(found: Guesses, reader: _Reader, names: Names, count: int, rows: int) -> Ranked:
    """The guesses by image and rank, checked."""
    table = Table(found)
    ties = (0, 0)
    check = Check(table, reader.at, reader.word, names.images, reader.classes.space.simple)
    if reader.lists:
        by = "list"
        check.one_row()
    elif reader.ranks:
        by = "rank"
        check.ranks()
    elif (table.place > 0).any():
        by = "probability" if "probability" in reader.single else "logits"
        check.told()
        check.as_many()
        ties = check.ties()
    else:
        by = "single"
    check.classes()
    check.scores()
    return Ranked(
        np.bincount(table.image, minlength=count).astype(np.int64),
        table.cls.astype(np.int32),
        np.clip(table.probability, 0, 1),
        rows,
        by,
        ties,
    )

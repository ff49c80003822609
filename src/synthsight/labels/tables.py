"""Label files that are tables: a header, and below it a row per class."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence

from synthsight.labels.order import Ordered, OrderError, are_all

#: How columns of the classes' numbers are called; a first column without a name is pandas' index.
_NUMBERS = re.compile(
    r"(?i)((class|label|category|cat|target|output|model|train|pred|imagenet|in1k|coco|wordnet)"
    r"[ _-]?)*(id|ids|idx|index|number|num|no|nr|#)?\.?|unnamed: [0-9]+"
)

#: How columns of names are called, where there are other texts.
_NAMES = re.compile(
    r"(?i)((class|label|category|display|readable|english|simple|short)[ _-]?)*"
    r"(name|names|label|labels|class|category|title|synonyms?|lemmas?|words?)"
)

_WHOLE = re.compile(r"([0-9]{1,7})(?:\.0*)?")
_SYNSET = re.compile(r"n[0-9]{8}")


def read_table(lines: Sequence[str]) -> Ordered | None:
    """The classes of a table, each with its synset and names; None if it is none.

    It has a header if a column below a word for numbers holds nothing else, or a column synsets. A
    column of names may hold commas, quoted or not.

    Raises:
        OrderError: two columns number the classes in different orders, none numbers them all, or it
            is not clear which has the names.
    """
    for sign in "\t,;|:=":
        if sign not in lines[0] or len(lines) < 2:
            continue
        try:
            head, *rows = csv.reader(lines, delimiter=sign, skipinitialspace=True, strict=True)
        except csv.Error:
            continue
        if len(rows) == len(lines) - 1 and (table := columns(head, rows)) is not None:
            return table
    return None


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Ordered | None:
    """The classes of a table of cells, as :func:`read_table`; None if ``head`` is no header."""
    head = [cell.strip() for cell in head]
    numbers, synsets, texts = {}, {}, []
    for place, title in enumerate(head):
        column = _column(rows, place, _WHOLE) or _column(rows, place - len(head), _WHOLE)
        if column and not _WHOLE.fullmatch(title):
            numbers[place] = [int(float(cell)) for cell in column]
        elif column := _column(rows, place, _SYNSET) or _column(rows, place - len(head), _SYNSET):
            synsets[place] = column
        else:
            texts.append(place)
    known = [
        each for each in numbers if _NUMBERS.fullmatch(head[each]) and (head[each] or not each)
    ]
    if not known and all(_SYNSET.fullmatch(head[place]) for place in synsets):
        return None
    named = [place for place in texts if _NAMES.fullmatch(head[place])]
    if len(texts) == 1:
        named = texts
    if not named and (texts or not synsets):
        raise OrderError(
            f"it is not clear which of {_listed(head, range(len(head)))} has the classes' names: "
            "call it `name`. If they are numbers alone, write a JSON list instead: "
            '["7, seven", ...]'
        )
    by = _order(head, numbers, known)
    synset = list(synsets)[:1]
    lines = sorted(range(len(rows)), key=numbers[by[0]].__getitem__ if by else None)
    found = []
    for line in lines:
        row = rows[line]
        if len(row) < len(head):
            raise OrderError(
                f"line {line + 2} has {len(row)} cells, and the header {len(head)}: correct it"
            )
        cells = [synsets[place][line] for place in synset]
        more = len(row) - len(head)  # commas in names, without quotation marks
        for place in named:
            cells += row[place : place + 1 + (more if place == named[-1] else 0)]
        found.append(", ".join(cell.strip() for cell in cells))
    unused = sorted({*range(len(head))} - {*named, *synset, *by})
    notes = (f"not read: {_listed(head, unused)}",) if unused else ()
    return Ordered(tuple(found), tuple(line + 1 for line in lines), bool(by), notes)


def _order(
    head: Sequence[str], numbers: Mapping[int, list[int]], known: Sequence[int]
) -> list[int]:
    """The columns whose numbers give the order, all the same; none if there are no numbers."""
    able = [place for place, column in numbers.items() if are_all(column)]
    if known and not able:
        raise OrderError(
            f"{_listed(head, known)} does not number the classes 0, 1, 2, ... or 1, 2, 3, ... "
            "without gaps and repeats. If it should, correct it; else remove it, and sort the "
            "rows as the model's outputs are"
        )
    orders = {place: [number - min(numbers[place]) for number in numbers[place]] for place in able}
    other = [place for place in able if orders[place] != orders[able[0]]]
    if other:
        raise OrderError(
            f"{_listed(head, [able[0], other[0]])} number the classes in different orders: "
            "remove the one that does not say which output a class is"
        )
    return able


def _column(rows: Sequence[Sequence[str]], place: int, form: re.Pattern[str]) -> list[str] | None:
    """The cells of a column, from the end if ``place`` is negative; None if one is otherwise."""
    cells = []
    for row in rows:
        if not -len(row) <= place < len(row) or not form.fullmatch(row[place].strip()):
            return None
        cells.append(row[place].strip())
    return cells


def _listed(head: Sequence[str], places: Sequence[int]) -> str:
    """Columns in a message: ``column 'id'``, ``columns 'id' and 'name'``."""
    names = [
        repr(head[place]) if head[place] else f"{place + 1} (without a name)" for place in places
    ]
    if len(names) == 1:
        return f"column {names[0]}"
    return f"columns {', '.join(names[:-1])} and {names[-1]}"

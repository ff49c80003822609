"""The forms in which sets of yes/no questions are published, told by what a file holds.

POPE (Li et al. 2023), TIFA (Hu et al. 2023), DSG (Cho et al. 2024), VQA v2 (Goyal et al. 2017), and
the tables of VLMEvalKit.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.contents import IMAGES, kind_of
from synthsight.json_rows import keys_of
from synthsight.tabular import Form, TableError, read_rows

#: How a set says which image a question is about: by the name of its file; by the number of a row,
#: which is the file's name without its ending; or by a prompt, from which images were generated.
NAME, INDEX, PROMPT = "name", "index", "prompt"

#: The columns that a file of questions must have, unless it is a set of a form that is known.
REQUIRED = ("image", "question", "answer")

#: Characters of a cell: an image, as base64.
CELL = 2**28

#: Base64 that is shorter is no image; VLMEvalKit takes it for the number of another row.
_SHORT = 64


@dataclass(frozen=True)
class SetForm:
    """A form of a table of questions.

    Attributes:
        name: what people call it.
        has: the columns by which it is recognised.
        image: the column that says which image is meant.
        by: how it says that: :data:`NAME`, :data:`INDEX` or :data:`PROMPT`.
        question: the column of the question.
        answer: that of the answer; None if all answers are yes, since the questions were made from
            the prompt.
        choices: that of the answers to choose from, if there is one: the question is asked if they
            are yes and no.
    """

    name: str
    has: frozenset[str]
    image: str
    by: str
    question: str
    answer: str | None
    choices: str | None = None


FORMS = (
    SetForm("POPE", frozenset({"image", "text", "label"}), "image", NAME, "text", "label"),
    SetForm(
        "TIFA",
        frozenset({"id", "question", "choices", "answer"}),
        *("id", PROMPT, "question", "answer", "choices"),
    ),
    SetForm(
        "DSG",
        frozenset({"item_id", "question_natural_language"}),
        *("item_id", PROMPT, "question_natural_language", None),
    ),
    SetForm(
        "VLMEvalKit",
        frozenset({"index", "question", "answer"}),
        *("index", INDEX, "question", "answer"),
    ),
)

#: VLMEvalKit's tables may name files, too.
_BY_PATH = SetForm(
    "VLMEvalKit",
    frozenset({"index", "image_path", "question", "answer"}),
    *("image_path", NAME, "question", "answer"),
)

#: What columns of sets are called, by which the separator of a table is told.
KNOWN = tuple(sorted(frozenset().union(*(form.has for form in FORMS))))

#: A pair of JSON files of VQA v2: the list that each has.
QUESTIONS, ANNOTATIONS = "questions", "annotations"


def pair_of(path: Path) -> str | None:
    """Which of the two files of VQA v2 one is, :data:`QUESTIONS` or :data:`ANNOTATIONS`, or None.

    The annotations of VQA v1 and v2 are told from those of other sets where they are read.
    """
    if path.suffix.lower() != ".json":
        return None
    try:
        keys = keys_of(path)
    except (OSError, UnicodeError):
        return None  # what reads it says why
    # Other lists may come first, but none does in what is published.
    return keys[-1] if keys and keys[-1] in (QUESTIONS, ANNOTATIONS) else None


def recognise(path: Path, columns: Mapping[str, str]) -> SetForm | None:
    """The form of a set of questions; None if the file has the columns that are asked for.

    None, too, if the configuration calls one of the required columns by another name: then that is
    what is read. What is wrong with a file is said where it is read.

    Args:
        path: the file.
        columns: the file's names for the columns, see
            :func:`synthsight.vqa.questions.read_questions`.

    Raises:
        synthsight.tabular.TableError: it may be of two forms; or its rows hold images as text, and
            nothing says under which names files of them are kept.
    """
    names, first = _look(path, columns)
    if all(columns[key] in names for key in REQUIRED):
        if not is_embedded(first.get(columns["image"])):
            return None
        if columns["image"] != "image" or "index" not in names:
            raise TableError(
                f"{path}: the column {columns['image']!r} holds the images themselves, not their "
                f"paths: {advice(path)}"
            )
    elif any(columns[key] != key for key in REQUIRED):
        return None
    fits = [form for form in FORMS if form.has <= set(names)]
    if len(fits) > 1:
        named = " and ".join(form.name for form in fits)
        raise TableError(
            f"{path} may be of {named}, by its columns {', '.join(names)}: which one is the image, "
            "the question and the answer? Name them in vqa.columns"
        )
    if fits and fits[0].by == INDEX and "image_path" in names:
        return _BY_PATH
    return fits[0] if fits else None


def advice(path: Path) -> str:
    """What to do about images that are in a file of questions."""
    return (
        f"`synthsight unpack {path} FOLDER` writes them as files, and a file of questions about "
        "them, and says what to write here"
    )


def _look(path: Path, columns: Mapping[str, str]) -> tuple[Sequence[str], Mapping[str, Any]]:
    """The names of a file's columns, and its first row; that of a Parquet file is not read."""
    try:
        if path.suffix.lower() == ".parquet":
            return list(pq.read_schema(path).names), {}
        known = (*columns.values(), *KNOWN)
        form = Form({}, (), "vqa.columns", "a file of questions", "questions", known, cell=CELL)
        row = next(read_rows(path, form), (0, {}))[1]
        return list(row), row
    except (TableError, OSError, pa.ArrowException):
        return [], {}


def is_embedded(cell: Any) -> bool:
    """Whether a cell of text is an image in base64, and no path."""
    return isinstance(cell, str) and len(cell) > _SHORT and decoded(cell, 4096) is not None


def decoded(cell: str, most: int | None = None) -> bytes | None:
    """The bytes of an image in base64; None if it is none.

    Args:
        cell: the text; it may be a ``data:`` address.
        most: how many characters of it are decoded, about; None for all.
    """
    text = re.sub(r"^data:image/[\w.+-]+;base64,", "", cell[: most or len(cell)])
    text = "".join(text.split())
    if most is not None:
        text = text[: len(text) - len(text) % 4]
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if kind_of(content[:4096]).name in IMAGES else None

"""Images with their yes/no questions and a model's answers (Borji 2022, Figures 4, 21, 22)."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from itertools import chain, zip_longest

import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure
from PIL import Image

from synthsight.figures import style
from synthsight.tables import metadata_of

RIGHT, WRONG = "\N{CHECK MARK}", "\N{BALLOT X}"

_COLUMNS = 2
_GAP = 0.18  # inches between the two columns, and between the rows
_SIDE = 1.05  # inches of a thumbnail
_TEXT = _SIDE + 0.07  # inches from a cell's left end to its questions
_MARK = 0.12  # inches for the right/wrong mark
_ENDS = (0.72, 0.37, 0.0)
"""Where truth, answer and P(yes) end, in inches from a cell's right edge."""
_BESIDE = _TEXT + _MARK + 0.97  # inches of a cell that are not for a question
_LINES = 14  # lines of questions beside a thumbnail
_LONGEST = 6  # lines of a question
_HEAD = 0.15


def choose(answers: pd.DataFrame) -> list[str]:
    """Put the images in an arbitrary order that is the same every time.

    Images with and without a wrong answer alternate as long as there are both, beginning with a
    wrong one. Each kind is sorted by a checksum of the name, which is unrelated to what the image
    shows.

    Args:
        answers: One row per question: ``image``, ``correct``.
    """
    all_right = answers.groupby("image")["correct"].all()
    names = sorted(all_right.index, key=lambda name: (zlib.crc32(name.encode()), name))
    wrong = [name for name in names if not all_right[name]]
    right = [name for name in names if all_right[name]]
    turns = chain.from_iterable(zip_longest(wrong, right))
    return [name for name in turns if name is not None]


def vqa_samples(
    answers: pd.DataFrame,
    model: str,
    page: int,
    per_page: int,
    read: Callable[[str], Image.Image],
) -> Figure:
    """Draw one page of images, each with its questions in the order of their file.

    A page beyond the last says that there is no such page. If an image has more questions than fit,
    a line says how many are left out, and how many of those are answered wrongly.

    Args:
        answers: One row per question: ``image, number, question, answer, p_yes, predicted,
            correct``; P(yes) is NaN of models that answer with a word alone.
        model: Name of the model.
        page: Page number, from 1.
        per_page: Images on a page.
        read: Returns the RGB image of an answer's ``image``.
    """
    order = choose(answers)
    pages = math.ceil(len(order) / per_page)
    shown = order[(page - 1) * per_page : page * per_page]
    right = int(answers["correct"].sum())
    faulty = int((~answers.groupby("image")["correct"].all()).sum())

    known = bool(answers["p_yes"].notna().any())
    title = f"Questions and answers of {style.plain(model)}: "
    subtitle = (
        f"{right:,} of {style.count(len(answers), 'answer')} right; "
        f"{faulty:,} of {style.count(len(order), 'image')} with a wrong one. "
    )
    if shown:
        first = (page - 1) * per_page + 1
        last = first + len(shown) - 1
        title += f"images {first} to {last}" if last > first else f"image {first}"
        title += f" of {len(order):,}"
        subtitle += f"{RIGHT} right, {WRONG} and bold wrong"
        subtitle += "; P(yes) is the probability that the model gives to yes" if known else ""
        subtitle += ". Images with and without a wrong answer take turns."
    else:
        title += f"there is no page {page}"
        subtitle += f"The images make {style.count(pages, 'page')}."
    columns = 1 if style.narrow() else _COLUMNS
    wide = (style.room() - _GAP * (columns - 1)) / columns
    by_image = {str(name): rows for name, rows in answers.groupby("image")}
    cells = [_layout(by_image[name].sort_values("number"), wide - _BESIDE) for name in shown]
    heights = [
        max(_SIDE + 0.03 + style.LINE, *(style.LINE * len(cell) for cell in line))
        for line in (cells[start : start + columns] for start in range(0, len(cells), columns))
    ]
    top = style.heading_height(title, subtitle) + 0.1
    total = top + (_HEAD + sum(heights) + _GAP * (len(heights) - 1) if heights else 0)

    with style.style():
        figure = style.sheet(total + style.MARGIN)
        style.heading(figure, title, subtitle)
        axes = style.canvas(figure)
        for column in range(min(columns, len(shown))):
            _heads(figure, (style.MARGIN + column * (wide + _GAP), top), wide, known)
        top += _HEAD
        for number, (name, cell) in enumerate(zip(shown, cells, strict=True)):
            line, column = divmod(number, columns)
            left = style.MARGIN + column * (wide + _GAP)
            above = top + sum(heights[:line]) + _GAP * line
            style.thumbnail(axes, read(name), left, above, _SIDE)
            style.write(
                figure,
                left,
                above + _SIDE + 0.03,
                style.elide(style.plain(name), _SIDE, style.SMALL),
                fontsize=style.SMALL,
                color=style.FAINT,
            )
            for step, texts in enumerate(cell):
                _write(figure, (left, above + step * style.LINE), wide, texts)
    return figure


class _Line:
    """A line of text beside a thumbnail."""

    def __init__(self, text: str, correct: bool | None, ends: tuple[str, ...] = ()) -> None:
        self.text, self.correct, self.ends = text, correct, ends


def _layout(questions: pd.DataFrame, room: float) -> list[_Line]:
    """Lines of the questions about one image, at most :data:`_LINES` including the last remark.

    Args:
        questions: The image's rows, in order.
        room: Inches for a question.
    """
    lines: list[_Line] = []
    rows = questions.to_dict("records")
    for number, row in enumerate(rows):
        correct = bool(row["correct"])
        text = style.wrap(
            style.plain(row["question"]), room, style.SMALL, bold=not correct, lines=_LONGEST
        )
        last = number == len(rows) - 1
        if len(lines) + len(text) + (not last) > _LINES:
            missed = sum(not other["correct"] for other in rows[number:])
            more = style.count(len(rows) - number, "more question")
            lines.append(_Line(f"and {more}, {missed} wrong", None))
            break
        p_yes = "" if row["p_yes"] != row["p_yes"] else f"{row['p_yes']:.2f}"
        ends = (str(row["answer"]), str(row["predicted"]), p_yes)
        lines += [
            _Line(part, correct, ends if first == 0 else ()) for first, part in enumerate(text)
        ]
    return lines


def _heads(figure: Figure, at: tuple[float, float], wide: float, known: bool) -> None:
    left, top = at
    small = {"fontsize": style.SMALL, "color": style.FAINT}
    style.write(figure, left + _TEXT + _MARK, top, "question", **small)
    heads = ("truth", "answer", "P(yes)" if known else "")
    for end, head in zip(_ENDS, heads, strict=True):
        style.write(figure, left + wide - end, top, head, ha="right", **small)


def _write(figure: Figure, at: tuple[float, float], wide: float, line: _Line) -> None:
    """Write one line of a cell."""
    left, top = at
    small = {
        "fontsize": style.SMALL,
        "color": style.FAINT if line.correct is None else style.INK,
        "weight": "bold" if line.correct is False else "normal",
    }
    if line.ends:
        mark, color = (RIGHT, style.GREEN) if line.correct else (WRONG, style.VERMILLION)
        style.write(figure, left + _TEXT, top, mark, **small | {"color": color})
    style.write(figure, left + _TEXT + _MARK, top, line.text, **small)
    for end, text in zip(_ENDS, line.ends, strict=False):
        style.write(figure, left + wide - end, top, text, ha="right", **small)


def vqa_samples_of(
    answers: pa.Table, page: int, per_page: int, read: Callable[[str], Image.Image]
) -> Figure:
    """Draw :func:`vqa_samples` from a model's scored answers, whose metadata name the model."""
    model = metadata_of(answers.schema, "model", "the file of the answers")
    return vqa_samples(answers.to_pandas(), model, page, per_page, read)

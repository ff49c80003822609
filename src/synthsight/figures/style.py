"""Shared by all figures: a print style, text that is safe to draw and fits, and saving.

Sizes are in inches and points as printed: every figure is :data:`WIDTH` wide, the text width of a
journal page, and no text is smaller than :data:`SMALL`.
"""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import pandas as pd
from fontTools import subset
from matplotlib import font_manager
from matplotlib import style as matplotlib_style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from PIL import Image, ImageOps

from synthsight import origin
from synthsight.figures.unknown import no_hits, no_row
from synthsight.files import atomic
from synthsight.statistics.adapted import of_others
from synthsight.tables import ALL as ALL

WIDTH = 7.2
"""Width of every figure in inches."""
MARGIN = 0.1
"""Empty border around every figure in inches."""
DPI = 200
"""Pixels per inch of the PNG, and of the pictures inside the PDF."""
SMALL, NORMAL, LARGE = 6.0, 6.5, 8.0
"""Font sizes in points: the smallest text, labels, and the heading."""
LINE = 0.115
"""Distance in inches between lines of text of size ``SMALL`` or ``NORMAL``."""
_TITLE_LINE = 0.16

# Okabe and Ito's palette, which stays distinct for the common kinds of colour blindness.
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW, GREY = "#56B4E9", "#CC79A7", "#F0E442", "#999999"
INK, FAINT, BAND = "#000000", "#595959", "#F2F2F2"

# matplotlib ships this family, so a figure has the same bytes on every machine.
FAMILY = "DejaVu Sans"

# What a font knows of laying out text is of no use in a PDF, which places every glyph; to cut it
# down to the glyphs that are used would take half of the time of a figure.
_LAYOUT_TABLES = ["GDEF", "GPOS", "GSUB"]
subset.Options._drop_tables_default = [*subset.Options._drop_tables_default, *_LAYOUT_TABLES]

_STYLE: dict[str, Any] = {
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "font.family": FAMILY,
    "font.size": NORMAL,
    "axes.labelsize": NORMAL,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.labelsize": NORMAL,
    "ytick.labelsize": NORMAL,
    "xtick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "xtick.major.pad": 2.0,
    "ytick.major.size": 0.0,
    "ytick.major.pad": 3.0,
    "grid.color": "#D9D9D9",
    "grid.linewidth": 0.5,
    "hatch.linewidth": 0.6,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    # Names come from data: a dollar sign is just a dollar sign.
    "text.parse_math": False,
    "text.usetex": False,
    "axes.formatter.use_mathtext": False,
    # Type 42 keeps the text in the PDF searchable, and publishers ask for it.
    "pdf.fonttype": 42,
    # A PDF embeds each image separately, not all of them merged at screen resolution.
    "image.composite_image": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in this project's style, regardless of the user's matplotlibrc."""
    with matplotlib_style.context(["default", _STYLE]):
        yield


def save(figure: Figure, pdf: str | os.PathLike[str], png: str | os.PathLike[str]) -> None:
    """Write ``figure`` to two files, each atomically.

    The files contain no date, so the same figure gives the same bytes.
    """
    with style():
        with atomic(pdf) as path:
            about = {"CreationDate": None, "Keywords": origin.mark(pdf)}
            figure.savefig(path, format="pdf", metadata=about)
        with atomic(png) as path:
            about = {"Software": None, "Comment": origin.mark(png)}
            figure.savefig(path, format="png", metadata=about)


# --- Text -----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    """Code points that the font family has in both normal and bold weight."""
    fonts = (
        font_manager.get_font(font_manager.findfont(FontProperties(family=FAMILY, weight=weight)))
        for weight in ("normal", "bold")
    )
    plain_font, bold_font = (frozenset(font.get_charmap()) for font in fonts)
    return plain_font & bold_font


def plain(text: object) -> str:
    r"""Make a name from the data safe to draw on one line.

    Line breaks and other invisible characters become spaces. A character that the font lacks is
    escaped (``\u86cb``): with empty boxes, all such names would look the same. A name without
    visible characters becomes ``(blank)``.
    """
    characters = []
    for character in str(text):
        if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp", "Zs"}:
            characters.append(" ")
        elif ord(character) in _drawable():
            characters.append(character)
        else:
            code = ord(character)
            characters.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return " ".join("".join(characters).split()) or "(blank)"


@lru_cache(maxsize=65536)
def text_width(text: str, size: float = NORMAL, bold: bool = False) -> float:
    """Printed width of a line of text in inches."""
    font = FontProperties(family=FAMILY, size=size, weight="bold" if bold else "normal")
    width, _, _ = _renderer().get_text_width_height_descent(  # type: ignore[no-untyped-call]
        text, font, ismath=False
    )
    return float(width) / DPI


@lru_cache(maxsize=1)
def _renderer() -> RendererAgg:
    return RendererAgg(1, 1, DPI)  # type: ignore[no-untyped-call]


def elide(
    text: str, width: float, size: float = NORMAL, bold: bool = False, head: float = 0.5
) -> str:
    """Shorten ``text`` to ``width`` inches with an ellipsis.

    Args:
        text: One line, see :func:`plain`.
        width: Room in inches.
        size: Font size in points.
        bold: Whether the text is drawn bold.
        head: Share of the kept characters that come from the beginning; the rest comes from the
            end, where names of models and files often differ.
    """
    if text_width(text, size, bold) <= width:
        return text

    def shortened(kept: int) -> str:
        front = math.ceil(kept * head)
        back = kept - front
        return text[:front].rstrip() + "…" + (text[len(text) - back :].lstrip() if back else "")

    low, high = 0, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(shortened(middle), size, bold) <= width:
            low = middle
        else:
            high = middle - 1
    return shortened(low)


def elide_all(texts: Sequence[str], width: float, size: float = NORMAL) -> list[str]:
    """Shorten names so that different names stay different where possible."""
    shortest: list[str] = []
    for head in (0.5, 0.25, 0.75, 0.1, 0.9):
        shortened = [elide(text, width, size, head=head) for text in texts]
        if len(set(shortened)) == len(set(texts)):
            return shortened
        shortest = shortest or shortened
    return shortest


def wrap(
    text: str, width: float, size: float = NORMAL, bold: bool = False, lines: int = 2
) -> list[str]:
    """Break ``text`` into at most ``lines`` lines of ``width`` inches; the rest is elided.

    Lines break after a space or one of ``_ - / . ,``, and within a word only if it is too long.
    """
    broken: list[str] = []
    current = ""
    for token in re.split(r"(?<=[ _\-/.,])", text):
        if current and text_width((current + token).rstrip(), size, bold) > width:
            broken.append(current)
            current = ""
        current += token
        while text_width(current.rstrip(), size, bold) > width and len(current) > 1:
            cut = len(current) - 1
            while cut > 1 and text_width(current[:cut], size, bold) > width:
                cut -= 1
            broken.append(current[:cut])
            current = current[cut:]
    broken.append(current)
    if len(broken) > lines:
        broken[lines - 1 :] = [elide("".join(broken[lines - 1 :]), width, size, bold, head=1.0)]
    return [line.strip() for line in broken]


def label_column(
    texts: Sequence[object], limit: float, size: float = NORMAL
) -> tuple[list[str], float]:
    """Prepare the labels of a figure's rows.

    Returns:
        The labels, plain and at most ``limit`` inches wide, and the width of the widest.
    """
    labels = elide_all([plain(text) for text in texts], limit, size)
    return labels, max((text_width(label, size) for label in labels), default=0.0)


def percent(level: float) -> str:
    """A confidence level as ``95%`` or ``99.5%``."""
    return f"{100 * level:g}%"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 image``, ``1,862 images``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


# --- Layout: inches from the top left corner --------------------------------------------------


def sheet(height: float) -> Figure:
    """Return an empty figure, :data:`WIDTH` wide and ``height`` inches high."""
    return Figure(figsize=(WIDTH, height))


def panel(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes at a place given in inches from the figure's top left corner."""
    full_width, full_height = figure.get_size_inches()
    bottom = full_height - top - height
    return figure.add_axes(
        (left / full_width, bottom / full_height, width / full_width, height / full_height)
    )


def write(figure: Figure, left: float, top: float, text: str, **options: Any) -> Text:
    """Write ``text`` with its top left corner at a place given in inches."""
    full_width, full_height = figure.get_size_inches()
    placed: dict[str, Any] = {"fontsize": NORMAL, "va": "top", "ha": "left"}
    return figure.text(left / full_width, 1 - top / full_height, text, **(placed | options))


def _heading_lines(title: str, subtitle: str, lines: int) -> tuple[list[str], list[str]]:
    room = WIDTH - 2 * MARGIN
    return wrap(title, room, LARGE, bold=True), wrap(subtitle, room, lines=lines)


def heading(figure: Figure, title: str, subtitle: str, lines: int = 2) -> float:
    """Write a figure's heading: at most two lines of title and ``lines`` of subtitle.

    Returns:
        Where the heading ends, in inches from the top.
    """
    top = MARGIN
    for number, block in enumerate(_heading_lines(title, subtitle, lines)):
        for line in block:
            if number == 0:
                write(figure, MARGIN, top, line, fontsize=LARGE, weight="bold")
            else:
                write(figure, MARGIN, top, line, color=FAINT)
            top += _TITLE_LINE if number == 0 else LINE
    return top


def legend(
    figure: Figure, handles: Sequence[Artist], left: float, top: float, columns: int
) -> None:
    """Draw a legend with its top left corner at a place given in inches."""
    full_width, full_height = figure.get_size_inches()
    figure.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(left / full_width, 1 - top / full_height),
        ncols=columns,
        borderaxespad=0,
        borderpad=0,
        labelspacing=0.3,
        handlelength=1.6,
        handletextpad=0.4,
        columnspacing=1.0,
    )


def heading_height(title: str, subtitle: str, lines: int = 2) -> float:
    """Where :func:`heading` would end, in inches from the top."""
    title_lines, subtitle_lines = _heading_lines(title, subtitle, lines)
    return MARGIN + _TITLE_LINE * len(title_lines) + LINE * len(subtitle_lines)


def canvas(figure: Figure) -> Axes:
    """Add axes that cover the figure, measured in inches from its top left corner."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return axes


def thumbnail(axes: Axes, image: Image.Image, left: float, top: float, side: float) -> None:
    """Draw ``image`` on a :func:`canvas`, padded to a square of ``side`` inches, undistorted."""
    pixels = round(side * DPI)
    square = ImageOps.pad(image, (pixels, pixels), method=Image.Resampling.LANCZOS, color="#FFFFFF")
    axes.imshow(square, extent=(left, left + side, top + side, top), aspect="auto")
    # A hairline sets an image with a white background off from the paper.
    axes.plot(
        [left, left + side, left + side, left, left],
        [top, top, top + side, top + side, top],
        color="#BFBFBF",
        linewidth=0.4,
        zorder=3,
    )


# --- Which model ------------------------------------------------------------------------------


def ranked(accuracy: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Rows of the models' means over categories, best top-1 first, ties by name.

    Models whose top-1 hits are not known under the rule come last.

    Args:
        accuracy: The accuracy table.
        rule: Matching rule, such as ``words/simple``.

    Raises:
        ValueError: If the table has no mean under this rule, or none is known.
    """
    means = accuracy[
        (accuracy["rule"] == rule) & (accuracy["category"] == ALL) & (accuracy["generator"] == ALL)
    ]
    if means.empty:
        raise no_row(accuracy, "the accuracy table has no mean", rule)
    if means["top1"].isna().all():
        raise no_hits(rule)
    return means.sort_values(["top1", "model"], ascending=[False, True], ignore_index=True)


def of_rule(table: pd.DataFrame, rule: str, name: str) -> pd.DataFrame:
    """Rows of the table called ``name`` under ``rule``.

    Raises:
        ValueError: If there is none.
    """
    rows = table[table["rule"] == rule]
    if rows.empty:
        raise no_row(table, f"the {name} table has no row", rule)
    return rows


def generated(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table about all generated images together, without those about real photographs."""
    return table[table["generator"] == ALL]


def best_model(accuracy: pd.DataFrame, rule: str) -> str:
    """Name of the model with the highest mean top-1 under ``rule``, ties by name; none adapted."""
    return str(ranked(of_others(accuracy), rule)["model"].iloc[0])


def by_category(accuracy: pd.DataFrame, rule: str, model: str) -> pd.DataFrame:
    """Rows of one model's categories, all generators pooled, best top-1 first, ties by name."""
    rows = generated(accuracy)
    rows = rows[(rows["rule"] == rule) & (rows["model"] == model) & (rows["category"] != ALL)]
    return rows.sort_values(["top1", "category"], ascending=[False, True], ignore_index=True)

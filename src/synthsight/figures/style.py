"""Shared by all figures: a print style, text that is safe to draw and fits, and saving.

Sizes are in inches and points as printed: every figure is :func:`width` wide, and no text is
smaller than :data:`SMALL`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from fontTools import subset
from matplotlib import style as matplotlib_style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image, ImageOps

from synthsight import origin
from synthsight.figures.fonts import families
from synthsight.figures.look import look
from synthsight.figures.text import LARGE as LARGE
from synthsight.figures.text import NORMAL as NORMAL
from synthsight.figures.text import SMALL as SMALL
from synthsight.figures.text import count as count
from synthsight.figures.text import elide as elide
from synthsight.figures.text import elide_all as elide_all
from synthsight.figures.text import label_column as label_column
from synthsight.figures.text import percent as percent
from synthsight.figures.text import plain as plain
from synthsight.figures.text import text_width as text_width
from synthsight.figures.text import wrap as wrap
from synthsight.figures.unknown import no_hits, no_row
from synthsight.files import atomic
from synthsight.statistics.adapted import of_others
from synthsight.tables import ALL as ALL

MARGIN = 0.1
"""Empty border around every figure in inches."""
LINE = 0.115
"""Distance in inches between lines of text of size ``SMALL`` or ``NORMAL``."""
_TITLE_LINE = 0.16

# Okabe and Ito's palette, which stays distinct for the common kinds of colour blindness.
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW, GREY = "#56B4E9", "#CC79A7", "#F0E442", "#999999"
INK, FAINT, BAND = "#000000", "#595959", "#F2F2F2"

# What a font knows of laying out text is of no use in a PDF, which places every glyph; to cut it
# down to the glyphs that are used would take half of the time of a figure.
_LAYOUT_TABLES = ["GDEF", "GPOS", "GSUB"]
subset.Options._drop_tables_default = [*subset.Options._drop_tables_default, *_LAYOUT_TABLES]

_STYLE: dict[str, Any] = {
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
    # Identifiers in an SVG are random otherwise.
    "svg.hashsalt": "synthsight",
    # A PDF embeds each image separately, not all of them merged at screen resolution.
    "image.composite_image": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in this project's style, regardless of the user's matplotlibrc."""
    dpi, fonts = look().dpi, list(families())
    own: dict[str, Any] = {"figure.dpi": dpi, "savefig.dpi": dpi, "font.family": fonts}
    own["text.hinting"] = look().hinting
    with matplotlib_style.context(["default", {**_STYLE, **own}]):
        yield


def save(figure: Figure, *paths: str | os.PathLike[str]) -> None:
    """Write ``figure`` to files, each atomically, in the formats that their endings name.

    The files contain no date, so the same figure gives the same bytes.

    Args:
        figure: What to write. Its label says what its title would, where it has none.
        paths: Files that end in ``.pdf``, ``.png`` or ``.svg``.
    """
    with style():
        for path in paths:
            kind = Path(path).suffix.removeprefix(".")
            with atomic(path) as place:
                about = _about(kind, origin.mark(path), str(figure.get_label()) or None)
                figure.savefig(place, format=kind, metadata=about)


def _about(kind: str, mark: str | None, title: str | None) -> dict[str, Any]:
    """The metadata of a file, by its format."""
    if kind == "pdf":
        return {"CreationDate": None, "Keywords": mark, **({"Title": title} if title else {})}
    if kind == "svg":
        marks = {"Keywords": [mark]} if mark else {}
        return {"Date": None, **marks, **({"Title": title} if title else {})}
    return {"Software": None, "Comment": mark, **({"Title": title} if title else {})}


# --- Layout: inches from the top left corner --------------------------------------------------


def width() -> float:
    """Width of every figure in inches."""
    return look().width


def room() -> float:
    """Inches between the margins."""
    return width() - 2 * MARGIN


def narrow() -> bool:
    """Whether there is no room for panels side by side."""
    return look().narrow


def sheet(height: float) -> Figure:
    """Return an empty figure, :func:`width` wide and ``height`` inches high."""
    return Figure(figsize=(width(), height))


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
    if not look().title:
        return [], []
    # What fills two lines of a page fills more of a column.
    more = math.ceil(7 / room()) if narrow() else 1
    return (
        wrap(title, room(), LARGE, bold=True, lines=2 * more),
        wrap(subtitle, room(), lines=lines * more),
    )


def heading(figure: Figure, title: str, subtitle: str, lines: int = 2) -> float:
    """Write a figure's heading: at most two lines of title and ``lines`` of subtitle.

    Where the run wants none, it becomes the figure's label.

    Returns:
        Where the heading ends, in inches from the top.
    """
    if not look().title:
        figure.set_label(f"{title.rstrip('.')}. {subtitle}")
    top = MARGIN
    for number, block in enumerate(_heading_lines(title, subtitle, lines)):
        for line in block:
            if number == 0:
                write(figure, MARGIN, top, line, fontsize=LARGE, weight="bold")
            else:
                write(figure, MARGIN, top, line, color=FAINT)
            top += _TITLE_LINE if number == 0 else LINE
    return top


def legend_columns(labels: Sequence[str], most: int, space: float | None = None) -> int:
    """In how many columns, at most ``most``, a legend with these labels fits the figure.

    Args:
        labels: Of its entries.
        most: The largest number.
        space: Inches that it may take, if not all between the margins.
    """
    # A mark and the blanks beside it, see :func:`legend`.
    widths = [text_width(label, SMALL) + 0.27 for label in labels]
    for columns in range(most if widths else 1, 1, -1):
        lines = -(-len(widths) // columns)
        wide = [max(widths[at : at + lines]) for at in range(0, len(widths), lines)]
        if sum(wide) <= (room() if space is None else space) + 0.08:
            return columns
    return 1


def legend_height(labels: Sequence[str], columns: int) -> float:
    """Inches that lines of a legend need beyond the first."""
    return 0.13 * (-(-len(labels) // columns) - 1) if labels else 0.0


def labels_of(handles: Sequence[Artist]) -> list[str]:
    """The labels of a legend's entries."""
    return [str(handle.get_label()) for handle in handles]


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
    pixels = round(side * look().dpi)
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

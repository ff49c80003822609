"""LaTeX tables: any text as text, numbers with their intervals, and the lines of booktabs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

#: Characters that mean something to TeX, and those that fonts of LaTeX's first encoding lack.
#: Brackets and stars are in braces, since they would be an argument of the end of a row above.
_SPECIAL = {
    **{each: f"\\{each}" for each in "{}$%&#_"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"\char34{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{MINUS SIGN}": "$-$",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    **{"ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "ø": r"\o{}", "Ø": r"\O{}"},
    **{"œ": r"\oe{}", "Œ": r"\OE{}", "ł": r"\l{}", "Ł": r"\L{}"},
}

#: Accents that every font of LaTeX has, by the combining character.
_ACCENTS = {
    **{"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u0304": "="},
    **{"\u0307": ".", "\u0306": "u", "\u030c": "v", "\u030b": "H", "\u030a": "r", "\u0327": "c"},
}

#: What two of the same would become: dashes, quotation marks.
_LIGATURES = re.compile(r"(?<=([-',]))(?=\1)")

#: Characters that are not seen.
_BLANK = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})

#: Typesets a character of another script: itself where the engine has Unicode's fonts, or its code.
DEFINITION = (
    r"\providecommand{\synthsightchar}[2]{\ifdefined\Umathchar #1\else #2\fi}"
    "% other scripts need XeLaTeX or LuaLaTeX, and a font"
)


def plain(text: object) -> str:
    """A name from the data as one line: what is not seen becomes a blank, an empty one a word."""
    seen = "".join(" " if unicodedata.category(c) in _BLANK else c for c in str(text))
    return " ".join(seen.split()) or "(blank)"


def escape(text: object) -> str:
    """Text that LaTeX typesets as it is, in a table's cell or elsewhere, whatever it holds.

    What fonts of LaTeX lack goes through :data:`DEFINITION`, which a file defines that needs it.
    """
    parts: list[str] = []
    for kind, run in _runs(plain(text)):
        if kind == "other":
            codes = " ".join(f"U+{ord(each):04X}" for each in run)
            parts.append(rf"\synthsightchar{{{run}}}{{{codes}}}")
        elif kind == "ascii":
            parts.append(_LIGATURES.sub("{}", run))
        else:
            parts.append(run)
    return "".join(parts)


def _runs(text: str) -> Iterable[tuple[str, str]]:
    """The parts of a text as they come: ``ascii``, commands (``tex``), ``other`` characters."""
    kind, run = "", ""
    for each in text:
        own, said = _one(each)
        if own != kind and run:
            yield kind, run
            run = ""
        kind, run = own, run + said
    if run:
        yield kind, run


def _one(character: str) -> tuple[str, str]:
    if character in _SPECIAL:
        return "tex", _SPECIAL[character]
    if character.isascii():
        return "ascii", character
    parts = unicodedata.normalize("NFD", character)
    base, mark = parts[0], parts[1:]
    if base.isascii() and base.isalpha() and mark in _ACCENTS:
        return "tex", rf"\{_ACCENTS[mark]}{{{base}}}"
    return "other", character


def percent(value: float) -> str:
    """A fraction in per cent with one decimal, with a true minus; a dash where it is missing."""
    if value != value:
        return "--"
    return f"{round(100 * value, 1) + 0.0:.1f}".replace("-", "$-$")


def with_interval(value: float, low: float, high: float, *, bold: bool = False) -> str:
    """A fraction in per cent with its bounds: ``59.8 [56.0, 63.6]``."""
    number = rf"\textbf{{{percent(value)}}}" if bold else percent(value)
    known = value == value and low == low and high == high
    return f"{number} [{percent(low)}, {percent(high)}]" if known else number


@dataclass(frozen=True)
class Table:
    r"""A table for ``\input``, without caption and label.

    Attributes:
        notes: what the caption has to say, a sentence each; comments above the table.
        columns: the headings, as LaTeX; the first column is text, the others are numbers.
        rows: the cells, as LaTeX.
        above: a line above the headings, as LaTeX; empty for none.
        parts: titles of parts of the table as LaTeX, by the row that they stand above.
        below: what explains marks in the cells, printed below the table, a line each, as LaTeX.
    """

    notes: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    above: str = ""
    parts: dict[int, str] = field(default_factory=dict)
    below: Sequence[str] = ()

    @property
    def text(self) -> str:
        """The file's text."""
        lines = [rf"\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}", r"\toprule"]
        lines += [self.above] if self.above else []
        lines += [_row(self.columns), r"\midrule"]
        for number, cells in enumerate(self.rows):
            if number in self.parts:
                lines += [r"\midrule"] if number else []
                lines.append(self._across(self.parts[number]))
            lines.append(_row(cells))
        lines.append(r"\bottomrule")
        lines += [self._across(rf"\footnotesize {each}") for each in self.below]
        lines.append(r"\end{tabular}")
        notes = [f"% {plain(note)}" for note in self.notes]
        needs = [r"% Needs \usepackage{booktabs} in the preamble."]
        needs += [DEFINITION] if any(r"\synthsightchar" in line for line in lines) else []
        return "\n".join([*notes, *needs, *lines, ""])

    def _across(self, content: str) -> str:
        """A row with one cell as wide as the table."""
        return rf"\multicolumn{{{len(self.columns)}}}{{l}}{{{content}}} \\"


def _row(cells: Sequence[str]) -> str:
    return rf"{' & '.join(cells)} \\"

#!/usr/bin/env python3
"""Draw how many models get each image.

In: the difficulty table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

from synthsight.figures import style
from synthsight.figures.difficulty import difficulty
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import DIFFICULTY
from synthsight.tables import read_frame


@program(one("difficulty", "difficulty table, Parquet"), spec=True, outputs=["pdf", "png"])
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    figure = difficulty(read_frame(args.difficulty, DIFFICULTY), args.spec["rule"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Draw which wrong classes each category is most often taken for.

In: the confusions table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

from synthsight.figures import style
from synthsight.figures.confusions import confusions
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import CONFUSIONS
from synthsight.tables import read_frame


@program(one("confusions", "confusions table, Parquet"), spec=True, outputs=["pdf", "png"])
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    figure = confusions(read_frame(args.confusions, CONFUSIONS), args.spec["rule"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Draw accuracy under each matching rule.

In: the accuracy table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the primary matching rule.
"""

from __future__ import annotations

from synthsight.figures import style
from synthsight.figures.rules import rules
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import ACCURACY
from synthsight.tables import read_frame


@program(one("accuracy", "accuracy table, Parquet"), spec=True, outputs=["pdf", "png"])
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    figure = rules(read_frame(args.accuracy, ACCURACY), args.spec["rule"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

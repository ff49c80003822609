#!/usr/bin/env python3
"""Draw how firm the ranking of the models is.

In: the ranking table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

from synthsight.figures import style
from synthsight.figures.ranking import ranking
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import RANKING
from synthsight.tables import read_frame


@program(one("ranking", "ranking table, Parquet"), spec=True, outputs=["pdf", "png"])
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    figure = ranking(read_frame(args.ranking, RANKING), args.spec["rule"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

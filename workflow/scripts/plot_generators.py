#!/usr/bin/env python3
"""Draw accuracy by generator and the differences between generators.

In: the accuracy and generators tables. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

from synthsight.figures import style
from synthsight.figures.generators import generators
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import ACCURACY, GENERATORS
from synthsight.tables import read_frame


@program(
    one("accuracy", "accuracy table, Parquet"),
    one("generators", "generators table, Parquet"),
    spec=True,
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the tables, draw, write."""
    figure = generators(
        read_frame(args.accuracy, ACCURACY),
        read_frame(args.generators, GENERATORS),
        args.spec["rule"],
        args.spec["level"],
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Draw accuracy by generator and the differences between generators.

In: the accuracy and generators tables. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

import pandas as pd

from synthsight.figures import style
from synthsight.figures.generators import generators
from synthsight.program import Arguments, one, program


@program(
    one("accuracy", "accuracy table, Parquet"),
    one("generators", "generators table, Parquet"),
    spec=True,
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the tables, draw, write."""
    figure = generators(
        pd.read_parquet(args.accuracy),
        pd.read_parquet(args.generators),
        args.spec["rule"],
        args.spec["level"],
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

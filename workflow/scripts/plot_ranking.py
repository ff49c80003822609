#!/usr/bin/env python3
"""Draw how firm the ranking of the models is.

In: the ranking table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

import pandas as pd

from synthsight.figures import style
from synthsight.figures.ranking import ranking
from synthsight.program import Arguments, one, program


@program(one("ranking", "ranking table, Parquet"), spec=True, outputs=["pdf", "png"])
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    figure = ranking(pd.read_parquet(args.ranking), args.spec["rule"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

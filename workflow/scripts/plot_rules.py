#!/usr/bin/env python3
"""Draw accuracy under each matching rule.

In: the accuracy table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the primary matching rule.
"""

from __future__ import annotations

import pandas as pd

from synthsight.figures import style
from synthsight.figures.rules import rules
from synthsight.program import Arguments, one, program


@program(one("accuracy", "accuracy table, Parquet"), spec=True, outputs=["pdf", "png"])
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    figure = rules(pd.read_parquet(args.accuracy), args.spec["rule"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

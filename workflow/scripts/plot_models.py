#!/usr/bin/env python3
"""Draw one page of the models' accuracy by category.

In: the accuracy table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show, ``page``, counted from 1, and ``per_page``,
the number of models on a page.
"""

from __future__ import annotations

from synthsight.figures import style
from synthsight.figures.models import models
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import ACCURACY
from synthsight.tables import read_frame


@program(one("accuracy", "accuracy table, Parquet"), spec=True, outputs=["pdf", "png"])
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    spec = args.spec
    figure = models(
        read_frame(args.accuracy, ACCURACY),
        spec["rule"],
        int(spec["page"]),
        int(spec["per_page"]),
        spec["level"],
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

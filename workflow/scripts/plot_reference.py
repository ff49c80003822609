#!/usr/bin/env python3
"""Draw accuracy on real photographs and on generated images, model by model.

In: the reference table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

from synthsight.figures import style
from synthsight.figures.reference import reference
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import REFERENCE
from synthsight.tables import read_frame


@program(one("reference", "reference table, Parquet"), spec=True, outputs=["pdf", "png"])
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    figure = reference(read_frame(args.reference, REFERENCE), args.spec["rule"], args.spec["level"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

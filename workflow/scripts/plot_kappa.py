#!/usr/bin/env python3
"""Draw how far any two models get the same images, beyond chance.

In: the kappa table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

from synthsight.figures import style
from synthsight.figures.kappa import kappa
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import KAPPA
from synthsight.tables import read_frame


@program(one("kappa", "kappa table, Parquet"), spec=True, outputs=["pdf", "png"])
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    figure = kappa(read_frame(args.kappa, KAPPA), args.spec["rule"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

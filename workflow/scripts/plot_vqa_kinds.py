#!/usr/bin/env python3
"""Draw accuracy on yes/no questions by kind, by first word and by generator.

In: the tables of groups of questions and of models. Out: one figure as PDF and as PNG.
The spec holds ``level``, the confidence level of the intervals.
"""

from __future__ import annotations

import pandas as pd

from synthsight.figures import style
from synthsight.figures.vqa_kinds import vqa_kinds
from synthsight.program import Arguments, one, program


@program(
    one("groups", "table of groups of questions, Parquet"),
    one("vqa", "table of models, Parquet"),
    spec=True,
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the tables, draw, write."""
    figure = vqa_kinds(pd.read_parquet(args.groups), pd.read_parquet(args.vqa), args.spec["level"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Draw accuracy on yes/no questions by kind, by first word and by generator.

In: the tables of groups of questions and of models. Out: one figure as PDF and as PNG.
The spec holds ``level``, the confidence level of the intervals.
"""

from __future__ import annotations

from synthsight.figures import style
from synthsight.figures.vqa_kinds import vqa_kinds
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import VQA, VQA_GROUPS
from synthsight.tables import read_frame


@program(
    one("groups", "table of groups of questions, Parquet"),
    one("vqa", "table of models, Parquet"),
    spec=True,
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the tables, draw, write."""
    figure = vqa_kinds(
        read_frame(args.groups, VQA_GROUPS), read_frame(args.vqa, VQA), args.spec["level"]
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

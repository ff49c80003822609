#!/usr/bin/env python3
"""Draw accuracy on yes/no questions, model by model.

In: the table of models. Out: one figure as PDF and as PNG.
The spec holds ``level``, the confidence level of the intervals.
"""

from __future__ import annotations

from synthsight.figures import style
from synthsight.figures.vqa_accuracy import vqa_accuracy
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import VQA
from synthsight.tables import read_frame


@program(one("vqa", "table of models, Parquet"), spec=True, outputs=["pdf", "png"])
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    figure = vqa_accuracy(read_frame(args.vqa, VQA), args.spec["level"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

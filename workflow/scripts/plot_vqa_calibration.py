#!/usr/bin/env python3
"""Draw how far each model's P(yes) can be believed.

In: the tables of calibration and of models. Out: one figure as PDF and as PNG.
The spec holds ``level``, the confidence level of the intervals.
"""

from __future__ import annotations

from synthsight.figures import style
from synthsight.figures.vqa_calibration import vqa_calibration
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import VQA, VQA_CALIBRATION
from synthsight.tables import read_frame


@program(
    one("calibration", "table of calibration, Parquet"),
    one("vqa", "table of models, Parquet"),
    spec=True,
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the tables, draw, write."""
    figure = vqa_calibration(
        read_frame(args.calibration, VQA_CALIBRATION), read_frame(args.vqa, VQA), args.spec["level"]
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Draw how far each model's P(yes) can be believed.

In: the tables of calibration and of models. Out: one figure as PDF and as PNG.
The spec holds ``level``, the confidence level of the intervals.
"""

from __future__ import annotations

import pandas as pd

from synthsight.figures import style
from synthsight.figures.vqa_calibration import vqa_calibration
from synthsight.program import Arguments, one, program


@program(
    one("calibration", "table of calibration, Parquet"),
    one("vqa", "table of models, Parquet"),
    spec=True,
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the tables, draw, write."""
    figure = vqa_calibration(
        pd.read_parquet(args.calibration), pd.read_parquet(args.vqa), args.spec["level"]
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Draw how far each model's P(yes) can be believed.

In: the tables of calibration and of models. Out: one figure as PDF and as PNG.
The spec holds ``level``, the confidence level of the intervals.
"""

from __future__ import annotations

import argparse
import json

import pandas as pd

from synthsight.figures import style
from synthsight.figures.vqa_calibration import vqa_calibration


def main() -> None:
    """Read the tables, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calibration", required=True, help="table of calibration, Parquet")
    parser.add_argument("--vqa", required=True, help="table of models, Parquet")
    parser.add_argument("--spec", required=True, type=json.loads, help='{"level": 0.95}')
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--png", required=True)
    args = parser.parse_args()

    figure = vqa_calibration(
        pd.read_parquet(args.calibration), pd.read_parquet(args.vqa), args.spec["level"]
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

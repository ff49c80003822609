#!/usr/bin/env python3
"""Draw accuracy on real photographs and on generated images, model by model.

In: the reference table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

import argparse
import json

import pandas as pd

from synthsight.figures import style
from synthsight.figures.reference import reference


def main() -> None:
    """Read the table, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--reference", required=True, help="reference table, Parquet")
    parser.add_argument(
        "--spec", required=True, type=json.loads, help='{"rule": ..., "level": 0.95}'
    )
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--png", required=True)
    args = parser.parse_args()

    figure = reference(pd.read_parquet(args.reference), args.spec["rule"], args.spec["level"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

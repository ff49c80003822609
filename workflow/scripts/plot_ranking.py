#!/usr/bin/env python3
"""Draw how firm the ranking of the models is.

In: the ranking table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

import argparse
import json

import pandas as pd

from synthsight.figures import style
from synthsight.figures.ranking import ranking


def main() -> None:
    """Read the table, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--ranking", required=True, help="ranking table, Parquet")
    parser.add_argument("--spec", required=True, type=json.loads, help='{"rule": ...}')
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--png", required=True)
    args = parser.parse_args()

    figure = ranking(pd.read_parquet(args.ranking), args.spec["rule"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

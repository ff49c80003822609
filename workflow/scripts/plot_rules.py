#!/usr/bin/env python3
"""Draw accuracy under each matching rule.

In: the accuracy table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the primary matching rule.
"""

from __future__ import annotations

import argparse
import json

import pandas as pd

from synthsight.figures import style
from synthsight.figures.rules import rules


def main() -> None:
    """Read the table, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--accuracy", required=True, help="accuracy table, Parquet")
    parser.add_argument("--spec", required=True, type=json.loads, help='{"rule": ...}')
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--png", required=True)
    args = parser.parse_args()

    figure = rules(pd.read_parquet(args.accuracy), args.spec["rule"])
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

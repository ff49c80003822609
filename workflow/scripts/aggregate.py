#!/usr/bin/env python3
"""Aggregate hits to accuracies with intervals.

In: the scores of all models. Out: the same table as CSV and as Parquet (see
synthsight.statistics.accuracy).
"""

from __future__ import annotations

import argparse
import json

from synthsight.statistics.accuracy import aggregate
from synthsight.statistics.bootstrap import Intervals
from synthsight.tables import write_table


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="+", required=True)
    parser.add_argument("--spec", type=json.loads, required=True)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--parquet", required=True)
    args = parser.parse_args()
    write_table(aggregate(args.scores, Intervals(**args.spec)), args.csv, args.parquet)


if __name__ == "__main__":
    main()

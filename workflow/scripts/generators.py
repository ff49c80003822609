#!/usr/bin/env python3
"""Compare generators in pairs, on the categories that both drew.

In: the scores of all models. Out: the same table as CSV and as Parquet (see
synthsight.statistics.generators).
"""

from __future__ import annotations

import argparse
import json

from synthsight.statistics.bootstrap import Intervals
from synthsight.statistics.generators import compare_generators
from synthsight.tables import write_table


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="+", required=True)
    parser.add_argument("--spec", type=json.loads, required=True)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--parquet", required=True)
    args = parser.parse_args()
    write_table(compare_generators(args.scores, Intervals(**args.spec)), args.csv, args.parquet)


if __name__ == "__main__":
    main()

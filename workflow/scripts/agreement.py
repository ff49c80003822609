#!/usr/bin/env python3
"""Find the fractions of images that all models get and that none gets.

In: the scores of all models. Out: the same table as CSV and as Parquet (see synthsight.agreement).
"""

from __future__ import annotations

import argparse

from synthsight.agreement import agreement
from synthsight.tables import write_table


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="+", required=True)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--parquet", required=True)
    args = parser.parse_args()
    write_table(agreement(args.scores), args.csv, args.parquet)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Count which wrong class each category is most often taken for, by model and for all together.

In: the scores of all models. Out: the same table as CSV and as Parquet (see
synthsight.statistics.confusions).
"""

from __future__ import annotations

import argparse

from synthsight.statistics.confusions import confusions
from synthsight.tables import write_table


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="+", required=True)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--parquet", required=True)
    args = parser.parse_args()
    write_table(confusions(args.scores), args.csv, args.parquet)


if __name__ == "__main__":
    main()

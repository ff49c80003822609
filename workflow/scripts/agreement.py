#!/usr/bin/env python3
"""Measure where models agree: what all or none get, how many get each image, kappa of pairs.

In: the scores of all models. Out: agreement, difficulty and kappa, each as CSV and as Parquet, and
how many models get each image as Parquet (see synthsight.statistics.agreement).
"""

from __future__ import annotations

import argparse
import json
import sys

from synthsight.statistics.agreement import measure_agreement
from synthsight.statistics.hits import HitsError
from synthsight.tables import write_table

TABLES = ("agreement", "difficulty", "kappa")


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="+", required=True)
    parser.add_argument("--spec", type=json.loads, required=True, help='{"level": 0.95}')
    for table in TABLES:
        parser.add_argument(f"--{table}-csv", required=True)
        parser.add_argument(f"--{table}-parquet", required=True)
    parser.add_argument("--images-parquet", required=True)
    args = parser.parse_args()
    try:
        measured = measure_agreement(args.scores, args.spec["level"], args.images_parquet)
    except HitsError as error:
        sys.exit(f"agreement: {error}")
    for table in TABLES:
        csv, parquet = getattr(args, f"{table}_csv"), getattr(args, f"{table}_parquet")
        write_table(getattr(measured, table), csv, parquet)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Aggregate the answers of all models to yes/no questions: accuracy, calibration, comparisons.

In: the answers of all models, and the notes of their weights. Out: five tables, each as CSV and as
Parquet (see synthsight.statistics.vqa). The spec holds ``level``, the confidence level of the
intervals.
"""

from __future__ import annotations

import argparse
import json
import sys

from synthsight.statistics.vqa import AggregateVqaError, aggregate_vqa
from synthsight.tables import write_table


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", nargs="+", required=True)
    parser.add_argument("--notes", nargs="+", required=True, help="JSON about the models' weights")
    parser.add_argument("--spec", type=json.loads, required=True, help='{"level": 0.95}')
    for name in ("vqa", "groups", "questions", "calibration", "comparisons"):
        parser.add_argument(f"--{name}-csv", required=True)
        parser.add_argument(f"--{name}-parquet", required=True)
    args = parser.parse_args()
    try:
        tables = aggregate_vqa(args.answers, args.notes, args.spec["level"])
    except AggregateVqaError as error:
        sys.exit(f"aggregate_vqa: {error}")
    write_table(tables.models, args.vqa_csv, args.vqa_parquet)
    write_table(tables.groups, args.groups_csv, args.groups_parquet)
    write_table(tables.questions, args.questions_csv, args.questions_parquet)
    write_table(tables.calibration, args.calibration_csv, args.calibration_parquet)
    write_table(tables.comparisons, args.comparisons_csv, args.comparisons_parquet)


if __name__ == "__main__":
    main()

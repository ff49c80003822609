#!/usr/bin/env python3
"""Compare models and rules in pairs, and find how firm the ranking of the models is.

In: the scores of all models. Out: comparisons and ranking, each as CSV and as Parquet (see
synthsight.statistics.compare).
"""

from __future__ import annotations

import argparse
import json

from synthsight.statistics.bootstrap import Intervals
from synthsight.statistics.compare import compare
from synthsight.tables import write_table


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="+", required=True)
    parser.add_argument("--spec", type=json.loads, required=True)
    parser.add_argument("--comparisons-csv", required=True)
    parser.add_argument("--comparisons-parquet", required=True)
    parser.add_argument("--ranking-csv", required=True)
    parser.add_argument("--ranking-parquet", required=True)
    args = parser.parse_args()
    comparisons, ranking = compare(args.scores, Intervals(**args.spec))
    write_table(comparisons, args.comparisons_csv, args.comparisons_parquet)
    write_table(ranking, args.ranking_csv, args.ranking_parquet)


if __name__ == "__main__":
    main()

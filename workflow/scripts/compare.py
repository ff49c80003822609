#!/usr/bin/env python3
"""Compare models and rules in pairs, and find how firm the ranking of the models is.

In: the scores of all models. Out: comparisons and ranking, each as CSV and as Parquet (see
synthsight.statistics.compare).
"""

from __future__ import annotations

from synthsight.program import Arguments, many, program
from synthsight.statistics.bootstrap import Intervals
from synthsight.statistics.compare import compare
from synthsight.tables import write_table


@program(
    many("scores", "the scores of all models"),
    spec=True,
    outputs=["comparisons_csv", "comparisons_parquet", "ranking_csv", "ranking_parquet"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    comparisons, ranking = compare(args.scores, Intervals(**args.spec))
    write_table(comparisons, args.comparisons_csv, args.comparisons_parquet)
    write_table(ranking, args.ranking_csv, args.ranking_parquet)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Aggregate hits to accuracies with intervals.

In: the scores of all models. Out: the same table as CSV and as Parquet (see
synthsight.statistics.accuracy).
"""

from __future__ import annotations

from synthsight.program import Arguments, many, program
from synthsight.statistics.accuracy import aggregate
from synthsight.statistics.bootstrap import Intervals
from synthsight.tables import write_table


@program(many("scores", "the scores of all models"), spec=True, outputs=["csv", "parquet"])
def main(args: Arguments) -> None:
    """Run the program."""
    write_table(aggregate(args.scores, Intervals(**args.spec)), args.csv, args.parquet)


if __name__ == "__main__":
    main()

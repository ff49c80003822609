#!/usr/bin/env python3
"""Compare generators in pairs, on the categories that both drew.

In: the scores of all models. Out: the same table as CSV and as Parquet (see
synthsight.statistics.generators).
"""

from __future__ import annotations

from synthsight.program import Arguments, many, program
from synthsight.statistics.bootstrap import Intervals
from synthsight.statistics.generators import compare_generators
from synthsight.tables import write_table


@program(many("scores", "the scores of all models"), spec=True, outputs=["csv", "parquet"])
def main(args: Arguments) -> None:
    """Run the program."""
    write_table(compare_generators(args.scores, Intervals(**args.spec)), args.csv, args.parquet)


if __name__ == "__main__":
    main()

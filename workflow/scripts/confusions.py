#!/usr/bin/env python3
"""Count which wrong class each category is most often taken for, by model and for all together.

In: the scores of all models. Out: the same table as CSV and as Parquet (see
synthsight.statistics.confusions).
"""

from __future__ import annotations

from synthsight.program import Arguments, many, program
from synthsight.statistics.confusions import confusions
from synthsight.tables import write_table


@program(many("scores", "the scores of all models"), outputs=["csv", "parquet"])
def main(args: Arguments) -> None:
    """Run the program."""
    write_table(confusions(args.scores), args.csv, args.parquet)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compare each model's accuracy on the generated images with its stated one on real photographs.

In: the accuracies (Parquet) and the notes of the weights of all models. Out: the same table as CSV
and as Parquet (see synthsight.statistics.reference).
"""

from __future__ import annotations

from synthsight.program import Arguments, many, one, program
from synthsight.statistics.reference import reference
from synthsight.tables import write_table


@program(
    one("accuracy", "accuracy table, Parquet"),
    many("notes", "what is known of the models' weights, JSON"),
    outputs=["csv", "parquet"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    table = reference(args.accuracy, args.notes)
    write_table(table, args.csv, args.parquet)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Measure where models agree: what all or none get, how many get each image, kappa of pairs.

In: the scores of all models. Out: agreement, difficulty and kappa, each as CSV and as Parquet, and
how many models get each image as Parquet (see synthsight.statistics.agreement).
"""

from __future__ import annotations

from synthsight.program import Arguments, many, program
from synthsight.statistics.agreement import measure_agreement
from synthsight.tables import write_table

TABLES = ("agreement", "difficulty", "kappa")


@program(
    many("scores", "the scores of all models"),
    spec=True,
    outputs=[
        *(f"{table}_{kind}" for table in TABLES for kind in ("csv", "parquet")),
        "images_parquet",
    ],
)
def main(args: Arguments) -> None:
    """Run the program."""
    measured = measure_agreement(args.scores, args.spec["level"], args.images_parquet)
    for table in TABLES:
        csv, parquet = getattr(args, f"{table}_csv"), getattr(args, f"{table}_parquet")
        write_table(getattr(measured, table), csv, parquet)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Aggregate the answers of all models to yes/no questions: accuracy, calibration, comparisons.

In: the answers of all models, and the notes of their weights. Out: five tables, each as CSV and as
Parquet (see synthsight.statistics.vqa). The spec holds ``level``, the confidence level of the
intervals.
"""

from __future__ import annotations

from synthsight.program import Arguments, many, program
from synthsight.statistics.vqa import aggregate_vqa
from synthsight.tables import write_table

TABLES = ("vqa", "groups", "questions", "calibration", "comparisons")


@program(
    many("answers", "the answers of all models"),
    many("notes", "what is known of the models' weights, JSON"),
    spec=True,
    outputs=[f"{table}_{kind}" for table in TABLES for kind in ("csv", "parquet")],
)
def main(args: Arguments) -> None:
    """Run the program."""
    tables = aggregate_vqa(args.answers, args.notes, args.spec["level"])
    write_table(tables.models, args.vqa_csv, args.vqa_parquet)
    write_table(tables.groups, args.groups_csv, args.groups_parquet)
    write_table(tables.questions, args.questions_csv, args.questions_parquet)
    write_table(tables.calibration, args.calibration_csv, args.calibration_parquet)
    write_table(tables.comparisons, args.comparisons_csv, args.comparisons_parquet)


if __name__ == "__main__":
    main()

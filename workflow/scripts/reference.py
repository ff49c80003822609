#!/usr/bin/env python3
"""Compare each model's accuracy on the generated images with its stated one on real photographs.

In: the accuracies (Parquet) and the notes of the weights of all models. Out: the same table as CSV
and as Parquet (see synthsight.statistics.reference).
"""

from __future__ import annotations

import argparse
import sys

from synthsight.statistics.reference import NotesError, reference
from synthsight.tables import write_table


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accuracy", required=True)
    parser.add_argument("--notes", nargs="+", required=True)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--parquet", required=True)
    args = parser.parse_args()
    try:
        table = reference(args.accuracy, args.notes)
    except NotesError as error:
        sys.exit(f"reference: {error}")
    write_table(table, args.csv, args.parquet)


if __name__ == "__main__":
    main()

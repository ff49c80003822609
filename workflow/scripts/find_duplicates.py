#!/usr/bin/env python3
"""List pictures that are there more than once, within and across generators and categories.

In: the manifests of all categories. Out: a table, as CSV and as Parquet, with a row for each pair
(see synthsight.images.duplicates); on standard output how many there are, and the worst of them.
The spec holds ``real``, the generators whose images are real photographs, if there are any.
"""

from __future__ import annotations

from synthsight.images.duplicates import find_duplicates
from synthsight.program import Arguments, many, program
from synthsight.tables import write_rows


@program(
    many("manifests", "the manifests of all categories"), spec=True, outputs=["csv", "parquet"]
)
def main(args: Arguments) -> None:
    """Run the program."""
    table, sentences = find_duplicates(args.manifests, args.spec.get("real", ()))
    write_rows(args.csv, args.parquet, table)
    for sentence in sentences:
        print(sentence)


if __name__ == "__main__":
    main()

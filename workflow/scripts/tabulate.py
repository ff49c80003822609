#!/usr/bin/env python3
"""Make the tables of one row of synthsight.plan.tables.

In: what the row's function reads. Out: its tables, each as CSV, as Parquet or as both. The spec
holds the function's settings by name.
"""

from __future__ import annotations

from synthsight.doors import load
from synthsight.inputs import deal
from synthsight.program import Arguments, many, one, program
from synthsight.tables import Outputs


@program(
    one("function", "the row's function, as module:name"),
    many("inputs", "what the files are, in their order: PARAMETER=KIND:COUNT"),
    many("files", "the inputs"),
    many("tables", "the tables to write"),
    spec=True,
)
def main(args: Arguments) -> None:
    """Run the program."""
    inputs = {
        parameter: files if kind == "paths" else files[0]
        for parameter, (kind, files) in deal(args.inputs, args.files).items()
    }
    load(args.function)(Outputs(args.tables), **inputs, **args.spec)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Write the file of one row of synthsight.plan.exports.

In: the tables that the row's function reads. Out: LaTeX, JSON, or JSON lines. The spec holds the
function's settings by name and, where models failed and are left out, ``left_out``: their names,
and why.
"""

from __future__ import annotations

from synthsight.doors import load
from synthsight.export.writing import write
from synthsight.inputs import deal
from synthsight.program import Arguments, many, one, program
from synthsight.readers import READERS


@program(
    one("function", "the row's function, as module:name"),
    many("inputs", "what the files are, in their order: PARAMETER=KIND:COUNT"),
    many("files", "the inputs"),
    spec=True,
    outputs=("file",),
)
def main(args: Arguments) -> None:
    """Run the program."""
    given = deal(args.inputs, args.files)
    inputs = {parameter: READERS[kind](files) for parameter, (kind, files) in given.items()}
    settings = dict(args.spec)
    left_out = settings.pop("left_out", ())
    write(args.file, load(args.function)(**inputs, **settings), left_out)


if __name__ == "__main__":
    main()

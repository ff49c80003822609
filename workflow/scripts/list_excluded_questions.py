#!/usr/bin/env python3
"""List every question that is left out, with its line and the reason.

In: the files of questions, and the shards, which record images that cannot be used or are the same
picture. Out: a table, as CSV and as Parquet, with line, image, question, answer, reason and file,
in the order of the files. With ``invalid: refuse`` it fails if there are any.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from synthsight.errors import SynthsightError
from synthsight.program import Arguments, many, one, program
from synthsight.statistics.columns import EXCLUDED_QUESTIONS
from synthsight.tables import write_records
from synthsight.vqa.questions import read_stated
from synthsight.vqa.shards import read_left_out

COLUMNS = [(name, pa.int64() if name == "line" else pa.string()) for name in EXCLUDED_QUESTIONS]


@program(
    many("shards", "all questions"),
    one("kept", "folder of what is kept of files of questions", required=False),
    spec=True,
    outputs=["csv", "parquet"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    spec = args.spec
    notes: list[str] = []
    questions = read_stated(spec, args.kept, notes)
    left_out = read_left_out(args.shards)
    excluded = [
        question if question.reason else replace(question, reason=left_out[key])
        for question in questions
        if question.reason or (key := (question.image, question.question)) in left_out
    ]
    for note in notes:
        print(f"note: {note}")
    for question in excluded:
        print(f"{question.file}, line {question.line}: {question.reason}")
    print(f"{len(questions)} questions, {len(excluded)} of them left out")
    if excluded and spec["invalid"] == "refuse":
        raise SynthsightError(
            "the questions above cannot be asked. Fix the file, or set vqa.invalid to exclude"
        )
    write_records(args.csv, args.parquet, COLUMNS, excluded)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Score one model's answers to yes/no questions.

In: the shards of questions and of answers. Out: Parquet with a row per question (see
synthsight.vqa.score). The model is called like the output file.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.program import Arguments, many, program
from synthsight.vqa.score import score_vqa


@program(
    many("questions", "all questions"),
    many("answers", "the answers of all models"),
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    score_vqa(args.questions, args.answers, Path(args.output).stem, args.output)


if __name__ == "__main__":
    main()

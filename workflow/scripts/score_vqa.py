#!/usr/bin/env python3
"""Score one model's answers to yes/no questions.

In: the shards of questions and of answers. Out: Parquet with one row per question (see
synthsight.vqa.score).
"""

from __future__ import annotations

from synthsight.program import Arguments, many, program
from synthsight.vqa.score import score_vqa


@program(
    many("questions", "the shards of all questions"),
    many("answers", "the model's answers to each shard"),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    score_vqa(args.questions, args.answers, args.spec["model"], args.output)


if __name__ == "__main__":
    main()

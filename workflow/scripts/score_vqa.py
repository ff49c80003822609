#!/usr/bin/env python3
"""Score one model's answers to yes/no questions.

In: the shards of questions and of answers; perhaps those of answers without seeing the images. Out:
Parquet with one row per question (see synthsight.vqa.score). Where groups of images are known, the
spec has ``groups``, a digest of what the plan has kept of them.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.images.rows import read_kept_rows
from synthsight.program import Arguments, many, one, program
from synthsight.vqa.questions import GROUPS
from synthsight.vqa.score import score_vqa


@program(
    many("questions", "the shards of all questions"),
    many("answers", "the model's answers to each shard"),
    many("blind", "its answers to each without seeing the images", required=False),
    one("kept", "folder of what plans keep", required=False),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    spec, groups = args.spec, None
    if "groups" in spec:
        rows = read_kept_rows(Path(args.kept), spec["groups"], GROUPS)
        groups = dict(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    score_vqa(args.questions, args.answers, spec["model"], args.output, groups, args.blind)


if __name__ == "__main__":
    main()

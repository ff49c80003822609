#!/usr/bin/env python3
"""Score one model's answers to yes/no questions.

In: the shards of questions and of answers. Out: Parquet with a row per question (see
synthsight.vqa.score). The model is called like the output file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from synthsight.vqa.score import ScoreVqaError, score_vqa


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", nargs="+", required=True)
    parser.add_argument("--answers", nargs="+", required=True)
    parser.add_argument("--output", required=True, type=Path)
    args = parser.parse_args()
    try:
        score_vqa(args.questions, args.answers, args.output.stem, args.output)
    except ScoreVqaError as error:
        sys.exit(f"score_vqa: {error}")


if __name__ == "__main__":
    main()

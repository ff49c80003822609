#!/usr/bin/env python3
"""Score one model: which images it gets, under each matching rule.

In: logits and manifests of all categories. Out: Parquet with a row per image and rule (see
synthsight.classifiers.score).
"""

from __future__ import annotations

import argparse
import json
import sys

from synthsight.classifiers.score import ScoreError, score
from synthsight.labels.matching import Target
from synthsight.labels.spaces import load_labels


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--logits", nargs="+", required=True, help="in the order of the categories")
    parser.add_argument("--manifests", nargs="+", required=True, help="likewise")
    parser.add_argument("--spec", type=json.loads, required=True)
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    categories = sorted(args.spec["categories"])
    try:
        score(
            dict(zip(categories, args.logits, strict=True)),
            dict(zip(categories, args.manifests, strict=True)),
            {
                name: Target(
                    name,
                    tuple(about["also"]),
                    None if about["classes"] is None else tuple(about["classes"]),
                )
                for name, about in args.spec["categories"].items()
            },
            load_labels(args.spec["labels"]),
            args.spec["rules"],
            args.output,
            args.spec["aggregation"],
        )
    except ScoreError as error:
        sys.exit(f"score: {error}")


if __name__ == "__main__":
    main()

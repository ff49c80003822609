#!/usr/bin/env python3
"""Score one model: which images it gets right under each matching rule.

In: logits of all categories, or predictions made elsewhere, and where their images come from; where
duplicates or images without a prediction are left out, the table of what is excluded. Out: Parquet
with one row per image and rule (see synthsight.classifiers.score).
"""

from __future__ import annotations

from synthsight.classifiers.score import score
from synthsight.files import check_unchanged
from synthsight.labels.matching import Target
from synthsight.labels.spaces import load_labels, packages_of
from synthsight.origin import made_with
from synthsight.program import Arguments, many, one, program
from synthsight.tables import read_excluded


@program(
    many("logits", "the logits of all categories, in their sorted order", required=False),
    many("predictions", "imported predictions, Parquet, in place of logits", required=False),
    one("sources", "Parquet: image, category, generator, group, real"),
    many("excluded", "the table of what is excluded, Parquet", required=False),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    if "content" in args.spec:
        check_unchanged(args.spec["labels"], args.spec["content"])
    made_with(*packages_of(args.spec["labels"]))
    categories = sorted(args.spec["categories"])
    score(
        {} if args.predictions else dict(zip(categories, args.logits, strict=True)),
        args.sources,
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
        args.spec["model"],
        read_excluded(args.excluded),
        args.predictions[0] if args.predictions else None,
    )


if __name__ == "__main__":
    main()

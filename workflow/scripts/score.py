#!/usr/bin/env python3
"""Score one model: which images it gets right under each matching rule.

In: logits of all categories, and where their images come from. Out: Parquet with one row per image
and rule (see synthsight.classifiers.score).
"""

from __future__ import annotations

from synthsight.classifiers.score import score
from synthsight.files import check_unchanged
from synthsight.labels.matching import Target
from synthsight.labels.spaces import load_labels, packages_of
from synthsight.origin import made_with
from synthsight.program import Arguments, many, one, program


@program(
    many("logits", "the logits of all categories, in their sorted order"),
    one("sources", "Parquet: image, category, generator, group, real"),
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
        dict(zip(categories, args.logits, strict=True)),
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
    )


if __name__ == "__main__":
    main()

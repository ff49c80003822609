#!/usr/bin/env python3
"""Join what the networks of an adapted model say of the images that each was trained without.

In: what each says (Parquet), and the images' sources. Out: the logits of all categories (Parquet),
by which network each image is predicted (Parquet), and a note (JSON).
"""

from __future__ import annotations

from synthsight.adapted.joining import join_folds
from synthsight.adapted.writing import Paths, write_adapted
from synthsight.program import Arguments, many, one, program


@program(
    many("folds", "what the network of each part says, Parquet, in their order"),
    one("sources", "where the images come from, Parquet"),
    spec=True,
    outputs=["logits", "parts", "note"],
)
def main(args: Arguments) -> None:
    """Run the program; ``logits`` is a folder."""
    joined = join_folds(args.folds, args.sources, args.spec["model"])
    write_adapted(
        Paths(args.logits, args.parts, args.note),
        joined.said,
        {**args.spec, **joined.settings},
        joined.weights,
        joined.trained,
    )


if __name__ == "__main__":
    main()

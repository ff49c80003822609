#!/usr/bin/env python3
"""Join the logits, or the features, of a category's parts into the category's.

In: those of the parts (Parquet), and the category's manifest. Out: Parquet with image and the
vectors, sorted by image, as classify and embed write it of a category without parts.
"""

from __future__ import annotations

from synthsight.features.join_vectors import join_vectors
from synthsight.program import Arguments, many, one, program


@program(
    many("parts", "logits or features of the category's parts, Parquet"),
    one("manifest", "the manifest of the category"),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    number = join_vectors(args.parts, args.manifest, args.spec["column"], args.output)
    print(f"{number} images of {len(args.parts)} parts")


if __name__ == "__main__":
    main()

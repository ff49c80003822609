#!/usr/bin/env python3
"""Tell where the usable images come from, and which belong together.

In: the manifests of all categories. Out: a Parquet file with image, category, generator, group and
real (see synthsight.images.sources); on standard output what a pattern on names has found.
The spec holds ``real``, the generators whose folders hold real photographs, and ``group``, the
pattern; neither where it is not set.
"""

from __future__ import annotations

from synthsight.images.sources import Sources, find_sources
from synthsight.program import Arguments, many, program


@program(
    many("manifests", "the manifests of all categories, in their sorted order"),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    sources = Sources(frozenset(args.spec.get("real", ())), args.spec.get("group"))
    for sentence in find_sources(args.manifests, sources, args.output):
        print(sentence)


if __name__ == "__main__":
    main()

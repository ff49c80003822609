#!/usr/bin/env python3
"""Tell where the usable images come from, and which belong together.

In: the manifests of all categories. Out: a Parquet file with image, category, generator, group and
real (see synthsight.images.sources); on standard output what a pattern on names has found.
The spec holds ``real``, the generators whose folders hold real photographs, and ``group``, the
pattern; neither where it is not set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from synthsight.images.sources import Found, Sources, describe, write_sources
from synthsight.program import Arguments, many, program
from synthsight.tables import read_parquet, read_schema

#: Columns of a manifest; all of its images are of one category.
COLUMNS = ("image", "category", "generator")


@program(
    many("manifests", "the manifests of all categories, in their sorted order"),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    sources = Sources(frozenset(args.spec.get("real", ())), args.spec.get("group"))
    for path in args.manifests:
        read_schema(path, COLUMNS)
    found = Found()
    write_sources(args.output, map(found.count, _tables(args.manifests, sources)))
    if sources.group is not None:
        for sentence in found.sentences():
            print(sentence)


def _tables(manifests: Sequence[str], sources: Sources) -> Iterator[pa.Table]:
    for path in manifests:
        usable = read_parquet(path, COLUMNS, filters=[("status", "=", "ok")]).to_pydict()
        if usable["image"]:
            yield describe(usable["category"][0], usable["image"], usable["generator"], sources)


if __name__ == "__main__":
    main()

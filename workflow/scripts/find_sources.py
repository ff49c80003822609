#!/usr/bin/env python3
"""Tell where the usable images come from, and which belong together.

In: the manifests of all categories. Out: a Parquet file with image, category, generator, group and
real (see synthsight.images.sources); on standard output what a pattern on names has found.
The spec holds ``real``, the generators whose images are real photographs, and ``group``, the
pattern; neither where it is not set. Where a table says more of images, ``rows`` is what of it was
kept by the plan, and ``by`` what of it tells groups, if anything does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthsight.images.rows import KNOWN, known_of, read_kept_rows, read_list
from synthsight.images.sources import FURTHER, SCHEMA, Found, Sources, describe, write_sources
from synthsight.program import Arguments, many, one, program
from synthsight.tables import read_parquet, read_schema

#: Columns of a manifest; all of its images are of one category.
COLUMNS = ("image", "category", "generator")


@program(
    many("manifests", "the manifests of all categories, in their sorted order"),
    one("kept", "folder of what is kept of tables of images", required=False),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    spec = args.spec
    sources = Sources(frozenset(spec.get("real", ())), spec.get("group"))
    for path in args.manifests:
        read_schema(path, COLUMNS)
    found = Found(spec.get("by", "images.group"))
    tables = map(found.count, _tables(args.manifests, sources, spec, args.kept))
    write_sources(args.output, tables, FURTHER if "rows" in spec else SCHEMA)
    if sources.group is not None or "by" in spec:
        for sentence in found.sentences():
            print(sentence)


def _tables(
    manifests: Sequence[str], sources: Sources, spec: Mapping[str, Any], kept: str | None
) -> Iterator[pa.Table]:
    folder = Path(kept or ".")
    rows = read_list(folder, spec["rows"]) if "rows" in spec else None
    for path in manifests:
        usable = read_parquet(path, COLUMNS, filters=[("status", "=", "ok")]).to_pydict()
        if usable["image"]:
            (category,) = set(usable["category"])
            known = None
            if rows is not None:
                known = known_of(read_kept_rows(folder, rows[category], KNOWN))
            yield describe(category, usable["image"], usable["generator"], sources, known)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Join the manifests of a category's parts into the category's.

In: the parts' manifests (Parquet). Out: the manifest, as index_images writes it of a category
without parts. Fails if no image of the category is usable.
"""

from __future__ import annotations

import pyarrow.compute as pc

from synthsight.images.join_manifests import join_manifests
from synthsight.images.manifest import NothingUsableError, said_of
from synthsight.images.roots import as_metadata, stated_roots
from synthsight.program import Arguments, many, program
from synthsight.tables import write_parquet


@program(
    many("parts", "the manifests of the category's parts"),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    root = stated_roots(args.spec["root"], args.spec.get("elsewhere"))
    table = join_manifests(args.parts)
    excluded = table.filter(pc.not_equal(table["status"], "ok")).select(["image", "reason"])
    for line in said_of(len(table), zip(*excluded.to_pydict().values(), strict=True)):
        print(line)
    if len(excluded) == len(table):
        raise NothingUsableError(table["category"][0].as_py())
    described = table.replace_schema_metadata(as_metadata(root))
    write_parquet(args.output, described, compression="zstd")


if __name__ == "__main__":
    main()

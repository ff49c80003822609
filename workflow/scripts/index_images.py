#!/usr/bin/env python3
"""Write the manifest of one category, or of a part of it: one row per file found.

In: the images' root; if a table says which files are of the category, its rows, as the plan has
kept them. Out: a Parquet file with image, category, generator, sha256, width, height, status,
reason and hash (see synthsight.images.manifest). Fails if no image of the category is usable; of a
part that is seen when the parts are joined.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.images.manifest import (
    NothingUsableError,
    index_images,
    index_rows,
    said_of,
    write_manifest,
)
from synthsight.images.roots import stated_roots
from synthsight.images.rows import INDEXED, read_kept_rows
from synthsight.origin import made_with
from synthsight.program import Arguments, one, program


@program(
    one("kept", "folder of what is kept of tables of images", required=False),
    spec=True,
    outputs=["output"],
    counts={"threads": 1},
)
def main(args: Arguments) -> None:
    """Run the program."""
    spec = args.spec
    root = stated_roots(spec["root"], spec.get("elsewhere"))
    category, part = spec["category"], spec.get("part")
    if "rows" in spec:
        read = read_kept_rows(Path(args.kept), spec["rows"], INDEXED)
        rows = list(zip(*(column.to_pylist() for column in read.columns), strict=True))
        whole = part is None
        records = index_rows(root, category, rows, spec["max_pixels"], args.threads, whole)
    else:
        folders = [(generator, folder) for generator, folder in spec["folders"]]
        records = index_images(root, category, folders, spec["max_pixels"], args.threads, part)
    excluded = [(record.image, record.reason) for record in records if record.status != "ok"]
    for line in said_of(len(records), excluded):
        print(line)
    if part is None and len(excluded) == len(records):
        raise NothingUsableError(category)
    made_with("pillow")
    write_manifest(args.output, records, root)


if __name__ == "__main__":
    main()

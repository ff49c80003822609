#!/usr/bin/env python3
"""Write the manifest of one category: one row per file found.

In: the images' root; if a table says which files are of the category, its rows, as the plan has
kept them. Out: a Parquet file with image, category, generator, sha256, width, height, status,
reason and hash (see synthsight.images.manifest). Fails if no image of the category is usable.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.errors import SynthsightError
from synthsight.images.manifest import index_images, index_rows, write_manifest
from synthsight.images.roots import Roots
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
    elsewhere = spec.get("elsewhere", {})
    root = Roots(Path(spec["root"]), {name: Path(path) for name, path in elsewhere.items()})
    category = spec["category"]
    if "rows" in spec:
        read = read_kept_rows(Path(args.kept), spec["rows"], INDEXED)
        rows = list(zip(*(column.to_pylist() for column in read.columns), strict=True))
        records = index_rows(root, category, rows, spec["max_pixels"], args.threads)
    else:
        folders = [(generator, folder) for generator, folder in spec["folders"]]
        records = index_images(root, category, folders, spec["max_pixels"], args.threads)
    excluded = [record for record in records if record.status != "ok"]
    print(f"{len(records)} files, {len(records) - len(excluded)} usable, {len(excluded)} excluded")
    for record in excluded:
        print(f"excluded: {record.image!r}: {record.reason}")
    if len(excluded) == len(records):
        raise SynthsightError(
            f"no usable image in category {spec['category']!r}, for the reasons above. "
            "Fix or add images, or leave it out of `categories` in the configuration"
        )
    made_with("pillow")
    write_manifest(args.output, records, root)


if __name__ == "__main__":
    main()

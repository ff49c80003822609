#!/usr/bin/env python3
"""Make thumbnails of duplicates for the report.

In: the table of duplicates, of which the worst pairs are shown, the manifests of all categories,
and the images below ``--root``. Out: one Parquet file with the columns image and webp.
The spec holds ``side``, the maximum length of the long side in pixels.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.images.duplicates import SHOWN, worst_pairs
from synthsight.images.reading import open_checked
from synthsight.program import Arguments, many, one, program
from synthsight.report.tables import read_table
from synthsight.report.thumbnails import write_thumbnails
from synthsight.tables import read_parquet, read_schema


@program(
    one("duplicates", "the table, Parquet"),
    many("manifests", "the manifests of all categories"),
    one("root", "the images' root"),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    shown = worst_pairs(read_table(args.duplicates), SHOWN)
    images = {*shown["a"], *shown["b"]}
    sha256: dict[str, str] = {}
    for path in args.manifests:
        read_schema(path)  # even if nothing is shown: the output records all that it is made from
        if not images:
            continue
        filters = [("image", "in", images)]
        found = read_parquet(path, ["image", "sha256"], filters=filters).to_pydict()
        sha256 |= dict(zip(found["image"], found["sha256"], strict=True))
    write_thumbnails(
        images,
        lambda image: open_checked(Path(args.root), image, sha256[image]),
        args.spec["side"],
        args.output,
    )
    print(f"{len(images)} thumbnails")


if __name__ == "__main__":
    main()

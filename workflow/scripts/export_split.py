#!/usr/bin/env python3
"""Lay a division of the images out as folders of links, to train networks on elsewhere.

In: the images' sources, which are duplicates, and the manifests of all categories, which say where
the images lie. Out: a folder of links, and the same as Parquet. The spec holds ``root``, the
images' root, and ``folds`` and ``seed`` of the division, see synthsight.features.export_split.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from synthsight.features.export_split import export_split
from synthsight.features.samples import read_images
from synthsight.images.roots import roots_of
from synthsight.program import Arguments, many, one, program
from synthsight.tables import read_schema, write_parquet


@program(
    one("sources", "where the images come from, Parquet"),
    one("duplicates", "pairs of images that are nearly the same, Parquet"),
    many("manifests", "the manifests of all categories"),
    spec=True,
    outputs=["folder", "table"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    images = read_images(args.sources, args.duplicates)
    for path in args.manifests:
        read_schema(path, ["image"])
    roots = roots_of(Path(args.spec["root"]), *args.manifests)
    folds, seed = args.spec["folds"], args.spec["seed"]
    table, said = export_split(images, roots, folds, seed, Path(args.folder))
    write_parquet(args.table, pa.Table.from_pandas(table, preserve_index=False))
    for sentence in said:
        print(sentence)


if __name__ == "__main__":
    main()

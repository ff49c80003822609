#!/usr/bin/env python3
"""Train classifiers on a model's features of each source of images, and test them on each.

In: the features of all categories (Parquet), the images' sources, and which are duplicates. Out:
Parquet. The spec holds the settings of synthsight.plan.learning.train_heads.
"""

from __future__ import annotations

import pyarrow as pa
from threadpoolctl import threadpool_limits

from synthsight.features.samples import read_features, read_images
from synthsight.program import Arguments, many, one, program
from synthsight.tables import write_parquet
from synthsight.transfer.train_heads import train_heads


@program(
    many("features", "the features of all categories, Parquet"),
    one("sources", "where the images come from, Parquet"),
    one("duplicates", "pairs of images that are nearly the same, Parquet"),
    spec=True,
    outputs=["pairs", "categories"],
    counts={"threads": 1},
)
def main(args: Arguments) -> None:
    """Run the program."""
    images = read_images(args.sources, args.duplicates)
    vectors = read_features(args.features, images, args.spec["model"])
    spec = {key: value for key, value in args.spec.items() if key != "model"}
    with threadpool_limits(args.threads):
        pairs, categories, said = train_heads(images, vectors, **spec)
    for path, table in ((args.pairs, pairs), (args.categories, categories)):
        table = table.assign(model=args.spec["model"])
        write_parquet(path, pa.Table.from_pandas(table, preserve_index=False))
    for sentence in said:
        print(sentence)


if __name__ == "__main__":
    main()

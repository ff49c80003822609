#!/usr/bin/env python3
"""Measure how far generated images are from photographs, in a model's features.

In: the features of all categories (Parquet), the images' sources, and which are duplicates. Out:
Parquet. The spec holds the settings of synthsight.plan.learning.measure_distances.
"""

from __future__ import annotations

import pyarrow as pa
from threadpoolctl import threadpool_limits

from synthsight.distances.measure_distances import measure_distances
from synthsight.features.samples import read_features, read_images
from synthsight.program import Arguments, many, one, program
from synthsight.tables import write_parquet


@program(
    many("features", "the features of all categories, Parquet"),
    one("sources", "where the images come from, Parquet"),
    one("duplicates", "pairs of images that are nearly the same, Parquet"),
    spec=True,
    outputs=["measured"],
    counts={"threads": 1},
)
def main(args: Arguments) -> None:
    """Run the program."""
    images = read_images(args.sources, args.duplicates)
    vectors = read_features(args.features, images, args.spec["model"])
    spec = {key: value for key, value in args.spec.items() if key != "model"}
    with threadpool_limits(args.threads):
        measured, said = measure_distances(images, vectors, **spec)
    measured = measured.assign(model=args.spec["model"])
    write_parquet(args.measured, pa.Table.from_pandas(measured, preserve_index=False))
    for sentence in said:
        print(f"{args.spec['model']}: {sentence}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Give each image a place on a map, by a model's features.

In: the features of all categories (Parquet), the images' sources, and which are duplicates. Out:
Parquet. The spec holds the settings of synthsight.plan.learning.map_images.
"""

from __future__ import annotations

import pyarrow as pa

from synthsight.distances.map_images import map_images
from synthsight.features.samples import read_features, read_images
from synthsight.program import Arguments, many, one, program
from synthsight.tables import write_parquet


@program(
    many("features", "the features of all categories, Parquet"),
    one("sources", "where the images come from, Parquet"),
    one("duplicates", "pairs of images that are nearly the same, Parquet"),
    spec=True,
    outputs=["places"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    images = read_images(args.sources, args.duplicates)
    vectors = read_features(args.features, images, args.spec["model"])
    spec = {key: value for key, value in args.spec.items() if key != "model"}
    places, said = map_images(images, vectors, **spec)
    write_parquet(args.places, pa.Table.from_pandas(places, preserve_index=False))
    for sentence in said:
        print(f"{args.spec['model']}: {sentence}")


if __name__ == "__main__":
    main()

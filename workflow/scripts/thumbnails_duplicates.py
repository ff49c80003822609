#!/usr/bin/env python3
"""Make thumbnails of duplicates for the report.

In: the table of duplicates, of which the worst pairs are shown, the manifests of all categories,
and the images below ``--root``. Out: one Parquet file with the columns image and webp.
The spec holds ``side``, the maximum length of the long side in pixels.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.images.pairs import SHOWN, worst_pairs
from synthsight.images.places import places_of, reader
from synthsight.program import Arguments, many, one, program
from synthsight.report.thumbnails import write_thumbnails
from synthsight.statistics.columns import DUPLICATES
from synthsight.tables import read_frame


@program(
    one("duplicates", "the table, Parquet"),
    many("manifests", "the manifests of all categories"),
    one("root", "the images' root"),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    shown = worst_pairs(read_frame(args.duplicates, DUPLICATES), SHOWN)
    images = {*shown["a"], *shown["b"]}
    places = places_of(args.manifests, Path(args.root), images)
    write_thumbnails(images, reader(places), args.spec["side"], args.output)
    print(f"{len(images)} thumbnails")


if __name__ == "__main__":
    main()

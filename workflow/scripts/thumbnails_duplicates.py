#!/usr/bin/env python3
"""Make thumbnails of duplicates for the report.

In: the table of duplicates, of which the worst pairs are shown, the manifests of all categories,
and the images below ``--root``. Out: one Parquet file with the columns image and webp.
The spec holds ``side``, the maximum length of the long side in pixels.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from synthsight.images.pairs import SHOWN, worst_pairs
from synthsight.images.reading import open_checked
from synthsight.images.roots import Roots, roots_of
from synthsight.program import Arguments, many, one, program
from synthsight.report.thumbnails import write_thumbnails
from synthsight.statistics.columns import DUPLICATES
from synthsight.tables import read_frame, read_parquet


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
    places: dict[str, tuple[Roots, str]] = {}
    for path in args.manifests:
        root = roots_of(Path(args.root), path)
        found = read_parquet(path, ["image", "sha256"]).to_pydict()
        rows = zip(found["image"], found["sha256"], strict=True)
        places |= {image: (root, sha256) for image, sha256 in rows if image in images}

    def read(image: str) -> Image.Image:
        root, sha256 = places[image]
        return open_checked(root, image, sha256)

    write_thumbnails(
        images,
        read,
        args.spec["side"],
        args.output,
    )
    print(f"{len(images)} thumbnails")


if __name__ == "__main__":
    main()

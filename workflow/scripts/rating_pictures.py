#!/usr/bin/env python3
"""Choose images for people to label, and make a picture of each.

In: the table of sources, the manifests of all categories, and the images below ``--root``. Out: one
Parquet file with the columns name (a disguised one), webp and questions (none).
The spec holds ``limit``, how many images there are at most, ``seed`` of the choice, and ``side``,
the maximum length of the long side in pixels.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.images.places import places_of, reader
from synthsight.program import Arguments, many, one, program
from synthsight.rating.pictures import choose_images, write_pictures


@program(
    one("sources", "Parquet: image, category, generator"),
    many("manifests", "the manifests of all categories"),
    one("root", "the images' root"),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    images = choose_images(args.sources, args.spec["limit"], args.spec["seed"])
    places = places_of(args.manifests, Path(args.root), frozenset(images))
    shown = {(image, places[image][1]): () for image in images}
    size = write_pictures(shown, reader(places), args.spec["side"], args.output)
    print(f"{len(shown)} pictures, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

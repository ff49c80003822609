#!/usr/bin/env python3
"""Choose questions for people to answer, and make a picture of each image that they are about.

In: the shards of all questions, and the images below ``--root``. Out: one Parquet file with the
columns name (a disguised one), webp and questions.
The spec holds ``limit``, how many questions there are at most, ``seed`` of the choice, and
``side``, the maximum length of the long side in pixels.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.images.places import reader
from synthsight.images.roots import Roots
from synthsight.program import Arguments, many, one, program
from synthsight.rating.pictures import choose_questions, write_pictures


@program(
    many("shards", "the questions of all shards, Parquet"),
    one("root", "the folder that the images' paths start in"),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    shown = choose_questions(args.shards, args.spec["limit"], args.spec["seed"])
    places = {image: (Roots(Path(args.root)), sha256) for image, sha256 in shown}
    size = write_pictures(shown, reader(places), args.spec["side"], args.output)
    asked = sum(map(len, shown.values()))
    print(f"{asked} questions about {len(shown)} pictures, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Draw the hardest and the easiest images across all models.

In: the images table and the images below ``--root``. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.figures import style
from synthsight.figures.gallery import gallery
from synthsight.images.reading import open_checked
from synthsight.program import Arguments, one, program
from synthsight.statistics.columns import IMAGES
from synthsight.tables import read_frame


@program(
    one("images", "images table, Parquet"),
    one("root", "the images' root folder"),
    spec=True,
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    figure = gallery(
        read_frame(args.images, IMAGES),
        args.spec["rule"],
        lambda image: open_checked(Path(args.root), image),
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

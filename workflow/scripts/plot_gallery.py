#!/usr/bin/env python3
"""Draw the hardest and the easiest images across all models.

In: the images table and the images below ``--root``. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthsight.figures import style
from synthsight.figures.gallery import gallery
from synthsight.images.reading import open_checked
from synthsight.program import Arguments, one, program


@program(
    one("images", "images table, Parquet"),
    one("root", "the images' root folder"),
    spec=True,
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the table, draw, write."""
    figure = gallery(
        pd.read_parquet(args.images),
        args.spec["rule"],
        lambda image: open_checked(Path(args.root), image),
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

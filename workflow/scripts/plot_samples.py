#!/usr/bin/env python3
"""Draw sample images of every category.

In: the manifests of all categories and the images below ``--root``. Out: one figure as PDF and as
PNG. There is no spec, since the figure depends on no setting.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthsight.figures import style
from synthsight.figures.samples import samples
from synthsight.images.reading import open_checked
from synthsight.program import Arguments, many, one, program
from synthsight.tables import read_frame

#: What the figure takes from manifests.
MANIFEST = ["image", "category", "generator", "status"]


@program(
    many("manifests", "manifests, Parquet"),
    one("root", "the images' root folder"),
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the manifests, draw, write."""
    manifest = pd.concat([read_frame(path, MANIFEST) for path in args.manifests], ignore_index=True)
    figure = samples(manifest, lambda image: open_checked(Path(args.root), image))
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

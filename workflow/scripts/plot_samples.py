#!/usr/bin/env python3
"""Draw sample images of every category.

In: the manifests of all categories and the images below ``--root``. Out: one figure as PDF and as
PNG. There is no spec, since the figure depends on no setting.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from synthsight.figures import style
from synthsight.figures.samples import samples
from synthsight.images.reading import open_checked


def main() -> None:
    """Read the manifests, draw, write."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0] if __doc__ else None, fromfile_prefix_chars="@"
    )
    parser.add_argument("--manifests", required=True, nargs="+", help="manifests, Parquet")
    parser.add_argument("--root", required=True, type=Path, help="the images' root folder")
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--png", required=True)
    args = parser.parse_args()

    manifest = pd.concat([pd.read_parquet(path) for path in args.manifests], ignore_index=True)
    figure = samples(manifest, lambda image: open_checked(args.root, image))
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

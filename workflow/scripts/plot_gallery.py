#!/usr/bin/env python3
"""Draw the hardest and the easiest images across all models.

In: the images table and the images below ``--root``. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

from synthsight.figures import style
from synthsight.figures.gallery import gallery
from synthsight.images.reading import open_checked


def main() -> None:
    """Read the table, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", required=True, help="images table, Parquet")
    parser.add_argument("--root", required=True, type=Path, help="the images' root folder")
    parser.add_argument("--spec", required=True, type=json.loads, help='{"rule": ...}')
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--png", required=True)
    args = parser.parse_args()

    figure = gallery(
        pd.read_parquet(args.images),
        args.spec["rule"],
        lambda image: open_checked(args.root, image),
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

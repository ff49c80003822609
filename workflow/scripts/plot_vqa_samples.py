#!/usr/bin/env python3
"""Draw one page of images with their yes/no questions and one model's answers.

In: the model's answers and the images below ``--root``. Out: one figure as PDF and as PNG.
The spec holds ``page``, counted from 1, and ``per_page``, the number of images on a page.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pyarrow.parquet as pq

from synthsight.figures import style
from synthsight.figures.vqa_samples import vqa_samples
from synthsight.images.reading import open_checked


def main() -> None:
    """Read the answers, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--answers", required=True, help="the model's scored answers, Parquet")
    parser.add_argument("--root", required=True, type=Path, help="the images' root folder")
    parser.add_argument("--spec", required=True, type=json.loads, help='{"page": 1, "per_page": 8}')
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--png", required=True)
    args = parser.parse_args()

    answers = pq.read_table(args.answers)
    figure = vqa_samples(
        answers.to_pandas(),
        answers.schema.metadata[b"model"].decode(),
        int(args.spec["page"]),
        int(args.spec["per_page"]),
        lambda image: open_checked(args.root, image),
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

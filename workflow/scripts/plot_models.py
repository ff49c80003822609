#!/usr/bin/env python3
"""Draw one page of the models' accuracy by category.

In: the accuracy table. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show, ``page``, counted from 1, and ``per_page``,
the number of models on a page.
"""

from __future__ import annotations

import argparse
import json

import pandas as pd

from synthsight.figures import style
from synthsight.figures.models import models


def main() -> None:
    """Read the table, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--accuracy", required=True, help="accuracy table, Parquet")
    parser.add_argument(
        "--spec",
        required=True,
        type=json.loads,
        help='{"rule": ..., "page": 1, "per_page": 5, "level": 0.95}',
    )
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--png", required=True)
    args = parser.parse_args()

    spec = args.spec
    figure = models(
        pd.read_parquet(args.accuracy),
        spec["rule"],
        int(spec["page"]),
        int(spec["per_page"]),
        spec["level"],
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

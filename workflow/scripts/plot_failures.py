#!/usr/bin/env python3
"""Draw the images of one category that the best model misses.

In: the accuracy table (which says which model is the best), the scores of all models and the
images below ``--root``. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show, and ``category``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from synthsight.figures import style
from synthsight.figures.failures import failures
from synthsight.images.reading import open_checked


def scores_of(paths: Sequence[str], model: str) -> tuple[str, list[str]]:
    """Find the scores of ``model`` among ``paths``.

    Returns:
        The path and the names of the model's classes.

    Raises:
        ValueError: If no file says that it holds this model.
    """
    found = []
    for path in paths:
        metadata = pq.read_schema(path).metadata or {}
        name = metadata.get(b"model", b"").decode()
        if name == model:
            return path, json.loads(metadata[b"class_names"])
        found.append(name)
    raise ValueError(f"no scores of {model!r} among those of {found}")


def main() -> None:
    """Read the tables, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--accuracy", required=True, help="accuracy table, Parquet")
    parser.add_argument("--scores", required=True, nargs="+", help="scores of all models, Parquet")
    parser.add_argument("--root", required=True, type=Path, help="the images' root folder")
    parser.add_argument(
        "--spec", required=True, type=json.loads, help='{"rule": ..., "category": ...}'
    )
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--png", required=True)
    args = parser.parse_args()

    rule, category = args.spec["rule"], args.spec["category"]
    best = style.best_model(pd.read_parquet(args.accuracy), rule)
    path, class_names = scores_of(args.scores, best)
    scores = pq.read_table(path, filters=[("rule", "=", rule), ("category", "=", category)])
    figure = failures(
        scores.to_pandas(),
        class_names,
        best,
        category,
        rule,
        lambda image: open_checked(args.root, image),
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

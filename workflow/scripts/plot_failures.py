#!/usr/bin/env python3
"""Draw the images of one category that the best model misses.

In: the accuracy table (which says which model is the best), the scores of all models and the
images below ``--root``. Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show, and ``category``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from synthsight.figures import style
from synthsight.figures.failures import failures
from synthsight.images.reading import open_checked
from synthsight.program import Arguments, many, one, program


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


@program(
    one("accuracy", "accuracy table, Parquet"),
    many("scores", "scores of all models, Parquet"),
    one("root", "the images' root folder"),
    spec=True,
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the tables, draw, write."""
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
        lambda image: open_checked(Path(args.root), image),
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

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

from synthsight.errors import SynthsightError
from synthsight.figures import style
from synthsight.figures.failures import failures
from synthsight.files import MAKE_AGAIN
from synthsight.images.reading import open_checked
from synthsight.program import Arguments, many, one, program
from synthsight.statistics.columns import ACCURACY
from synthsight.tables import metadata_of, read_frame, read_parquet, read_schema

#: What the figure takes from scores.
COLUMNS = ["image", "category", "rule", "top1_hit", "top5_hit", "predicted", "probability"]


def scores_of(paths: Sequence[str], model: str) -> tuple[str, list[str]]:
    """Find the scores of ``model`` among ``paths``.

    Returns:
        The path and the names of the model's classes.

    Raises:
        SynthsightError: If no file says that it holds this model.
    """
    found = []
    for path in paths:
        schema = read_schema(path)
        name = metadata_of(schema, "model", path)
        if name == model:
            return path, json.loads(metadata_of(schema, "class_names", path))
        found.append(name)
    raise SynthsightError(
        f"no scores of {model!r}, the best model of the accuracy table, among those of "
        f"{', '.join(found)}; {MAKE_AGAIN}"
    )


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
    best = style.best_model(read_frame(args.accuracy, ACCURACY), rule)
    path, class_names = scores_of(args.scores, best)
    scores = read_parquet(path, COLUMNS, filters=[("rule", "=", rule), ("category", "=", category)])
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

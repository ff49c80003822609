#!/usr/bin/env python3
"""Draw the overview of a run.

In: the accuracy and agreement tables, the manifests of all categories, the weights' JSON files
(for the published accuracy on real photographs). Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

import pandas as pd

from synthsight.figures import style
from synthsight.figures.overview import overview
from synthsight.files import read_json
from synthsight.program import Arguments, many, one, program
from synthsight.statistics.columns import ACCURACY, AGREEMENT
from synthsight.tables import read_frame

#: What the figure takes from manifests.
MANIFEST = ["image", "category", "generator", "status"]


@program(
    one("accuracy", "accuracy table, Parquet"),
    one("agreement", "agreement table, Parquet"),
    many("manifests", "manifests, Parquet"),
    many("weights", "what is known of the models' weights, JSON", required=False),
    spec=True,
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the tables, draw, write."""
    weights = [read_json(path, ["name"]) for path in args.weights]
    figure = overview(
        read_frame(args.accuracy, ACCURACY),
        read_frame(args.agreement, AGREEMENT),
        pd.concat([read_frame(path, MANIFEST) for path in args.manifests], ignore_index=True),
        {entry["name"]: entry["reference"] for entry in weights if entry.get("reference")},
        args.spec["rule"],
        args.spec["level"],
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Draw the overview of a run.

In: the accuracy and agreement tables, the manifests of all categories, the weights' JSON files
(for the published accuracy on real photographs). Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from synthsight.figures import style
from synthsight.figures.overview import overview
from synthsight.program import Arguments, many, one, program


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
    weights = [json.loads(Path(path).read_text(encoding="utf-8")) for path in args.weights]
    figure = overview(
        pd.read_parquet(args.accuracy),
        pd.read_parquet(args.agreement),
        pd.concat([pd.read_parquet(path) for path in args.manifests], ignore_index=True),
        {entry["name"]: entry["reference"] for entry in weights if entry.get("reference")},
        args.spec["rule"],
        args.spec["level"],
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()

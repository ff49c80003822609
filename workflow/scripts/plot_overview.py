#!/usr/bin/env python3
"""Draw the overview of a run.

In: the accuracy and agreement tables, the manifests of all categories, the weights' JSON files
(for the published accuracy on real photographs). Out: one figure as PDF and as PNG.
The spec holds ``rule``, the matching rule to show.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

from synthsight.figures import style
from synthsight.figures.overview import overview


def main() -> None:
    """Read the tables, draw, write."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0] if __doc__ else None, fromfile_prefix_chars="@"
    )
    parser.add_argument("--accuracy", required=True, help="accuracy table, Parquet")
    parser.add_argument("--agreement", required=True, help="agreement table, Parquet")
    parser.add_argument("--manifests", required=True, nargs="+", help="manifests, Parquet")
    parser.add_argument("--weights", nargs="*", default=[], help="weights' descriptions, JSON")
    parser.add_argument(
        "--spec", required=True, type=json.loads, help='{"rule": ..., "level": 0.95}'
    )
    parser.add_argument("--pdf", required=True)
    parser.add_argument("--png", required=True)
    args = parser.parse_args()

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

#!/usr/bin/env python3
"""Bring a classifier's weights, local or from its library's hub, into one format.

In: a local checkpoint, or nothing. Out: safetensors, and a JSON note with architecture, source,
sha256, licence and reference accuracy (see synthsight.classifiers.weights).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from synthsight.classifiers.library import Architecture
from synthsight.classifiers.weights import fetch_weights
from synthsight.errors import SynthsightError
from synthsight.inference.hub import warn_of_checksum


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", type=json.loads, required=True)
    parser.add_argument("--checkpoint", type=Path, nargs="?", help="empty for published weights")
    parser.add_argument("--weights", required=True, help="the safetensors file to write")
    parser.add_argument("--note", required=True, help="the JSON file to write")
    args = parser.parse_args()
    try:
        record = fetch_weights(
            args.spec["name"],
            Architecture(**args.spec["architecture"]),
            args.checkpoint,
            args.weights,
            args.note,
            args.spec["reference"],
        )
    except SynthsightError as error:
        sys.exit(f"fetch_weights: {error}")
    print(json.dumps(record, indent=2))
    warn_of_checksum(record)


if __name__ == "__main__":
    main()

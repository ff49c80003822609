#!/usr/bin/env python3
"""Fetch a classifier's weights, local or from its library's hub, into one format.

In: a local checkpoint, or nothing. Out: safetensors, and a JSON note of architecture, source,
sha256, licence and reference accuracy (see synthsight.classifiers.weights).
"""

from __future__ import annotations

import json
from pathlib import Path

from synthsight.classifiers.library import Architecture
from synthsight.classifiers.weights import fetch_weights
from synthsight.files import check_unchanged
from synthsight.program import Arguments, one, program


@program(
    one("checkpoint", "a local file; none for published weights", required=False),
    spec=True,
    outputs=["weights", "note"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    if "content" in args.spec:
        check_unchanged(args.checkpoint, args.spec["content"])
    record = fetch_weights(
        args.spec["name"],
        Architecture(**args.spec["architecture"]),
        Path(args.checkpoint) if args.checkpoint else None,
        args.weights,
        args.note,
        args.spec["reference"],
    )
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()

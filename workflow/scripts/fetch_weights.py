#!/usr/bin/env python3
"""Fetch a classifier's weights, local or from its library's hub, into one format.

In: a local checkpoint, the files of a folder, or nothing. Out: safetensors, and a JSON note of
architecture, source, sha256, licence and reference accuracy (see synthsight.classifiers.weights).
"""

from __future__ import annotations

import json
from pathlib import Path

from synthsight.classifiers.library import Architecture
from synthsight.classifiers.weights import fetch_weights
from synthsight.files import check_unchanged
from synthsight.inference.folders import check_local_files
from synthsight.program import Arguments, many, program


@program(
    many("checkpoint", "local files; none for published weights", required=False),
    spec=True,
    outputs=["weights", "note"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    folder = args.spec.get("folder")
    local = folder or next(iter(args.checkpoint), None)
    if folder is not None:
        check_local_files(folder, None, args.spec["content"])
    elif local is not None and "content" in args.spec:
        check_unchanged(local, args.spec["content"])
    record = fetch_weights(
        args.spec["name"],
        Architecture(**args.spec["architecture"]),
        None if local is None else Path(local),
        args.weights,
        args.note,
        args.spec["reference"],
    )
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()

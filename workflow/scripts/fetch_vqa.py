#!/usr/bin/env python3
"""Fetch a VQA model: weights in one format, config and vocabulary. It may use the network.

In: a local checkpoint, or nothing. Out: safetensors, a folder with what else the model needs, and a
JSON note of family, source, sha256, settings, licence and reference accuracy (see
synthsight.vqa.fetch).
"""

from __future__ import annotations

import json

from synthsight.errors import about
from synthsight.inference.folders import check_local_files
from synthsight.program import Arguments, program
from synthsight.vqa.fetch import fetch_vqa


@program(spec=True, outputs=["weights", "note", "folder"])
def main(args: Arguments) -> None:
    """Run the program."""
    with about(f"model {args.spec['name']!r}"):
        if "content" in args.spec:
            check_local_files(args.spec["checkpoint"], args.spec["tokenizer"], args.spec["content"])
        record = fetch_vqa(args.spec, args.weights, args.note, args.folder)
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()

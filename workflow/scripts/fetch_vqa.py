#!/usr/bin/env python3
"""Bring a VQA model: weights in one format, config and vocabulary. It may use the network.

In: a local checkpoint, or nothing. Out: safetensors, a folder with what else the model needs, and a
JSON note with family, source, sha256, settings, licence and reference accuracy (see
synthsight.vqa.fetch).
"""

from __future__ import annotations

import argparse
import json
import sys

from synthsight.inference.hub import warn_of_checksum
from synthsight.vqa.fetch import VqaModelError, fetch_vqa


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", type=json.loads, required=True)
    parser.add_argument("--weights", required=True, help="the safetensors file to write")
    parser.add_argument("--note", required=True, help="the JSON file to write")
    parser.add_argument("--folder", required=True, help="the folder to write")
    args = parser.parse_args()
    try:
        record = fetch_vqa(args.spec, args.weights, args.note, args.folder)
    except VqaModelError as error:
        sys.exit(f"fetch_vqa: model {args.spec['name']!r}: {error}")
    print(json.dumps(record, indent=2))
    warn_of_checksum(record)


if __name__ == "__main__":
    main()

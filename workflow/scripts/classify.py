#!/usr/bin/env python3
"""Run one model over the images of one category.

In: pixels (Arrow), weights (safetensors) and their note (JSON). Out: Parquet with image and logits,
sorted by image, float32; the schema's metadata say which model, weights and transform.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import torch
from safetensors.torch import load_file

from synthsight.classify import (
    NonFiniteLogitsError,
    choose_device,
    classify,
    report_speed,
    write_logits,
)
from synthsight.models import Architecture, build


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pixels", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--note", required=True)
    parser.add_argument("--spec", type=json.loads, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with open(args.note, encoding="utf-8") as handle:
        note = json.load(handle)
    device = choose_device()
    model = build(Architecture(**args.spec["architecture"]), load_file(args.weights)).to(device)
    start = time.perf_counter()
    try:
        images, logits = classify(
            model, args.pixels, args.spec["mean"], args.spec["std"], args.batch_size
        )
    except NonFiniteLogitsError as error:
        sys.exit(f"classify: model {args.spec['model']!r}: {error}")
    print(report_speed(len(images), "images", time.perf_counter() - start, device))
    metadata = {
        **args.spec,
        "weights_sha256": note["sha256"] or note["safetensors_sha256"],
        "weights_source": note["source"],
    }
    write_logits(args.output, images, logits, metadata)


if __name__ == "__main__":
    main()

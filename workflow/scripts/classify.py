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

from synthsight.canonical import canonical_json
from synthsight.classifiers.classify import NonFiniteLogitsError, classify, load_model, write_logits
from synthsight.classifiers.library import Architecture
from synthsight.inference.batches import choose_device, report_speed
from synthsight.inference.cache import ModelCache, file_identity


def main(models: ModelCache | None = None) -> None:
    """Run the program; with models that are loaded already, if it runs in a worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pixels", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--note", required=True)
    parser.add_argument("--spec", type=json.loads, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    spec = args.spec
    models = models or ModelCache()
    device = choose_device()
    torch.set_num_threads(args.threads)
    with open(args.note, encoding="utf-8") as handle:
        note = json.load(handle)
    model = models.get(
        (canonical_json(spec["architecture"]), spec["compile"], *file_identity(args.weights)),
        lambda: load_model(
            Architecture(**spec["architecture"]), args.weights, device, spec["compile"]
        ),
        device,
    )
    start = time.perf_counter()
    try:
        images, logits = classify(
            model,
            args.pixels,
            spec["mean"],
            spec["std"],
            args.batch_size,
            spec["precision"],
            lambda: models.release(keep=model),
        )
    except NonFiniteLogitsError as error:
        sys.exit(f"classify: model {spec['model']!r}: {error}")
    print(report_speed(len(images), "images", time.perf_counter() - start, device))
    metadata = {
        **spec,
        "weights_sha256": note["sha256"] or note["safetensors_sha256"],
        "weights_source": note["source"],
    }
    write_logits(args.output, images, logits, metadata)


if __name__ == "__main__":
    main()

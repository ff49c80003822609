#!/usr/bin/env python3
"""Run one model over the images of one category.

In: pixels (Arrow), weights (safetensors) and their note (JSON). Out: Parquet with image and logits
(float32), sorted by image; the schema's metadata name the model, weights and transform.
"""

from __future__ import annotations

import time

import torch

from synthsight.canonical import canonical_json
from synthsight.classifiers.classify import classify, load_model, write_logits
from synthsight.classifiers.library import Architecture
from synthsight.errors import about
from synthsight.files import read_json
from synthsight.inference.batches import choose_device, report_speed
from synthsight.inference.cache import ModelCache, file_identity
from synthsight.program import Arguments, one, program


@program(
    one("pixels", "the images, Arrow"),
    one("weights", "the model's weights, safetensors"),
    one("note", "the note about the weights, JSON"),
    spec=True,
    outputs=["output"],
    counts={"batch_size": None, "threads": 1},
)
def main(args: Arguments, models: ModelCache | None = None) -> None:
    """Run the program; in a worker, with the models that are already loaded."""
    spec = args.spec
    models = models or ModelCache()
    device = choose_device()
    torch.set_num_threads(args.threads)
    note = read_json(args.note, ["sha256", "source"])
    model = models.get(
        (canonical_json(spec["architecture"]), spec["compile"], *file_identity(args.weights)),
        lambda: load_model(
            Architecture(**spec["architecture"]), args.weights, device, spec["compile"]
        ),
        device,
    )
    start = time.perf_counter()
    with about(f"model {spec['model']!r}"):
        images, logits = classify(
            model,
            args.pixels,
            spec["mean"],
            spec["std"],
            args.batch_size,
            spec["precision"],
            lambda: models.release(keep=model),
        )
    print(report_speed(len(images), "images", time.perf_counter() - start, device))
    metadata = {
        **spec,
        "weights_sha256": note["sha256"] or note["safetensors_sha256"],
        "weights_source": note["source"],
    }
    write_logits(args.output, images, logits, metadata)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Run one model over the images of one category.

In: pixels (Arrow), weights (safetensors) and their note (JSON). Out: Parquet with image and logits
(float32), sorted by image; the schema's metadata name the model, weights and transform.
"""

from __future__ import annotations

import time

import torch
from torch import nn

from synthsight.canonical import canonical_json
from synthsight.classifiers.classify import classify, load_model, write_logits
from synthsight.classifiers.library import Architecture
from synthsight.classifiers.registry import LIBRARIES
from synthsight.errors import about
from synthsight.files import MAKE_AGAIN, FileError, check_sha256, read_json
from synthsight.inference.batches import choose_device, name_of, report_speed
from synthsight.inference.cache import ModelCache, file_identity
from synthsight.origin import depends_on_note, made_with
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
    note = read_json(args.note, ["name", "architecture", "sha256", "safetensors_sha256", "source"])
    for key, wanted in (("name", spec["model"]), ("architecture", spec["architecture"])):
        if note[key] != wanted:
            raise FileError(f"{args.note}: {key} is {note[key]!r}, not {wanted!r}; {MAKE_AGAIN}")
    stated = note["safetensors_sha256"]

    def load() -> nn.Module:
        check_sha256(args.weights, stated, args.note)
        architecture = Architecture(**spec["architecture"])
        return load_model(architecture, args.weights, device, spec["compile"])

    identity = file_identity(args.weights)
    model = models.get(
        (canonical_json(spec["architecture"]), spec["compile"], stated, *identity), load, device
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
    library = LIBRARIES.load(spec["architecture"]["library"])
    depends_on_note(note)
    made_with("torch", *library.packages, device=name_of(device))
    metadata = {
        **spec,
        "weights_sha256": note["sha256"] or note["safetensors_sha256"],
        "weights_source": note["source"],
    }
    write_logits(args.output, images, logits, metadata)


if __name__ == "__main__":
    main()

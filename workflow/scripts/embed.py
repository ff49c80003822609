#!/usr/bin/env python3
"""Read the features of the images of one category from one model.

In: pixels (Arrow), weights (safetensors) and their note (JSON). Out: Parquet with image and
features (float32), sorted by image; the schema's metadata name the model, weights, transform and
layers.
"""

from __future__ import annotations

import time

import torch

from synthsight.classifiers.embed import embed, write_features
from synthsight.classifiers.heads import Source
from synthsight.classifiers.loading import about_weights, load_noted, read_note
from synthsight.classifiers.registry import LIBRARIES
from synthsight.errors import about
from synthsight.inference.batches import choose_device, name_of, report_speed
from synthsight.inference.cache import ModelCache
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
    models = ModelCache() if models is None else models  # an empty one is false, too
    device = choose_device()
    torch.set_num_threads(args.threads)
    note = read_note(args.note, spec)
    model = load_noted(models, spec["architecture"], args.weights, (args.note, note), device, False)
    source = Source(tuple(spec["layers"]), spec["length"])
    start = time.perf_counter()
    with about(f"model {spec['model']!r}"):
        images, features = embed(
            model,
            source,
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
    write_features(args.output, images, features, {**spec, **about_weights(note)})


if __name__ == "__main__":
    main()

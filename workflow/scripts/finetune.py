#!/usr/bin/env python3
"""Train a network on all of a run's images but one part, and let it predict that part.

In: the base's weights (safetensors) and their note (JSON), the pixels of all categories (Arrow),
the images' sources, and which are duplicates. Out: the network's weights (safetensors), and Parquet
with image and logits (float32) of the categories in their sorted order.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from synthsight import origin
from synthsight.adapted.dividing import divide
from synthsight.classifiers.finetune import (
    FinetuneError,
    Memory,
    Recipe,
    finetune,
    load_to_train,
    predict,
    state_of,
)
from synthsight.classifiers.heads import Source
from synthsight.classifiers.loading import about_weights, read_note
from synthsight.classifiers.registry import LIBRARIES
from synthsight.classifiers.resuming import Progress, digest_of
from synthsight.classifiers.views import size_of
from synthsight.errors import about
from synthsight.features.samples import read_images
from synthsight.files import atomic, check_sha256
from synthsight.images.geometry import Geometry
from synthsight.images.stored import StoredPixels
from synthsight.inference.batches import choose_device, name_of, report_speed
from synthsight.inference.cache import ModelCache
from synthsight.origin import depends_on_note, made_with
from synthsight.program import Arguments, many, one, program
from synthsight.tables import write_vectors


@program(
    many("pixels", "the images of all categories, Arrow"),
    one("weights", "the base's weights, safetensors"),
    one("note", "the note about them, JSON"),
    one("sources", "where the images come from, Parquet"),
    one("duplicates", "pairs of images that are nearly the same, Parquet"),
    spec=True,
    outputs=["network", "output"],
    counts={"batch_size": None, "threads": 1},
)
def main(args: Arguments, models: ModelCache | None = None) -> None:
    """Run the program; in a worker, where other models may be loaded."""
    spec = args.spec
    models = ModelCache() if models is None else models  # an empty one is false, too
    device = choose_device()
    torch.set_num_threads(args.threads)
    note = read_note(args.note, spec)
    check_sha256(args.weights, note["safetensors_sha256"], args.note)
    depends_on_note(note)
    library = LIBRARIES.load(spec["architecture"]["library"])
    made_with("torch", *library.packages, device=name_of(device))
    images = read_images(args.sources, args.duplicates)
    if list(images.categories) != spec["categories"]:
        missing = sorted({*spec["categories"]} - {*images.categories})
        raise FinetuneError(f"no usable image is left of {', '.join(missing)}: see excluded.csv")
    pixels = StoredPixels(args.pixels)
    division = divide(images, spec["sources"], spec["folds"], spec["seed"])
    rows = np.flatnonzero(division.trained_on(spec["fold"]))
    names, labels = images.names[rows].tolist(), images.category[rows]
    recipe = Recipe(
        size=size_of(Geometry.from_dict(spec["geometry"])),
        **{key: spec[key] for key in ("fold", "seed", "epochs", "learning_rate", "batch_size")},
        **{key: spec[key] for key in ("mean", "std", "precision")},
    )
    output = Path(args.output)
    decides = [origin.entry(output), names, labels.tolist(), args.threads]
    progress = Progress(output, digest_of(decides))
    progress.sweep()
    start = time.perf_counter()
    with about(f"model {spec['name']!r}, part {spec['fold']}"):
        source = Source(tuple(spec["layers"]), spec["length"])
        network = load_to_train(
            spec["architecture"], args.weights, source, len(images.categories), recipe, device
        )
        memory = Memory(min(args.batch_size, recipe.batch_size), models.release)
        losses = finetune(network, names, labels, pixels, recipe, memory, progress)
        seen = recipe.epochs * len(names)
        print(report_speed(seen, "images", time.perf_counter() - start, device))
        tested = images.names[division.part == spec["fold"]].tolist()
        logits = predict(network, tested, pixels, recipe, Memory(args.batch_size, models.release))
    mark = origin.mark(args.network)
    with atomic(args.network) as temporary:
        save_file(state_of(network), temporary, None if mark is None else {"synthsight": mark})
    described = {**spec, "images": len(names), **about_weights(note)}
    described |= {"division": division.digest, "loss": losses[-1]}
    write_vectors(args.output, "logits", tested, logits, described)
    progress.sweep(own=True)


if __name__ == "__main__":
    main()

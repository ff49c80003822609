#!/usr/bin/env python3
"""Fit new last layers to a model's features, and let each predict the images it was fitted without.

In: the features of all categories (Parquet), the images' sources, and which are duplicates. Out:
the logits of all categories (Parquet), by which layer each image is predicted (Parquet), the layers
(safetensors), and a note (JSON).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from threadpoolctl import threadpool_limits

from synthsight import origin
from synthsight.adapted.dividing import divide
from synthsight.adapted.linear import fit_folds, predict_folds
from synthsight.adapted.writing import Paths, Predicted, described_features, write_adapted
from synthsight.features.samples import read_features, read_images
from synthsight.files import atomic
from synthsight.origin import made_with
from synthsight.program import Arguments, many, one, program


@program(
    many("features", "the features of all categories, Parquet"),
    one("sources", "where the images come from, Parquet"),
    one("duplicates", "pairs of images that are nearly the same, Parquet"),
    spec=True,
    outputs=["logits", "parts", "layers", "note"],
    counts={"threads": 1},
)
def main(args: Arguments) -> None:
    """Run the program; ``logits`` is a folder."""
    spec = args.spec
    made_with("numpy", "scikit-learn")
    images = read_images(args.sources, args.duplicates)
    vectors = read_features(args.features, images, spec["base"])
    folds = spec["folds"]
    division = divide(images, spec["sources"], folds, spec["seed"])
    # Sums by several threads come in an order of their own; layers are fitted side by side instead.
    with threadpool_limits(1):
        layers = fit_folds(division, vectors, folds, spec["seed"], args.threads)
        logits = predict_folds(layers, division, vectors)
    tensors: dict[str, npt.NDArray[np.float32]] = {}
    for fold, layer in enumerate(layers):
        weight = np.ascontiguousarray(layer.weight)
        tensors |= {f"{fold}.weight": weight, f"{fold}.bias": layer.bias}
    mark = origin.mark(args.layers)
    with atomic(args.layers) as temporary:
        about = None if mark is None else {"synthsight": mark}
        save_file(tensors, temporary, about)
    write_adapted(
        Paths(args.logits, args.parts, args.note),
        Predicted(
            images.names,
            images.categories,
            images.category,
            division.part,
            division.chosen,
            logits,
        ),
        spec,
        described_features(args.features),
        {
            "images": division.counts(folds),
            "penalties": [layer.penalty for layer in layers],
        },
    )


if __name__ == "__main__":
    main()

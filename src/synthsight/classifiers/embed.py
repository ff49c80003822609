"""Running a network over stored pixels for its features, one row per image.

Features of a classifier are what enters its classifying layer; of an encoder, its embedding.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from synthsight.classifiers.classify import over_images
from synthsight.classifiers.heads import Source, reading
from synthsight.tables import write_vectors


def embed(
    model: nn.Module,
    source: Source,
    pixels: str | os.PathLike[str],
    mean: Sequence[float],
    std: Sequence[float],
    batch_size: int,
    precision: str = "fp32",
    release: Callable[[], bool] = lambda: False,
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """The features of every image in a file of pixels.

    The model is the one that classifies, and is left as it was. With the first batch, what the
    layers make of the features is compared with the logits.

    Args:
        model: in evaluation mode, on the device to use, not compiled.
        source: where in it the features are.
        pixels: see :func:`synthsight.classifiers.classify.over_images`, also for the rest.
        mean: normalisation, one value per channel.
        std: likewise.
        batch_size: initial number of images per batch.
        precision: of the forward pass. The features are float32 in any case.
        release: called when memory runs out.

    Returns:
        ``(images, features)``, sorted by image; float32 (n, length).

    Raises:
        synthsight.classifiers.heads.FeaturesError: the layers do not make the logits of them.
        synthsight.classifiers.classify.NonFiniteError: some are NaN or infinite.
        torch.OutOfMemoryError: a single image does not fit.
    """
    device = next(model.parameters()).device
    with reading(model, source) as reader:
        images, features = over_images(
            reader, device, pixels, mean, std, batch_size, precision, release, what="features"
        )
    return images, features if images else np.empty((0, source.length), np.float32)


def write_features(
    output: str | os.PathLike[str],
    images: list[str],
    features: npt.NDArray[np.float32],
    metadata: dict[str, Any],
) -> None:
    """Write features as Parquet: ``image`` string, ``features`` fixed_size_list<float32>[length].

    Args:
        output: the file, written atomically.
        images: paths below the images' root, sorted.
        features: float32 (n, length).
        metadata: stored in the schema under the key ``synthsight``, as JSON.
    """
    write_vectors(output, "features", images, features, metadata)

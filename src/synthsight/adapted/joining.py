"""Joining what the networks of a model say, each of the images that it was trained without."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthsight.adapted.dividing import of_sources
from synthsight.adapted.writing import KEY, Predicted
from synthsight.errors import SynthsightError
from synthsight.features.samples import read_images
from synthsight.files import MAKE_AGAIN
from synthsight.tables import metadata_of, read_parquet

#: What the networks of a model differ in.
_OWN = ("fold", "images", "loss")

#: What of a training a note has.
_TRAINING = ("epochs", "learning_rate", "batch_size", "precision")

#: What all of them say of the model.
_SETTINGS = ("sources", "folds", "seed")


class JoiningError(SynthsightError):
    """Parts that are not those of one model, or not of the run's images."""


@dataclass(frozen=True)
class Joined:
    """What the networks of all parts say.

    Attributes:
        said: of each image, by the network that did not see it.
        settings: what the networks have in common: sources, folds and seed.
        weights: what they say of the weights that they began with.
        trained: the number of images that each was trained on, its loss in the end, and how.
    """

    said: Predicted
    settings: dict[str, Any]
    weights: dict[str, Any]
    trained: dict[str, Any]


def join_folds(
    folds: Sequence[str | os.PathLike[str]], sources: str | os.PathLike[str], model: str
) -> Joined:
    """Join parts; each usable image must be in one of them, once.

    Args:
        folds: Parquet of each part, in their order: ``image``, and ``logits`` of the categories.
        sources: where the images of the run come from.
        model: whose networks they must be of.

    Raises:
        JoiningError: they are of another model, of different trainings, divisions or categories, or
            an image is missing, unknown or there twice.
    """
    images = read_images(sources, None)
    place = pd.Index(images.names)
    part = np.full(len(images), -1, np.int64)
    logits = np.empty((len(images), len(images.categories)), np.float32)
    common: dict[str, Any] = {}
    counts, losses = [], []
    for number, path in enumerate(folds):
        table = read_parquet(path, ["image", "logits"]).combine_chunks()
        about = json.loads(metadata_of(table.schema, KEY, path))
        counts.append(about["images"])
        losses.append(about["loss"])
        shared = {key: value for key, value in about.items() if key not in _OWN}
        common = common or shared
        if shared != common or about["fold"] != number:
            raise JoiningError(
                f"{path} and {folds[0]} are not of one training, in this order; {MAKE_AGAIN}"
            )
        if about["name"] != model:
            raise JoiningError(
                f"{path} is of {about['name']!r}, and should be of {model!r}; {MAKE_AGAIN}"
            )
        if about["categories"] != list(images.categories):
            raise JoiningError(f"{path} is about other categories than {sources}; {MAKE_AGAIN}")
        rows = place.get_indexer(table["image"].to_numpy())
        if (rows < 0).any():
            odd = table["image"][int((rows < 0).argmax())].as_py()
            raise JoiningError(f"{path} is about {odd!r}, which {sources} lacks; {MAKE_AGAIN}")
        if (part[rows] >= 0).any() or len(np.unique(rows)) < len(rows):
            raise JoiningError(f"{path} has an image that is predicted twice; {MAKE_AGAIN}")
        values = [chunk.flatten().to_numpy() for chunk in table["logits"].chunks]
        logits[rows] = np.concatenate([np.empty(0, np.float32), *values]).reshape(
            -1, len(images.categories)
        )
        part[rows] = number
    if (part < 0).any():
        first = images.names[int((part < 0).argmax())]
        raise JoiningError(f"no network predicts {first!r}; {MAKE_AGAIN}")
    chosen = of_sources(images, common["sources"])
    return Joined(
        Predicted(images.names, images.categories, images.category, part, chosen, logits),
        {key: common[key] for key in _SETTINGS},
        {key: common[key] for key in ("weights_sha256", "weights_source")},
        {"images": counts, "losses": losses, **{key: common[key] for key in _TRAINING}},
    )

"""What an adapted model says of all images, written as any classifier's logits, and its note."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthsight import origin
from synthsight.errors import SynthsightError
from synthsight.features.samples import Numbers
from synthsight.files import MAKE_AGAIN, atomic
from synthsight.tables import metadata_of, read_schema, write_parquet, write_vectors

#: The key of what a file says about itself, as JSON.
KEY = "synthsight"

#: What decides the result and is the same of all networks of a model.
_SETTINGS = ("base", "encoder", "method", "sources", "folds", "seed")


class WritingError(SynthsightError):
    """Logits that are not about the run's categories."""


@dataclass(frozen=True)
class Predicted:
    """What an adapted model says of the images of a run.

    Attributes:
        names: of the images, sorted; object (n,).
        categories: the categories' names, sorted.
        category: of each image, as a number of these; int64 (n,).
        part: the number of the network that predicts each, which saw none of its unit; int64 (n,).
        chosen: whether each is of the sources that are trained on; bool (n,).
        logits: of the categories, float32 (n, categories).
    """

    names: npt.NDArray[np.object_]
    categories: Sequence[str]
    category: Numbers
    part: Numbers
    chosen: npt.NDArray[np.bool_]
    logits: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Paths:
    """Where to write what an adapted model says.

    Attributes:
        logits: the folder of the logits of all categories.
        parts: by which network each image is predicted, Parquet.
        note: what the model was made from, JSON.
    """

    logits: str | os.PathLike[str]
    parts: str | os.PathLike[str]
    note: str | os.PathLike[str]


def write_adapted(
    paths: Paths,
    said: Predicted,
    settings: Mapping[str, Any],
    weights: Mapping[str, Any],
    trained: Mapping[str, Any],
) -> None:
    """Write logits by category, parts and note.

    Logits are Parquet: ``image`` string, ``logits`` fixed_size_list<float32>[classes], sorted by
    image. Parts: ``image``, ``part`` int64, ``chosen`` bool.

    Args:
        paths: where to.
        said: what the model says.
        settings: ``model``, ``base``, ``encoder``, ``method``, ``label_space``, ``classes`` (the
            categories in the order of the label space), ``sources``, ``folds``, ``seed``.
        weights: ``weights_sha256`` and ``weights_source`` of the base.
        trained: what else is known of the training, for the note.

    Raises:
        WritingError: the images are not of the run's categories.
    """
    classes = list(settings["classes"])
    if sorted(classes) != list(said.categories):
        off = sorted({*classes} ^ {*said.categories})
        raise WritingError(f"there are no usable images of {off[0]!r}, or no such category")
    order = [said.categories.index(name) for name in classes]
    described = {
        **{key: settings[key] for key in ("model", "label_space", *_SETTINGS)},
        **weights,
    }
    for number, name in enumerate(said.categories):
        rows = said.category == number
        path = Path(paths.logits) / f"{name}.parquet"
        write_vectors(path, "logits", said.names[rows], said.logits[rows][:, order], described)
    parts = pa.table(
        {"image": pa.array(said.names, pa.string()), "part": said.part, "chosen": said.chosen}
    )
    metadata = {KEY: json.dumps(described, sort_keys=True)}
    write_parquet(paths.parts, parts.replace_schema_metadata(metadata))
    _write_note(paths.note, settings, weights, trained)


def _write_note(
    path: str | os.PathLike[str],
    settings: Mapping[str, Any],
    weights: Mapping[str, Any],
    trained: Mapping[str, Any],
) -> None:
    """Write what the model was made from; it has no weights among those that are fetched."""
    note = {
        "name": settings["model"],
        "source": f"{settings['base']}, {wording(settings)}",
        "sha256": weights["weights_sha256"],
        "license": None,
        "reference": None,
        "adapted": {
            **{key: settings[key] for key in _SETTINGS},
            "categories": len(settings["classes"]),
            "weights_source": weights["weights_source"],
            **trained,
        },
        **origin.entry(path),
    }
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")


def wording(settings: Mapping[str, Any]) -> str:
    """How a model was adapted, in words.

    Args:
        settings: its ``method`` and ``sources``.
    """
    sources = settings["sources"]
    named = {
        "generated": "the generated images",
        "real": "the photographs",
        "all": "all images",
    }
    on = named[sources] if isinstance(sources, str) else f"images of {' and '.join(sources)}"
    done = "a new last layer trained" if settings["method"] == "linear" else "trained as a whole"
    return f"{done} on {on}"


def described_features(paths: Sequence[str | os.PathLike[str]]) -> dict[str, Any]:
    """What the features of all categories say of the weights that they were made with.

    Raises:
        WritingError: they were made with different weights, or otherwise in different ways.
    """
    every = [json.loads(metadata_of(read_schema(path), KEY, path)) for path in paths]
    first = every[0]
    for path, said in zip(paths, every, strict=True):
        differing = [key for key in {**first, **said} if first.get(key) != said.get(key)]
        if differing:
            raise WritingError(
                f"{path} and {paths[0]} were not made alike ({differing[0]} differs); {MAKE_AGAIN}"
            )
    return {key: first[key] for key in ("weights_sha256", "weights_source")}

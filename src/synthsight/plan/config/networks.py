"""What the models of a configuration that are run have in common: classifiers and encoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthsight.bounds import Key
from synthsight.canonical import canonical_json
from synthsight.classifiers.registry import OF_REPOSITORIES
from synthsight.files import Digests, hint_at, is_file, is_folder
from synthsight.images.geometry import Geometry
from synthsight.inference.folders import digest_of, local_files
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_path
from synthsight.plan.settings import EncoderSettings, ModelSettings


@dataclass(frozen=True)
class Features:
    """The features that are asked for of a model.

    Attributes:
        layers: names of the layers that they enter; none if they are the model's output.
        length: of the features of an image.
    """

    layers: tuple[str, ...]
    length: int


@dataclass(frozen=True)
class Network:
    """A model that is run.

    Attributes:
        architecture: arguments of :class:`synthsight.classifiers.library.Architecture`.
        checkpoint: local weights, or None for the published ones.
        content: the sha256 of that file, or a digest of the folder's files.
        geometry: geometry of its preprocessing.
        mean: mean of its normalisation, one value per channel.
        std: standard deviation, likewise.
        features: what of it is embedded; None if nothing is.
    """

    architecture: dict[str, Any]
    checkpoint: str | None
    content: str | None
    geometry: Geometry
    mean: tuple[float, ...]
    std: tuple[float, ...]
    features: Features | None

    @property
    def local_files(self) -> list[str]:
        """The local files that its weights are read from: one, or those of a folder."""
        if self.checkpoint is None:
            return []
        return local_files(self.checkpoint, None) if self.in_folder else [self.checkpoint]

    @property
    def in_folder(self) -> bool:
        """Whether its checkpoint is a folder as repositories are."""
        return self.checkpoint is not None and self.architecture["library"] in OF_REPOSITORIES


@dataclass(frozen=True)
class Encoder(Network):
    """A model of an experiment of which nothing but features is wanted.

    Attributes:
        name: its name in paths.
    """

    name: str


def settled(resolved: Mapping[str, Any], checkpoint: str | None, content: str | None) -> Any:
    """The fields of a :class:`Network`, of what a model resolves to and its local weights."""
    layers = resolved.get("layers")
    return {
        "architecture": resolved["architecture"],
        "checkpoint": checkpoint,
        "content": content,
        "geometry": Geometry.from_dict(resolved["geometry"]),
        "mean": tuple(resolved["mean"]),
        "std": tuple(resolved["std"]),
        "features": None if layers is None else Features(tuple(layers), resolved["length"]),
    }


def check_network(
    model: ModelSettings | EncoderSettings, key: Key, problems: list[Problem]
) -> None:
    """Check the settings of a model themselves that say how it is run."""
    elsewhere = model.library in OF_REPOSITORIES  # folders, checked where they are read
    if model.checkpoint is not None and not elsewhere and not is_file(model.checkpoint):
        message = f"no file {model.checkpoint!r} (relative paths start at {Path.cwd()})"
        message += hint_at(model.checkpoint)
        problems.append(Problem((*key, "checkpoint"), message))
    if reason := bad_path(model.checkpoint):
        problems.append(Problem((*key, "checkpoint"), reason))
    for setting in ("mean", "std"):
        if reason := _beyond_one(getattr(model, setting)):
            problems.append(Problem((*key, setting), reason))
    try:
        canonical_json(model.arguments)
    except (TypeError, ValueError):
        message = "may hold only text, finite numbers, true, false, null, lists and mappings"
        problems.append(Problem((*key, "arguments"), message))


def _beyond_one(values: Sequence[float] | None) -> str | None:
    """Why a mean or a standard deviation cannot be one of pixels in 0..1, or None."""
    if values is None or max(values) <= 1:
        return None
    scaled = ", ".join(f"{value / 255:.4g}" for value in values)
    return (
        f"is for pixels in 0..1, and {max(values):g} is more than 1. If it is for pixels in "
        f"0..255, write [{scaled}]"
    )


def content_of(path: str | None, key: Key, digests: Digests, problems: list[Problem]) -> str | None:
    """The sha256 of a local file, or a digest of a folder's files; None if there is none."""
    try:
        if path is not None and is_folder(path):
            return digest_of(local_files(path, None), digests.of)
        return None if path is None else digests.of(path)
    except OSError as error:
        message = f"{error.filename or path} cannot be read: {error.strerror}"
        problems.append(Problem(key, message))
        return None

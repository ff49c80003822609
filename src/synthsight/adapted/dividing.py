"""Which images each network of an adapted model is trained on, and which it predicts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synthsight.canonical import canonical_json
from synthsight.errors import SynthsightError
from synthsight.features.folds import folds_of
from synthsight.features.samples import Images, Numbers

Chosen = npt.NDArray[np.bool_]


class DivisionError(SynthsightError):
    """Images that no network can be trained on."""


@dataclass(frozen=True)
class Division:
    """How the images of a run are divided for an adapted model.

    Attributes:
        images: all of them.
        part: the part that each is in, and so the number of the network that predicts it; int64
            (n,).
        chosen: whether each is of the sources that are trained on; bool (n,).
    """

    images: Images
    part: Numbers
    chosen: Chosen

    def trained_on(self, fold: int) -> Chosen:
        """The images that a network is trained on; bool (n,)."""
        found: Chosen = self.chosen & (self.part != fold)
        return found

    def counts(self, folds: int) -> list[int]:
        """How many images each network is trained on."""
        return [int(self.trained_on(fold).sum()) for fold in range(folds)]

    @property
    def digest(self) -> str:
        """Of all that decides on which images each network is trained."""
        rows = zip(
            *(self.images.names.tolist(), self.images.category.tolist()),
            *(self.part.tolist(), self.chosen.tolist()),
            strict=True,
        )
        return hashlib.sha256(canonical_json(list(rows)).encode()).hexdigest()[:32]


def divide(images: Images, sources: str | Sequence[str], folds: int, seed: int) -> Division:
    """Divide images, each unit as a whole, and choose those of some sources to train on.

    Args:
        images: all of a run.
        sources: ``generated`` images, ``real`` ones, ``all``, or a list of generators.
        folds: the number of parts.
        seed: of the division.

    Raises:
        DivisionError: some network would have no image of a category to train on, or none to
            predict.
    """
    division = Division(images, folds_of(images, folds, seed), of_sources(images, sources))
    every = len(images.categories)
    if (there := np.unique(division.part)).size < folds:
        raise DivisionError(
            f"there are no images for {folds - there.size} of {folds} parts, since those that "
            f"belong together are in one: write `folds: {max(2, there.size)}`"
        )
    for fold in range(folds):
        there = np.bincount(images.category[division.trained_on(fold)], minlength=every)
        if (there == 0).any():
            name = images.categories[int(there.argmin())]
            raise DivisionError(
                f"without part {fold} of {folds} there is no image of {name!r} to train on: it has "
                f"too few images of the `sources`, or too few groups of them. Add images, choose "
                "other `sources`, or leave it out of `categories`"
            )
    return division


def of_sources(images: Images, sources: str | Sequence[str]) -> Chosen:
    """Which images are of some sources, named as in :func:`divide`; bool (n,)."""
    if not isinstance(sources, str):
        numbers = [images.generators.index(each) for each in sources if each in images.generators]
        found: Chosen = np.isin(images.generator, numbers)
        return found
    if sources == "all":
        return np.ones(len(images), bool)
    return images.real if sources == "real" else ~images.real


def some_of(images: Images, rows: Chosen) -> Images:
    """The images in some rows, in their order; categories and generators keep their numbers."""
    return replace(
        images,
        names=images.names[rows],
        category=images.category[rows],
        generator=images.generator[rows],
        real=images.real[rows],
        unit=images.unit[rows],
    )


def balance(category: Numbers) -> npt.NDArray[np.float64]:
    """Weights with which each category counts alike, 1 on average; float64 (n,)."""
    counts = np.bincount(category)
    weights: npt.NDArray[np.float64] = len(category) / ((counts > 0).sum() * counts[category])
    return weights

"""A model's features of all images of a run, with what is known of each image.

Images that belong together are one *unit*: those of a group (a prompt, a seed, a scene), and those
that are the same picture or nearly so, also across sources and categories. Whatever is trained on
some images and tested on others has a unit on one side alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from synthsight.errors import SynthsightError
from synthsight.files import MAKE_AGAIN
from synthsight.images.sources import read_sources
from synthsight.tables import ALL, metadata_of, read_parquet

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

#: Between the names of several folders of photographs, which are one source.
_BETWEEN = " + "


class SamplesError(SynthsightError):
    """Features that are not those of the run's images."""


@dataclass(frozen=True)
class Images:
    """What is known of images, in the order of their names.

    Attributes:
        names: paths below the images' root, sorted; object (n,).
        categories: the categories' names, sorted.
        category: of each image, as a number of these; int64 (n,).
        generators: the generators' names, sorted, those of photographs among them.
        generator: of each image, as a number of these, -1 where there is none; int64 (n,).
        real: whether each is a real photograph; bool (n,).
        unit: a number that images have in common that belong together; int64 (n,).
    """

    names: npt.NDArray[np.object_]
    categories: tuple[str, ...]
    category: Numbers
    generators: tuple[str, ...]
    generator: Numbers
    real: npt.NDArray[np.bool_]
    unit: Numbers

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def photographs(self) -> str | None:
        """The name of the source of real photographs: of their folder, or folders; or None."""
        found = np.unique(self.generator[self.real])
        return _BETWEEN.join(self.generators[each] for each in found) if len(found) else None

    @cached_property
    def sources(self) -> dict[str, npt.NDArray[np.bool_]]:
        """The sources by name: a mask of their images, bool (n,).

        First the generators, sorted; then all generated images, :data:`synthsight.tables.ALL`, if
        there are several generators or images without one; then the photographs, if there are any.

        Raises:
            SamplesError: a generator is called like several folders of photographs together.
        """
        generated = ~self.real
        found = {
            name: here
            for number, name in enumerate(self.generators)
            if (here := generated & (self.generator == number)).any()
        }
        if generated.any() and (len(found) != 1 or (generated & (self.generator < 0)).any()):
            found[ALL] = generated
        if self.photographs is not None:
            if self.photographs in found:
                raise SamplesError(
                    f"the generator {self.photographs!r} is called like the photographs: rename "
                    "its folder"
                )
            found[self.photographs] = self.real
        return found


def read_images(sources: str | os.PathLike[str], duplicates: str | os.PathLike[str]) -> Images:
    """What is known of all usable images of a run.

    Args:
        sources: the file of :func:`synthsight.images.sources.write_sources`.
        duplicates: the table ``duplicates``, whose pairs are of one unit.
    """
    table = read_sources(sources).sort_by("image")
    names = table["image"].to_numpy()
    categories, category = np.unique(table["category"].to_numpy(), return_inverse=True)
    made_by = pd.Series(table["generator"].to_pylist(), dtype=object)
    generators = sorted(made_by.dropna().unique())
    generator = made_by.map({name: at for at, name in enumerate(generators)}).fillna(-1)
    pairs = read_parquet(duplicates, ["a", "b"])
    return Images(
        names,
        tuple(map(str, categories)),
        category.astype(np.int64),
        tuple(map(str, generators)),
        generator.to_numpy(np.int64),
        np.asarray(table["real"].to_numpy(), dtype=bool),
        units(names, table["group"].to_pylist(), pairs["a"].to_pylist(), pairs["b"].to_pylist()),
    )


def units(
    images: npt.NDArray[np.object_], groups: Sequence[str], a: Sequence[str], b: Sequence[str]
) -> Numbers:
    """Which images belong together: those of a group, and those that a pair joins, and so on.

    Args:
        images: their names, sorted (n,).
        groups: the group of each.
        a: the first image of each pair of duplicates. It may be one that is left out of the run:
            of many copies, each is paired with the first alone.
        b: the second.

    Returns:
        The number of each image's unit, from 0 in the order of their first images; int64 (n,).
    """
    place = pd.Index(images).append(pd.Index(sorted({*a, *b}.difference(images)), dtype=object))
    first, second = place.get_indexer(pd.Index(a)), place.get_indexer(pd.Index(b))
    of_group = pd.factorize(np.asarray(groups, dtype=object))[0]
    firsts = np.unique(of_group, return_index=True)[1]
    rows = np.concatenate([np.arange(len(images)), first])
    columns = np.concatenate([firsts[of_group], second])
    links = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(place),) * 2)
    found = connected_components(links, directed=False)[1][: len(images)]
    numbers: Numbers = pd.factorize(found)[0].astype(np.int64)
    return numbers


def read_features(
    features: Sequence[str | os.PathLike[str]], images: Images, model: str | None = None
) -> Vectors:
    """A model's features of some images, in their order; float32 (n, length).

    Args:
        features: the files of all categories; features of other images are left out.
        images: the images.
        model: whose they must be, if that is known.

    Raises:
        SamplesError: there are none of an image, or they are another model's.
        synthsight.files.FileError: a file is damaged.
    """
    place = pd.Index(images.names)
    found = np.zeros(len(images), bool)
    vectors: Vectors | None = None
    for path in features:
        table = read_parquet(path, ["image", "features"]).combine_chunks()
        if model is not None:
            whose = json.loads(metadata_of(table.schema, "synthsight", path)).get("model")
            if whose != model:
                raise SamplesError(
                    f"{path} has features of {whose!r}, not of {model!r}; {MAKE_AGAIN}"
                )
        rows = place.get_indexer(table["image"].to_numpy())
        width = table["features"].type.list_size
        parts = [chunk.flatten().to_numpy() for chunk in table["features"].chunks]
        values = np.concatenate([np.empty(0, np.float32), *parts]).reshape(-1, width)
        if vectors is None:
            vectors = np.empty((len(images), width), np.float32)
        vectors[rows[rows >= 0]] = values[rows >= 0]
        found[rows[rows >= 0]] = True
    if vectors is None:
        raise SamplesError(f"there are no files of features; {MAKE_AGAIN}")
    if not found.all():
        lacking = images.names[~found]
        raise SamplesError(
            f"no features of {len(lacking):,} images, {lacking[0]!r} among them; {MAKE_AGAIN}"
        )
    if not np.isfinite(vectors).all():
        bad = images.names[~np.isfinite(vectors).all(axis=1)]
        raise SamplesError(
            f"NaN or infinite features of {len(bad):,} images, {bad[0]!r} among them; {MAKE_AGAIN}"
        )
    return vectors

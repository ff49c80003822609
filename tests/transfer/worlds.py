"""Images whose features are drawn: a cloud about a centre for each category and source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from synthsight.features.samples import Images, Numbers, Vectors

#: How far centres of categories are apart, in standard deviations of a cloud in one direction.
APART = 1.0


def images_of(
    generators: Mapping[str | None, Sequence[int]],
    real: Sequence[str] = ("photo",),
    group: int = 1,
) -> Images:
    """Images by generator: how many of each category; ``group`` neighbours are one unit."""
    known = sorted(name for name in generators if name is not None)
    rows = [
        (known.index(name) if name is not None else -1, category, number)
        for name, counts in generators.items()
        for category, count in enumerate(counts)
        for number in range(count)
    ]
    generator, category, number = np.array(rows).T
    units = np.stack([generator, category, number // group], axis=1)
    categories = max(map(len, generators.values()))
    return Images(
        np.array([f"{row:05d}.png" for row in range(len(rows))], dtype=object),
        tuple(f"c{each}" for each in range(categories)),
        category,
        tuple(known),
        generator,
        np.isin(generator, [known.index(name) for name in real if name in known]),
        np.unique(units, axis=0, return_inverse=True)[1].ravel().astype(np.int64),
    )


def vectors_of(images: Images, length: int = 12, shift: float = 0.5, seed: int = 0) -> Vectors:
    """Features: the centres of generators are moved by ``shift`` from those of photographs."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(images.categories), length)) * APART
    moved = rng.normal(size=(len(images.generators) + 1, *centres.shape)) * shift
    moved[np.unique(images.generator[images.real])] = 0
    noise = rng.normal(size=(len(images), length))
    found: Vectors = centres[images.category] + moved[images.generator, images.category] + noise
    return found.astype(np.float32)


def sub(images: Images, keep: Numbers) -> Images:
    """Some images, in the order of their names."""
    return Images(
        images.names[keep],
        images.categories,
        images.category[keep],
        images.generators,
        images.generator[keep],
        images.real[keep],
        images.unit[keep],
    )

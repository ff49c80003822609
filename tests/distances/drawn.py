"""Images and features drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthsight.features.samples import Images, Vectors


def images_of(
    sources: Sequence[str | None],
    categories: Sequence[str],
    real: Sequence[str] = ("photo",),
    units: Sequence[int] | None = None,
) -> Images:
    """Images with these sources and categories; each a unit of its own if none are given."""
    generators = tuple(sorted({each for each in sources if each is not None}))
    names = tuple(sorted(set(categories)))
    count = len(sources)
    return Images(
        np.array([f"{number:05d}.png" for number in range(count)], dtype=object),
        names,
        np.array([names.index(each) for each in categories], np.int64),
        generators,
        np.array([-1 if s is None else generators.index(s) for s in sources], np.int64),
        np.array([each in real for each in sources], bool),
        np.arange(count) if units is None else np.asarray(units, np.int64),
    )


def balanced(
    sources: Sequence[str | None], categories: int, each: int, length: int = 16, seed: int = 0
) -> tuple[Images, Vectors]:
    """As many images of each category of each source, all drawn alike but for the category."""
    rng = np.random.default_rng(seed)
    made_by = [source for source in sources for _ in range(categories * each)]
    number = np.tile(np.repeat(np.arange(categories), each), len(sources))
    centres = rng.standard_normal((categories, length))
    vectors = centres[number] + rng.standard_normal((len(number), length))
    return images_of(made_by, [f"c{n}" for n in number]), vectors.astype(np.float32)

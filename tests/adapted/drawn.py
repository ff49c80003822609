"""Images of a run that exist only as names and features."""

from __future__ import annotations

import numpy as np

from synthsight.features.samples import Images, Numbers, Vectors

CATEGORIES = ("clock", "kite", "vase")


def some_images(per: int = 20, real: bool = False, unit: Numbers | None = None) -> Images:
    """Images of three categories and two generators, the second of photographs if asked for."""
    category = np.repeat(np.arange(3), 2 * per)
    generator = np.tile(np.repeat([0, 1], per), 3)
    names = [
        f"{'am'[made]}/{CATEGORIES[shows]}/{number:03d}"
        for number, (shows, made) in enumerate(zip(category, generator, strict=True))
    ]
    order = np.argsort(names)
    return Images(
        np.array(names, dtype=object)[order],
        CATEGORIES,
        category[order],
        ("a", "m"),
        generator[order],
        (generator[order] == 1) & real,
        np.arange(len(names)) if unit is None else unit,
    )


def some_vectors(images: Images, apart: float = 2.0, length: int = 6, seed: int = 0) -> Vectors:
    """Features in which categories lie so far apart, in deviations."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, length)) * apart
    noise = rng.normal(size=(len(images), length))
    return (centres[images.category] + noise).astype(np.float32)

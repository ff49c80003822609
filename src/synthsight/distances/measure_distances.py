"""How far generated images are from photographs, in a model's features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthsight.distances.drawing import draw, shrunk, subset, thinned
from synthsight.distances.halves import MOST, Halvings, halve
from synthsight.distances.kernel import Floats, kernel_distances
from synthsight.distances.neighbours import Overlap, overlap, radii
from synthsight.distances.splitting import SPLITS, bounds_of_mean, bounds_of_share
from synthsight.distances.telling import MOST as MOST_TO_TELL
from synthsight.distances.telling import Told, tell_apart
from synthsight.features.folds import folds_of
from synthsight.features.samples import Images, Numbers, Vectors
from synthsight.statistics.columns import DISTANCES
from synthsight.statistics.ranking import stream

#: Images a side below which measures of neighbourhoods say little.
_FEW = 50

#: Images whose kernel is computed with all others, at most: 60,000 take minutes.
_MOST_OF_KERNEL = 60_000

#: Decimals that are the same whatever number of threads computes them.
_DECIMALS = 9


def measure_distances(
    images: Images,
    vectors: Vectors,
    nearest: int,
    halves: int,
    permutations: int,
    seed: int,
    level: float,
) -> tuple[pd.DataFrame, list[str]]:
    """Compare each generator with the photographs, and halves of the photographs with each other.

    Precision, recall, density, coverage and the accuracy of a classifier are means over random
    halves of the photographs, to which as many images of each source are compared, category by
    category; p is of the first halving. KID is that of all images of these categories, in the same
    proportions. Of the row that compares the photographs with themselves the estimate and its
    bounds are the means over halvings.

    Args:
        images: all images.
        vectors: their features, (n, length).
        nearest: the neighbour that a neighbourhood reaches to.
        halves: how often the photographs are halved.
        permutations: how often which images are real is decided by chance.
        seed: of what is drawn.
        level: confidence level of the interval of KID, such as 0.95.

    Returns:
        The columns :data:`synthsight.statistics.columns.DISTANCES` but the model, and what people
        should know of them, in sentences.

    Raises:
        synthsight.distances.halves.DistancesError: there is nothing to compare.
    """
    halvings = halve(images, halves, seed)
    size = int(halvings.sizes.sum())
    sentences = list(halvings.sentences)
    if size < _FEW:
        sentences.append(
            f"{size:,} images a side are few: below {_FEW}, precision, recall, density and "
            "coverage are rough, and differ from one choice of images to the next"
        )
    if nearest >= size:
        sentences.append(f"of {size:,} images none has {nearest:,} neighbours: {size - 1:,} count")
        nearest = size - 1
    if not np.ptp(vectors, axis=0).any():
        sentences.append(
            "all images have the same features: there are no neighbourhoods, so no precision, "
            "recall, density and coverage; is this model what it should be?"
        )
    reference = str(images.photographs)
    measured = _by_neighbours(images, halvings, vectors, nearest, level, seed)
    told = _by_telling(images, vectors, halvings, permutations, seed, sentences)
    distances = _by_kernel(images, vectors, halvings, level, seed, sentences)
    rows = [
        {
            "generator": name,
            "reference": reference,
            "n": size,
            "categories": int(np.count_nonzero(halvings.sizes)),
            **dict(zip(("kid", "kid_low", "kid_high"), distances[name], strict=True)),
            **measured[name],
            "c2st": float(np.mean([each.accuracy for each in told[name]])),
            "p": told[name][0].p,
        }
        for name in sorted(measured)
    ]
    types = {name: kind for name, kind in DISTANCES.items() if name != "model"}
    return pd.DataFrame(rows, columns=list(types)).astype(types).round(_DECIMALS), sentences


def _by_neighbours(
    images: Images, halvings: Halvings, vectors: Vectors, nearest: int, level: float, seed: int
) -> dict[str, dict[str, float]]:
    """Precision, recall, density and coverage of each source, the means over the halvings."""
    sides = [rows for each in halvings.each for rows in (each.reference, *each.compared.values())]
    units = min(len(np.unique(images.unit[rows])) for rows in sides)
    splits = -(-SPLITS // len(halvings.each))
    found: dict[str, list[Overlap]] = {}
    halves: dict[str, list[tuple[Overlap, Overlap]]] = {}
    for number, halving in enumerate(halvings.each):
        inside = radii(vectors[halving.reference], nearest)
        parted = [
            _parted(images, halving.reference, seed, "", number * splits + split)
            for split in range(splits)
        ]
        for name, rows in halving.compared.items():
            one = _overlap(vectors, halving.reference, rows, nearest, inside)
            found.setdefault(name, []).append(one)
            for split, reference in enumerate(parted):
                compared = _parted(images, rows, seed, name, number * splits + split)
                if min(map(len, (*reference, *compared))) <= nearest:
                    continue
                pair = [
                    _overlap(vectors, one, other, nearest, radii(vectors[one], nearest))
                    for one, other in zip(reference, compared, strict=True)
                ]
                halves.setdefault(name, []).append((pair[0], pair[1]))
    measured = {
        name: _with_bounds(each, halves.get(name, []), units, level) for name, each in found.items()
    }
    if np.ptp(vectors, axis=0).any():
        return measured
    # Of copies of one image none has a neighbourhood: 0 would say that nothing is alike.
    return {name: dict.fromkeys(each, float("nan")) for name, each in measured.items()}


def _overlap(
    vectors: Vectors, reference: Numbers, compared: Numbers, nearest: int, inside: Floats
) -> Overlap:
    real, other = vectors[reference], vectors[compared]
    return overlap(real, other, nearest, inside, radii(other, nearest))


def _parted(
    images: Images, rows: Numbers, seed: int, name: str, number: int
) -> tuple[Numbers, Numbers]:
    """Two halves of some rows that share no unit, with about as many of each category."""
    rng = stream(seed, "distances", "split", name, str(number))
    first = folds_of(subset(images, rows, told=False), 2, int(rng.integers(2**31))) == 0
    return rows[first], rows[~first]


def _with_bounds(
    found: Sequence[Overlap], halves: Sequence[tuple[Overlap, Overlap]], units: int, level: float
) -> dict[str, float]:
    """The measures' means over halvings, with bounds, by the names of columns.

    Args:
        found: of each halving.
        halves: of halves of the samples.
        units: on the smallest side.
        level: of the bounds.
    """
    columns: dict[str, float] = {}
    for key in ("precision", "recall", "density", "coverage"):
        value = float(np.mean([getattr(one, key) for one in found]))
        pairs = np.array([[getattr(one, key) for one in pair] for pair in halves])
        low, high = (
            bounds_of_mean(value, pairs, level)
            if key == "density"
            else bounds_of_share(value, pairs, units, level)
        )
        columns |= {key: value, f"{key}_low": low, f"{key}_high": high}
    return columns


def _by_telling(
    images: Images,
    vectors: Vectors,
    halvings: Halvings,
    permutations: int,
    seed: int,
    sentences: list[str],
) -> dict[str, list[Told]]:
    """How well a classifier tells each source from the photographs, halving by halving."""
    size = int(halvings.sizes.sum())
    sizes = shrunk(halvings.sizes, MOST_TO_TELL)
    if sizes.sum() < size:
        sentences.append(
            f"real and generated images are told apart by classifiers of {sizes.sum():,} images a "
            f"side, not of all {size:,}"
        )
    found: dict[str, list[Told]] = {}
    for number, halving in enumerate(halvings.each):
        for name, rows in halving.compared.items():
            rng = stream(seed, "distances", "tell", name, str(number))
            real = draw(images.category, halving.reference, sizes, rng)
            other = draw(images.category, rows, sizes, rng)
            tosses = permutations if number == 0 else 0
            told = tell_apart(images, vectors, real, other, rng, tosses)
            found.setdefault(name, []).append(told)
    return found


def _by_kernel(
    images: Images,
    vectors: Vectors,
    halvings: Halvings,
    level: float,
    seed: int,
    sentences: list[str],
) -> dict[str, tuple[float, float, float]]:
    """KID of each source with its bounds."""
    photographs = str(images.photographs)
    weights: Floats = halvings.sizes / halvings.sizes.sum()
    rows = np.flatnonzero(weights[images.category] > 0)
    used = thinned(images, rows, _MOST_OF_KERNEL, stream(seed, "distances", "kernel"))
    if len(used) < len(rows):
        sentences.append(f"KID is that of {len(used):,} images, drawn from {len(rows):,}")
    sides = {name: used[here[used]] for name, here in images.sources.items()}
    found = kernel_distances(images, vectors, sides, photographs, weights)
    bounds = {name: (kid.value, *kid.bounds(level)) for name, kid in found.items()}
    of_halves = []
    for number, halving in enumerate(halvings.each):
        rng = stream(seed, "distances", "kernel", str(number))
        one, other = (thinned(images, half, MOST, rng) for half in halving.halves)
        sides = {"one": one, "other": other}
        kid = kernel_distances(images, vectors, sides, "one", weights)["other"]
        of_halves.append((kid.value, *kid.bounds(level)))
    value, low, high = np.mean(of_halves, axis=0)
    return {**bounds, photographs: (float(value), float(low), float(high))}

#!/usr/bin/env python3
"""How often KID's intervals hold the true value, and how often p is small without a difference.

``kid``: a fixed population of vectors for each category and side is drawn from with replacement, so
that the true distance of the two is a sum over all pairs of it. Its images may come in groups. The
estimate and interval are made by the function that the workflow uses; the share of simulations in
which the interval holds the truth is its coverage.

``p``: photographs alone, halved; p of the classifier that tells the halves apart should be uniform.
Likewise of photographs each alone and generated images in groups, all drawn alike.

``floor``: photographs alone, halved; how often KID of a fresh pair of halves lies between the
bounds of the row that compares photographs with themselves.

``neighbours``: how often the bounds of precision, recall, density and coverage hold these measures'
mean over all simulations of a design.

``measure`` and ``map``: time and memory of all measures, or of a map, of many images.

Prints rows for docs/methods.md.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthsight.distances.halves import halve
from synthsight.distances.kernel import kernel, kernel_distances
from synthsight.distances.map_images import map_images
from synthsight.distances.measure_distances import measure_distances
from synthsight.distances.telling import tell_apart
from synthsight.features.samples import Images, Numbers, Vectors
from synthsight.statistics.ranking import stream

LEVEL = 0.95

#: Vectors of the population of each category and side.
_POPULATION = 400

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """A design.

    Attributes:
        name: what it is.
        categories: how many.
        sizes: photographs and generated images of each.
        length: of the vectors.
        shift: how far generated images are moved, in standard deviations along one direction.
        group: images of a group, which are nearly the same.
        tails: degrees of freedom of Student's t, of which vectors are; 0 for normal ones.
        alone: whether each photograph is a group of its own.
    """

    name: str
    categories: int
    sizes: tuple[int, int]
    length: int = 64
    shift: float = 0.0
    group: int = 1
    tails: int = 0
    alone: bool = False


CELLS = [
    Cell("no difference", 17, (12, 12)),
    Cell("no difference, one category", 1, (60, 60)),
    Cell("no difference, one category of 20", 1, (20, 20)),
    Cell("no difference, photographs few", 17, (4, 12)),
    Cell("no difference, two generated each", 17, (12, 2)),
    Cell("little difference", 17, (12, 12), shift=1.0),
    Cell("little difference, large categories", 4, (100, 100), shift=0.5),
    Cell("large difference", 17, (12, 12), shift=4.0),
    Cell("large difference, two generated each", 17, (12, 2), shift=4.0),
    Cell("large difference, one category of 20", 1, (20, 20), shift=4.0),
    Cell("large difference, short vectors", 5, (20, 20), length=4, shift=2.0),
    Cell("heavy tails, t of 8", 5, (40, 40), shift=2.0, tails=8),
    Cell("very heavy tails, t of 3", 5, (40, 40), shift=2.0, tails=3),
    Cell("groups of 4, no difference", 17, (12, 12), group=4),
    Cell("groups of 4", 17, (12, 12), shift=2.0, group=4),
    Cell("groups of 4, five categories", 5, (40, 40), shift=2.0, group=4),
]


def population(cell: Cell, rng: np.random.Generator) -> Vectors:
    """The vectors of each side and category: (2, categories, _POPULATION, length)."""
    shape = (2, cell.categories, _POPULATION, cell.length)
    noise = rng.standard_t(cell.tails, shape) if cell.tails else rng.standard_normal(shape)
    centres = rng.standard_normal((1, cell.categories, 1, cell.length))
    moved = np.zeros(shape)
    moved[1, ..., 0] = cell.shift
    if not cell.shift:
        noise[1] = noise[0]
    return (centres + noise + moved).astype(np.float32)


def truth(vectors: Vectors) -> float:
    """The true distance of the two sides: all pairs, a vector's with itself among them."""
    sides = vectors.reshape(2, -1, vectors.shape[-1])
    means = [[float(kernel(a, b).mean()) for b in sides] for a in sides]
    return means[0][0] + means[1][1] - means[0][1] - means[1][0]


def sample(cell: Cell, vectors: Vectors, rng: np.random.Generator) -> tuple[Images, Vectors]:
    """Draw images with replacement; those of a group are one vector, and a little noise."""
    parts, category, real, unit = [], [], [], []
    for side, size in enumerate(cell.sizes):
        group = 1 if cell.alone and side == 0 else cell.group
        for number in range(cell.categories):
            drawn = np.repeat(rng.integers(_POPULATION, size=-(-size // group)), group)[:size]
            parts.append(vectors[side, number, drawn])
            category += [number] * size
            real += [side == 0] * size
            unit += (len(unit) + np.arange(size) // group * group).tolist()
    return images_of(category, real, unit), np.concatenate(parts)


def images_of(category: list[int], real: list[bool], unit: list[int]) -> Images:
    """Images of two sources."""
    count = len(category)
    return Images(
        np.array([f"{number:06d}.png" for number in range(count)], dtype=object),
        tuple(map(str, range(max(category) + 1))),
        np.array(category, np.int64),
        ("generated", "photo"),
        np.array(real, np.int64),
        np.array(real, bool),
        np.array(unit, np.int64),
    )


def kid(simulations: int, seed: int) -> Iterator[str]:
    """A row for each design: bias, coverage, and how often the interval excludes 0."""
    yield "| design | truth | bias, in errors of the mean | sd | mean error | coverage |"
    yield "|---|---|---|---|---|---|"
    for cell in CELLS:
        rng = stream(seed, "kid", cell.name)
        vectors = population(cell, rng)
        true = truth(vectors)
        found = []
        for _ in range(simulations):
            images, drawn = sample(cell, vectors, rng)
            sides = {"a": np.flatnonzero(images.real), "b": np.flatnonzero(~images.real)}
            weights = np.full(cell.categories, 1 / cell.categories)
            one = kernel_distances(images, drawn, sides, "a", weights)["b"]
            low, high = one.bounds(LEVEL)
            found.append((one.value, one.error, low <= true <= high))
        values, errors, held = np.array(found).T
        spread = values.std(ddof=1)
        bias = (values.mean() - true) / spread * np.sqrt(simulations)
        yield (
            f"| {cell.name} | {true:.4f} | {bias:+.1f} | {spread:.4f} | {errors.mean():.4f} | "
            f"{held.mean():.3f} |"
        )


def p(simulations: int, seed: int) -> Iterator[str]:
    """A row for each design: how often p is at most some values, the halves being alike."""
    yield "| photographs | p <= .05 | <= .1 | <= .25 | <= .5 | mean accuracy |"
    yield "|---|---|---|---|---|---|"
    cells = [
        Cell("17 categories of 12", 17, (12, 12)),
        Cell("one category of 60", 1, (60, 60)),
        Cell("10 of 40, in groups of 4", 10, (40, 40), group=4),
        Cell("17 of 4", 17, (4, 4)),
        Cell("10 of 20 alone, generated in groups of 4", 10, (20, 20), group=4, alone=True),
        Cell("10 of 12 alone, generated in groups of 3", 10, (12, 12), group=3, alone=True),
    ]
    for cell in cells:
        rng = stream(seed, "p", cell.name)
        vectors = population(cell, rng)
        found = []
        for number in range(simulations):
            images, drawn = sample(cell, vectors, rng)
            one, other = np.flatnonzero(images.real), np.flatnonzero(~images.real)
            if not cell.alone:
                (halving,) = halve(images, 1, number).each
                one, other = halving.reference, halving.compared["photo"]
            told = tell_apart(images, drawn, one, other, rng, 99)
            found.append((told.p, told.accuracy))
        values, accuracies = np.array(found).T
        shares = " | ".join(f"{(values <= at + 1e-9).mean():.3f}" for at in (0.05, 0.1, 0.25, 0.5))
        yield f"| {cell.name} | {shares} | {accuracies.mean():.3f} |"


def floor(simulations: int, seed: int) -> Iterator[str]:
    """A row for each design: how often other halves lie between the bounds of the first row."""
    yield "| photographs | inside |"
    yield "|---|---|"
    for cell in (CELLS[0], CELLS[1], Cell("10 of 40, in groups of 4", 10, (40, 40), group=4)):
        rng = stream(seed, "floor", cell.name)
        vectors = population(cell, rng)
        inside = []
        for number in range(simulations):
            images, drawn = sample(cell, vectors, rng)
            rows, _ = measure_distances(images, drawn, 5, 10, 0, number, LEVEL)
            row = rows[rows["generator"] == "photo"].iloc[0]
            images, drawn = sample(cell, vectors, rng)
            weights = np.full(cell.categories, 1 / cell.categories)
            one, other = halve(images, 1, number).each[0].halves
            fresh = kernel_distances(images, drawn, {"a": one, "b": other}, "a", weights)["b"]
            inside.append(row["kid_low"] <= fresh.value <= row["kid_high"])
        yield f"| {cell.name} | {np.mean(inside):.3f} |"


def neighbours(simulations: int, seed: int) -> Iterator[str]:
    """A row for each design and measure: spread, what the bounds say of it, and coverage."""
    yield "| design | measure | mean | sd | half width / 1.96 | coverage |"
    yield "|---|---|---|---|---|---|"
    cells = [
        Cell("17 x 24, 12, no difference", 17, (24, 12), length=16),
        Cell("17 x 24, 12, some difference", 17, (24, 12), length=16, shift=2.0),
        Cell("1 x 60, 30, no difference", 1, (60, 30), length=16),
        Cell("5 x 80, 40, some difference", 5, (80, 40), length=16, shift=1.5),
        Cell("5 x 80, 40, in groups of 4", 5, (80, 40), length=16, shift=1.5, group=4),
    ]
    for cell in cells:
        rng = stream(seed, "neighbours", cell.name)
        vectors = population(cell, rng)
        found = []
        for number in range(simulations):
            images, drawn = sample(cell, vectors, rng)
            rows, _ = measure_distances(images, drawn, 5, 5, 0, number, LEVEL)
            found.append(rows.set_index("generator").loc["generated"])
        for measure in ("precision", "recall", "density", "coverage"):
            columns = (f"{measure}{end}" for end in ("", "_low", "_high"))
            values, low, high = (np.array([row[name] for row in found]) for name in columns)
            mean = values.mean()
            held = np.mean((low <= mean) & (mean <= high))
            yield (
                f"| {cell.name} | {measure} | {mean:.3f} | {values.std(ddof=1):.3f} | "
                f"{np.mean(high - low) / 3.92:.3f} | {held:.3f} |"
            )


def large(images: int, length: int, seed: int) -> tuple[Images, Vectors]:
    """Images of 17 categories, a third of them photographs, of two generators else."""
    rng = np.random.default_rng(seed)
    category: Numbers = np.arange(images) % 17
    source: Numbers = np.arange(images) // 17 % 3
    centres = rng.standard_normal((17, length)).astype(np.float32)
    vectors = centres[category] + rng.standard_normal((images, length), np.float32)
    vectors[source == 0, 0] += 1
    names = np.array([f"{number:07d}.png" for number in range(images)], dtype=object)
    about = Images(
        names,
        tuple(f"{number:02d}" for number in range(17)),
        category,
        ("a", "b", "photo"),
        source,
        source == 2,
        np.arange(images),
    )
    return about, np.maximum(vectors, 0)


def timed(what: str, size: int, length: int, seed: int) -> Iterator[str]:
    """Time and memory of one of the programs' work."""
    images, vectors = large(size, length, seed)
    before, wall = time.process_time(), time.perf_counter()
    if what == "map":
        map_images(images, vectors, 30, 20_000, seed)
    else:
        measure_distances(images, vectors, 5, 10, 99, seed, LEVEL)
    spent, passed = time.process_time() - before, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    yield f"{what}, {size:,} x {length}: {passed:.0f} s, {spent:.0f} s of processor, {peak:.1f} GiB"


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("kid", "p", "floor", "neighbours", "measure", "map"))
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--images", type=int, default=51_000)
    parser.add_argument("--length", type=int, default=768)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.what in ("measure", "map"):
        lines = timed(args.what, args.images, args.length, args.seed)
    else:
        of = {"kid": kid, "p": p, "floor": floor, "neighbours": neighbours}
        lines = of[args.what](args.simulations, args.seed)
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main()

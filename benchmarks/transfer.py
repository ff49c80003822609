#!/usr/bin/env python3
"""How often the intervals of transfer hold the truth, by simulation, and what transfer costs.

A world has two sources, photographs and one generator: features are normal about a centre of each
category and source, and images of a unit (a prompt) have a part of their deviation in common. Each
simulation draws new images, all of them, and runs the whole procedure. The truth is what heads
trained on fresh images get on fresh images, on average over many of both.

    python benchmarks/transfer.py                 # coverage, a row a world
    python benchmarks/transfer.py --only few      # one of them
    python benchmarks/transfer.py --cost 1000     # time and memory with so many images a category
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from synthsight.features.samples import Images, Vectors
from synthsight.statistics.intervals import share_interval
from synthsight.statistics.moments import Sample as Items
from synthsight.statistics.ranking import stream
from synthsight.transfer import crossfit
from synthsight.transfer.design import design
from synthsight.transfer.heads import Sample, axes_of, predict
from synthsight.transfer.rows import Tested
from synthsight.transfer.train_heads import train_heads

LEVEL = 0.95

#: Fresh images of each category and source that a head is tested on for the truth.
_FRESH = 100


@dataclass(frozen=True)
class World:
    """What images are drawn from.

    Attributes:
        images: of a category and source.
        size: images of a category to train on.
        apart: how far categories' centres are apart.
        shift: how far a generator's centres are from those of photographs.
        group: images of a unit.
        common: the share of a deviation's variance that a unit has in common.
        categories: their number.
        length: of the features.
        folds: as in the settings.
        prompts: whether a unit has images of both sources, with a part in common.
    """

    images: int
    size: int
    apart: float
    shift: float
    group: int = 1
    common: float = 0.0
    categories: int = 5
    length: int = 20
    folds: int = 3
    prompts: bool = False

    def centres(self) -> npt.NDArray[np.float64]:
        """Of the sources and categories (2, categories, length); the generator first."""
        rng = np.random.default_rng(1)
        real = rng.normal(size=(self.categories, self.length)) * self.apart
        return np.stack([real + rng.normal(size=real.shape) * self.shift, real])

    def draw(self, rng: np.random.Generator, images: int) -> tuple[Images, Vectors]:
        """New images, so many of each category and source."""
        shape = (2, self.categories, images // self.group, self.group)
        shared = (1, *shape[1:3]) if self.prompts else shape[:3]
        together = rng.normal(size=(*shared, 1, self.length)) * self.common**0.5
        alone = rng.normal(size=(*shape, self.length)) * (1 - self.common) ** 0.5
        vectors = self.centres()[:, :, None, None] + together + alone
        source, category, unit, member = (each.ravel() for each in np.indices(shape))
        number = np.ravel_multi_index((source, category, unit), shape[:3])
        names = [f"{n:06d}/{m}" for n, m in zip(number, member, strict=True)]
        if self.prompts:
            number %= shape[1] * shape[2]
        known = Images(
            np.array(names, dtype=object),
            tuple(f"c{each:02d}" for each in range(self.categories)),
            category,
            ("drawn", "photo"),
            source,
            source == 1,
            number,
        )
        return known, vectors.reshape(len(names), -1).astype(np.float32)


WORLDS = {
    "many images": World(45, 28, 0.5, 0.4),
    "few images": World(12, 7, 0.5, 0.4),
    "few, apart": World(12, 7, 0.9, 0.5),
    "few, far from real": World(12, 7, 0.5, 0.9),
    "five to train on, many images": World(45, 5, 0.5, 0.4),
    "groups of 4": World(48, 28, 0.5, 0.4, 4, 0.5),
    "few groups of 4": World(24, 14, 0.5, 0.4, 4, 0.5),
    "prompts in common": World(12, 7, 0.5, 0.4, 1, 0.5, prompts=True),
    "prompts of many images": World(45, 28, 0.5, 0.4, 1, 0.5, prompts=True),
    "nothing to learn": World(12, 7, 0.0, 0.0),
    "two to train on": World(30, 2, 0.5, 0.4),
    "two categories": World(12, 7, 0.5, 0.4, categories=2),
    "thirty categories": World(12, 7, 0.5, 0.4, categories=30),
    "long features": World(20, 12, 0.2, 0.15, categories=17, length=300),
}


def simulate(name: str, world: World, simulations: int, resamples: int) -> None:
    """Print how often intervals hold the truth."""
    kinds = ("real", "GAN-train", "GAN-test", "within")
    found: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    truths: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    parts: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    for number in range(simulations):
        rng = stream(number, "transfer", name)
        images, vectors = world.draw(rng, world.images)
        plan = design(images, [world.size], world.folds, number)
        weights = crossfit.weights_of_units(int(images.unit.max()) + 1, resamples, number)
        fits = crossfit.fit(images, vectors, plan, world.size, weights, number)
        tested = Tested(images, plan, world.size, fits, weights, LEVEL)
        by_category = tested.categories().groupby(["train", "test"])
        for row in tested.pairs().itertuples():
            cells = by_category.get_group((row.train, row.test))
            parts[row.measure].append(cells[["low", "high"]].to_numpy().T)
            a = fits.names.index(row.train)
            here = plan.sources[row.test]
            hits = (fits.taken[a] == plan.label)[here][:, None]
            spread = Items(plan.label[here], images.unit[here]).moments(hits).mean()
            only = [float(each[0]) for each in share_interval(spread, LEVEL)]
            values = (row.top1, row.low, row.high, *only)
            found[row.measure].append(
                (*values, row.difference, row.difference_low, row.difference_high)
            )
        for trained, gets in fresh(world, rng).items():
            truths[trained].append(gets)
    means = {kind: float(np.mean(truths[kind])) for kind in kinds}
    for kind in kinds:
        each = np.array(found[kind])
        truth = means[kind]
        covers = np.mean((each[:, 1] <= truth) & (truth <= each[:, 2]))
        only = np.mean((each[:, 3] <= truth) & (truth <= each[:, 4]))
        low, high = np.moveaxis(parts[kind], 1, 0)
        of_category = np.mean(truths[kind], axis=0)
        within = np.mean((low <= of_category) & (of_category <= high))
        gap = truth - means["real"]
        paired = np.mean((each[:, 6] <= gap) & (gap <= each[:, 7]))
        print(
            f"| {name} | {kind} | {truth:.3f} | {each[:, 0].mean():.3f} | {covers:.3f} | "
            f"{np.mean(each[:, 2] - each[:, 1]):.3f} | {only:.3f} | "
            f"{'' if kind == 'real' else f'{paired:.3f}'} | {within:.3f} | "
            f"{np.mean(high - low):.3f} |",
            flush=True,
        )


def fresh(world: World, rng: np.random.Generator) -> dict[str, npt.NDArray[np.float64]]:
    """What a head trained on fresh images of each source gets on fresh ones, by category."""
    # As many units as are outside a fold, and the first images of all before the second ones.
    units = min(world.size, world.images * (world.folds - 1) // world.folds // world.group)
    images, vectors = world.draw(rng, units * world.group)
    unit, member = np.divmod(
        np.tile(np.arange(units * world.group), 2 * world.categories), world.group
    )
    first = member * units + unit < world.size
    tests, of_tests = world.draw(rng, _FRESH)
    found = {}
    for source, names in enumerate((("within", "GAN-train"), ("GAN-test", "real"))):
        mine = (images.generator == source) & first
        axes = axes_of(vectors[mine])
        columns = axes.columns(vectors[mine])
        sample = Sample(columns, images.category[mine], images.unit[mine], world.categories)
        head = sample.train(sample.penalty(0))
        hits = predict(head, axes.columns(of_tests))[0] == tests.category
        for test, name in enumerate(names):
            here = tests.generator == test
            found[name] = np.bincount(tests.category[here], hits[here]) / _FRESH
    return found


def cost(images: int, length: int, resamples: int, threads: int, steps: list[str]) -> None:
    """Print time and memory with 17 categories and two generators beside the photographs."""
    rng = np.random.default_rng(0)
    shape = (3, 17, images)
    source, category, _ = (each.ravel() for each in np.indices(shape))
    count = len(source)
    mix = rng.normal(size=(64, length)).astype(np.float32)
    centres = rng.normal(size=(3, 17, 64)).astype(np.float32) * 0.5
    vectors = centres[source, category]
    vectors += rng.normal(size=vectors.shape).astype(np.float32)
    vectors = vectors @ mix
    vectors += rng.normal(size=vectors.shape).astype(np.float32)
    known = Images(
        np.array([f"{each:06d}" for each in range(count)], dtype=object),
        tuple(f"c{each:02d}" for each in range(17)),
        category,
        ("a", "b", "photo"),
        source,
        source == 2,
        np.arange(count),
    )
    wanted = [each if each == "max" else int(each) for each in steps]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, processor = time.perf_counter(), time.process_time()
    with threadpool_limits(threads):
        train_heads(known, vectors, wanted, 5, resamples, 0, LEVEL)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{images} images x 17 categories x 3 sources x {length} numbers, steps {wanted}, "
        f"{resamples} resamples, {threads} threads: {time.perf_counter() - start:.0f} s, "
        f"{time.process_time() - processor:.0f} s of processor; {before / 2**20:.2f} GiB before, "
        f"{after / 2**20:.2f} GiB at most"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=50)
    parser.add_argument("--only", default="", help="worlds whose name holds this")
    parser.add_argument("--cost", type=int, help="images of a category")
    parser.add_argument("--length", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", nargs="+", default=["5", "10", "20", "50", "max"])
    arguments = parser.parse_args()
    if arguments.cost:
        cost(
            arguments.cost,
            arguments.length,
            arguments.resamples,
            arguments.threads,
            arguments.steps,
        )
        return
    print(
        "| world | measure | truth | mean | coverage | width | test images only | difference "
        "| categories | width |"
    )
    print(f"|{'---|' * 10}")
    with threadpool_limits(1):
        for name, world in WORLDS.items():
            if arguments.only in name:
                simulate(name, world, arguments.simulations, arguments.resamples)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How often the nominal 95% intervals hold the true value, by simulation, over a grid of designs.

Images are drawn from known rates, and the intervals are made by the functions that the workflow
uses. The share of simulations in which an interval holds the truth is its coverage. All simulations
of a cell of the grid are columns of the same moments, so that the grid takes minutes. A cell near
the bound is measured again, with ten times as many simulations of its own, and only these count.

Groups (of images of one prompt, or of questions about one image) are drawn such that each item has
its group's common outcome with the probability sqrt(icc), and one of its own else: any two items of
a group then have the correlation icc.

Prints a table for docs/methods.md and the cells below the bound; exits with 1 if one of these is no
stated exception. "Before" is the percentile bootstrap within categories that these intervals took
the place of, on those cells of the same row where it is cheap: single items, up to 17 categories.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from synthsight.statistics.agreement import design_effects, kappa_interval, kappa_of
from synthsight.statistics.intervals import paired_interval, share_interval, unpaired_interval
from synthsight.statistics.moments import Moments, moments_of_units
from synthsight.statistics.ranking import stream

LEVEL = 0.95

#: The least coverage that a cell may have, and below which it is measured again.
BOUND, NEAR = 0.93, 0.94

#: Cells that may be below the bound: how their interval and their name begin, how low they may
#: be, and why.
EXCEPTIONS = (("accuracy in a category, groups", "1 x 25", 0.915, "Wilson's steps with 25 images"),)

#: Simulations that the old bootstrap is tried in, and its resamples.
TRIED, RESAMPLES = 100, 300

#: Questions of an image on average, and the share whose answer is yes, as in the paper.
PER_IMAGE, SHARE_YES = 4.82, 132 / 241

#: Numbers drawn at a time: the bound on memory.
_ENTRIES = 2_000_000

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int64]
Bounds = tuple[Floats, Floats]

#: Rates of hits of the categories: one for all, or a range that each category's is drawn from.
RATES: tuple[tuple[float, float], ...] = (
    *((p, p) for p in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)),
    *((0.0, 0.2), (0.2, 0.9), (0.9, 1.0), (0.0, 1.0)),
    (0.9, 0.1),  # the wrong way round: one or the other
)

#: Numbers of images of the categories.
SIZES: dict[str, tuple[int, ...]] = {
    **{
        f"{count} x {images}": (images,) * count
        for count in (1, 3, 17, 100)
        for images in (1, 2, 3, 5, 12, 100)
    },
    "16 x 24 + 1": (*[24] * 16, 1),
    "12 x 100 + 5 x 1": (*[100] * 12, *[1] * 5),
    "16 x 100 + 1": (*[100] * 16, 1),
    "100 + 1": (100, 1),
    "2 x 100 + 1": (100, 100, 1),
    "1, 2, 3, 5, 12, 100": (1, 2, 3, 5, 12, 100),
}


@dataclass(frozen=True)
class Units:
    """The units of a sample, see :func:`synthsight.statistics.moments.moments_of_units`."""

    strata: Codes
    groups: Codes
    size: Counts

    @staticmethod
    def of(sizes: Sequence[int], group: int = 1) -> Units:
        """Categories of these sizes, all in groups of ``group`` images, or each image by itself."""
        if group == 1:
            return Units(np.arange(len(sizes)), np.full(len(sizes), -1), np.array(sizes))
        each = np.array(sizes) // group
        strata = np.repeat(np.arange(len(sizes)), each)
        return Units(strata, np.arange(len(strata)), np.full(len(strata), group))

    def moments(self, counts: Counts, scores: Sequence[int], scale: int = 1) -> Moments:
        """The moments of a score of the outcomes, from :func:`draw`'s counts."""
        weights = np.array(scores)
        sums, squares = (np.tensordot(weights**power, counts, 1) for power in (1, 2))
        return moments_of_units(self.strata, self.groups, self.size, sums, squares, scale)

    @property
    def alone(self) -> Units:
        """The same, taking each item as a group of its own."""
        return replace(self, groups=np.full(len(self.strata), -1))


def draw(units: Units, shares: Floats, icc: float, rng: np.random.Generator) -> Counts:
    """How many items of each unit have each outcome, (outcomes, units, simulations).

    Args:
        units: the sample.
        shares: (outcomes, strata, simulations), the probabilities of the outcomes.
        icc: the correlation within groups.
        rng: source of randomness.
    """
    p = shares[:, units.strata]
    size = np.broadcast_to(units.size[:, None], p.shape[1:])
    counts = np.zeros(p.shape, np.int64)
    common = np.zeros_like(size)
    if icc > 0:
        common = rng.binomial(size, np.sqrt(icc))
        codes = np.unique(units.groups, return_inverse=True)[1]
        place = rng.random((codes.max() + 1, p.shape[2]))[codes]
        outcome = (place > np.cumsum(p, axis=0)[:-1]).sum(axis=0)
        np.put_along_axis(counts, outcome[None], common[None], axis=0)
    rest, left = size - common, np.ones(p.shape[1:])
    for number in range(len(p) - 1):
        share = np.divide(p[number], left, out=np.zeros_like(left), where=left > 1e-12)
        drawn = rng.binomial(rest, np.clip(share, 0, 1))
        counts[number] += drawn
        rest, left = rest - drawn, left - p[number]
    counts[-1] += rest
    return counts


def rates(kind: tuple[float, float], shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Rates of hits by category and simulation, see :data:`RATES`."""
    low, high = kind
    if low > high:
        return np.where(rng.random(shape) < 0.5, low, high)
    return low + (high - low) * rng.random(shape)


def two(p: Floats) -> Floats:
    """The shares of the outcomes hit and miss."""
    return np.stack([p, 1 - p])


@dataclass(frozen=True)
class Drawn:
    """Some simulations of a cell: the truth, the bounds, and others to compare these with."""

    truth: Floats
    bounds: Bounds
    itemwise: Bounds | None = None
    before: Callable[[np.random.Generator], Bounds] | None = None


Simulate = Callable[[int, np.random.Generator], Drawn]


@dataclass(frozen=True)
class Cell:
    """A cell of the grid.

    Attributes:
        interval: the row of the printed table.
        name: says what is drawn.
        simulate: draws a number of simulations.
        entries: how many numbers a simulation takes.
    """

    interval: str
    name: str
    simulate: Simulate
    entries: int = 1


@dataclass
class Found:
    """How often bounds held the truth, and how wide they were."""

    held: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    width: list[Floats] = field(default_factory=list)

    def add(self, truth: Floats, bounds: Bounds) -> None:
        """Count some simulations; those without bounds (an undefined kappa) do not count."""
        known = ~np.isnan(bounds[0])
        inside = (bounds[0] <= truth + 1e-9) & (truth - 1e-9 <= bounds[1])
        self.held.append(np.broadcast_to(inside, known.shape)[known])
        self.width.append((bounds[1] - bounds[0])[known])

    @property
    def coverage(self) -> float:
        """The share that held it; NaN without any."""
        held = np.concatenate(self.held) if self.held else np.empty(0)
        return float(held.mean()) if len(held) else np.nan

    @property
    def mean_width(self) -> float:
        """NaN without any."""
        width = np.concatenate(self.width) if self.width else np.empty(0)
        return float(width.mean()) if len(width) else np.nan


@dataclass(frozen=True)
class Measured:
    """A cell's coverage, and those of other intervals."""

    cell: Cell
    ours: Found
    itemwise: Found
    before: Found

    @property
    def excuse(self) -> str:
        """Why it may be as low as it is, from :data:`EXCEPTIONS`; empty if it may not."""
        for interval, name, least, why in EXCEPTIONS:
            fits = self.cell.interval.startswith(interval) and self.cell.name.startswith(name)
            if fits and self.ours.coverage >= least:
                return why
        return ""


def measure(cell: Cell, simulations: int, seed: int) -> Measured:
    """Simulate a cell, and again with ten times as many if it is near the bound."""
    for times in (1, 10):
        rng = stream(seed, "coverage", cell.interval, cell.name, str(times))
        measured = Measured(cell, Found(), Found(), Found())
        step = max(1, min(simulations, _ENTRIES // cell.entries))
        for start in range(0, times * simulations, step):
            drawn = cell.simulate(min(step, times * simulations - start), rng)
            measured.ours.add(drawn.truth, drawn.bounds)
            if drawn.itemwise is not None:
                measured.itemwise.add(drawn.truth, drawn.itemwise)
            if drawn.before is not None and start == 0:
                bounds = drawn.before(rng)
                measured.before.add(np.broadcast_to(drawn.truth, step)[: len(bounds[0])], bounds)
        if not measured.ours.coverage < NEAR:
            break
    return measured


# --- What is drawn ------------------------------------------------------------------------------


def resample(counts: Counts, size: Counts, scores: Sequence[int]) -> Callable[..., Bounds]:
    """The interval used before: percentiles of means of images drawn anew within each category.

    The resampled means are stretched about the observed ones by sqrt(n / (n - 1)), where n > 1.
    """
    some, n = counts[:, :, :TRIED, None], size[:, None, None]

    def bounds(rng: np.random.Generator) -> Bounds:
        value, observed = np.zeros((1, 1, 1)), np.zeros((1, 1, 1))
        rest, left = np.broadcast_to(n, (*some.shape[1:3], RESAMPLES)), np.ones(some.shape[1:])
        for share, score in zip(some / n, scores, strict=True):
            ratio = np.divide(share, left, out=np.zeros_like(left), where=left > 1e-12)
            drawn = rng.binomial(rest, np.clip(ratio, 0, 1))
            rest, left = rest - drawn, left - share
            value, observed = value + score * drawn / n, observed + score * share
        stretched = observed + np.sqrt(n / np.maximum(n - 1, 1)) * (value - observed)
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(stretched.mean(axis=0), [tail, 1 - tail], axis=-1)
        return low, high

    return bounds


def draw_mean(
    sizes: tuple[int, ...],
    kind: tuple[float, float],
    group: int,
    icc: float,
    simulations: int,
    rng: np.random.Generator,
) -> Drawn:
    """The mean over categories of a model's accuracies."""
    units = Units.of(sizes, group)
    p = rates(kind, (len(sizes), simulations), rng)
    counts = draw(units, two(p), icc, rng)
    bounds = share_interval(units.moments(counts, [1, 0]).mean(), LEVEL)
    if group > 1:
        alone = share_interval(units.alone.moments(counts, [1, 0]).mean(), LEVEL)
        return Drawn(p.mean(axis=0), bounds, itemwise=alone)
    before = resample(counts, units.size, [1, 0]) if len(sizes) <= 17 else None
    return Drawn(p.mean(axis=0), bounds, before=before)


def pair_bounds(units: Units, counts: Counts) -> Bounds:
    """Bounds on the difference, with the outcomes of :func:`kappa_shares`."""
    difference, plus, minus = (
        units.moments(counts, scores).mean()
        for scores in ([0, 1, -1, 0], [0, 1, 0, 0], [0, 0, 1, 0])
    )
    return paired_interval(difference, plus, minus, LEVEL)


def draw_pair(
    sizes: tuple[int, ...],
    only: tuple[float, float] | None,
    group: int,
    icc: float,
    simulations: int,
    rng: np.random.Generator,
) -> Drawn:
    """The difference of two models, or rules: the rates at which only one gets an image.

    None: the shares of each category are drawn from a Dirichlet distribution.
    """
    units = Units.of(sizes, group)
    if only is None:
        shares = rng.dirichlet([4, 2, 1, 3], (len(sizes), simulations)).transpose(2, 0, 1)
    else:
        both = (1 - sum(only)) * 0.6
        column = np.array([both, *only, 1 - both - sum(only)])[:, None, None]
        shares = np.broadcast_to(column, (4, len(sizes), simulations))
    counts = draw(units, shares, icc, rng)
    truth = (shares[1] - shares[2]).mean(axis=0)
    if group > 1:
        alone = pair_bounds(units.alone, counts)
        return Drawn(truth, pair_bounds(units, counts), itemwise=alone)
    before = resample(counts, units.size, [0, 1, -1, 0]) if len(sizes) <= 17 else None
    return Drawn(truth, pair_bounds(units, counts), before=before)


def draw_drop(
    sides: tuple[tuple[int, ...], tuple[int, ...]],
    kinds: tuple[tuple[float, float], tuple[float, float]],
    models: int,
    group: int,
    icc: float,
    simulations: int,
    rng: np.random.Generator,
) -> Drawn:
    """The difference of two generators (or photographs and a generator), of the mean of models.

    With several models, each image is as hard for all: the number that get it is uniform mixed with
    a binomial one.
    """
    means: list[Floats] = []
    of_sides: list[Bounds] = []
    truth = np.zeros(simulations)
    for sizes, kind, sign in zip(sides, kinds, (1, -1), strict=True):
        units, p = Units.of(sizes, group), rates(kind, (len(sizes), simulations), rng)
        scores = list(range(models + 1))
        extreme = np.zeros((models + 1, *p.shape))
        extreme[0], extreme[-1] = 1 - p, p
        shares = (binom.pmf(np.array(scores)[:, None, None], models, p) + extreme) / 2
        spread = units.moments(draw(units, shares, icc, rng), scores, models).mean()
        means.append(spread.mean)
        of_sides.append(share_interval(spread, LEVEL))
        truth = truth + sign * p.mean(axis=0)
    return Drawn(truth, unpaired_interval(means[0], of_sides[0], means[1], of_sides[1]))


def draw_kappa(
    n: int,
    rights: tuple[float, float],
    kappa: float,
    group: int,
    icc: float,
    simulations: int,
    rng: np.random.Generator,
) -> Drawn:
    """Kappa of two models of these accuracies; where it is undefined, nothing is counted."""
    shares = np.array(kappa_shares(*rights, kappa))[:, None, None]
    units = Units.of([n], group)
    counts = draw(units, np.broadcast_to(shares, (4, 1, simulations)), icc, rng)
    cells = counts.sum(axis=1).astype(np.float64)
    estimate = kappa_of(cells)[2]
    effect = design_effects(counts.astype(np.float64)) if group > 1 else 1
    low, high = kappa_interval(cells, LEVEL, effect)
    bounds = (np.minimum(low, estimate), np.maximum(high, estimate))  # NaN where kappa is
    if group == 1:
        return Drawn(np.array(kappa), bounds)
    low, high = kappa_interval(cells, LEVEL)
    itemwise = (np.minimum(low, estimate), np.maximum(high, estimate))
    return Drawn(np.array(kappa), bounds, itemwise=itemwise)


def kappa_shares(p: float, q: float, kappa: float) -> list[float]:
    """The shares of both, only the first, only the second, neither; below 0 if there are none."""
    expected = p * q + (1 - p) * (1 - q)
    both = (expected + kappa * (1 - expected) + p + q - 1) / 2
    return [both, p - both, q - both, 1 - p - q + both]


def draw_questions(
    kind: str,
    images: int,
    p: float,
    icc: float,
    simulations: int,
    rng: np.random.Generator,
) -> Drawn:
    """Accuracies of questions, of which an image has 4.82 on average, at least one."""
    sizes = 1 + rng.poisson(PER_IMAGE - 1, images)
    image = np.arange(images)
    if kind == "balanced":
        yes = rng.binomial(sizes, SHARE_YES)
        if yes.sum() in (0, sizes.sum()):  # both kinds have to be asked
            yes[0] = sizes[0] if yes.sum() == 0 else 0
        units = Units(np.repeat([0, 1], images), np.tile(image, 2), np.append(sizes - yes, yes))
        asked = units.size > 0
        units = Units(units.strata[asked], units.groups[asked], units.size[asked])
        of = np.broadcast_to(np.array([[p - 0.03], [p + 0.03]]), (2, simulations))
        counts = draw(units, two(of), icc, rng)
    else:
        units = Units(np.zeros(images, np.int64), image, sizes)
        shares = two(np.full((1, simulations), p))
        if kind == "difference":
            column = np.array([p - 0.1, 0.1, 0.05, 0.95 - p])[:, None, None]
            shares = np.broadcast_to(column, (4, 1, simulations))
        counts = draw(units, shares, icc, rng)
    if kind == "difference":
        alone, bounds = (pair_bounds(of, counts) for of in (units.alone, units))
        return Drawn(np.array(0.05), bounds, itemwise=alone)
    alone, bounds = (
        share_interval(of.moments(counts, [1, 0]).mean(), LEVEL) for of in (units.alone, units)
    )
    return Drawn(np.array(p), bounds, itemwise=alone)


# --- The grid -----------------------------------------------------------------------------------

#: Shares of images that only one of two gets.
MODELS = (
    (0.01, 0.01),
    (0.05, 0.05),
    (0.1, 0.05),
    (0.2, 0.1),
    (0.3, 0.3),
    (0.45, 0.45),
    (0.9, 0.05),
)
NESTED = tuple((0.0, share) for share in (0.01, 0.05, 0.1, 0.3, 0.5, 0.9))

#: Numbers of groups of four images of the categories.
GROUPED = {
    f"{count} x {groups}": (4 * groups,) * count
    for count in (1, 3, 17)
    for groups in (1, 2, 3, 5, 12, 25)
}
ICC = (0.0, 0.3, 0.8, 1.0)

_FEW_RATES = ((0.05, 0.05), (0.3, 0.3), (0.5, 0.5), (0.9, 0.9), (0.98, 0.98), (0.0, 1.0))


def grid() -> Iterator[Cell]:
    """All cells."""
    for (name, sizes), kind in itertools.product(SIZES.items(), RATES):
        row = "accuracy in a category, agreement" if len(sizes) == 1 else "mean over categories"
        yield Cell(
            row, f"{name}, {said(kind)}", partial(draw_mean, sizes, kind, 1, 0.0), len(sizes)
        )
    for images, kind in itertools.product((8, 20, 50, 200), RATES):
        name = f"1 x {images}, {said(kind)}"
        simulate = partial(draw_mean, (images,), kind, 1, 0.0)
        yield Cell("accuracy in a category, agreement", name, simulate)
    for (name, sizes), kind, icc in itertools.product(GROUPED.items(), _FEW_RATES, ICC):
        row = "accuracy in a category" if len(sizes) == 1 else "mean over categories"
        simulate = partial(draw_mean, sizes, kind, 4, icc)
        yield Cell(
            f"{row}, groups of 4", f"{name}, {said(kind)}, icc {icc:g}", simulate, sum(sizes)
        )
    for (name, sizes), only in itertools.product(SIZES.items(), (*MODELS, None, *NESTED)):
        row = "difference of rules" if only in NESTED else "difference of models"
        simulate = partial(draw_pair, sizes, only, 1, 0.0)
        yield Cell(row, f"{name}, {said_of_pair(only)}", simulate, 4 * len(sizes))
    some = (*MODELS[1:6:2], None, *NESTED[1::2])
    for (name, sizes), only, icc in itertools.product(GROUPED.items(), some, ICC):
        simulate = partial(draw_pair, sizes, only, 4, icc)
        place = f"{name}, {said_of_pair(only)}, icc {icc:g}"
        yield Cell("difference of models or rules, groups of 4", place, simulate, 4 * sum(sizes))
    yield from _drops()
    yield from _kappas_and_questions()


def _drops() -> Iterator[Cell]:
    sides = [
        (f"{count} x {a} and {b}", ((a,) * count, (b,) * count))
        for count in (1, 3, 17, 100)
        for a, b in ((1, 1), (2, 2), (3, 3), (5, 5), (12, 12), (100, 100), (1, 100), (3, 24))
    ]
    for name in ("16 x 24 + 1", "12 x 100 + 5 x 1", "16 x 100 + 1", "100 + 1"):
        sides.append((f"{name} and x 24", (SIZES[name], (24,) * len(SIZES[name]))))
    kinds = (
        *(((p, p), (q, q)) for p, q in ((0.9, 0.5), (0.9, 0.9), (0.98, 0.9), (0.5, 0.5))),
        *(((p, p), (q, q)) for p, q in ((0.1, 0.05), (0.99, 0.99), (0.02, 0.02))),
        ((0.9, 1.0), (0.2, 0.9)),
        ((0.0, 1.0), (0.0, 1.0)),
    )
    for (name, sizes), both, models in itertools.product(sides, kinds, (1, 5)):
        row = "drop, difference of generators" + ("" if models == 1 else ", mean over 5 models")
        simulate = partial(draw_drop, sizes, both, models, 1, 0.0)
        place = f"{name}, {said(both[0])} and {said(both[1])}"
        yield Cell(row, place, simulate, len(sizes[0]) * (models + 1))
    for (name, of), both, icc in itertools.product(GROUPED.items(), kinds[::2], ICC):
        simulate = partial(draw_drop, (of, of), both, 1, 4, icc)
        place = f"{name}, {said(both[0])} and {said(both[1])}, icc {icc:g}"
        yield Cell("drop, difference of generators, groups of 4", place, simulate, sum(of) * 2)


def _kappas_and_questions() -> Iterator[Cell]:
    rights = [
        (0.5, 0.5),
        (0.7, 0.5),
        (0.7, 0.9),
        (0.9, 0.9),
        (0.95, 0.95),
        (0.99, 0.99),
        (0.6, 0.99),
    ]
    for both, kappa in itertools.product(rights, (-0.05, 0.0, 0.2, 0.5, 0.9)):
        if min(kappa_shares(*both, kappa)) < 0:
            continue
        said_ = f"accuracies {both[0]:g} and {both[1]:g}, kappa {kappa:g}"
        for n in (12, 20, 50, 100, 300, 1700):
            yield Cell("kappa", f"{n} images, {said_}", partial(draw_kappa, n, both, kappa, 1, 0.0))
        for n, icc in itertools.product((48, 100, 300), ICC):
            simulate = partial(draw_kappa, n, both, kappa, 4, icc)
            yield Cell("kappa, groups of 4", f"{n} images, {said_}, icc {icc:g}", simulate, n)
    for kind, images, p, icc in itertools.product(
        ("accuracy", "balanced", "difference"), (3, 5, 10, 50, 200), (0.5, 0.77, 0.9, 0.95), ICC
    ):
        simulate = partial(draw_questions, kind, images, p, icc)
        name = f"{images} images, {p:g}, icc {icc:g}"
        # In parts, so that the numbers of questions vary.
        yield Cell(f"questions, {kind}", name, simulate, max(8 * images, _ENTRIES // 250))


def said(kind: tuple[float, float]) -> str:
    """A cell's rates in words."""
    low, high = kind
    if low > high:
        return f"rates {high:g} or {low:g}"
    return f"rate {low:g}" if low == high else f"rates {low:g} to {high:g}"


def said_of_pair(only: tuple[float, float] | None) -> str:
    """A cell's shares of images that only one gets, in words."""
    return "any shares" if only is None else f"only one {only[0]:g} and {only[1]:g}"


# --- What is printed ----------------------------------------------------------------------------


def summarise(found: Sequence[Measured]) -> Iterator[str]:
    """The lines of the table: a row for each interval."""
    yield (
        f"| interval | cells | lowest coverage | in | under {BOUND} | median | mean width "
        "| itemwise, lowest | before: lowest, width (ours there) |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for interval in dict.fromkeys(of.cell.interval for of in found):
        cells = [of for of in found if of.cell.interval == interval]
        cells = [of for of in cells if not np.isnan(of.ours.coverage)]
        worst = min(cells, key=lambda of: of.ours.coverage)
        coverages = np.array([of.ours.coverage for of in cells])
        itemwise = [of.itemwise.coverage for of in cells if of.itemwise.held]
        tried = [of for of in cells if of.before.held]
        before = (
            ""
            if not tried
            else (
                f"{min(of.before.coverage for of in tried):.3f}, "
                f"{np.mean([of.before.mean_width for of in tried]):.3f} "
                f"({np.mean([of.ours.mean_width for of in tried]):.3f})"
            )
        )
        yield (
            f"| {interval} | {len(cells)} | {coverages.min():.3f} | {worst.cell.name} | "
            f"{(coverages < BOUND).mean():.1%} | {np.median(coverages):.3f} | "
            f"{np.mean([of.ours.mean_width for of in cells]):.3f} | "
            f"{min(itemwise, default=np.nan):.3f} | {before} |".replace("nan", "")
        )


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="a part of the names of intervals")
    parser.add_argument("--quick", action="store_true", help="every 40th cell alone")
    args = parser.parse_args()
    start = time.perf_counter()
    cells = [cell for cell in grid() if args.only in cell.interval]
    cells = cells[::40] if args.quick else cells
    work = partial(measure, simulations=args.simulations, seed=args.seed)
    with ProcessPoolExecutor(args.processes) as pool:
        found = list(pool.map(work, cells, chunksize=4))
    seconds = time.perf_counter() - start
    print(f"{len(cells)} cells, {args.simulations} simulations each, {seconds:.0f} s\n")
    print("\n".join(summarise(found)))
    below = [of for of in found if of.ours.coverage < BOUND]
    print(f"\nCells under {BOUND} ({10 * args.simulations} simulations each):")
    for of in sorted(below, key=lambda of: of.ours.coverage):
        why = of.excuse or "NO STATED EXCEPTION"
        print(f"{of.ours.coverage:.4f}  {of.cell.interval}: {of.cell.name}  ({why})")
    if any(not of.excuse for of in below):
        sys.exit(f"a coverage is below {BOUND}")


if __name__ == "__main__":
    main()

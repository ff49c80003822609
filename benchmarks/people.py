#!/usr/bin/env python3
"""How often the nominal 95% intervals of people's accuracy and agreement hold the true value.

Raters and images are drawn: rater r gets image i with probability Phi(m + a_r + b_i), a model with
Phi(m' + c b_i), where a_r and b_i are normal, so that people differ, images are of different
difficulty, and what is hard for people is hard for models. Each rater rates all images, or half of
them. The intervals are made by the functions that the workflow uses; what is true follows by
numerical integration. The share of simulations in which an interval holds it is its coverage.

Prints a row for each interval and number of raters, for docs/methods.md.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from synthsight.statistics import people_agreement
from synthsight.statistics.crossed import Design
from synthsight.statistics.people_agreement import draw_items, fleiss
from synthsight.statistics.people_kappas import among_raters, with_raters
from synthsight.statistics.ranking import stream
from synthsight.statistics.ratings import Ratings

LEVEL = 0.95
CATEGORIES = 10

#: Spread of the images' difficulty, how much of it a model shares, and the model's own level.
IMAGES, SHARED, OF_MODEL = 1.0, 0.7, 0.3

#: Draws behind each interval of kappa: fewer than in a run, since their number changes little.
DRAWS = 300

#: Points of numerical integration.
_POINTS = 60

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """A design: numbers of raters and images, how much raters differ, how good they are."""

    raters: int
    images: int
    differ: float
    level: float
    half: bool

    @property
    def name(self) -> str:
        """The design in a few words."""
        half = ", half of them each" if self.half else ""
        return f"{self.raters} raters, {self.images} images{half}, sd {self.differ}, m {self.level}"


def nodes() -> tuple[Floats, Floats]:
    """Points and weights of a standard normal variable."""
    points, weights = np.polynomial.hermite_e.hermegauss(_POINTS)
    return points, weights / weights.sum()


def truth(cell: Cell) -> dict[str, float]:
    """What the intervals should hold."""
    points, weights = nodes()
    raters, images = cell.differ * points, IMAGES * points
    right = ndtr(cell.level + raters[:, None] + images[None, :])  # (raters, images)
    model = ndtr(OF_MODEL + SHARED * images)
    of_rater, of_model = right @ weights, model @ weights

    def kappa(both: Floats, p: Floats, q: Floats) -> Floats:
        observed = 1 - p - q + 2 * both
        expected = p * q + (1 - p) * (1 - q)
        found: Floats = (observed - expected) / (1 - expected)
        return found

    with_model = kappa((right * model) @ weights, of_rater, np.full(_POINTS, of_model))
    pairs = kappa((right * weights) @ right.T, of_rater[:, None], of_rater[None, :])
    mean, share = weights @ of_rater, weights @ right
    same = (share**2 + (1 - share) ** 2) @ weights
    expected = CATEGORIES * (mean / CATEGORIES) ** 2 + (1 - mean) ** 2
    return {
        "accuracy": float(mean),
        "difference": float(of_model - mean),
        "kappa with a model": float(weights @ with_model),
        "kappa of raters": float(weights @ pairs @ weights),
        "Fleiss' kappa": float((same - expected) / (1 - expected)),
    }


def draw(cell: Cell, rng: np.random.Generator) -> tuple[Ratings, npt.NDArray[np.bool_]]:
    """Labels of raters, and the hits of a model, (images, 1)."""
    images = IMAGES * rng.standard_normal(cell.images)
    raters = cell.differ * rng.standard_normal(cell.raters)
    right = rng.random((cell.images, cell.raters)) < ndtr(cell.level + images[:, None] + raters)
    hits = rng.random(cell.images) < ndtr(OF_MODEL + SHARED * images)
    rated = np.ones_like(right)
    if cell.half:
        rated = (
            rng.permuted(np.arange(cell.images)[:, None] + np.zeros_like(right), axis=0) % 2 == 0
        )
    kept = rated.any(axis=1)
    strata = np.arange(cell.images) % CATEGORIES
    item, rater = np.nonzero(rated)
    correct = right[item, rater]
    names = np.array([f"c{each}" for each in strata], dtype=object)
    ratings = Ratings(
        items=pd.DataFrame({"category": names}),
        strata=strata,
        groups=np.arange(cell.images),
        raters=tuple(map(str, range(cell.raters))),
        item=item,
        rater=rater,
        correct=correct,
        response=np.where(correct, names[item], "other").astype(object),
    )
    return ratings.part(kept), hits[kept, None]


def measure(cell: Cell, simulations: int, seed: int) -> list[dict[str, object]]:
    """How often each interval holds the truth in a cell, and how wide it is on average."""
    people_agreement.DRAWS = DRAWS
    rng, true = stream(seed, cell.name), truth(cell)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in true}
    for _ in range(simulations):
        for name, low, high in intervals(*draw(cell, rng), rng):
            found[name].append((low, high))
    rows: list[dict[str, object]] = []
    for name, bounds in found.items():
        low, high = np.array(bounds).reshape(-1, 2).T
        low, high = low[~np.isnan(low)], high[~np.isnan(low)]
        if len(low):
            held = ((low <= true[name]) & (true[name] <= high)).mean()
            about = {"interval": name, "raters": cell.raters, "cell": cell.name}
            rows.append({**about, "coverage": held, "width": (high - low).mean()})
    return rows


def intervals(
    ratings: Ratings, hits: npt.NDArray[np.bool_], rng: np.random.Generator
) -> Iterator[tuple[str, float, float]]:
    """The bounds of all intervals on one simulation."""
    design, correct = Design(ratings), ratings.correct.astype(np.float64)
    _, low, high = design.shares(correct[:, None], LEVEL)
    yield "accuracy", float(low[0]), float(high[0])
    _, low, high = design.differences(hits.astype(np.float64), correct, LEVEL)
    yield "difference", float(low[0]), float(high[0])
    weights = draw_items(ratings, rng)
    (with_model,) = with_raters(ratings, hits, weights)
    rows = {"kappa with a model": with_model.mean(LEVEL)}
    if len(ratings.raters) > 1:
        rows["kappa of raters"] = among_raters(ratings, weights).all().mean(LEVEL)
        rows["Fleiss' kappa"] = fleiss(ratings, weights, LEVEL)
    for name, row in rows.items():
        yield name, row["low"], row["high"]


def grid() -> list[Cell]:
    """All designs."""
    full = itertools.product(
        (1, 2, 3, 5, 10), (50, 150, 300), (0.0, 0.2, 0.5), (1.0, 2.0), (False,)
    )
    half = itertools.product((3, 6, 10), (150,), (0.0, 0.2, 0.5), (1.0, 2.0), (True,))
    return [Cell(*each) for each in (*full, *half)]


def summarise(rows: Sequence[dict[str, object]]) -> Iterator[str]:
    """The lines of the table: a row for each interval and number of raters."""
    table = pd.DataFrame(rows)
    yield "| interval | raters | cells | lowest coverage | in | median | mean width |"
    yield "|---|---|---|---|---|---|---|"
    for (name, raters), cells in table.groupby(["interval", "raters"], sort=False):
        worst = cells.loc[cells["coverage"].idxmin()]
        yield (
            f"| {name} | {raters} | {len(cells)} | {worst['coverage']:.3f} | {worst['cell']} | "
            f"{cells['coverage'].median():.3f} | {cells['width'].mean():.3f} |"
        )


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="a part of the names of designs")
    parser.add_argument("--quick", action="store_true", help="every 9th cell alone")
    args = parser.parse_args()
    start = time.perf_counter()
    cells = [cell for cell in grid() if args.only in cell.name][:: 9 if args.quick else 1]
    work = partial(measure, simulations=args.simulations, seed=args.seed)
    with ProcessPoolExecutor(args.processes) as pool:
        rows = [row for part in pool.map(work, cells) for row in part]
    rows.sort(key=lambda row: (str(row["interval"]), int(str(row["raters"]))))
    seconds = time.perf_counter() - start
    print(f"{len(cells)} cells, {args.simulations} simulations each, {seconds:.0f} s\n")
    print("\n".join(summarise(rows)))


if __name__ == "__main__":
    main()

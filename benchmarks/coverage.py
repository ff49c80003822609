#!/usr/bin/env python3
"""How often the nominal 95% intervals hold the true value, by simulation.

Images are drawn from known probabilities; an interval is computed as the workflow does; the share
of simulations in which it holds the truth is its coverage. Each is printed with its Monte Carlo
standard error.

- cell: Wilson's interval of hits / n.
- mean: percentile bootstrap of the mean over categories.
- paired: of the difference between two models on the same images, which are often both right.
- unpaired: of the difference between two generators, each with images of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from statsmodels.stats.proportion import proportion_confint
from synthsight.statistics.bootstrap import percentile_interval, resampled_means

LEVEL = 0.95
CATEGORIES = 17

#: The four outcomes of an image for two models: both, only the first, only the second, neither.
OUTCOMES = np.array([[1, 1], [1, 0], [0, 1], [0, 0]], bool)


def report(name: str, held: Sequence[bool] | npt.NDArray[np.bool_]) -> None:
    """Print a coverage with its standard error."""
    coverage = np.mean(held)
    error = np.sqrt(coverage * (1 - coverage) / len(held))
    print(f"{name:<42} {coverage:.3f} +- {error:.3f}  ({len(held)} simulations)", flush=True)


def simulate_cell(
    n: int, p: float | npt.NDArray[np.float64], simulations: int, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Whether Wilson's interval of n images with a probability p of a hit holds p."""
    low, high = proportion_confint(
        rng.binomial(n, p, size=simulations), n, alpha=1 - LEVEL, method="wilson"
    )
    held: npt.NDArray[np.bool_] = (low <= p) & (p <= high)
    return held


def simulate_means(n: int, simulations: int, resamples: int, rng: np.random.Generator) -> None:
    """Coverage of the bootstrap's intervals with about n images in each category."""
    sizes = rng.integers(n - n // 5, n + n // 5, size=CATEGORIES, endpoint=True)
    strata = np.repeat(np.arange(CATEGORIES), sizes)
    # Both models are often right or wrong together, and some categories are easy.
    probabilities = rng.dirichlet([4, 2, 1, 3], size=CATEGORIES)
    truth = (probabilities @ OUTCOMES).mean(axis=0)

    def draw() -> npt.NDArray[np.float64]:
        """Resampled means of both models, from new images."""
        drawn = [rng.choice(4, size=k, p=p) for k, p in zip(sizes, probabilities, strict=True)]
        return resampled_means(OUTCOMES[np.concatenate(drawn)], strata, resamples, rng)

    held: dict[str, list[bool]] = {"mean": [], "paired": [], "unpaired": []}
    for _ in range(simulations):
        one, other = draw(), draw()
        estimates = {
            "mean": (one[:, 0], truth[0]),
            "paired": (one[:, 0] - one[:, 1], truth[0] - truth[1]),
            "unpaired": (one[:, 0] - other[:, 1], truth[0] - truth[1]),
        }
        for name, (resampled, value) in estimates.items():
            low, high = percentile_interval(resampled, LEVEL)
            held[name].append(bool(low <= value <= high))
    for name, of_name in held.items():
        report(f"{name}, {CATEGORIES} categories of about {n}", of_name)


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    # Hits are whole numbers, so the coverage of a cell goes up and down with p about the nominal.
    many = 10 * args.simulations
    for p in (0.02, 0.1, 0.5, 0.9):
        report(f"cell, n = 100, p = {p}", simulate_cell(100, p, many, rng))
    for n in (100, 10):
        report(f"cell, n = {n}, any p", simulate_cell(n, rng.random(many), many, rng))
    for n in (100, 30, 10):
        simulate_means(n, args.simulations, args.resamples, rng)


if __name__ == "__main__":
    main()

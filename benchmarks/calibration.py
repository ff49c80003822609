#!/usr/bin/env python3
"""How often the intervals of calibration hold the truth, by simulation, over a grid of designs.

Confidences are drawn, and guesses that are right with a probability that is a power of the
confidence: 1 is perfect calibration, 2 is overconfidence. In groups, guesses share a part of their
luck. The truth of a simulation is the calibration error of its own bins without chance. Prints a
table for docs/methods.md; exits with 1 if an interval holds less often than :data:`BOUND`.
"""

from __future__ import annotations

import argparse
import itertools
import sys

import numpy as np
from scipy.special import ndtr

from synthsight.statistics.calibration import bins_of, error_of
from synthsight.statistics.ranking import stream

LEVEL, BOUND = 0.95, 0.91

#: Numbers of images, sizes of groups, powers, and the two numbers of the beta distribution that
#: confidences are drawn from: spread out, and nearly all close to 1.
GRID = (
    (50, 100, 300, 1000, 3000),
    (1, 4),
    (0.7, 1.0, 1.1, 1.5, 2.0),
    ((2.0, 1.0), (9.0, 0.4)),
)

#: The correlation of the luck in a group.
SHARED = 0.4


def main() -> None:
    """Simulate each design and print how often the intervals hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=400)
    args = parser.parse_args()
    print("images  group  power  beta       truth  ece    chance  holds  over holds")
    least = [1.0, 1.0]
    for images, size, power, beta in itertools.product(*GRID):
        rng = stream(0, "benchmark", f"{images} {size} {power} {beta}")
        groups = np.repeat(np.arange(images), size)[:images]
        truths, found = [], []
        held = np.zeros(2)
        for _ in range(args.simulations):
            confidence = np.clip(rng.beta(*beta, images), 1e-3, 1 - 1e-6)
            luck = np.sqrt(SHARED) * rng.standard_normal(images)[groups]
            luck += np.sqrt(1 - SHARED) * rng.standard_normal(images)
            likely = confidence**power
            right = ndtr(luck) < likely
            bins = bins_of(confidence)
            error = error_of(confidence, right, bins, groups, LEVEL, rng)
            truth = float(np.abs(np.bincount(bins, confidence - likely)).sum() / images)
            truths.append(truth)
            found.append((error.ece, error.chance))
            low, high = error.ece_bounds
            # The bias is about other images, too, whose confidences are others.
            over = confidence.mean() - likely.mean()
            held += [low <= truth + 1e-12 <= high + 1e-12, error.over_bounds[0] <= over]
            held[1] -= error.over_bounds[0] <= over and not over <= error.over_bounds[1]
        share = held / args.simulations
        least = np.minimum(least, share)
        ece, chance = np.mean(found, axis=0)
        print(
            f"{images:>6}  {size:>5}  {power:>5}  {beta!s:<10} {np.mean(truths):.3f}  {ece:.3f}  "
            f"{chance:.3f}   {share[0]:.3f}  {share[1]:.3f}",
            flush=True,
        )
    print(f"least: {least[0]:.3f} of the error, {least[1]:.3f} of the bias")
    sys.exit(int(min(least) < BOUND))


if __name__ == "__main__":
    main()

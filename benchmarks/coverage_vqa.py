#!/usr/bin/env python3
"""How often the nominal 95% intervals of yes/no questions hold the true value, by simulation.

An image has 4.82 questions on average, and some images are hard: the chance of a right answer is
drawn for each image, from a beta distribution with the intra-image correlation ``icc``. Three ways
to an interval are compared:

- clustered: what the workflow does (see synthsight.statistics.clusters).
- bootstrap: percentiles over images drawn with replacement, the resampled values stretched about
  the observed one as in synthsight.statistics.bootstrap.
- plain: as if all questions were independent, Wilson's or a normal one.

And this for four quantities:

- accuracy: of one model.
- kind: its accuracy on the questions of one kind, a fifth of all.
- balanced: the mean of its accuracies on yes and on no questions.
- difference: between two models, which find the same images hard.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, norm
from statsmodels.stats.proportion import proportion_confint
from synthsight.statistics.bootstrap import percentile_interval, stretch
from synthsight.statistics.clusters import Estimate, difference_interval, mean, share_interval

from synthsight.statistics.vqa import balanced_accuracy

LEVEL = 0.95
PER_IMAGE = 4.82
SHARE_YES = 132 / 241
KIND = 0.2

Floats = npt.NDArray[np.float64]
Bounds = tuple[float, float]


def quantiles(p: float, icc: float, number: int = 4096) -> Floats:
    """Evenly spaced quantiles of the images' chances of a right answer; their mean is p."""
    if icc == 0:
        return np.full(number, p)
    size = 1 / icc - 1
    values: Floats = beta.ppf((np.arange(number) + 0.5) / number, p * size, (1 - p) * size)
    return values + p - values.mean()


def bootstrap(
    counts: Floats, value: Callable[[Floats], Floats], resamples: int, rng: np.random.Generator
) -> Bounds:
    """Percentile bounds of a value of the sums of counts (images, columns)."""
    n = len(counts)
    times = rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)
    with np.errstate(invalid="ignore"):
        resampled, observed = value(times @ counts), value(counts.sum(axis=0)[None])
    resampled = resampled[np.isfinite(resampled)]
    low, high = percentile_interval(
        (observed + stretch(n) * (resampled - observed))[:, None], LEVEL
    )
    return float(low[0]), float(high[0])


def plain(estimate: Estimate) -> Bounds:
    """Bounds as if all questions were independent."""
    value, variance = estimate.value[0], (estimate.residuals**2).sum()
    size = value * (1 - value) / variance if variance > 0 else len(estimate.residuals)
    low, high = proportion_confint(value * size, size, alpha=1 - LEVEL, method="wilson")
    return float(low), float(high)


def plain_difference(estimate: Estimate) -> Bounds:
    """Bounds as if all questions were independent."""
    margin = norm.ppf((1 + LEVEL) / 2) * np.sqrt((estimate.residuals**2).sum())
    return estimate.value[0] - margin, estimate.value[0] + margin


def first(bounds: tuple[Floats, Floats]) -> Bounds:
    """Bounds of the one column."""
    return float(bounds[0][0]), float(bounds[1][0])


def simulate(
    images: int, p: float, icc: float, simulations: int, resamples: int, rng: np.random.Generator
) -> None:
    """Print the coverage of each interval, and its mean width."""
    # Yes questions are answered a little better, as models do; the mean stays p.
    shift = 0.03
    chances = [quantiles(p + shift, icc), quantiles(p - shift * SHARE_YES / (1 - SHARE_YES), icc)]
    other = quantiles(p - 0.05, icc)
    truth = {
        "accuracy": p,
        "kind": p,
        "balanced": (chances[0].mean() + chances[1].mean()) / 2,
        "difference": 0.05,
    }
    held: dict[tuple[str, str], list[bool]] = defaultdict(list)
    width: dict[tuple[str, str], list[float]] = defaultdict(list)
    done = 0
    while done < simulations:
        sizes = 1 + rng.poisson(PER_IMAGE - 1, size=images)
        image = np.repeat(np.arange(images), sizes)
        n = len(image)
        yes, kind = rng.random(n) < SHARE_YES, rng.random(n) < KIND
        if not kind.any() or yes.all() or not yes.any():
            continue
        done += 1
        easy = rng.integers(len(other), size=images)[image]
        right = rng.random(n) < np.where(yes, chances[0][easy], chances[1][easy])
        also = rng.random(n) < other[easy]
        one = np.ones(n)
        d = right.astype(np.float64) - also

        def by_image(*columns: npt.NDArray[np.generic], image=image) -> Floats:  # type: ignore[no-untyped-def]
            return np.stack([np.bincount(image, column, images) for column in columns], axis=1)

        def ratio(sums: Floats) -> Floats:
            return sums[:, 0] / sums[:, 1]

        def both(sums: Floats) -> Floats:
            return (sums[:, 0] / sums[:, 1] + sums[:, 2] / sums[:, 3]) / 2

        of_kind = mean(right[kind][:, None])
        balanced = balanced_accuracy(right[:, None], yes)
        all_right, difference = mean(right[:, None]), mean(d[:, None])
        found = {
            ("accuracy", "clustered"): first(share_interval(all_right, image, LEVEL)),
            ("accuracy", "bootstrap"): bootstrap(by_image(right, one), ratio, resamples, rng),
            ("accuracy", "plain"): plain(all_right),
            ("kind", "clustered"): first(share_interval(of_kind, image[kind], LEVEL)),
            ("kind", "bootstrap"): bootstrap(
                by_image(right & kind, kind)[np.unique(image[kind])], ratio, resamples, rng
            ),
            ("kind", "plain"): plain(of_kind),
            ("balanced", "clustered"): first(share_interval(balanced, image, LEVEL)),
            ("balanced", "bootstrap"): bootstrap(
                by_image(right & yes, yes, right & ~yes, ~yes), both, resamples, rng
            ),
            ("balanced", "plain"): plain(balanced),
            ("difference", "clustered"): first(difference_interval(difference, image, LEVEL)),
            ("difference", "bootstrap"): bootstrap(by_image(d, one), ratio, resamples, rng),
            ("difference", "plain"): plain_difference(difference),
        }
        for key, (low, high) in found.items():
            held[key].append(low <= truth[key[0]] <= high)
            width[key].append(high - low)
    for (quantity, method), of_key in held.items():
        print(
            f"{images:>5} images, p {p:.2f}, icc {icc:.1f}  {quantity:<10} {method:<9} "
            f"{np.mean(of_key):.3f}  width {np.mean(width[quantity, method]):.3f}",
            flush=True,
        )


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, nargs="+", default=[50, 10])
    args = parser.parse_args()
    error = np.sqrt(LEVEL * (1 - LEVEL) / args.simulations)
    print(f"{args.simulations} simulations; standard error of a coverage: {error:.3f}")
    rng = np.random.default_rng(args.seed)
    for images in args.images:
        for p in (0.77, 0.95):
            for icc in (0.0, 0.1, 0.3):
                simulate(images, p, icc, args.simulations, args.resamples, rng)


if __name__ == "__main__":
    main()

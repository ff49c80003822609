#!/usr/bin/env python3
"""Time and memory of the stratified bootstrap, against resampling the images one by one.

The bounds are 30 s and 2 GB for 10,000 resamples over 20,000 images, 10 models and 17 categories
on 2 cores. The hits are independent coin throws: as many different patterns of hits as there can
be, the slowest case. Exits with 1 if a bound is missed.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
import numpy.typing as npt
from synthsight.statistics.bootstrap import resampled_means

SECONDS = 30
GIGABYTES = 2


def resample_images(
    hits: npt.NDArray[np.bool_],
    strata: npt.NDArray[np.int64],
    resamples: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """The same statistic as it is usually written: draw rows of each stratum, take the mean."""
    labels = np.unique(strata)
    groups = [hits[strata == label] for label in labels]
    means = np.empty((resamples, hits.shape[1]))
    for number in range(resamples):
        drawn = [group[rng.integers(len(group), size=len(group))].mean(axis=0) for group in groups]
        means[number] = np.mean(drawn, axis=0)
    return means


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--categories", type=int, default=17)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--direct-resamples", type=int, default=200)
    args = parser.parse_args()

    rng = np.random.default_rng(0)
    hits = rng.random((args.images, args.models)) < 0.5
    strata = np.arange(args.images) % args.categories

    start = time.perf_counter()
    ours = resampled_means(hits, strata, args.resamples, np.random.default_rng(1))
    seconds = time.perf_counter() - start
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9

    start = time.perf_counter()
    direct = resample_images(hits, strata, args.direct_resamples, np.random.default_rng(2))
    direct_seconds = (time.perf_counter() - start) / args.direct_resamples * args.resamples

    print(
        f"{args.resamples} resamples of {args.images} images x {args.models} models in "
        f"{args.categories} categories"
    )
    print(f"time             {seconds:8.1f} s   (bound {SECONDS} s)")
    print(f"peak memory      {gigabytes:8.2f} GB  (bound {GIGABYTES} GB, the whole process)")
    print(
        f"image by image   {direct_seconds:8.1f} s   (from {args.direct_resamples} resamples), "
        f"{direct_seconds / seconds:.1f} times as long"
    )
    print(
        f"standard errors  {ours.std(axis=0).mean():8.5f}     image by image "
        f"{direct.std(axis=0).mean():.5f}"
    )
    if seconds > SECONDS or gigabytes > GIGABYTES:
        sys.exit("a bound is missed")


if __name__ == "__main__":
    main()

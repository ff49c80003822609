"""The stratified bootstrap: how means over categories would vary with other images like these."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Bound on the numbers drawn at a time, 8 bytes each.
_ENTRIES = 1_000_000

#: Single precision represents every integer up to this one exactly.
_EXACT = 2**24


@dataclass(frozen=True)
class Intervals:
    """How intervals are computed.

    Attributes:
        level: confidence level, such as 0.95.
        resamples: number of bootstrap resamples.
        seed: seed of the bootstrap.
    """

    level: float
    resamples: int
    seed: int


def stream(seed: int, *names: str) -> np.random.Generator:
    """An independent random stream for the resampling that ``names`` identify.

    Results then depend only on the seed and on what is resampled, not on what happens to be
    computed before them.
    """
    return np.random.default_rng([seed, zlib.crc32("\0".join(names).encode())])


def stratified_means(
    hits: npt.NDArray[np.bool_], strata: npt.NDArray[np.integer]
) -> npt.NDArray[np.float64]:
    """The unweighted mean over strata of each column of ``hits`` (n, columns): (columns,)."""
    of_strata = [hits[strata == label].mean(axis=0) for label in np.unique(strata)]
    means: npt.NDArray[np.float64] = np.mean(of_strata, axis=0)
    return means


def resampled_means(
    hits: npt.NDArray[np.bool_],
    strata: npt.NDArray[np.integer],
    resamples: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Unweighted means over strata of images resampled within each stratum.

    Each stratum's resampled mean is stretched about the observed one (:func:`stretch`), so a mean
    may lie slightly outside 0..1.

    All columns (models, rules) are resampled together, image by image, so their differences are
    paired. Which images are drawn does not depend on the columns: adding a column leaves the
    results of the others unchanged, bit for bit. It does depend on the order of the images within
    their stratum.

    Args:
        hits: (n, columns).
        strata: (n,), the category of each image as a number.
        resamples: number of resamples.
        rng: source of randomness.

    Returns:
        (resamples, columns), each a mean over the strata.
    """
    labels = np.unique(strata)
    means = np.zeros((resamples, hits.shape[1]))
    for label in labels:
        group = hits[strata == label]
        n = len(group)
        observed = group.mean(axis=0)
        # Whole numbers up to n, so the matrix product is exact in any order of summation; in
        # single precision, which is twice as fast, as long as it can represent them.
        exact = np.float32 if n <= _EXACT else np.float64
        numbers = group.astype(exact)
        step = max(1, _ENTRIES // n)
        for start in range(0, resamples, step):
            size = min(step, resamples - start)
            drawn = rng.integers(n, size=(size, n))
            # Count how often each image is drawn, at once for all resamples, each with its own
            # range of cells.
            drawn += n * np.arange(size)[:, None]
            times = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
            resampled = (times.astype(exact) @ numbers).astype(np.float64) / n
            means[start : start + size] += observed + stretch(n) * (resampled - observed)
    return means / len(labels)


def resampled_means_of_counts(
    hits: npt.NDArray[np.int64],
    n: npt.NDArray[np.int64],
    resamples: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """A single column of :func:`resampled_means`, equal in distribution, from counts alone.

    Drawing n images with replacement from n of which ``hits`` are hits gives a binomial number of
    hits. The cost does not grow with the strata, but results of several columns are not paired.

    Args:
        hits: (strata,), number of hits.
        n: (strata,), number of images.
        resamples: number of resamples.
        rng: source of randomness.

    Returns:
        (resamples, 1), each a mean over the strata.
    """
    resampled = rng.binomial(n, hits / n, size=(resamples, len(n))) / n
    stretched = hits / n + stretch(n) * (resampled - hits / n)
    means: npt.NDArray[np.float64] = stretched.mean(axis=1)[:, None]
    return means


def stretch(n: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The factor that stretches resampled means of n images about the observed mean.

    It is sqrt(n / (n - 1)): resampling n from n has (n - 1) / n of the variance that it should
    estimate, which matters where many small strata are averaged (Rao and Wu 1988). A single image
    does not vary at all: its factor is 1.
    """
    images = np.asarray(n, dtype=np.float64)
    return np.sqrt(images / np.maximum(images - 1, 1)) * (images > 1) + (images <= 1)


def percentile_interval(
    resampled: npt.NDArray[np.float64], level: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lower and upper bounds, (columns,) each, from (resamples, columns)."""
    tail = (1 - level) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], axis=0)
    return low, high


def difference_interval(
    resampled: npt.NDArray[np.float64], level: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Likewise of differences between fractions, which widened resamples can carry beyond 1."""
    low, high = percentile_interval(resampled, level)
    return np.clip(low, -1, 1), np.clip(high, -1, 1)

"""The stratified bootstrap: how means over categories vary with other images of the same kind."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Bound on the numbers drawn at a time, in entries of 8 bytes.
_ENTRIES = 4_000_000


def resampled_means(
    hits: npt.NDArray[np.bool_],
    strata: npt.NDArray[np.integer],
    resamples: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Means over strata, unweighted, of images resampled within each stratum.

    All columns (models, rules) are resampled together, image by image, so their differences are
    paired. Images with the same hits in every column are exchangeable; how often each such pattern
    is drawn is multinomial, so what is drawn are counts of patterns and not images.

    Args:
        hits: (n, columns).
        strata: (n,), the category of each image as a number.
        resamples: how many.
        rng: source of randomness.

    Returns:
        (resamples, columns), each a mean over the strata.
    """
    labels = np.unique(strata)
    means = np.zeros((resamples, hits.shape[1]))
    for label in labels:
        patterns, counts = _patterns(hits[strata == label])
        n = int(counts.sum())
        step = max(1, _ENTRIES // len(counts))
        for start in range(0, resamples, step):
            size = min(step, resamples - start)
            drawn = rng.multinomial(n, counts / n, size=size)
            means[start : start + size] += drawn @ patterns / n
    return means / len(labels)


def _patterns(
    hits: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """The distinct rows, float (patterns, columns), and how often each occurs, (patterns,)."""
    packed = np.ascontiguousarray(np.packbits(hits, axis=1))
    rows = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, counts = np.unique(rows, return_index=True, return_counts=True)
    return hits[first].astype(np.float64), counts


def percentile_interval(
    resampled: npt.NDArray[np.float64], level: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lower and upper bounds, (columns,) each, from (resamples, columns)."""
    tail = (1 - level) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], axis=0)
    return low, high

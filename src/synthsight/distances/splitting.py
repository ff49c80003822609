"""Intervals of measures of neighbourhoods, by splitting the samples in two.

Such a measure is no mean of independent images: each neighbourhood depends on several. But it is a
mean over places, each of which depends on a few images around it, so that in half of the images its
variance is twice as large (the idea of subsampling, Politis and Romano 1994). The variance in half
of the images is known from the difference of two halves that share no unit. The bootstrap would
fail: an image drawn twice is its own neighbour.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

Floats = npt.NDArray[np.float64]

#: Splits of the samples, at least.
SPLITS = 20


def error(pairs: Floats) -> float:
    """The standard error of a measure of whole samples.

    Args:
        pairs: of it, in one half of the samples and in the other; (splits, 2).
    """
    return float(np.sqrt(((pairs[:, 0] - pairs[:, 1]) ** 2).mean() / 4))


def bounds_of_share(share: float, pairs: Floats, units: int, level: float) -> tuple[float, float]:
    """Wilson's interval of a share, never of width zero.

    Its number of images is that of which a share would have this error, but no more than ``units``.

    Args:
        share: of all images.
        pairs: of it, as for :func:`error`; without any, nothing is known.
        units: how many there are on the smaller side.
        level: confidence level, such as 0.95.
    """
    if not len(pairs):
        return float("nan"), float("nan")
    variance, spread = error(pairs) ** 2, share * (1 - share)
    size = min(units, spread / variance) if variance > 0 and spread > 0 else units
    z2 = _quantile(pairs, level) ** 2
    centre = (share + z2 / (2 * size)) / (1 + z2 / size)
    margin = np.sqrt(z2 * spread / size + (z2 / (2 * size)) ** 2) / (1 + z2 / size)
    low, high = min(share, float(centre - margin)), max(share, float(centre + margin))
    return max(0.0, low), min(1.0, high)


def bounds_of_mean(mean: float, pairs: Floats, level: float) -> tuple[float, float]:
    """Student's interval of what is not negative; unknown where it does not vary.

    Args:
        mean: of all images.
        pairs: of it, as for :func:`error`.
        level: confidence level.
    """
    if not len(pairs) or not (margin := error(pairs) * _quantile(pairs, level)):
        return float("nan"), float("nan")
    return max(0.0, mean - margin), mean + margin


def _quantile(pairs: Floats, level: float) -> float:
    return float(student.ppf((1 + level) / 2, len(pairs)))

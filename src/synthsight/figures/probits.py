"""Axes of accuracies on the probit scale: their range, and the percentages that they show."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtri

_TIERS: tuple[tuple[float, ...], ...] = (
    *((50,), (10, 90), (1, 99), (0.1, 99.9), (20, 80), (5, 95), (30, 40, 60, 70)),
    *((2, 98), (0.5, 99.5), (0.2, 99.8), (0.01, 99.99), tuple(range(5, 100, 5))),
    *(tuple(range(1, 100)), tuple(tick / 10 for tick in range(1, 1000))),
)
"""Percentages that an axis may show, the most telling ones first; the last two are odd ones."""


def limits_of(points: pd.DataFrame) -> tuple[float, float]:
    """The range of both axes, in probits."""
    values = points.to_numpy(dtype=float)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    pad = max(0.05 * (high - low), 0.1)
    return low - pad, high + pad


def ticks_of(limits: tuple[float, float], inches: float, apart: float) -> list[float]:
    """Percentages for an axis, at least so many inches apart."""
    scale = inches / (limits[1] - limits[0])
    chosen: list[float] = []
    for place, tier in enumerate(_TIERS, start=-len(_TIERS)):
        if len(tier) > 4 and len(chosen) >= (3 if place < -2 else 2):
            break
        for tick in tier:
            at = float(ndtri(tick / 100))
            if limits[0] <= at <= limits[1] and all(
                abs(at - float(ndtri(other / 100))) * scale >= apart for other in chosen
            ):
                chosen.append(tick)
    return sorted(chosen)

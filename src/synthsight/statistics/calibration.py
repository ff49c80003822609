"""Is a classifier right as often as its confidence says? Reliability, and the calibration error.

The confidence is the probability that a model gives to its first guess. Rules that ask for a choice
among the run's categories have no rows: of their guesses it is known how likely the class is among
all of the model's, which is no confidence in the choice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc
from scipy.stats import t

from synthsight.labels.matching import find_rule
from synthsight.statistics.columns import CALIBRATION, CALIBRATION_BINS
from synthsight.statistics.hits import rules_of, sample_of, sources
from synthsight.statistics.intervals import share_interval
from synthsight.statistics.moments import Codes, Floats, Sample
from synthsight.statistics.ranking import stream
from synthsight.tables import Outputs, metadata_of, read_parquet, read_schema

#: Most bins of equal numbers of images, and the least images of one.
BINS, LEAST = 10, 10

#: Draws behind an interval of the calibration error.
DRAWS = 2000

#: The mean distance of a standard normal variable from 0.
_FOLDED = float(np.sqrt(2 / np.pi))


@dataclass(frozen=True)
class Error:
    """The calibration error of one model on some images, all counting the same.

    Attributes:
        over: mean confidence minus accuracy, positive where the model is overconfident.
        over_bounds: its interval; NaN where all images are one group.
        ece: the mean over images of the distance between confidence and accuracy of their bin.
        ece_bounds: the interval of what it would be if chance added nothing; NaN likewise.
        chance: what ``ece`` would be on average with these images if every confidence were right.
    """

    over: float
    over_bounds: tuple[float, float]
    ece: float
    ece_bounds: tuple[float, float]
    chance: float


def bins_of(confidence: Floats) -> npt.NDArray[np.intp]:
    """The bin of each image, from 0 without gaps, the least confident first.

    There are at most :data:`BINS`, of about the same numbers of images and at least :data:`LEAST`
    on average; images of the same confidence share a bin.
    """
    count = max(1, min(BINS, len(confidence) // LEAST))
    inner = np.arange(1, count) / count
    edges = np.quantile(confidence, inner, method="inverted_cdf") if count > 1 else np.zeros(0)
    places = np.searchsorted(np.unique(edges), confidence, side="left")
    return np.unique(places, return_inverse=True)[1]


def error_of(
    confidence: Floats,
    right: npt.NDArray[np.bool_],
    bins: npt.NDArray[np.intp],
    groups: Codes,
    level: float,
    rng: np.random.Generator,
) -> Error:
    """The calibration error, with intervals about other images.

    The gaps of the bins, mean confidence minus accuracy, are taken as normal, with the covariance
    that follows from what groups add to them; the variance of a bin is at least that of guesses
    that are as often right as the confidences say, so that a bin without a miss is not certain.
    Chance lifts the error, since it is a sum of absolute values. Draws around the gaps found say by
    how much: their mean exceeds what was found by the ``bias``. The lower bound is the draws' lower
    quantile less twice the bias, the upper one their upper quantile less the bias, which
    benchmarks/calibration.py has measured. If perfect calibration would give as much by chance, the
    lower bound is 0.

    Args:
        confidence: (images,), the probability of the first guess.
        right: (images,), whether it is right.
        bins: (images,), see :func:`bins_of`.
        groups: (images,), the number of each image's group.
        level: confidence level, such as 0.95.
        rng: source of the draws.
    """
    units = np.unique(groups, return_inverse=True)[1]
    number, count, n = units.max() + 1, bins.max() + 1, len(confidence)
    away = confidence - right
    gap = np.bincount(bins, away) / n
    mean = gap * n / np.bincount(bins)
    places = units * count + bins
    shape = (number, count)
    rest = np.bincount(places, away - mean[bins], number * count).reshape(shape) / n
    own = np.bincount(bins, confidence * (1 - confidence)) / n**2
    ece, over = float(np.abs(gap).sum()), float(away.mean())
    if number == 1:
        nothing = (np.nan, np.nan)
        return Error(over, nothing, ece, nothing, float(_FOLDED * np.sqrt(own).sum()))
    covariance = rest.T @ rest * (number / (number - 1))
    found = np.diag(covariance)
    scale = np.sqrt(np.maximum(1, own / np.where(found > 0, found, 1)))
    covariance = covariance * np.outer(scale, scale)
    np.fill_diagonal(covariance, np.maximum(found, own))
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    noise = rng.standard_normal((DRAWS, count)) @ root.T
    drawn = np.abs(gap + noise).sum(axis=1)
    bias = max(0.0, float(drawn.mean()) - ece)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    by_chance = ece <= np.quantile(np.abs(noise).sum(axis=1), level)
    bounds = (0.0 if by_chance else max(0.0, low - 2 * bias), min(1.0, high - bias))
    within = np.bincount(units, away - over) / n
    variance = max(float((within**2).sum()) * number / (number - 1), float(own.sum()))
    margin = float(t.ppf((1 + level) / 2, number - 1) * np.sqrt(variance))
    return Error(
        over,
        (max(-1.0, over - margin), min(1.0, over + margin)),
        ece,
        (min(float(bounds[0]), ece), max(float(bounds[1]), ece)),
        float(_FOLDED * np.sqrt(np.diag(covariance)).sum()),
    )


def calibrate(
    scores: Sequence[str | os.PathLike[str]], level: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The reliability of each model's confidence, for generated images and real photographs apart.

    Every image counts the same, unlike in means over categories. An image of which a model says
    nothing has no confidence and is not counted. A model that states no probabilities, or those of
    some images alone, has a row of nulls and no bins; one whose hits are not known, no row.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model.
        level: confidence level, such as 0.95.
        seed: of the draws behind the intervals of the calibration error.

    Returns:
        The models, columns :data:`CALIBRATION`, and their bins, columns :data:`CALIBRATION_BINS`,
        sorted; shares and bounds are fractions. ``over`` = confidence - top1; see :class:`Error`.
        ``low_edge`` and ``high_edge`` are the least and greatest confidence in a bin.
    """
    models: list[dict[str, object]] = []
    bins: list[dict[str, object]] = []
    for path in scores:
        model = metadata_of(read_schema(path), "model", path)
        for rule in rules_of(path):
            if find_rule(rule).choice:
                continue
            for source, images in _guesses(path, rule):
                rng = stream(seed, "calibration", source)
                named = {"model": model, "rule": rule, "generator": source}
                row, parts = _calibrate(images, level, rng)
                models.append(named | row)
                bins += [named | part for part in parts]
    order = ["model", "rule", "generator"]
    summary = pd.DataFrame(models, columns=list(CALIBRATION)).astype(CALIBRATION)
    table = pd.DataFrame(bins, columns=list(CALIBRATION_BINS)).astype(CALIBRATION_BINS)
    return (
        summary.sort_values(order, ignore_index=True),
        table.sort_values([*order, "bin"], ignore_index=True),
    )


def _guesses(path: str | os.PathLike[str], rule: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """A model's first guesses under a rule by source: how sure, and whether right."""
    columns = ["image", "category", "generator", "group", "real", "top1_hit"]
    table = read_parquet(path, [*columns, "probability"], filters=[("rule", "=", rule)])
    if table["top1_hit"].null_count:
        return
    length = pc.fill_null(pc.list_value_length(table["probability"]), 0)
    table = table.filter(pc.greater(length, 0))
    first = pc.list_element(table["probability"], 0).to_numpy().astype(np.float64)
    images = table.select(columns).to_pandas().assign(confidence=first)
    images = images.sort_values("image", ignore_index=True)
    for source, chosen in sources(images) if len(images) else ():
        yield source, images[chosen].reset_index(drop=True)


def _calibrate(
    images: pd.DataFrame, level: float, rng: np.random.Generator
) -> tuple[dict[str, object], list[dict[str, object]]]:
    """The row of one model on some images, without its names, and those of its bins."""
    right = images["top1_hit"].to_numpy(bool)
    row: dict[str, object] = {"n": len(images), "top1": right.mean()}
    confidence = images["confidence"].to_numpy(np.float64)
    if np.isnan(confidence).any():
        return row, []
    bins, groups = bins_of(confidence), sample_of(images).groups
    groups = np.arange(len(images)) if groups is None else groups
    found = error_of(confidence, right, bins, groups, level, rng)
    row |= {"confidence": confidence.mean(), "over": found.over, "bins": int(bins.max()) + 1}
    row |= dict(zip(("over_low", "over_high"), found.over_bounds, strict=True))
    row |= {"ece": found.ece, "chance": found.chance}
    row |= dict(zip(("ece_low", "ece_high"), found.ece_bounds, strict=True))
    parts: list[dict[str, object]] = []
    for number in range(bins.max() + 1):
        inside = bins == number
        share = Sample(np.zeros(inside.sum(), np.int64), groups[inside])
        spread = share.moments(right[inside, None]).mean()
        low, high = share_interval(spread, level)
        parts.append(
            {
                "bin": number + 1,
                "low_edge": confidence[inside].min(),
                "high_edge": confidence[inside].max(),
                "n": int(inside.sum()),
                "confidence": confidence[inside].mean(),
                "top1": spread.mean[0],
                "low": low[0],
                "high": high[0],
            }
        )
    return row, parts


def tabulate(outputs: Outputs, scores: Sequence[str], level: float, seed: int) -> None:
    """Write the tables ``calibration`` and ``calibration_bins``: see :func:`calibrate`."""
    models, bins = calibrate(scores, level, seed)
    outputs.write("calibration", models)
    outputs.write("calibration_bins", bins)

"""Effective robustness: which models do better on generated images than on photographs suggests."""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from synthsight.statistics.columns import LEAST_MODELS, ROBUSTNESS
from synthsight.statistics.hits import HITS, Scored, read_scored, sample_of
from synthsight.statistics.moments import Floats
from synthsight.statistics.ranking import draw_means, stream
from synthsight.tables import Outputs


def robustness(
    scores: Sequence[str | os.PathLike[str]],
    level: float,
    resamples: int,
    seed: int,
    adapted: Collection[str] = (),
) -> pd.DataFrame:
    """How far each model is above or below what its accuracy on photographs lets expect.

    Accuracies on two sources lie about a line on the probit scale (Taori et al. 2020, "Measuring
    robustness to natural distribution shifts in image classification"). The line is fitted to all
    models by least squares: probit(generated) = intercept + slope probit(real). Means are
    unweighted over the categories that both have; so that all or none of n right has a probit, m is
    taken as (n m + 1/2) / (n + 1) (:func:`with_half`).

    Bounds are percentiles over draws of all means together, photographs and generated images
    independently, with the line fitted anew to each draw: they are about other images, for these
    models.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model, about
            the same images.
        level: confidence level, such as 0.95.
        resamples: number of draws.
        seed: of the draws.
        adapted: models that were trained on the images, which have no part in it.

    Returns:
        The columns :data:`ROBUSTNESS`, sorted: ``real`` and ``generated`` accuracies as they are,
        ``slope`` and ``intercept`` of the line, ``expected`` on it, and ``residual`` = generated -
        expected, all as fractions. The line is one of the models whose hits of a kind are known.
        Empty with fewer than :data:`LEAST_MODELS` models, without
        photographs or without a common category.

    Raises:
        synthsight.statistics.hits.HitsError: no files, or files that differ in their images.
    """
    scored = read_scored(scores).without(adapted)
    tables = [pd.DataFrame(columns=list(ROBUSTNESS)).astype(ROBUSTNESS)]
    images = scored.images
    real = images["real"].to_numpy(bool)
    common = set(images["category"][real]) & set(images["category"][~real])
    if len(scored.models) >= LEAST_MODELS and common:
        chosen = images["category"].isin(common).to_numpy()
        sides = scored.part(real & chosen), scored.part(~real & chosen)
        for (r, rule), (h, hit) in itertools.product(enumerate(scored.rules), enumerate(HITS)):
            if len(scored.of_rule(r, h)[0]) < LEAST_MODELS:
                continue
            rng = stream(seed, "robustness", rule, hit)
            table = _fit(sides, r, h, level, resamples, rng)
            tables.append(table.assign(rule=rule, hit=hit)[list(ROBUSTNESS)].astype(ROBUSTNESS))
    return pd.concat(tables).sort_values(["rule", "hit", "model"], ignore_index=True)


def _fit(
    sides: tuple[Scored, Scored],
    rule: int,
    hit: int,
    level: float,
    resamples: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The rows under one rule and hit, given by number."""
    means, drawn = [], []
    for side in sides:
        (models, hits), sample = side.of_rule(rule, hit), sample_of(side.images)
        n = len(side.images)
        means.append(sample.moments(hits).mean().mean)
        both = np.vstack([means[-1], draw_means(hits, sample, resamples, rng)])
        drawn.append(with_half(np.clip(both, 0, 1), n))
    real, generated = drawn
    slope, intercept, expected = _line(ndtri(real), ndtri(generated))
    residual = generated - ndtr(expected)
    tail = (1 - level) / 2
    low, high = np.quantile(residual[1:], [tail, 1 - tail], axis=0)
    return pd.DataFrame(
        {
            "model": models,
            "models": len(models),
            "categories": sides[0].images["category"].nunique(),
            "real": means[0],
            "generated": means[1],
            "slope": slope[0],
            "intercept": intercept[0],
            "expected": ndtr(expected[0]),
            "residual": residual[0],
            "low": np.minimum(low, residual[0]),
            "high": np.maximum(high, residual[0]),
        }
    )


def with_half(mean: Floats, n: Floats | int) -> Floats:
    """A mean of ``n`` images with half an image more right and half wrong: it has a probit."""
    return (mean * n + 0.5) / (n + 1)


def _line(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """The least-squares line of each row of ``y`` on ``x``, (draws, models): its y for each x.

    Where all x are equal the line is level.
    """
    centred = x - x.mean(axis=1, keepdims=True)
    spread = (centred**2).sum(axis=1)
    flat = spread < 1e-12
    slope = np.where(flat, 0, (centred * y).sum(axis=1) / np.where(flat, 1, spread))
    intercept = y.mean(axis=1) - slope * x.mean(axis=1)
    return slope, intercept, intercept[:, None] + slope[:, None] * x


def tabulate(
    outputs: Outputs,
    scores: Sequence[str],
    level: float,
    resamples: int,
    seed: int,
    adapted: Sequence[str] = (),
) -> None:
    """Write the table ``robustness``: see :func:`robustness`."""
    outputs.write("robustness", robustness(scores, level, resamples, seed, adapted))

"""Is one generator better understood than another, on the categories that both have?"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.statistics.bootstrap import (
    Intervals,
    difference_interval,
    resampled_means,
    stratified_means,
    stream,
)
from synthsight.statistics.columns import GENERATORS
from synthsight.statistics.hits import HITS, Sample, read_sample
from synthsight.tables import ALL, Outputs


def compare_generators(
    scores: Sequence[str | os.PathLike[str]], intervals: Intervals
) -> pd.DataFrame:
    """Compare each pair of generators, for each model and for the mean over models (``*``).

    Only categories that both generators have count, all equally, whatever their numbers of images:
    a generator with more images of easy categories gains nothing by it. Images are resampled within
    category and generator, independently for each generator (their images are not paired) and for
    all models at once; adding a model leaves the rows of the others unchanged. The interval says
    how the difference would vary with other images of these generators and categories, for these
    models. Images without a generator are left out.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model, about
            the same images.
        intervals: level, resamples and seed.

    Returns:
        The columns :data:`GENERATORS`, with a < b: the number of ``categories`` that both have,
        ``n_a`` and ``n_b`` images in these, ``a_mean`` and ``b_mean`` unweighted means over these,
        ``difference`` = a_mean - b_mean with the bounds ``low`` and ``high``, as fractions. No rows
        for generators without a common category, and none at all with fewer than two generators.

    Raises:
        synthsight.statistics.hits.HitsError: no files, or files that differ in their images.
    """
    sample = read_sample(scores)
    groups = sample.images.groupby("generator")["category"]
    categories_of = {str(name): frozenset(categories) for name, categories in groups}
    # Most pairs have the same categories in common, so each generator is resampled only once.
    sides: dict[tuple[str, frozenset[str]], _Side] = {}
    tables = [pd.DataFrame(columns=list(GENERATORS)).astype(GENERATORS)]
    for a, b in itertools.combinations(sorted(categories_of), 2):
        common = categories_of[a] & categories_of[b]
        if not common:
            continue
        for name in (a, b):
            if (name, common) not in sides:
                sides[name, common] = _side(sample, name, common, intervals)
        tables += _difference(sample, sides[a, common], sides[b, common], intervals.level)
    order = ["model", "rule", "hit", "a", "b"]
    return pd.concat(tables).sort_values(order, ignore_index=True)


@dataclass(frozen=True)
class _Side:
    """One generator on some categories.

    Attributes:
        generator: its name.
        categories: their number.
        n: number of images.
        means: (rules, hits, 1 + models), unweighted over categories; the first entry of the last
            axis is the mean over models.
        resampled: (resamples, rules, hits, 1 + models), likewise.
    """

    generator: str
    categories: int
    n: int
    means: npt.NDArray[np.float64]
    resampled: npt.NDArray[np.float64]


def _side(
    sample: Sample, generator: str, categories: frozenset[str], intervals: Intervals
) -> _Side:
    """Observed and resampled means, with a random stream of the generator's own."""
    images = sample.images
    chosen = (images["generator"] == generator) & images["category"].isin(categories)
    part = replace(sample, images=images[chosen], hits=sample.hits[chosen])
    rng = stream(intervals.seed, "generators", generator, *sorted(categories))
    means = stratified_means(part.flat, part.strata)
    resampled = resampled_means(part.flat, part.strata, intervals.resamples, rng)
    shape = part.hits.shape[1:]
    return _Side(
        generator,
        len(categories),
        len(part.images),
        _with_mean(means.reshape(shape)),
        _with_mean(resampled.reshape(-1, *shape)),
    )


def _with_mean(of_models: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Prepend the mean over models to the models, along the last axis."""
    mean = of_models.mean(axis=-1, keepdims=True)
    return np.concatenate([mean, of_models], axis=-1)


def _difference(sample: Sample, a: _Side, b: _Side, level: float) -> list[pd.DataFrame]:
    """One table per rule and hit, with one row per model and one for their mean."""
    tables = []
    for (r, rule), (h, hit) in itertools.product(enumerate(sample.rules), enumerate(HITS)):
        differences = a.resampled[:, r, h] - b.resampled[:, r, h]
        low, high = difference_interval(differences, level)
        columns = {
            "model": [ALL, *sample.models],
            "rule": rule,
            "hit": hit,
            "a": a.generator,
            "b": b.generator,
            "categories": a.categories,
            "n_a": a.n,
            "n_b": b.n,
            "a_mean": a.means[r, h],
            "b_mean": b.means[r, h],
            "difference": a.means[r, h] - b.means[r, h],
            "low": low,
            "high": high,
        }
        tables.append(pd.DataFrame(columns).astype(GENERATORS))
    return tables


def tabulate(
    outputs: Outputs, scores: Sequence[str], level: float, resamples: int, seed: int
) -> None:
    """Write the table ``generators``: see :func:`compare_generators`."""
    outputs.write("generators", compare_generators(scores, Intervals(level, resamples, seed)))

"""Is one generator better understood than another, on the categories that both have?"""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthsight.statistics.columns import GENERATORS
from synthsight.statistics.hits import HITS, Scored, read_scored, sample_of
from synthsight.statistics.intervals import share_interval, unpaired_interval
from synthsight.statistics.moments import Floats
from synthsight.tables import ALL, Outputs


def compare_generators(
    scores: Sequence[str | os.PathLike[str]], level: float, adapted: Collection[str] = ()
) -> pd.DataFrame:
    """Compare each pair of generators, for each model and for the mean over models (``*``).

    Only categories that both generators have count, all equally, whatever their numbers of images:
    a generator with more images of easy categories gains nothing by it. The interval says how the
    difference would vary with other images of these generators and categories, for these models; it
    takes the images of the two as independent. Adding a model leaves the rows of the others
    unchanged. Images without a generator are left out; real photographs are one of the sources
    compared.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model, about
            the same images.
        level: confidence level, such as 0.95.
        adapted: models that were trained on the images, which have no part in the mean over models,
            unless there are no others.

    Returns:
        The columns :data:`GENERATORS`, with a < b: the number of ``categories`` that both have,
        ``n_a`` and ``n_b`` images in these, ``a_mean`` and ``b_mean`` unweighted means over these,
        ``difference`` = a_mean - b_mean with the bounds ``low`` and ``high``, as fractions. The
        mean over models is one of those whose hits are known; the others have no row. No rows for
        generators without a common category, and none at all with fewer than two generators.

    Raises:
        synthsight.statistics.hits.HitsError: no files, or files that differ in their images.
    """
    scored = read_scored(scores)
    by_generator = scored.images.groupby("generator")["category"]
    categories_of = {str(name): frozenset(categories) for name, categories in by_generator}
    # Most pairs have the same categories in common, so each generator is looked at only once.
    sides: dict[tuple[str, frozenset[str]], _Side] = {}
    tables = [pd.DataFrame(columns=list(GENERATORS)).astype(GENERATORS)]
    for a, b in itertools.combinations(sorted(categories_of), 2):
        common = categories_of[a] & categories_of[b]
        if not common:
            continue
        for name in (a, b):
            if (name, common) not in sides:
                sides[name, common] = _side(scored, name, common, level, adapted)
        tables += _difference(scored, sides[a, common], sides[b, common])
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
            axis is the mean over models. NaN where hits are not known, and then no part of it.
        bounds: likewise, lower and upper.
    """

    generator: str
    categories: int
    n: int
    means: Floats
    bounds: tuple[Floats, Floats]


def _side(
    scored: Scored,
    generator: str,
    categories: frozenset[str],
    level: float,
    adapted: Collection[str],
) -> _Side:
    images = scored.images
    part = scored.part(
        ((images["generator"] == generator) & images["category"].isin(categories)).to_numpy()
    )
    sample, (rules, _, models) = sample_of(part.images), part.hits.shape[1:]
    shape = (rules, len(HITS), 1 + models)
    means, low, high = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    others = scored.without(adapted).models
    for r, h in np.ndindex(*shape[:2]):
        names, hits = part.of_rule(r, h)
        if not names:
            continue
        own = np.flatnonzero([model in names for model in part.models]) + 1
        spreads = [(sample.moments(hits).mean(), own)]
        if any(counted := [name in others for name in names]):
            right = hits[:, counted].sum(axis=1)[:, None]
            spreads.append((sample.moments(right, scale=sum(counted)).mean(), np.zeros(1, int)))
        for spread, place in spreads:
            means[r, h, place] = spread.mean
            low[r, h, place], high[r, h, place] = share_interval(spread, level)
    return _Side(generator, len(categories), len(part.images), means, (low, high))


def _difference(scored: Scored, a: _Side, b: _Side) -> list[pd.DataFrame]:
    """One table per rule and hit, with one row per model and one for their mean."""
    low, high = unpaired_interval(a.means, a.bounds, b.means, b.bounds)
    tables = []
    for (r, rule), (h, hit) in itertools.product(enumerate(scored.rules), enumerate(HITS)):
        columns = {
            "model": [ALL, *scored.models],
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
            "low": low[r, h],
            "high": high[r, h],
        }
        table = pd.DataFrame(columns).astype(GENERATORS)
        tables.append(table[table["difference"].notna()])
    return tables


def tabulate(
    outputs: Outputs, scores: Sequence[str], level: float, adapted: Sequence[str] = ()
) -> None:
    """Write the table ``generators``: see :func:`compare_generators`."""
    outputs.write("generators", compare_generators(scores, level, adapted))

"""From hits to accuracies, with intervals, for each category and for the mean over categories."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from synthsight.statistics.adapted import marked
from synthsight.statistics.columns import ACCURACY
from synthsight.statistics.hits import HITS, count
from synthsight.statistics.intervals import share_interval
from synthsight.statistics.moments import Moments, Spread, moments_of_units
from synthsight.tables import ALL, Outputs, metadata_of, read_schema


def aggregate(scores: Iterable[str | os.PathLike[str]], level: float) -> pd.DataFrame:
    """The accuracy of each model, by category, generator and rule.

    The mean over categories is unweighted, as in the paper. See
    :func:`synthsight.statistics.intervals.share_interval` for the intervals.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model.
        level: confidence level, such as 0.95.

    Returns:
        The columns :data:`ACCURACY`, sorted; accuracies and bounds are fractions in 0..1. Generator
        ``*`` is all generated images; real photographs have rows under their own generator only.
        ``n`` is the number of images; for a mean over categories, that of all their images.
    """
    tables = [_aggregate_model(path, level) for path in scores]
    order = ["model", "rule", "category", "generator"]
    return pd.concat(tables)[ACCURACY].sort_values(order, ignore_index=True)


def counts_of(scores: str | os.PathLike[str]) -> pd.DataFrame:
    """The images and hits of one model by rule, category, generator and group.

    Args:
        scores: Parquet file from :func:`synthsight.classifiers.score.score`.

    Returns:
        ``rule, category, generator, real, group``, ``n`` images, and the numbers ``top1`` and
        ``top5`` of hits. Images that are their own groups are counted together, with ``group``
        missing.
    """
    keys = ["rule", "category", "generator", "real", "group"]
    return count(scores, keys, {hit: f"{hit}_hit" for hit in HITS})


def moments_of_counts(counts: pd.DataFrame) -> tuple[list[str], Moments]:
    """The moments of ``top1`` and ``top5`` in some of the rows of :func:`counts_of`.

    Args:
        counts: rows under one rule; a group may have several, of different generators.

    Returns:
        The categories, sorted, which are the strata, and the moments of those of
        :func:`known_hits`.
    """
    known = known_hits(counts)
    units = counts.groupby(["category", "group"], as_index=False, dropna=False)[["n", *HITS]].sum()
    strata, categories = pd.factorize(units["category"], sort=True)
    hits = units[list(known)].to_numpy(np.int64)
    groups = pd.factorize(units["group"])[0]
    return list(categories), moments_of_units(
        strata, groups, units["n"].to_numpy(np.int64), hits, hits
    )


def known_hits(counts: pd.DataFrame) -> list[str]:
    """The kinds of hit that are known in some of the rows of :func:`counts_of`."""
    return [hit for hit in HITS if counts[hit].notna().all()]


def by_source(counts: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """The rule, generator and rows of each part of :func:`counts_of` that has a row of means.

    All generated images together are generator ``*``.
    """
    for rule, of_rule in counts.groupby("rule"):
        generated = of_rule[~of_rule["real"]]
        if len(generated):
            yield str(rule), ALL, generated
        for generator, of_generator in of_rule.groupby("generator"):
            yield str(rule), str(generator), of_generator


def _aggregate_model(path: str | os.PathLike[str], level: float) -> pd.DataFrame:
    model = metadata_of(read_schema(path), "model", path)
    tables = []
    for rule, generator, counts in by_source(counts_of(path)):
        categories, found = moments_of_counts(counts)
        total = found.items.sum()
        parts = ((found.cells(), categories, found.items[:, 0]), (found.mean(), [ALL], [total]))
        for spread, names, n in parts:
            table = pd.DataFrame({"category": names, "n": np.asarray(n, np.int64)})
            table = table.join(columns(spread, level, known=known_hits(counts)))
            tables.append(table.assign(rule=rule, generator=generator))
    return pd.concat(tables).assign(model=model)


def columns(
    spread: Spread, level: float, prefix: str = "", known: Sequence[str] = HITS
) -> pd.DataFrame:
    """Means of ``top1`` and ``top5`` and their bounds, as columns, with a prefix to their names.

    Those that are not among the ``known`` ones, which the spread is of, are NaN.
    """
    low, high = share_interval(spread, level)
    bounds = {"": spread.mean, "_low": low, "_high": high}
    rows = len(np.atleast_2d(spread.mean))
    return pd.DataFrame(
        {
            f"{prefix}{hit}{end}": np.atleast_1d(values[..., known.index(hit)])
            if hit in known
            else np.full(rows, np.nan)
            for hit in HITS
            for end, values in bounds.items()
        }
    )


def tabulate(
    outputs: Outputs, scores: Sequence[str], level: float, adapted: Sequence[str] = ()
) -> None:
    """Write the table ``accuracy``, in which models ``adapted`` to the images are marked.

    See :func:`aggregate`.
    """
    outputs.write("accuracy", marked(aggregate(scores, level), adapted))

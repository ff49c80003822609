"""From hits to accuracies: Wilson intervals for cells, bootstrap for means over categories."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from synthsight.statistics.bootstrap import (
    Intervals,
    percentile_interval,
    resampled_means_of_counts,
    stream,
)
from synthsight.statistics.columns import ACCURACY
from synthsight.statistics.hits import count
from synthsight.tables import ALL, Outputs, metadata_of, read_schema


def aggregate(scores: Iterable[str | os.PathLike[str]], intervals: Intervals) -> pd.DataFrame:
    """The accuracy of each model, by category, generator and rule.

    A cell (one category) has a Wilson interval. The mean over categories, unweighted as in the
    paper, has a percentile bootstrap interval that resamples images within each category.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model.
        intervals: level, resamples and seed.

    Returns:
        The columns :data:`ACCURACY`, sorted; accuracies and bounds are fractions in 0..1. ``n`` is
        the number of images; for a mean over categories, that of all their images.
    """
    tables = [_aggregate_model(path, intervals) for path in scores]
    order = ["model", "rule", "category", "generator"]
    return pd.concat(tables)[ACCURACY].sort_values(order, ignore_index=True)


def _aggregate_model(path: str | os.PathLike[str], intervals: Intervals) -> pd.DataFrame:
    model = metadata_of(read_schema(path), "model", path)
    keys = ["rule", "category", "generator"]
    single = count(path, keys, {"top1": "top1_hit", "top5": "top5_hit"})
    everything = single.groupby(keys[:2], as_index=False)[["n", "top1", "top5"]].sum()
    cells = (
        pd.concat([everything.assign(generator=ALL), single.dropna(subset=["generator"])])
        .sort_values(keys, ignore_index=True)
        .astype({"n": "int64", "top1": "int64", "top5": "int64"})
    )
    means = [
        _mean_over_categories(cells_of, model, str(rule), str(generator), intervals)
        for (rule, generator), cells_of in cells.groupby(["rule", "generator"])
    ]
    for hit in ("top1", "top5"):
        low, high = proportion_confint(
            cells[hit], cells["n"], alpha=1 - intervals.level, method="wilson"
        )
        cells[f"{hit}_low"], cells[f"{hit}_high"] = low, high
        cells[hit] = cells[hit] / cells["n"]
    rows: pd.DataFrame = pd.concat([cells, pd.DataFrame(means)])
    return rows.assign(model=model)


def _mean_over_categories(
    cells: pd.DataFrame, model: str, rule: str, generator: str, intervals: Intervals
) -> dict[str, object]:
    """The row of a mean over categories, from counts of hits by category."""
    row: dict[str, object] = {
        "rule": rule,
        "category": ALL,
        "generator": generator,
        "n": int(cells["n"].sum()),
    }
    n = cells["n"].to_numpy()
    for hit in ("top1", "top5"):
        rng = stream(intervals.seed, model, rule, generator, hit)
        hits = cells[hit].to_numpy()
        row[hit] = float((hits / n).mean())
        resampled = resampled_means_of_counts(hits, n, intervals.resamples, rng)
        low, high = percentile_interval(resampled, intervals.level)
        # Stretched resamples may lie slightly outside 0..1.
        row[f"{hit}_low"] = max(0.0, float(low[0]))
        row[f"{hit}_high"] = min(1.0, float(high[0]))
    return row


def tabulate(
    outputs: Outputs, scores: Sequence[str], level: float, resamples: int, seed: int
) -> None:
    """Write the table ``accuracy``: see :func:`aggregate`."""
    outputs.write("accuracy", aggregate(scores, Intervals(level, resamples, seed)))

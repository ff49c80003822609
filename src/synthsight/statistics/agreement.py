"""Agreement of models: images that all of them get, how many get each, how similarly they fail."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.special import ndtri

from synthsight import origin
from synthsight.files import atomic
from synthsight.statistics.columns import AGREEMENT, DIFFICULTY, KAPPA
from synthsight.statistics.hits import HITS, Hits, HitsError, read_hits, rules_of
from synthsight.tables import ALL, Outputs, read_schema

#: Schema of the table with one row per image and rule.
IMAGES_SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("category", pa.string()),
        ("generator", pa.string()),
        ("rule", pa.string()),
        ("top1", pa.int32()),
        ("top5", pa.int32()),
        ("models", pa.int32()),
    ]
)

#: Images multiplied at a time: sums of this many ones are exact in single precision.
_ROWS = 65536


@dataclass(frozen=True)
class Agreement:
    """The tables about all models together, sorted.

    Attributes:
        agreement: see :func:`agreement`, by category and rule.
        difficulty: see :func:`difficulty`.
        kappa: see :func:`kappas`.
    """

    agreement: pd.DataFrame
    difficulty: pd.DataFrame
    kappa: pd.DataFrame


def measure_agreement(
    scores: Sequence[str | os.PathLike[str]], level: float, images: str | os.PathLike[str]
) -> Agreement:
    """Measure agreement under every rule; only one rule's hits are in memory at a time.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model.
        level: confidence level of the intervals, such as 0.95.
        images: the Parquet file to write :func:`count_models` to, atomically: rule by rule, within
            a rule in the order of the scores.

    Raises:
        synthsight.statistics.hits.HitsError: no files, or files that differ in their images.
    """
    if not scores:
        raise HitsError("no scores")
    agreements, difficulties, pairs = [], [], []
    for path in scores:  # what they say is part of the output's own record
        read_schema(path)
    schema = IMAGES_SCHEMA.with_metadata(origin.metadata(images))
    with (
        atomic(images) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for rule in rules_of(scores[0]):
            hits = read_hits(scores, rule)
            agreements.append(agreement(hits))
            difficulties.append(difficulty(hits))
            pairs.append(kappas(hits, level))
            counts = count_models(hits)
            writer.write_table(pa.Table.from_pandas(counts, schema, preserve_index=False))
    return Agreement(
        pd.concat(agreements).sort_values(["category", "rule"], ignore_index=True),
        pd.concat(difficulties).sort_values(DIFFICULTY[:5], ignore_index=True),
        pd.concat(pairs).sort_values(KAPPA[:4], ignore_index=True),
    )


def agreement(hits: Hits) -> pd.DataFrame:
    """The fractions of images that every model gets and that no model gets (the paper's Figure 2).

    Args:
        hits: the hits of all models under one rule.

    Returns:
        The columns :data:`AGREEMENT`, one row per category; fractions in 0..1.
    """
    columns: dict[str, object] = {"category": hits.images["category"].to_numpy()}
    for hit in HITS:
        columns[f"all_{hit}"] = hits.of(hit).all(axis=1)
        columns[f"none_{hit}"] = ~hits.of(hit).any(axis=1)
    groups = pd.DataFrame(columns).groupby("category", as_index=False)
    fractions = groups.mean().merge(groups.size().rename(columns={"size": "n"}))
    return fractions.assign(rule=hits.rule)[AGREEMENT]


def count_models(hits: Hits) -> pd.DataFrame:
    """How many models get each image, from which the hardest and the easiest are found.

    Args:
        hits: the hits of all models under one rule.

    Returns:
        One row per image in the order of ``hits``: ``image``, ``category``, ``generator``,
        ``rule``, the numbers ``top1`` and ``top5`` of models that get it, and ``models``, the
        number of all models.
    """
    return hits.images.assign(
        rule=hits.rule,
        top1=hits.top1.sum(axis=1),
        top5=hits.top5.sum(axis=1),
        models=len(hits.models),
    )


def difficulty(hits: Hits) -> pd.DataFrame:
    """The histogram of how many models get an image.

    Args:
        hits: the hits of all models under one rule.

    Returns:
        The columns :data:`DIFFICULTY`, sorted. Exactly ``models`` models get each of ``n`` images;
        every number from 0 to that of all models has a row, even if ``n`` is 0. ``share`` is the
        fraction of the images of this generator and category. Generator ``*`` is all images,
        including those without a generator; category ``*`` pools the images of all categories, so
        that, unlike in the mean accuracies, a large category counts for more.
    """
    tables = []
    for hit in HITS:
        images = hits.images[["generator", "category"]].assign(models=hits.of(hit).sum(axis=1))
        by_generator = pd.concat(
            [images.assign(generator=ALL), images.dropna(subset=["generator"])]
        )
        keys = ["generator", "category"]
        counts = by_generator.groupby([*keys, "models"], as_index=False).size()
        counts = pd.concat([counts, counts.assign(category=ALL)])
        wide = counts.pivot_table("size", keys, "models", aggfunc="sum", fill_value=0)
        wide = wide.reindex(columns=range(len(hits.models) + 1), fill_value=0)
        cells = wide.index.repeat(wide.shape[1]).to_frame(index=False)
        n = wide.to_numpy()
        tables.append(
            cells.assign(
                rule=hits.rule,
                hit=hit,
                models=np.tile(wide.columns.to_numpy(), len(wide)),
                n=n.ravel(),
                share=(n / n.sum(axis=1, keepdims=True)).ravel(),
            )
        )
    table = pd.concat(tables).sort_values(DIFFICULTY[:5], ignore_index=True)
    return table[DIFFICULTY]


def kappas(hits: Hits, level: float) -> pd.DataFrame:
    """Cohen's kappa of correctness for each pair of models, over all images together.

    Kappa = (observed - expected) / (1 - expected). Observed is the fraction of images that both
    models get or both miss; expected is that of two models of these accuracies that fail
    independently, p q + (1 - p)(1 - q). This is the error consistency of Geirhos, Meding and
    Wichmann 2020 ("Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by
    measuring error consistency"). The interval is the asymptotic one of Fleiss, Cohen and Everitt
    1969, by the formula of ``statsmodels.stats.inter_rater.cohens_kappa`` for all pairs at once,
    clipped to kappa's range of -1 to 1.

    Args:
        hits: the hits of all models under one rule.
        level: confidence level, such as 0.95.

    Returns:
        The columns :data:`KAPPA`, sorted; one row per pair of models, ``a`` before ``b`` by name;
        empty if there is only one model. Kappa and its bounds are NaN where both models get every
        image or both get none: then expected is 1, there are no errors to compare, and 0 / 0 is
        undefined.
    """
    return pd.concat([_kappas(hits, hit, level) for hit in HITS], ignore_index=True)


def _kappas(hits: Hits, hit: str, level: float) -> pd.DataFrame:
    order = sorted(range(len(hits.models)), key=hits.models.__getitem__)
    names = np.array([hits.models[column] for column in order], dtype=object)
    n = len(hits.images)
    both_of = _count_both(hits.of(hit)[:, order])
    first, second = np.triu_indices(len(order), k=1)
    count = both_of.diagonal()
    count_a, count_b, both = count[first], count[second], both_of[first, second]
    p, q = count_a / n, count_b / n
    observed = (n - count_a - count_b + 2 * both) / n
    expected = p * q + (1 - p) * (1 - q)
    # Decided by counts, since rounding may keep fractions from being exactly 1.
    undefined = (count_a == count_b) & ((count_a == 0) | (count_a == n))
    rest = np.where(undefined, np.nan, 1 - expected)
    kappa = (observed - expected) / rest
    neither = n - count_a - count_b + both
    agreeing = (
        both * (1 - (p + q) * (1 - kappa)) ** 2
        + neither * (1 - (2 - p - q) * (1 - kappa)) ** 2
    ) / n  # fmt: skip
    differing = (
        (count_a - both) * (1 - p + q) ** 2
        + (count_b - both) * (1 - q + p) ** 2
    ) / n * (1 - kappa) ** 2  # fmt: skip
    variance = (agreeing + differing - (kappa - expected * (1 - kappa)) ** 2) / rest**2 / n
    # Rounding can make a variance of zero negative.
    margin = ndtri((1 + level) / 2) * np.sqrt(np.maximum(variance, 0))
    return pd.DataFrame(
        {
            "rule": pd.Series(hits.rule, index=range(len(first)), dtype="str"),
            "hit": pd.Series(hit, index=range(len(first)), dtype="str"),
            "a": pd.Series(names[first], dtype="str"),
            "b": pd.Series(names[second], dtype="str"),
            "n": np.full(len(first), n),
            "observed": observed,
            "expected": expected,
            "kappa": kappa,
            "low": np.maximum(kappa - margin, -1),
            "high": np.minimum(kappa + margin, 1),
        }
    )[KAPPA]


def _count_both(hits: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """How many images both models of each pair get: int64 (models, models)."""
    both = np.zeros((hits.shape[1], hits.shape[1]), np.int64)
    for start in range(0, len(hits), _ROWS):
        part = hits[start : start + _ROWS].astype(np.float32)
        both += (part.T @ part).astype(np.int64)
    return both


def tabulate(outputs: Outputs, scores: Sequence[str], level: float) -> None:
    """Write the tables of :func:`measure_agreement`."""
    measured = measure_agreement(scores, level, outputs.path("images.parquet"))
    outputs.write("agreement", measured.agreement)
    outputs.write("difficulty", measured.difficulty)
    outputs.write("kappa", measured.kappa)

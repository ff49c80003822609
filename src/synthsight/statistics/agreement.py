"""Agreement of models: images that all of them get, how many get each, how similarly they fail."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import t as student

from synthsight import origin
from synthsight.files import atomic
from synthsight.statistics.columns import AGREEMENT, DIFFICULTY, KAPPA
from synthsight.statistics.hits import (
    HITS,
    Hits,
    HitsError,
    read_hits,
    rules_of,
    sample_of,
    sources,
)
from synthsight.statistics.intervals import share_interval
from synthsight.statistics.moments import Codes, Floats
from synthsight.statistics.pairs import count_both
from synthsight.tables import ALL, Outputs, read_schema

#: Schema of the table with one row per image and rule.
IMAGES_SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("category", pa.string()),
        ("generator", pa.string()),
        ("real", pa.bool_()),
        ("rule", pa.string()),
        ("top1", pa.int32()),
        ("top5", pa.int32()),
        ("models", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Agreement:
    """The tables about all models together, sorted.

    Attributes:
        agreement: see :func:`agreement`, by source, category and rule.
        difficulty: see :func:`difficulty`.
        kappa: see :func:`kappas`.
    """

    agreement: pd.DataFrame
    difficulty: pd.DataFrame
    kappa: pd.DataFrame


def measure_agreement(
    scores: Sequence[str | os.PathLike[str]],
    level: float,
    images: str | os.PathLike[str],
    adapted: Collection[str] = (),
) -> Agreement:
    """Measure agreement under every rule; only one rule's hits are in memory at a time.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model.
        level: confidence level of the intervals, such as 0.95.
        images: the Parquet file to write :func:`count_models` to, atomically: rule by rule, within
            a rule in the order of the scores.
        adapted: models that were trained on the images. They have kappas, as all pairs have, but no
            part in what is said of all models together, unless there are no others.

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
            others = hits.without(adapted)
            for source, chosen in sources(hits.images):
                agreements.append(agreement(others.part(chosen), level).assign(generator=source))
                pairs.append(kappas(hits.part(chosen), level).assign(generator=source))
            difficulties.append(difficulty(others))
            counts = count_models(others)
            writer.write_table(pa.Table.from_pandas(counts, schema, preserve_index=False))
    return Agreement(
        pd.concat(agreements)[AGREEMENT].sort_values(AGREEMENT[:3], ignore_index=True),
        pd.concat(difficulties).sort_values(DIFFICULTY[:5], ignore_index=True),
        pd.concat(pairs)[KAPPA].sort_values(KAPPA[:5], ignore_index=True),
    )


def agreement(hits: Hits, level: float) -> pd.DataFrame:
    """The fractions of images that every model gets and that no model gets (the paper's Figure 2).

    Args:
        hits: the hits of all models on the images of one source under one rule.
        level: confidence level, such as 0.95.

    Returns:
        The columns :data:`AGREEMENT` but ``generator``, one row per category; fractions in 0..1,
        with bounds from :func:`synthsight.statistics.intervals.share_interval`. They are about the
        models whose hits of a kind are known; null where those of none are.
    """
    columns = {}
    for hit in HITS:
        if not hits.models_of(hit):
            continue
        columns[f"all_{hit}"] = hits.of(hit).all(axis=1)
        columns[f"none_{hit}"] = ~hits.of(hit).any(axis=1)
    found = sample_of(hits.images).moments(
        np.column_stack([*columns.values(), np.zeros((len(hits.images), 0), bool)])
    )
    cells = found.cells()
    low, high = share_interval(cells, level)
    table = pd.DataFrame({"category": sorted(hits.images["category"].unique())})
    table["rule"] = hits.rule
    table["n"] = found.items[:, 0]
    for number, name in enumerate(columns):
        table[name] = cells.mean[:, number]
        table[f"{name}_low"], table[f"{name}_high"] = low[:, number], high[:, number]
    return table.reindex(columns=AGREEMENT[1:]).astype(dict.fromkeys(AGREEMENT[4:], "float64"))


def count_models(hits: Hits) -> pd.DataFrame:
    """How many models get each image, from which the hardest and the easiest are found.

    Args:
        hits: the hits of all models under one rule.

    Returns:
        One row per image in the order of ``hits``: ``image``, ``category``, ``generator``,
        ``real``, ``rule``, the numbers ``top1`` and ``top5`` of models that get it, null where no
        model's hits are known, and ``models``, the number of models whose top-1 hits are.
    """
    numbers = {
        hit: pd.array(hits.of(hit).sum(axis=1), "Int32")
        if hits.models_of(hit)
        else pd.array([pd.NA] * len(hits.images), "Int32")
        for hit in HITS
    }
    return hits.images.drop(columns="group").assign(
        rule=hits.rule, **numbers, models=len(hits.models_of("top1"))
    )


def difficulty(hits: Hits) -> pd.DataFrame:
    """The histogram of how many models get an image.

    Args:
        hits: the hits of all models under one rule.

    Returns:
        The columns :data:`DIFFICULTY`, sorted. Each kind of hit is about the models of which it is
        known, and has no row if these are none. Exactly ``models`` models get each of ``n`` images;
        every number from 0 to that of all models has a row, even if ``n`` is 0. ``share`` is the
        fraction of the images of this generator and category. Generator ``*`` is all generated
        images, including those without a generator; category ``*`` pools the images of all
        categories, so that, unlike in the mean accuracies, a large category counts for more.
    """
    tables = []
    for hit in HITS:
        models = len(hits.models_of(hit))
        if not models:
            continue
        images = hits.images[["generator", "category"]].assign(models=hits.of(hit).sum(axis=1))
        generated = images[~hits.images["real"].to_numpy(bool)]
        by_generator = pd.concat(
            [generated.assign(generator=ALL), images.dropna(subset=["generator"])]
        )
        keys = ["generator", "category"]
        counts = by_generator.groupby([*keys, "models"], as_index=False).size()
        counts = pd.concat([counts, counts.assign(category=ALL)])
        wide = counts.pivot_table("size", keys, "models", aggfunc="sum", fill_value=0)
        wide = wide.reindex(columns=range(models + 1), fill_value=0)
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
    tables = tables or [pd.DataFrame(columns=DIFFICULTY)]
    table = pd.concat(tables).sort_values(DIFFICULTY[:5], ignore_index=True)
    return table[DIFFICULTY]


def kappas(hits: Hits, level: float) -> pd.DataFrame:
    """Cohen's kappa of correctness for each pair of models, over all images together.

    Kappa = (observed - expected) / (1 - expected). Observed is the fraction of images that both
    models get or both miss; expected is that of two models of these accuracies that fail
    independently, p q + (1 - p)(1 - q). This is the error consistency of Geirhos, Meding and
    Wichmann 2020 ("Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by
    measuring error consistency").

    The interval is the asymptotic one of Fleiss, Cohen and Everitt 1969 after adding one half to
    each of the four counts, with a quantile of Student's t in place of the normal one: its degrees
    of freedom are 5 more than the images that both get or that both miss, whichever are fewer,
    since so few decide. Where images come in groups, the counts are divided by the design effect,
    by which groups multiply the variance of kappa, if that is above 1, and 4 of the 5 with them.
    Bounds are clipped to
    kappa's range of -1 to 1.

    Args:
        hits: the hits of all models on the images of one source under one rule.
        level: confidence level, such as 0.95.

    Returns:
        The columns :data:`KAPPA` but ``generator``; one row per pair of models, ``a`` before ``b``
        by name; empty if there is only one model. Kappa and its bounds are NaN where both models
        get every image or both get none: then expected is 1, there are no errors to compare, and
        0 / 0 is undefined.
    """
    return pd.concat([_kappas(hits, hit, level) for hit in HITS], ignore_index=True)


def _kappas(hits: Hits, hit: str, level: float) -> pd.DataFrame:
    models = hits.models_of(hit)
    order = sorted(range(len(models)), key=models.__getitem__)
    names = np.array([models[column] for column in order], dtype=object)
    right, n = hits.of(hit)[:, order], len(hits.images)
    both_of = count_both(right)
    first, second = np.triu_indices(len(order), k=1)
    count = both_of.diagonal()
    count_a, count_b, both = count[first], count[second], both_of[first, second]
    cells = np.stack([both, count_a - both, count_b - both, n - count_a - count_b + both])
    observed, expected, kappa = kappa_of(cells.astype(np.float64))
    # Decided by counts, since rounding may keep fractions from being exactly 1.
    undefined = (count_a == count_b) & ((count_a == 0) | (count_a == n))
    groups = sample_of(hits.images).groups
    effect = np.ones(len(first)) if groups is None else _design_effects(right, groups)
    low, high = kappa_interval(cells.astype(np.float64), level, effect)
    return pd.DataFrame(
        {
            "rule": pd.Series(hits.rule, index=range(len(first)), dtype="str"),
            "hit": pd.Series(hit, index=range(len(first)), dtype="str"),
            "a": pd.Series(names[first], dtype="str"),
            "b": pd.Series(names[second], dtype="str"),
            "n": np.full(len(first), n),
            "observed": observed,
            "expected": expected,
            "kappa": np.where(undefined, np.nan, kappa),
            "low": np.where(undefined, np.nan, np.minimum(low, kappa)),
            "high": np.where(undefined, np.nan, np.maximum(high, kappa)),
        }
    )


def kappa_of(cells: Floats) -> tuple[Floats, Floats, Floats]:
    """Observed and expected agreement, and Cohen's kappa; NaN where it is undefined.

    Args:
        cells: (4, pairs), images that both models get, only the first, only the second, neither.
    """
    n = cells.sum(axis=0)
    p, q = (cells[0] + cells[1]) / n, (cells[0] + cells[2]) / n
    observed = (cells[0] + cells[3]) / n
    expected = p * q + (1 - p) * (1 - q)
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = (observed - expected) / (1 - expected)
    return observed, expected, kappa


def kappa_interval(
    cells: Floats, level: float, effect: Floats | float = 1
) -> tuple[Floats, Floats]:
    """Bounds on kappa, see :func:`kappas`.

    Args:
        cells: as in :func:`kappa_of`.
        level: confidence level, such as 0.95.
        effect: the design effect, at least 1, as one number or (pairs,).
    """
    freedom = np.minimum(cells[0], cells[3]) / effect + 1 + 4 / effect
    both, only_a, only_b, neither = more = cells / effect + 0.5
    n = more.sum(axis=0)
    _, expected, kappa = kappa_of(more)
    p, q = (both + only_a) / n, (both + only_b) / n
    agreeing = (
        both * (1 - (p + q) * (1 - kappa)) ** 2 + neither * (1 - (2 - p - q) * (1 - kappa)) ** 2
    )
    differing = (only_a * (1 - p + q) ** 2 + only_b * (1 - q + p) ** 2) * (1 - kappa) ** 2
    variance = (agreeing + differing) / n - (kappa - expected * (1 - kappa)) ** 2
    # Rounding can make a variance of zero negative.
    margin = np.sqrt(np.maximum(variance, 0) / n) / (1 - expected)
    margin *= student.ppf((1 + level) / 2, freedom)
    return np.maximum(kappa - margin, -1), np.minimum(kappa + margin, 1)


def _design_effects(right: npt.NDArray[np.bool_], groups: Codes) -> Floats:
    """:func:`design_effects` of each pair of columns."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))

    def total(of_images: npt.NDArray[np.bool_]) -> Floats:
        sums: Floats = np.add.reduceat(of_images[order].astype(np.float64), starts, axis=0)
        return sums

    size, hits = total(np.ones((len(right), 1), bool)), total(right)
    effects = [np.empty(0)]
    for first in range(right.shape[1] - 1):  # one column at a time, to bound the memory
        a, b = hits[:, first, None], hits[:, first + 1 :]
        both = total(right[:, first, None] & right[:, first + 1 :])
        effects.append(design_effects(np.stack([both, a - both, b - both, size - a - b + both])))
    return np.concatenate(effects)


def design_effects(cells: Floats) -> Floats:
    """By how much groups multiply the variance of each pair's kappa, at least 1.

    From kappa linearised in the three shares it follows from: what each image adds to its error,
    summed by group and squared, over the sum of the squares. Few images may add nearly all, and
    then groups seem to matter less than they do: so the factor is averaged over as many images as
    these count for, and one more whose group is all like it (Kish's design effect). Where nothing
    adds to it (the models never differ, or one gets all images or none), it is that one's alone.

    Args:
        cells: (4, groups, pairs), the numbers of images as in :func:`kappa_of`, group by group.
    """
    total = cells.sum(axis=1)
    kappa, n = kappa_of(total)[2], total.sum(axis=0)
    p, q = (total[0] + total[1]) / n, (total[0] + total[2]) / n
    a, b = np.array([[1, 1, 0, 0], [1, 0, 1, 0]])[:, :, None]
    error = (a == b) - (1 - kappa) * ((2 * q - 1) * a + (2 * p - 1) * b)
    error -= (error * total).sum(axis=0) / n
    alone = (error**2 * total).sum(axis=0)
    together = ((error[:, None] * cells).sum(axis=0) ** 2).sum(axis=0)
    known = alone > 1e-12 * n
    alone = np.where(known, alone, 1)
    images = np.where(known, alone**2 / np.where(known, (error**4 * total).sum(axis=0), 1), 0)
    kish = (cells.sum(axis=0) ** 2).sum(axis=0) / n
    measured = np.where(known, together, 0) / alone
    effect = np.maximum(1, (images * measured + kish) / (images + 1))
    return np.asarray(effect, np.float64)


def tabulate(
    outputs: Outputs, scores: Sequence[str], level: float, adapted: Sequence[str] = ()
) -> None:
    """Write the tables of :func:`measure_agreement`."""
    measured = measure_agreement(scores, level, outputs.path("images.parquet"), adapted)
    outputs.write("agreement", measured.agreement)
    outputs.write("difficulty", measured.difficulty)
    outputs.write("kappa", measured.kappa)

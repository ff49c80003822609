"""Are two models, or two rules, really different, and how stable is the ranking of the models?"""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pandas as pd

from synthsight.statistics.columns import COMPARISONS, RANKING
from synthsight.statistics.hits import HITS, Scored, read_scored, sample_of, sources
from synthsight.statistics.pairs import compare_pairs, mcnemar_test
from synthsight.statistics.ranking import ranking, stream
from synthsight.tables import Outputs


def compare(
    scores: Sequence[str | os.PathLike[str]],
    level: float,
    resamples: int,
    seed: int,
    adapted: Collection[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare all models under each rule and all rules for each model; rank the models.

    All differences are paired, image by image; generated images and real photographs are compared
    apart. Adding a model or rule leaves the bounds of the others unchanged (though its pairs count
    in Holm's correction, and it takes its place in the ranking). The order of files and rows does
    not matter.

    Comparisons of kind ``model`` have an exact McNemar test: of the images that only one of the
    two gets, does each get half? Unlike the means, it counts images, not categories, and takes them
    as independent, which images of one group are not. ``p_holm`` corrects for all pairs under the
    same rule and hit (Holm 1979). Comparisons of kind ``rule`` have no test: two rules judge the
    same predictions, and one often accepts everything that the other does, so a single image that
    differs proves that the rules do.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model, about
            the same images.
        level: confidence level, such as 0.95.
        resamples: number of draws for the ranking.
        seed: of the draws.
        adapted: models that were trained on the images, which are compared but have no rank, unless
            there are no others.

    Returns:
        The comparisons, columns :data:`COMPARISONS`. ``kind`` is ``model`` (``a`` and ``b`` are
        models, ``model`` is null) or ``rule`` (``a`` and ``b`` are rules, ``rule`` is null), with
        a < b; ``generator`` is ``*`` or the real photographs'; ``n`` images; ``a_mean`` and
        ``b_mean`` are unweighted means over categories, ``difference`` = a_mean - b_mean with the
        bounds ``low`` and ``high``, as fractions; ``only_a`` and ``only_b`` count images that one
        gets and the other does not.

        A model has no rows of kinds of hit that are not known.

        The ranking, columns :data:`RANKING`: the ``share`` of draws in which a model holds a rank,
        1 being the best. Models tied for k ranks hold each of these for 1/k of the draw, so the
        shares of a model sum to 1, and so do those of a rank.

    Raises:
        HitsError: no files, or files that differ in their images.
    """
    everything = read_scored(scores)
    comparisons, rankings = [], []
    for source, chosen in sources(everything.images):
        scored = everything.part(chosen)
        rng = stream(seed, "compare", source)
        of_rules, of_source = (
            _compare(scored, level),
            _rank(scored.without(adapted), resamples, rng),
        )
        comparisons += [part.assign(generator=source) for part in of_rules]
        rankings += [part.assign(generator=source) for part in of_source]
    comparisons = comparisons or [pd.DataFrame(columns=list(COMPARISONS))]
    rankings = rankings or [pd.DataFrame(columns=RANKING)]  # where no hits at all are known
    comparison = pd.concat([part[list(COMPARISONS)].astype(COMPARISONS) for part in comparisons])
    order = ["kind", "generator", "hit", "rule", "model", "a", "b"]
    return (
        comparison.sort_values(order, ignore_index=True),
        pd.concat(rankings)[RANKING].sort_values(
            ["generator", "rule", "hit", "model", "rank"], ignore_index=True
        ),
    )


def _compare(scored: Scored, level: float) -> Iterator[pd.DataFrame]:
    """The pairs of models under each rule and hit, and of rules for each model and hit."""
    sample = sample_of(scored.images)
    for (r, rule), (h, hit) in itertools.product(enumerate(scored.rules), enumerate(HITS)):
        models, hits = scored.of_rule(r, h)
        if not models:
            continue
        pairs = compare_pairs(models, hits, sample, level)
        yield mcnemar_test(pairs).assign(kind="model", hit=hit, rule=rule, model=None)
    for (m, model), (h, hit) in itertools.product(enumerate(scored.models), enumerate(HITS)):
        rules, hits = scored.of_model(m, h)
        if not rules:
            continue
        pairs = compare_pairs(rules, hits, sample, level)
        yield pairs.assign(kind="rule", hit=hit, rule=None, model=model, p=np.nan, p_holm=np.nan)


def _rank(scored: Scored, resamples: int, rng: np.random.Generator) -> Iterator[pd.DataFrame]:
    """The ranking under each rule and hit."""
    sample = sample_of(scored.images)
    for (r, rule), (h, hit) in itertools.product(enumerate(scored.rules), enumerate(HITS)):
        models, hits = scored.of_rule(r, h)
        if not models:
            continue
        of_rule = ranking(models, hits, sample, resamples, rng)
        yield of_rule.assign(rule=rule, hit=hit)


def tabulate(
    outputs: Outputs,
    scores: Sequence[str],
    level: float,
    resamples: int,
    seed: int,
    adapted: Sequence[str] = (),
) -> None:
    """Write the tables ``comparisons`` and ``ranking``: see :func:`compare`."""
    comparisons, ranks = compare(scores, level, resamples, seed, adapted)
    outputs.write("comparisons", comparisons)
    outputs.write("ranking", ranks)

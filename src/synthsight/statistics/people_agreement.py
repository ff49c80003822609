"""How alike people and models fail: kappa among people, between people and models, among models.

Kappa of correctness is the error consistency of Geirhos, Meding and Wichmann 2020, as among models
(:mod:`synthsight.statistics.agreement`). Klein et al. 2025 ("Quantifying uncertainty in error
consistency") show how uncertain it is with the numbers of images that are usual: so each has an
interval by bootstrap, and the number of images with which a difference could be told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from synthsight.statistics.columns import PEOPLE_AGREEMENT
from synthsight.statistics.hits import sources
from synthsight.statistics.moments import Floats
from synthsight.statistics.people_kappas import (
    Estimate,
    Weights,
    among_models,
    among_raters,
    bounds,
    units_of,
    with_raters,
)
from synthsight.statistics.ranking import stream
from synthsight.statistics.ratings import ModelHits, Ratings

#: The kinds of rows, in their order: the mean over pairs of raters; each rater with all others;
#: Fleiss' kappa of responses; each model with all raters; the mean over pairs of models.
RATERS, RATER, FLEISS, MODEL, MODELS = "raters", "rater", "fleiss", "model", "models"
KINDS = (RATERS, RATER, FLEISS, MODEL, MODELS)

#: Draws of other images behind each interval.
DRAWS = 1000


def agreement(
    ratings: Ratings,
    by_rule: Sequence[ModelHits],
    level: float,
    seed: int,
    adapted: Collection[str] = (),
) -> pd.DataFrame:
    """Kappa of correctness among people, between people and models, and among models.

    Args:
        ratings: people's labels.
        by_rule: the models' hits on these images.
        level: confidence level, such as 0.95.
        seed: of the draws.
        adapted: models that were trained on the images, which have no part in the mean over pairs
            of models, unless there are no others.

    Returns:
        The columns :data:`PEOPLE_AGREEMENT`, sorted by generator, kind, name and rule. ``kappa`` is
        the mean over ``pairs`` of raters and models, each weighing as many images as both have;
        pairs that are ``undefined``, since both get every image or none, are left out. ``n`` is the
        mean number of these images, rounded. For the bounds see
        :class:`~synthsight.statistics.people_kappas.Estimate`; ``trials`` is, of the images of all
        pairs together, :func:`~synthsight.statistics.people_kappas.trials_needed`. Without a second
        rater or model there are no rows that need one.
    """
    rows: list[dict[str, Any]] = []
    for generator, chosen in sources(ratings.items):
        part = ratings.part(chosen)
        rng = stream(seed, "people", generator)
        hits = [replace(found, hits=found.hits[chosen]) for found in by_rule]
        found_rows = _rows(part, hits, level, rng, adapted)
        rows += [{"generator": generator, **row} for row in found_rows]
    table = pd.DataFrame(rows, columns=list(PEOPLE_AGREEMENT)).astype(PEOPLE_AGREEMENT)
    order = pd.Categorical(table["kind"], KINDS, ordered=True).codes
    table = table.assign(order=order, text=table["name"].fillna(""), by=table["rule"].fillna(""))
    table = table.sort_values(["generator", "order", "text", "by"], ignore_index=True)
    return table[list(PEOPLE_AGREEMENT)]


def _rows(
    ratings: Ratings,
    by_rule: Sequence[ModelHits],
    level: float,
    rng: np.random.Generator,
    adapted: Collection[str],
) -> Iterator[dict[str, Any]]:
    weights = draw_items(ratings, rng)
    among = among_raters(ratings, weights)
    if len(ratings.raters) > 1:
        yield {"kind": RATERS, **among.all().mean(level)}
        for number, name in enumerate(ratings.raters):
            yield {"kind": RATER, "name": name, **among.of_rater(number).mean(level)}
        yield {"kind": FLEISS, **fleiss(ratings, weights, level)}
    for each in by_rule:
        with_each = with_raters(ratings, each.hits, weights)
        for model, found in zip(each.models, with_each, strict=True):
            yield {"kind": MODEL, "name": model, "rule": each.rule, **found.mean(level)}
        others = each.without(adapted)
        if len(others.models) > 1:
            found = among_models(ratings, others.hits, weights)
            yield {"kind": MODELS, "rule": each.rule, **found.mean(level)}


def draw_items(ratings: Ratings, rng: np.random.Generator) -> Weights:
    """How often each item is in each draw of groups of items, (1 + draws, items).

    The first row is the sample itself, each item once.
    """
    count = int(ratings.groups.max()) + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    weights = np.vstack([np.ones((1, count), np.int64), drawn])[:, ratings.groups]
    return weights.astype(np.float32)


def fleiss(ratings: Ratings, weights: Weights, level: float) -> dict[str, Any]:
    """Fleiss' kappa of the raters' responses, for items with two raters at least.

    Items may have different numbers of raters: each agrees with itself by the share of its pairs of
    responses that are the same, and items count alike (Fleiss 1971, with that one change).

    Args:
        ratings: the responses, of which ``other`` and ``cannot tell`` are two more.
        weights: from :func:`draw_items`.
        level: confidence level, such as 0.95.

    Returns:
        The columns of a row of :func:`agreement`; ``pairs`` is 1.
    """
    several = ratings.raters_of_item > 1
    about = {"n": int(several.sum()), "pairs": 1, "undefined": 0}
    nothing = {**dict.fromkeys(("kappa", "low", "high"), np.nan), "trials": None}
    if not several.any():
        return {**about, "pairs": 0, "undefined": 1, **nothing}
    part, weights = ratings.part(several), weights[:, several]
    drawn = _fleiss(part, weights)
    if np.isnan(drawn[0]):
        return {**about, "pairs": 0, "undefined": 1, **nothing}
    left_out = []
    for rater in range(len(part.raters)) if len(part.raters) > 2 else ():
        rest = part.without_rater(rater)
        fewer = rest.part(rest.raters_of_item > 1)
        left_out.append(
            float(_fleiss(fewer, np.ones((1, len(fewer.items)), np.float32))[0])
            if len(fewer.items)
            else np.nan
        )
    n = len(part.items)
    # Where draws do not differ everybody agrees with everybody: as of a pair that never differs.
    cells = np.array([[n / 2], [0], [0], [n / 2]])
    found = Estimate(drawn, np.array(left_out), np.empty(0), cells, n, units_of(part), 3)
    return {**about, **bounds(found, level, cells)}


def _fleiss(ratings: Ratings, weights: Weights) -> Floats:
    """Fleiss' kappa with each row of weights (draws, items); NaN where it is undefined."""
    counts = ratings.votes[0].astype(np.float64)
    size = ratings.raters_of_item.astype(np.float64)
    same = (counts * (counts - 1)).sum(axis=1) / (size * (size - 1))
    total = weights.sum(axis=1)
    observed = weights @ same / np.where(total > 0, total, 1)
    given = weights @ counts
    share = given / np.where(given.sum(axis=1) > 0, given.sum(axis=1), 1)[:, None]
    expected = (share**2).sum(axis=1)
    known = (total > 0) & (expected < 1 - 1e-9)
    kappa: Floats = np.where(
        known, (observed - expected) / np.where(known, 1 - expected, 1), np.nan
    )
    return kappa

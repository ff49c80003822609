"""How alike people and models fail: kappa among people, between people and models, among models.

Kappa of correctness is the error consistency of Geirhos, Meding and Wichmann 2020, as among models
(:mod:`synthsight.statistics.agreement`). Klein et al. 2025 ("Quantifying uncertainty in error
consistency") show how uncertain it is with the numbers of images that are usual: so each has an
interval by bootstrap, and the number of images with which a difference could be told.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri
from scipy.stats import t as student

from synthsight.statistics.agreement import kappa_interval, kappa_of
from synthsight.statistics.columns import PEOPLE_AGREEMENT
from synthsight.statistics.hits import sources
from synthsight.statistics.moments import Floats
from synthsight.statistics.ranking import stream
from synthsight.statistics.ratings import Flags, ModelHits, Ratings

#: The kinds of rows, in their order: the mean over pairs of raters; each rater with all others;
#: Fleiss' kappa of responses; each model with all raters; the mean over pairs of models.
RATERS, RATER, FLEISS, MODEL, MODELS = "raters", "rater", "fleiss", "model", "models"
KINDS = (RATERS, RATER, FLEISS, MODEL, MODELS)

#: Draws of other images behind each interval.
DRAWS = 1000

#: A difference of kappas that an experiment should be able to tell, and how surely.
TOLD, POWER = 0.1, 0.8

#: Pairs looked at together, which bounds the memory.
_PAIRS = 2000

_Weights = npt.NDArray[np.float32]
_Counts = npt.NDArray[np.floating]


def agreement(
    ratings: Ratings, by_rule: Sequence[ModelHits], level: float, seed: int
) -> pd.DataFrame:
    """Kappa of correctness among people, between people and models, and among models.

    Args:
        ratings: people's labels.
        by_rule: the models' hits on these images.
        level: confidence level, such as 0.95.
        seed: of the draws.

    Returns:
        The columns :data:`PEOPLE_AGREEMENT`, sorted by generator, kind, name and rule. ``kappa`` is
        the mean over ``pairs`` of raters and models, each weighing as many images as both have;
        pairs that are ``undefined``, since both get every image or none, are left out. ``n`` is the
        mean number of these images, rounded. See :class:`Estimate` for the bounds, and
        :func:`trials_needed` for ``trials``. Without a second rater or model there are no rows that
        need one.
    """
    rows: list[dict[str, Any]] = []
    for generator, chosen in sources(ratings.items):
        part = ratings.part(chosen)
        rng = stream(seed, "people", generator)
        hits = [(found.rule, found.models, found.hits[chosen]) for found in by_rule]
        rows += [{"generator": generator, **row} for row in _rows(part, hits, level, rng)]
    table = pd.DataFrame(rows, columns=list(PEOPLE_AGREEMENT)).astype(PEOPLE_AGREEMENT)
    order = pd.Categorical(table["kind"], KINDS, ordered=True).codes
    table = table.assign(order=order, text=table["name"].fillna(""), by=table["rule"].fillna(""))
    table = table.sort_values(["generator", "order", "text", "by"], ignore_index=True)
    return table[list(PEOPLE_AGREEMENT)]


def _rows(
    ratings: Ratings,
    by_rule: Sequence[tuple[str, tuple[str, ...], Flags]],
    level: float,
    rng: np.random.Generator,
) -> Iterator[dict[str, Any]]:
    weights = draw_items(ratings, rng)
    among = among_raters(ratings, weights)
    if len(ratings.raters) > 1:
        yield {"kind": RATERS, **among.mean(level)}
        for number, name in enumerate(ratings.raters):
            yield {"kind": RATER, "name": name, **among.of_rater(number).mean(level)}
        yield {"kind": FLEISS, **fleiss(ratings, weights, level)}
    for rule, models, hits in by_rule:
        for model, found in zip(models, with_raters(ratings, hits, weights), strict=True):
            yield {"kind": MODEL, "name": model, "rule": rule, **found.mean(level)}
        if len(models) > 1:
            found = among_models(ratings, hits, weights)
            yield {"kind": MODELS, "rule": rule, **found.mean(level)}


def draw_items(ratings: Ratings, rng: np.random.Generator) -> _Weights:
    """How often each item is in each draw of groups of items, (1 + draws, items).

    The first row is the sample itself, each item once.
    """
    count = int(ratings.groups.max()) + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    weights = np.vstack([np.ones((1, count), np.int64), drawn])[:, ratings.groups]
    return weights.astype(np.float32)


@dataclass(frozen=True)
class Estimate:
    """Kappas of pairs, in the sample and in draws of other images, and their mean.

    The mean's interval is the estimate and a multiple of its error, by Student's t. The error has a
    part from images, the spread over draws, and one from raters, the jackknife's: by how much the
    mean changes if a rater is left out. The degrees of freedom are Satterthwaite's, of the two. The
    interval is at least as wide as that between the quantiles of the draws and, of a single pair,
    as that of pairs of models (:func:`synthsight.statistics.agreement.kappa_interval`), which holds
    with few errors; where draws do not differ at all, it is that one, of the mean pair. Raters have
    no part in it if there are fewer than three, or two with a model.

    Attributes:
        kappas: (1 + draws, pairs), the sample first; NaN where undefined.
        cells: (4, pairs), the numbers of items that both get, one, the other, or neither.
        members: (pairs, raters), whether a rater is of a pair; no columns among models.
        units: number of groups of items.
        fewest: the number of raters from which on they have a part in the error.
    """

    kappas: Floats
    cells: Floats
    members: Flags
    units: int
    fewest: int

    def of_rater(self, rater: int) -> Estimate:
        """The pairs of one rater, of which the others are drawn."""
        own = self.members[:, rater]
        others = np.delete(self.members, rater, axis=1)[own]
        return Estimate(self.kappas[:, own], self.cells[:, own], others, self.units, 2)

    def mean(self, level: float) -> dict[str, Any]:
        """The columns of a row of :func:`agreement`."""
        sizes = self.cells.sum(axis=0)
        means = _mean(self.kappas, sizes)
        known = ~np.isnan(self.kappas[0])
        about = {
            "n": round(sizes.mean()) if len(sizes) else 0,
            "pairs": int(known.sum()),
            "undefined": int((~known).sum()),
        }
        if not known.any():
            return {**about, **dict.fromkeys(("kappa", "low", "high"), np.nan), "trials": None}
        left_out = [
            _mean(self.kappas[:1], np.where(of_rater, 0, sizes))[0] for of_rater in self.members.T
        ]
        cells = self.cells[:, known].mean(axis=1, keepdims=True)
        return {**about, **bounds(means, left_out, self, level, cells)}


def bounds(
    drawn: Floats, left_out: Sequence[float], about: Estimate, level: float, cells: Floats
) -> dict[str, Any]:
    """An estimate with bounds, and how many images would tell a difference from another.

    Args:
        drawn: (1 + draws,), the estimate, and as it is with other images.
        left_out: the estimate without each rater.
        about: the numbers of groups, and of raters from which on they count.
        level: confidence level, such as 0.95.
        cells: (4, 1), of a pair with such a kappa, for where draws do not differ.
    """
    value, draws = float(drawn[0]), drawn[1:][~np.isnan(drawn[1:])]
    items = float(draws.var(ddof=1)) if len(draws) > 1 else 0.0
    others = np.array([each for each in left_out if not np.isnan(each)])
    raters = 0.0
    if len(others) == len(left_out) >= about.fewest:
        raters = (len(others) - 1) / len(others) * float(((others - others.mean()) ** 2).sum())
    total = items + raters
    low, high = (float(side[0]) for side in kappa_interval(cells, level))
    if total >= 1e-12:
        parts = items**2 / max(1, about.units - 1) + raters**2 / max(1, len(others) - 1)
        margin = student.ppf((1 + level) / 2, total**2 / parts) * np.sqrt(total)
        inner = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
        outer = (low, high) if about.kappas.shape[1] == 1 else (value, value)
        low = min(value - margin, inner[0], outer[0])
        high = max(value + margin, inner[1], outer[1])
    return {
        "kappa": value,
        "low": max(-1.0, min(low, value)),
        "high": min(1.0, max(high, value)),
        "trials": trials_needed(items, float(cells.sum()), level),
    }


def trials_needed(variance: float, images: float, level: float) -> int | None:
    """How many images tell two kappas that differ by :data:`TOLD`, with probability :data:`POWER`.

    The variance of kappa by chance of images falls as their number grows, V = v / n. A difference
    d of two kappas like this one, of independent errors, is told at a level if it is z errors from
    zero, and with power if it is z' more: n = (z + z')^2 2 v / d^2. The raters stay the same.

    Args:
        variance: of a kappa, by chance of images.
        images: their number.
        level: of the test, such as 0.95.

    Returns:
        None where the draws do not differ, so that nothing is known of the variance.
    """
    if variance < 1e-12:
        return None
    quantiles = ndtri((1 + level) / 2) + ndtri(POWER)
    return int(np.ceil(quantiles**2 * 2 * variance * images / TOLD**2))


def _mean(kappas: Floats, weights: Floats) -> Floats:
    """The weighted mean of the defined kappas of each row, NaN if there is none."""
    known = ~np.isnan(kappas)
    total = (known * weights).sum(axis=1)
    sums = (np.where(known, kappas, 0) * weights).sum(axis=1)
    mean: Floats = np.where(total > 0, sums / np.where(total > 0, total, 1), np.nan)
    return mean


def _kappas(both: _Counts, a: _Counts, b: _Counts, n: _Counts) -> tuple[Floats, Floats]:
    """Kappas of pairs in each draw, and their cells in the sample, from counts (draws, pairs)."""
    cells = np.stack([both, a - both, b - both, n - a - b + both]).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = kappa_of(cells)[2]
    alike = (a == b) & ((a == 0) | (a == n))
    return np.where(alike, np.nan, kappa), cells[:, 0]


def among_raters(ratings: Ratings, weights: _Weights) -> Estimate:
    """The kappas of all pairs of raters who have rated an item in common."""
    rated, right = (table.astype(np.float32) for table in ratings.table())
    pairs = [
        (a, b)
        for a, b in itertools.combinations(range(len(ratings.raters)), 2)
        if (rated[:, a] * rated[:, b]).any()
    ]
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T

    def counts(chosen: slice) -> tuple[Floats, Floats]:
        a, b = first[chosen], second[chosen]
        return _kappas(
            weights @ (right[:, a] * right[:, b]),
            weights @ (right[:, a] * rated[:, b]),
            weights @ (rated[:, a] * right[:, b]),
            weights @ (rated[:, a] * rated[:, b]),
        )

    members = np.zeros((len(pairs), len(ratings.raters)), np.bool_)
    members[np.arange(len(pairs)), first] = members[np.arange(len(pairs)), second] = True
    return Estimate(*_in_parts(len(pairs), counts, weights), members, _units(ratings), 3)


def with_raters(ratings: Ratings, hits: Flags, weights: _Weights) -> Iterator[Estimate]:
    """The kappas of each model (a column of ``hits``) with all raters."""
    rated, right = (table.astype(np.float32) for table in ratings.table())
    n, of_raters = weights @ rated, weights @ right
    for column in hits.T.astype(np.float32)[:, :, None]:
        of_model, both = weights @ (rated * column), weights @ (right * column)
        kappas, cells = _kappas(both, of_raters, of_model, n)
        members = np.eye(len(ratings.raters), dtype=np.bool_)
        yield Estimate(kappas, cells, members, _units(ratings), 2)


def among_models(ratings: Ratings, hits: Flags, weights: _Weights) -> Estimate:
    """The kappas of all pairs of models (columns of ``hits``), on the items that people rated."""
    right = hits.astype(np.float32)
    first, second = np.triu_indices(right.shape[1], k=1)
    of_models, n = weights @ right, weights.sum(axis=1, keepdims=True)

    def counts(chosen: slice) -> tuple[Floats, Floats]:
        a, b = first[chosen], second[chosen]
        both = weights @ (right[:, a] * right[:, b])
        return _kappas(both, of_models[:, a], of_models[:, b], np.broadcast_to(n, both.shape))

    members = np.zeros((len(first), 0), np.bool_)
    return Estimate(*_in_parts(len(first), counts, weights), members, _units(ratings), 2)


def _units(ratings: Ratings) -> int:
    return int(ratings.groups.max()) + 1


def _in_parts(
    pairs: int, counts: Callable[[slice], tuple[Floats, Floats]], weights: _Weights
) -> tuple[Floats, Floats]:
    """The kappas and cells of all pairs, some pairs at a time."""
    kappas, cells = np.empty((len(weights), pairs)), np.empty((4, pairs))
    for start in range(0, pairs, _PAIRS):
        chosen = slice(start, start + _PAIRS)
        kappas[:, chosen], cells[:, chosen] = counts(chosen)
    return kappas, cells


def fleiss(ratings: Ratings, weights: _Weights, level: float) -> dict[str, Any]:
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
    n = float(len(part.items))
    # Where draws do not differ everybody agrees with everybody: as of a pair that never differs.
    cells = np.array([[n / 2], [0], [0], [n / 2]])
    empty = Estimate(np.empty((1, 0)), cells, np.zeros((0, 0), np.bool_), _units(part), 3)
    return {**about, **bounds(drawn, left_out, empty, level, cells)}


def _fleiss(ratings: Ratings, weights: _Weights) -> Floats:
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

"""How well people answer the yes/no questions, beside the models that were asked the same ones."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthsight.people.words import CANNOT_TELL
from synthsight.statistics.answers import Answers, read_answers
from synthsight.statistics.columns import PEOPLE_ANSWERS
from synthsight.statistics.crossed import Design, responses_of
from synthsight.statistics.intervals import share_interval
from synthsight.statistics.moments import Floats
from synthsight.statistics.people import (
    CEILING,
    KINDS,
    MAJORITY,
    MEAN,
    MODEL,
    RATER,
    agreeing,
    majority,
)
from synthsight.statistics.people_agreement import draw_items
from synthsight.statistics.people_kappas import among_raters, with_raters
from synthsight.statistics.ranking import stream
from synthsight.statistics.ratings import Flags, Ratings, ratings_of
from synthsight.tables import Outputs, read_parquet

_KEY = ["image", "question"]


def compare_answers(
    given: str | os.PathLike[str],
    answers: Sequence[str | os.PathLike[str]],
    level: float,
    seed: int,
) -> pd.DataFrame:
    """The accuracy of raters, of all of them together, and of the models on the same questions.

    Only questions count that people and every model have answered. The unit of chance is the image,
    or group of images, and the rater.

    Args:
        given: Parquet file of :func:`synthsight.people.import_people.import_answers`.
        answers: scored answers, one file per VQA model.
        level: confidence level, such as 0.95.
        seed: of the draws behind the intervals of kappa.

    Returns:
        The columns :data:`PEOPLE_ANSWERS`, sorted by kind and name. Kinds are those of
        :mod:`synthsight.statistics.people`; ``difference`` is a model's accuracy less that of
        ``mean``; ``kappa`` is that of correctness, with all raters or, of a rater, the others, as
        in :mod:`synthsight.statistics.people_agreement`, and for ``mean`` the mean over pairs of
        raters. ``left_out`` counts questions that people answered and that do not count, since a
        model could not take them or a copy of the image is asked about.
    """
    rows = read_parquet(given, ["rater", *_KEY, "response", "correct"]).to_pandas()
    found = read_answers(answers)
    ratings, correct = _rated(rows, found)
    left_out = len(rows.drop_duplicates(_KEY)) - len(ratings.items)
    table = pd.DataFrame(
        list(_rows(ratings, found.models, correct, level, seed)), columns=list(PEOPLE_ANSWERS)
    ).assign(left_out=left_out)
    order = pd.Categorical(table["kind"], KINDS, ordered=True).codes
    table = table.assign(order=order).sort_values(["order", "name"], ignore_index=True)
    return table[list(PEOPLE_ANSWERS)].astype(PEOPLE_ANSWERS)


def _rated(rows: pd.DataFrame, answers: Answers) -> tuple[Ratings, Flags]:
    """What people say to the questions that all models answered, and which of these models get."""
    keys = pd.MultiIndex.from_frame(answers.questions[_KEY])
    places = keys.get_indexer(pd.MultiIndex.from_frame(rows[_KEY]))
    rows = rows[places >= 0].assign(place=places[places >= 0])
    kept = np.unique(rows["place"])
    items = answers.questions.iloc[kept].reset_index(drop=True)
    ratings = ratings_of(
        rows,
        items.assign(picture=answers.images[kept]),
        np.zeros(len(kept), np.int64),
        answers.units[kept],
        pd.Index(kept),
        rows["place"],
    )
    return ratings, answers.correct[kept]


def _rows(
    ratings: Ratings, models: Sequence[str], correct: Flags, level: float, seed: int
) -> Iterator[dict[str, Any]]:
    if ratings.items.empty:
        return
    weights = draw_items(ratings, stream(seed, "people", "answers"))
    design, several = Design(ratings), len(ratings.raters) > 1
    among = among_raters(ratings, weights)
    for number, name in enumerate(ratings.raters):
        own = ratings.of_rater(number)
        kappa = _kappa(among.of_rater(number).mean(level)) if several else {}
        shares = Design(own).shares(_column(own.correct), level)
        yield {"kind": RATER, "name": name, **_about(own), **_bounds(*shares), **kappa}
    kappa = _kappa(among.all().mean(level)) if several else {}
    shares = design.shares(_column(ratings.correct), level)
    yield {"kind": MEAN, **_about(ratings), **_bounds(*shares), **kappa}
    spread = responses_of(design.spread(_column(majority(ratings))))
    bounds = _bounds(spread.mean, *share_interval(spread, level))
    yield {"kind": MAJORITY, **_about(ratings), **bounds, "cannot_tell": np.nan}
    if (ratings.raters_of_item > 1).any():
        part = ratings.part(ratings.raters_of_item > 1)
        shares = Design(part).shares(_column(agreeing(part)), level)
        yield {"kind": CEILING, **_about(part), **_bounds(*shares), "cannot_tell": np.nan}
    hits = correct.astype(np.float64)
    spread = design.spread(hits)
    found = spread.mean, *share_interval(spread, level)
    apart = design.differences(hits, ratings.correct.astype(np.float64), level)
    for number, pair in enumerate(with_raters(ratings, correct, weights)):
        names = ("difference", "difference_low", "difference_high")
        yield {
            "kind": MODEL,
            "name": models[number],
            **_about(ratings),
            **_bounds(*(each[number : number + 1] for each in found)),
            **dict(zip(names, (float(each[number]) for each in apart), strict=True)),
            "cannot_tell": np.nan,
            **_kappa(pair.mean(level)),
        }


def _about(ratings: Ratings) -> dict[str, Any]:
    return {
        "n": len(ratings.items),
        "images": ratings.items["picture"].nunique(),
        "raters": len(ratings.raters),
        "cannot_tell": float((ratings.response == CANNOT_TELL).mean()),
    }


def _kappa(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "kappa": found["kappa"],
        "kappa_low": found["low"],
        "kappa_high": found["high"],
        "trials": found["trials"],
    }


def _column(values: Any) -> Floats:
    column: Floats = values.astype(np.float64)[:, None]
    return column


def _bounds(mean: Floats, low: Floats, high: Floats) -> dict[str, float]:
    return {"accuracy": float(mean[0]), "low": float(low[0]), "high": float(high[0])}


def tabulate(
    outputs: Outputs, given: Sequence[str], answers: Sequence[str], level: float, seed: int
) -> None:
    """Write the table ``people_answers``: see :func:`compare_answers`."""
    (path,) = given
    outputs.write("people_answers", compare_answers(path, answers, level, seed))

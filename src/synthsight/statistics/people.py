"""How well people recognise images, beside the models on exactly the same images."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from synthsight.people.words import CANNOT_TELL, OTHER
from synthsight.statistics.columns import (
    PEOPLE,
    PEOPLE_GROUPS,
    PEOPLE_IMAGES,
    PEOPLE_RECOGNISABLE,
    WHO,
)
from synthsight.statistics.crossed import Design, responses_of
from synthsight.statistics.intervals import share_interval, unpaired_interval
from synthsight.statistics.moments import Floats
from synthsight.statistics.people_agreement import agreement
from synthsight.statistics.ratings import (
    ModelHits,
    Ratings,
    read_labels,
    read_model_hits,
    sources_of,
)
from synthsight.tables import ALL, Outputs

#: The kinds of rows, in their order: each rater, the mean over raters, what most raters say, how
#: well each rater agrees with what most others say, and the models.
RATER, MEAN, MAJORITY, CEILING, MODEL = "rater", "mean", "majority", "ceiling", "model"
KINDS = (RATER, MEAN, MAJORITY, CEILING, MODEL)


@dataclass(frozen=True)
class PeopleTables:
    """The tables about people's labels; accuracies, shares and bounds are fractions.

    Attributes:
        people: see :func:`accuracies`.
        agreement: see :func:`synthsight.statistics.people_agreement.agreement`.
        images: see :func:`describe_images`.
        groups: see :func:`count_groups`.
        recognisable: see :func:`recognisable`.
        notes: what is left out of them, in sentences.
    """

    people: pd.DataFrame
    agreement: pd.DataFrame
    images: pd.DataFrame
    groups: pd.DataFrame
    recognisable: pd.DataFrame
    notes: list[str]


def compare_with_people(
    labels: str | os.PathLike[str],
    scores: Sequence[str | os.PathLike[str]],
    rule: str,
    level: float,
    seed: int,
    adapted: Collection[str] = (),
) -> PeopleTables:
    """Make all tables about people's labels.

    Args:
        labels: Parquet file of :func:`synthsight.people.import_people.import_labels`.
        scores: Parquet files of scores, one per model.
        rule: the primary matching rule, under which images are described.
        level: confidence level, such as 0.95.
        seed: of the draws behind the intervals of kappa.
        adapted: models that were trained on the images. They have rows as all models have, but no
            part in what is said of all together, unless there are no others.
    """
    ratings = read_labels(labels)
    by_rule, notes = read_model_hits(scores, ratings.items["image"].tolist())
    primary = next(found for found in by_rule if found.rule == rule)
    images = describe_images(ratings, primary.without(adapted))
    return PeopleTables(
        people=accuracies(ratings, by_rule, level),
        agreement=agreement(ratings, by_rule, level, seed, adapted),
        images=images,
        groups=count_groups(images),
        recognisable=recognisable(ratings, by_rule, level),
        notes=notes,
    )


def accuracies(ratings: Ratings, by_rule: Sequence[ModelHits], level: float) -> pd.DataFrame:
    """The accuracy of raters, of all of them together, and of the models on the same images.

    Args:
        ratings: people's labels.
        by_rule: the models' hits on these images.
        level: confidence level, such as 0.95.

    Returns:
        The columns :data:`PEOPLE`, sorted by generator, category, kind, name and rule. Category
        ``*`` is the unweighted mean over the ``categories`` of the ``n`` images; raters have rows
        for that alone. ``mean`` is the mean over an image's raters, then over images; in
        ``majority`` what most raters say counts, and in ``ceiling`` each rater is right who says
        what most others do, on images with two raters at least; where several responses are said
        equally often, each is right to its part, as if one of them were drawn. ``difference`` is a
        model's accuracy less that of ``mean``. ``other`` and ``cannot_tell`` are shares of
        responses.
    """
    rows: list[dict[str, Any]] = []
    for generator, of_source in sources_of(ratings.items):
        part = ratings.part(of_source)
        hits = [(found.rule, found.models, found.hits[of_source]) for found in by_rule]
        names = sorted(part.items["category"].unique())
        for category in (ALL, *names):
            whole = category == ALL
            chosen = (part.items["category"] == category).to_numpy() | whole
            few = part.part(chosen)
            about = {
                "generator": generator,
                "category": category,
                "categories": len(names) if whole else 1,
            }
            found = [*_of_people(few, level)]
            for rule, models, of_models in hits:
                found += _of_models(few, rule, models, of_models[chosen], level)
            rows += [
                {**about, **row} for row in (*found, *(_of_raters(few, level) if whole else ()))
            ]
    table = pd.DataFrame(rows, columns=list(PEOPLE))
    order = pd.Categorical(table["kind"], KINDS, ordered=True)
    keys = [first_all(table[key]) for key in ("generator", "category")]
    by = np.lexsort([*(_text(table[key]) for key in ("rule", "name")), order.codes, *keys[::-1]])
    return table.iloc[by].reset_index(drop=True).astype(PEOPLE)


def first_all(names: pd.Series) -> Floats:
    """The rank of each name, that of all together first."""
    return np.where(names == ALL, -1, pd.factorize(names, sort=True)[0])


def _text(names: pd.Series) -> Any:
    return pd.factorize(names.astype("str").fillna(""), sort=True)[0]


def _said(ratings: Ratings) -> dict[str, float]:
    """How often people see something else, or cannot tell, as shares of responses."""
    return {
        "other": float((ratings.response == OTHER).mean()),
        "cannot_tell": float((ratings.response == CANNOT_TELL).mean()),
    }


def _of_raters(ratings: Ratings, level: float) -> Iterator[dict[str, Any]]:
    for number, name in enumerate(ratings.raters):
        own = ratings.of_rater(number)
        about = {
            "kind": RATER,
            "name": name,
            "categories": own.items["category"].nunique(),
            "n": len(own.items),
            "raters": 1,
        }
        yield {**about, **_bounds(Design(own).shares(_column(own.correct), level)), **_said(own)}


def _of_people(ratings: Ratings, level: float) -> Iterator[dict[str, Any]]:
    about = {"n": len(ratings.items), "raters": len(ratings.raters)}
    design = Design(ratings)
    mean = design.shares(_column(ratings.correct), level)
    yield {"kind": MEAN, **about, **_bounds(mean), **_said(ratings)}
    spread = responses_of(design.spread(_column(majority(ratings))))
    yield {
        "kind": MAJORITY,
        **about,
        **_bounds((spread.mean, *share_interval(spread, level))),
    }
    if (ratings.raters_of_item > 1).any():
        several = ratings.part(ratings.raters_of_item > 1)
        found = Design(several).shares(_column(agreeing(several)), level)
        about = {"n": len(several.items), "raters": len(several.raters)}
        categories = several.items["category"].nunique()
        yield {"kind": CEILING, **about, **_bounds(found), "categories": categories}


def _of_models(
    ratings: Ratings, rule: str, models: Sequence[str], hits: Any, level: float
) -> Iterator[dict[str, Any]]:
    if not models:
        return
    design, right = Design(ratings), hits.astype(np.float64)
    spread = design.spread(right)
    found = np.stack([spread.mean, *share_interval(spread, level)])
    apart = np.stack(design.differences(right, ratings.correct.astype(np.float64), level))
    for number, model in enumerate(models):
        difference, low, high = map(float, apart[:, number])
        yield {
            "kind": MODEL,
            "name": model,
            "rule": rule,
            "n": len(ratings.items),
            "raters": len(ratings.raters),
            **_bounds(found[:, number]),
            **{"difference": difference, "difference_low": low, "difference_high": high},
        }


def _column(values: Any) -> Floats:
    column: Floats = values.astype(np.float64)[:, None]
    return column


def _bounds(found: Any) -> dict[str, float]:
    mean, low, high = (float(np.ravel(value)[0]) for value in found)
    return {"accuracy": mean, "low": low, "high": high}


def majority(ratings: Ratings) -> Floats:
    """(items,), whether what most raters say is right; of k responses said equally often, 1 / k."""
    counts, columns, most = ratings.votes
    top = counts == most[:, None]
    right = np.zeros(counts.shape, np.bool_)
    right[ratings.item[ratings.correct], columns[ratings.correct]] = True
    share: Floats = (top & right).sum(axis=1) / top.sum(axis=1)
    return share


def agreeing(ratings: Ratings) -> Floats:
    """(responses,), whether each is what most others say of the item; likewise 1 / k of several.

    Args:
        ratings: of items with two raters at least.
    """
    counts, columns, most = ratings.votes
    # Without one response the others' favourites change only if it is the favourite of all: then
    # with it are those that were given once less. Otherwise it is none of the others' favourites.
    of_all = (counts == most[:, None]).sum(axis=1)
    once_less = (counts == most[:, None] - 1).sum(axis=1)
    alone = (counts[ratings.item, columns] == most[ratings.item]) & (of_all[ratings.item] == 1)
    share: Floats = alone / (1 + once_less[ratings.item])
    return share


def describe_images(ratings: Ratings, models: ModelHits) -> pd.DataFrame:
    """What people say of each image, and how many models get it, top-1.

    Returns:
        The columns :data:`PEOPLE_IMAGES`, sorted by image. ``recognised``: more than half of its
        raters are right. ``response`` is what most raters say; null where several responses are
        said equally often. ``who`` is one of :data:`WHO`, null without a model.
    """
    counts, columns, most = ratings.votes
    names = dict(zip(columns.tolist(), ratings.response.tolist(), strict=True))
    top = counts == most[:, None]
    said = [names[int(row.argmax())] if row.sum() == 1 else None for row in top]
    some, people = models.hits.any(axis=1), ratings.recognised
    who = np.array(WHO, dtype=object)[2 * ~people + ~some]
    table = ratings.items[["image", "category", "generator", "real"]].assign(
        raters=ratings.raters_of_item,
        right=np.bincount(ratings.item, ratings.correct, minlength=len(ratings.items)),
        share=ratings.share,
        recognised=people,
        response=pd.array(said, dtype="str"),
        rule=models.rule,
        models_right=models.hits.sum(axis=1),
        models=len(models.models),
        who=who if models.models else None,
    )
    return table[list(PEOPLE_IMAGES)].astype(PEOPLE_IMAGES)


def count_groups(images: pd.DataFrame) -> pd.DataFrame:
    """How many images people get and no model does, and so on, by category and generator.

    Args:
        images: from :func:`describe_images`.

    Returns:
        The columns :data:`PEOPLE_GROUPS`, sorted; category ``*`` counts the images of all.
    """
    rows = []
    for generator, chosen in sources_of(images) if images["who"].notna().any() else ():
        of_source = images[chosen]
        for category in (ALL, *sorted(of_source["category"].unique())):
            part = of_source[(of_source["category"] == category) | (category == ALL)]
            counts = part["who"].value_counts()
            found = {who.replace(" ", "_"): int(counts.get(who, 0)) for who in WHO}
            about = {"category": category, "generator": generator, "rule": part["rule"].iloc[0]}
            rows.append({**about, "n": len(part), **found})
    table = pd.DataFrame(rows, columns=list(PEOPLE_GROUPS))
    by = np.lexsort([first_all(table["category"]), first_all(table["generator"])])
    return table.iloc[by].reset_index(drop=True).astype(PEOPLE_GROUPS)


def recognisable(ratings: Ratings, by_rule: Sequence[ModelHits], level: float) -> pd.DataFrame:
    """The models' accuracy on images that people recognise, against all that people rated.

    Both are means over the categories with an image that more than half of its raters get.

    Args:
        ratings: people's labels.
        by_rule: the models' hits on these images.
        level: confidence level, such as 0.95.

    Returns:
        The columns :data:`PEOPLE_RECOGNISABLE`, sorted: ``all_top1`` of ``n_all`` images, ``top1``
        of the ``n`` recognised ones, and the difference, which is paired: the ones are among the
        others. It has no bounds if people recognise all: it is 0 then, whatever the model.
    """
    rows: list[dict[str, Any]] = []
    for generator, chosen in sources_of(ratings.items):
        part = ratings.part(chosen)
        known = np.bincount(part.strata, part.recognised) > 0
        kept = known[part.strata]
        if not kept.any():
            continue
        every = part.part(kept)
        some = every.part(every.recognised)
        about = {
            "generator": generator,
            "categories": int(known.sum()),
            "n_all": len(every.items),
            "n": len(some.items),
        }
        for found in by_rule:
            hits = found.hits[chosen][kept].astype(np.float64)
            rows += [
                {**about, "rule": found.rule, "model": model, **row}
                for model, row in zip(found.models, _among(every, some, hits, level), strict=True)
            ]
    table = pd.DataFrame(rows, columns=list(PEOPLE_RECOGNISABLE))
    by = np.lexsort([first_all(table["generator"]), _text(table["rule"]), _text(table["model"])])
    return table.iloc[by].reset_index(drop=True).astype(PEOPLE_RECOGNISABLE)


def _among(every: Ratings, some: Ratings, hits: Floats, level: float) -> Iterator[dict[str, float]]:
    """Each column of hits (items, models) on all images, and on those that people recognise."""
    people = every.recognised
    whole, few = Design(every), Design(some)
    spreads = whole.spread(hits), few.spread(hits[people])
    means = [spread.mean for spread in spreads]
    bounds = [share_interval(spread, level) for spread in spreads]
    difference = means[1] - means[0]
    # What each image adds to the error of the difference: its own deviation, in either mean.
    errors = -whole.deviations(hits)
    errors[people] += few.deviations(hits[people])
    groups = np.zeros((every.groups.max() + 1, hits.shape[1]))
    np.add.at(groups, every.groups, errors)
    units = max(1, len(groups) - len(np.unique(every.strata)))
    variance = (groups**2).sum(axis=0) * len(groups) / units
    margin = student.ppf((1 + level) / 2, units) * np.sqrt(variance)
    # Where no image adds anything, its chance is unknown, and not none.
    apart = unpaired_interval(means[1], bounds[1], means[0], bounds[0])
    low = np.where(variance > 1e-15, difference - margin, apart[0])
    high = np.where(variance > 1e-15, difference + margin, apart[1])
    if people.all():  # the same images twice, which tell nothing of those that people do not get
        low = high = np.full_like(difference, np.nan)
    for number in range(hits.shape[1]):
        yield {
            "all_top1": means[0][number],
            "all_low": bounds[0][0][number],
            "all_high": bounds[0][1][number],
            "top1": means[1][number],
            "low": bounds[1][0][number],
            "high": bounds[1][1][number],
            "difference": difference[number],
            "difference_low": np.maximum(-1, low[number]),
            "difference_high": np.minimum(1, high[number]),
        }


def tabulate(
    outputs: Outputs,
    labels: Sequence[str],
    scores: Sequence[str],
    rule: str,
    level: float,
    seed: int,
    adapted: Sequence[str] = (),
) -> None:
    """Write the tables of :func:`compare_with_people`, and print what is left out of them."""
    (path,) = labels
    tables = compare_with_people(path, scores, rule, level, seed, adapted)
    outputs.write("people", tables.people)
    outputs.write("people_agreement", tables.agreement)
    outputs.write("people_images", tables.images)
    outputs.write("people_groups", tables.groups)
    outputs.write("people_recognisable", tables.recognisable)
    for note in tables.notes:
        print(note)

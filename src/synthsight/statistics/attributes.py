"""Accuracy by what else is known of images: prompts, seeds, settings of the generator."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.statistics.columns import ATTRIBUTES
from synthsight.statistics.hits import HITS, Scored, read_scored, sample_of, sources
from synthsight.statistics.intervals import share_interval, unpaired_interval
from synthsight.statistics.moments import Floats, Spread
from synthsight.tables import ALL, Outputs, read_parquet

#: Most values of an attribute that are compared one by one; numbers of more are in parts.
MOST = 20

#: Parts of numbers, and of lengths of texts, with about equally many images.
PARTS = 4

#: Kinds of attributes: by value, numbers in parts, texts by their number of words in parts.
VALUE, NUMBER, WORDS = "value", "number", "words"

#: Steps of the search for p, and the decimal logarithm of the smallest.
_STEPS, _LEAST = 32, -12.0

_IMAGE = "image"

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """The images with one value of an attribute, or with values in a range.

    Attributes:
        value: in words.
        inside: bool (images,).
        low: the least number in it; NaN where values are compared one by one.
        high: the greatest.
    """

    value: str
    inside: Flags
    low: float = math.nan
    high: float = math.nan


def parts_of(values: Sequence[str | None]) -> tuple[str, list[Part]]:
    """What the images are compared by: the kind, and the parts in their order.

    Up to :data:`MOST` values are compared one by one, numbers in their order and texts by name.
    More numbers are divided into :data:`PARTS` of about equally many images; of more texts, as
    prompts are, the number of words is. No parts where all images would be in one.

    Args:
        values: of the images, None where nothing is known.
    """
    known = [value for value in values if value is not None]
    distinct = sorted(set(known))
    numbers = {value: _number(value) for value in distinct}
    are_numbers = all(number is not None for number in numbers.values())
    kind = VALUE if len(distinct) <= MOST else NUMBER if are_numbers else WORDS
    if kind == VALUE:
        order = sorted(distinct, key=lambda v: (numbers[v] or 0, v)) if are_numbers else distinct
        texts = np.array([value if value is not None else "\0" for value in values], object)
        parts = [Part(value, texts == value) for value in order]
        return kind, parts if len(parts) > 1 else []
    measures = numbers if kind == NUMBER else {value: len(value.split()) for value in distinct}
    column = np.array([math.nan if value is None else measures[value] for value in values], float)
    there = ~np.isnan(column)
    inner = np.arange(1, PARTS) / PARTS
    edges = np.unique(np.quantile(column[there], inner, method="inverted_cdf"))
    places = np.searchsorted(edges, column, side="left")
    found = []
    for place in range(len(edges) + 1):
        inside = there & (places == place)
        if inside.any():
            low, high = float(column[inside].min()), float(column[inside].max())
            found.append(Part(_range(low, high, kind), inside, low, high))
    return kind, found if len(found) > 1 else []


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _range(low: float, high: float, kind: str) -> str:
    text = f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"
    return text if kind == NUMBER else f"{text} word{'' if low == high == 1 else 's'}"


def compare_attributes(
    scores: Sequence[str | os.PathLike[str]],
    attributes: pd.DataFrame,
    level: float,
    adapted: Collection[str] = (),
) -> pd.DataFrame:
    """Compare the images with each value of each attribute with all others that have a value.

    Generated images and real photographs are compared apart. An image of which an attribute is not
    known is on neither side. The mean is the unweighted one over the categories with such images;
    the difference is over those categories that both sides have, all equally, so that a value that
    comes with easy categories gains nothing by it. Its interval takes the two sides as independent,
    which is on the safe side where both have images of one group.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model.
        attributes: a row per image, ``image`` and a column of texts for each attribute.
        level: confidence level, such as 0.95.
        adapted: models that were trained on the images, which have no part in the mean over models,
            unless there are no others.

    Returns:
        The columns :data:`ATTRIBUTES`, for each model and for the mean over models (``*``), by
        source, attribute and part in their order. ``p`` is the level at which the interval would
        reach 0, taken from 1; ``p_holm`` is corrected (Holm 1979) for all tests of a model under
        a rule on a source, two values of one attribute being one test.

    Raises:
        synthsight.statistics.hits.HitsError: no files, or files that differ in their images.
    """
    scored = read_scored(scores)
    of_image = attributes.set_index(_IMAGE)
    tables = [pd.DataFrame(columns=list(ATTRIBUTES)).astype(ATTRIBUTES)]
    for source, chosen in sources(scored.images):
        part = scored.part(chosen)
        told = of_image.reindex(part.images[_IMAGE])
        found = []
        for name in told.columns:
            values = [value if isinstance(value, str) else None for value in told[name]]
            kind, parts = parts_of(values)
            known = np.array([value is not None for value in values])
            for place, each in enumerate(parts, start=1):
                rows = _compare(part, each.inside, known & ~each.inside, level, adapted)
                described = rows.assign(
                    generator=source,
                    attribute=str(name),
                    kind=kind,
                    place=place,
                    value=each.value,
                    low_edge=each.low,
                    high_edge=each.high,
                    repeats=len(parts) == 2 and place == 2,
                )
                found.append(described)
        if found:
            tables.append(_corrected(pd.concat(found, ignore_index=True)))
    return pd.concat(tables, ignore_index=True)


def _compare(
    scored: Scored, inside: Flags, rest: Flags, level: float, adapted: Collection[str]
) -> pd.DataFrame:
    """One side and the other, a row per model, rule and kind of hit, the mean over models first."""
    own, others = scored.images[inside], scored.images[rest]
    shared = set(own["category"]) & set(others["category"])
    in_shared = scored.images["category"].isin(shared).to_numpy()
    all_of_it = _columns(scored.part(inside), adapted)
    names = pd.DataFrame(all_of_it.names, columns=["model", "rule", "hit"])
    low, high = share_interval(all_of_it.spread, level)
    table = names.assign(
        categories=own["category"].nunique(),
        n=len(own),
        mean=all_of_it.spread.mean,
        mean_low=low,
        mean_high=high,
        common=len(shared),
        n_rest=int((rest & in_shared).sum()),
    )
    if not shared:
        nothing = dict.fromkeys(("rest", "difference", "low", "high", "p"), math.nan)
        return table.assign(**nothing)
    a = _columns(scored.part(inside & in_shared), adapted).spread
    b = _columns(scored.part(rest & in_shared), adapted).spread

    def bounds(at: Any) -> tuple[Floats, Floats]:
        sides = share_interval(a, at), share_interval(b, at)
        return unpaired_interval(a.mean, sides[0], b.mean, sides[1])

    low, high = bounds(level)
    return table.assign(
        rest=b.mean, difference=a.mean - b.mean, low=low, high=high, p=_p(bounds, a.mean - b.mean)
    )


def _p(bounds: Callable[[Floats], tuple[Floats, Floats]], difference: Floats) -> Floats:
    """One less the greatest level at which an interval excludes 0, elementwise."""
    least, most = np.full(difference.shape, _LEAST), np.zeros(difference.shape)
    for _ in range(_STEPS):
        middle = (least + most) / 2
        low, high = bounds(1 - 10**middle)
        excludes = (low > 0) | (high < 0)
        most, least = np.where(excludes, middle, most), np.where(excludes, least, middle)
    return np.where(difference == 0, 1.0, 10**most)


@dataclass(frozen=True)
class _Columns:
    """The means of models, and over them, by rule and kind of hit.

    Attributes:
        names: model, rule and hit of each.
        spread: arrays (columns,).
    """

    names: list[tuple[str, str, str]]
    spread: Spread


def _columns(scored: Scored, adapted: Collection[str]) -> _Columns:
    sample, counted = sample_of(scored.images), {*scored.without(adapted).models}
    names, spreads = [], []
    for rule, hit, models, hits in _kinds(scored):
        together = [model in counted for model in models]
        if any(together):
            right = hits[:, together].sum(axis=1)[:, None]
            spreads.append(sample.moments(right, scale=sum(together)).mean())
            names.append((ALL, rule, hit))
        spreads.append(sample.moments(hits).mean())
        names += [(model, rule, hit) for model in models]
    keys = vars(spreads[0]) if spreads else {name: np.zeros(0) for name in Spread.__annotations__}
    joined = {
        key: np.concatenate([getattr(each, key) for each in spreads]) if spreads else np.zeros(0)
        for key in keys
    }
    return _Columns(names, Spread(**joined))


def _kinds(scored: Scored) -> Iterator[tuple[str, str, tuple[str, ...], Flags]]:
    for r, rule in enumerate(scored.rules):
        for h, hit in enumerate(HITS):
            models, hits = scored.of_rule(r, h)
            if models:
                yield rule, hit, models, hits


def _corrected(table: pd.DataFrame) -> pd.DataFrame:
    """With Holm's correction for all tests of a model under a rule and kind of hit."""
    corrected = pd.Series(np.nan, table.index)
    for _, rows in table.groupby(["model", "rule", "hit"], sort=False):
        tested = rows[rows["p"].notna() & ~rows["repeats"]]
        if len(tested):
            corrected[tested.index] = _holm(tested["p"].to_numpy(np.float64))
    # The second of two values is the same test again.
    again = table["repeats"] & table["p"].notna()
    keys = ["generator", "attribute", "model", "rule", "hit"]
    others = table.assign(p_holm=corrected)[~table["repeats"]].drop_duplicates(keys)
    first = others.set_index(keys)["p_holm"]
    for index in table.index[again]:
        corrected[index] = first[tuple(table.loc[index, keys])]
    return table.assign(p_holm=corrected)[list(ATTRIBUTES)].astype(ATTRIBUTES)


def _holm(p: Floats) -> Floats:
    """Holm's correction, as of statsmodels, which for each family collects all garbage."""
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    times = np.arange(len(p), 0, -1)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * times))
    return corrected


def tabulate(
    outputs: Outputs,
    scores: Sequence[str],
    attributes: Sequence[str],
    level: float,
    adapted: Sequence[str] = (),
    compare: Sequence[str] | None = None,
) -> None:
    """Write the table ``attributes``: see :func:`compare_attributes`.

    Args:
        outputs: the files to write.
        scores: of all models.
        attributes: one Parquet file from :func:`synthsight.images.attributes.find_attributes`.
        level: confidence level, such as 0.95.
        adapted: models that were trained on the images.
        compare: the attributes that are compared; None for all.
    """
    (path,) = attributes
    table = read_parquet(path, [_IMAGE], others=True).to_pandas()
    if compare is not None:
        table = table[[_IMAGE, *(name for name in table.columns if name in compare)]]
    outputs.write("attributes", compare_attributes(scores, table, level, adapted))

"""How much more, or less, the same models get right in one run than in another, with intervals."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.comparing.same import Pairs, groups_of, match, together
from synthsight.statistics.hits import HITS, Scored, sample_of
from synthsight.statistics.intervals import paired_interval, share_interval, unpaired_interval
from synthsight.statistics.moments import Counts, Floats, Moments, Sample, Spread
from synthsight.tables import ALL

#: What a difference is of: the same items, or two samples of items.
PAIRED, TWO = "paired", "two samples"

#: Over which items it is: all of both runs, or those that both have.
EVERY, SHARED = "all", "shared"

#: The columns of the table of differences, with their types.
COMPARISON = {
    "model": "str",
    "category": "str",
    "generator": "str",
    "rule": "str",
    "measure": "str",
    "method": "str",
    "over": "str",
    "categories": "int64",
    "n_a": "int64",
    "n_b": "int64",
    "same": "int64",
    "value_a": "float64",
    "value_b": "float64",
    "difference": "float64",
    "low": "float64",
    "high": "float64",
    "only_a": "Int64",
    "only_b": "Int64",
    "note": "str",
}

#: In whose order rows stand.
_ORDER = ["model", "rule", "measure", "generator", "category", "method"]

Columns = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Numbers:
    """A comparison of several columns of hits, in strata or over them; arrays of one shape.

    Attributes:
        a: the means of the first run.
        b: those of the second.
        low: lower bounds on b - a.
        high: upper bounds.
        only_a: how many items the first alone gets; None where items are not the same.
        only_b: likewise, the second.
    """

    a: Floats
    b: Floats
    low: Floats
    high: Floats
    only_a: Counts | None = None
    only_b: Counts | None = None

    def row(self) -> Numbers:
        """The same of one stratum, or of all together, as arrays with a row: (1, columns)."""
        return self.rows(None)

    def rows(self, chosen: Columns | None) -> Numbers:
        """The same of some strata; None for those of :meth:`row`."""
        found = {name: each[chosen] for name, each in vars(self).items() if each is not None}
        return Numbers(**found)


def paired(a: Columns, b: Columns, sample: Sample, level: float) -> tuple[Numbers, Numbers]:
    """Compare two runs on the same items, (items, columns): Tango's interval, by groups.

    Args:
        a: hits of the first run.
        b: hits of the second on the same items.
        sample: the strata and groups of the items.
        level: confidence level, such as 0.95.

    Returns:
        Of each stratum, (strata, columns), and of the mean over strata, (columns,).
    """
    plus, minus = sample.moments(b & ~a), sample.moments(a & ~b)
    difference = sample.moments(b.astype(np.int8) - a.astype(np.int8))
    of_a, of_b = sample.moments(a), sample.moments(b)

    def numbers(part: Callable[[Moments], Spread], total: Callable[[Counts], Counts]) -> Numbers:
        bounds = paired_interval(part(difference), part(plus), part(minus), level)
        means = part(of_a).mean, part(of_b).mean
        return Numbers(*means, *bounds, total(minus.hits), total(plus.hits))

    return (
        numbers(Moments.cells, lambda hits: hits),
        numbers(Moments.mean, lambda hits: hits.sum(axis=0)),
    )


def two_samples(
    a: Columns, b: Columns, sample_a: Sample, sample_b: Sample, level: float
) -> tuple[Numbers, Numbers]:
    """Compare two runs on different items, (items, columns): Newcombe's interval.

    It takes the two as independent. Where some items, or prompts, are in both, that is on the safe
    side, since what is easy in one run is easy in the other.

    Args:
        a: hits of the first run.
        b: hits of the second.
        sample_a: the strata and groups of the items of the first.
        sample_b: likewise, of the second, in as many strata.
        level: confidence level, such as 0.95.

    Returns:
        As :func:`paired`.
    """
    of_a, of_b = sample_a.moments(a), sample_b.moments(b)

    def numbers(a: Spread, b: Spread) -> Numbers:
        bounds = share_interval(a, level), share_interval(b, level)
        return Numbers(a.mean, b.mean, *unpaired_interval(b.mean, bounds[1], a.mean, bounds[0]))

    return numbers(of_a.cells(), of_b.cells()), numbers(of_a.mean(), of_b.mean())


def compare_hits(
    models: Sequence[str],
    a: Callable[[str], Scored],
    b: Callable[[str], Scored],
    level: float,
    rules: Sequence[str],
) -> pd.DataFrame:
    """Compare the models that two runs have, by category and source, under common rules.

    Images are the same if their category and content are. Where all of a row's images are, the
    difference is paired; where none is, it is one of two samples; where some are, there are two
    rows, one paired over the shared images and one of two samples over all.

    Args:
        models: those that both runs have.
        a: gives a model's hits in the first run; images have the column ``sha256``.
        b: likewise, in the second.
        level: confidence level, such as 0.95.
        rules: those that both runs have.

    Returns:
        The columns :data:`COMPARISON`, without ``note``. ``category`` is ``*`` for the unweighted
        mean over the categories that both have (over ``shared`` images, of those that share any);
        ``generator`` is ``*`` for all generated images; ``difference`` = value_b - value_a;
        ``same`` counts the images that both have; ``only_a`` and ``only_b`` are images that one run
        alone gets, null for two samples. No rows for hits that one of the runs does not know.
    """
    tables: list[pd.DataFrame] = []
    kept: tuple[pd.DataFrame, pd.DataFrame, Pairs] | None = None
    for model in sorted(models):  # one at a time, to bound the memory
        of_a, of_b = a(model), b(model)
        if kept is None or not (kept[0].equals(of_a.images) and kept[1].equals(of_b.images)):
            pairs = match(of_a.images, of_b.images, ["category", "sha256"])
            kept = of_a.images, of_b.images, pairs
        columns = _known(of_a, of_b, rules)
        if columns:
            rows = _of_model(of_a, of_b, kept[2], columns, level)
            tables += [row.assign(model=model) for row in rows]
    names = [name for name in COMPARISON if name != "note"]
    types = {name: COMPARISON[name] for name in names}
    found = pd.concat(tables) if tables else pd.DataFrame(columns=names)
    return found[names].astype(types).sort_values(_ORDER, ignore_index=True)


def _known(a: Scored, b: Scored, rules: Sequence[str]) -> list[tuple[str, str]]:
    """The rules and kinds of hit that are known of a model in both runs."""

    def knows(side: Scored, rule: str, hit: int) -> bool:
        return side.known is None or bool(side.known[side.rules.index(rule), hit, 0])

    both = itertools.product(rules, enumerate(HITS))
    return [(rule, name) for rule, (h, name) in both if knows(a, rule, h) and knows(b, rule, h)]


def _columns(side: Scored, columns: Sequence[tuple[str, str]]) -> Columns:
    """A model's hits, (images, columns)."""
    places = [(side.rules.index(rule), HITS.index(hit)) for rule, hit in columns]
    return np.column_stack([side.hits[:, r, h, 0] for r, h in places])


def _of_model(
    a: Scored, b: Scored, pairs: Pairs, columns: Sequence[tuple[str, str]], level: float
) -> Iterator[pd.DataFrame]:
    """The tables of one model: by source, of categories and their mean, in one way or both."""
    hits_a, hits_b = _columns(a, columns), _columns(b, columns)
    groups = groups_of(a.images), groups_of(b.images)
    for source, in_a, in_b in common_sources(a.images, b.images):
        common = {*a.images.loc[in_a, "category"]} & {*b.images.loc[in_b, "category"]}
        if not common:
            continue
        names = np.array(sorted(common))
        mine = in_a & a.images["category"].isin(common).to_numpy()
        other = in_b & b.images["category"].isin(common).to_numpy()
        within = pairs.among(mine, other)
        of_pairs = a.images["category"].to_numpy()[within.a]
        sides = a.images.loc[mine, "category"], b.images.loc[other, "category"], of_pairs
        n_a, n_b, same = (_sizes(each, names) for each in sides)
        full = (n_a == same) & (n_b == same)
        if same.any():
            units = together(groups[0][within.a], groups[1][within.b])
            sample = Sample(np.searchsorted(names, of_pairs.astype(names.dtype)), units)
            cells, mean = paired(hits_a[within.a], hits_b[within.b], sample, level)
            some = same > 0
            over = np.where(full, EVERY, SHARED)[some]
            about = _About(source, PAIRED, over, names[some], *[same[some]] * 3)
            yield from _tables(columns, about, cells, mean, bool(full.all()))
        if not full.all():
            samples = sample_of(a.images[mine]), sample_of(b.images[other])
            cells, mean = two_samples(hits_a[mine], hits_b[other], *samples, level)
            part = ~full
            about = _About(source, TWO, np.full(len(names), EVERY), names, n_a, n_b, same)
            yield from _tables(columns, about, cells, mean, True, part)


def _sizes(categories: Iterable[str], names: npt.NDArray[np.str_]) -> Counts:
    """How many items each category has."""
    found = pd.Series(categories).value_counts().reindex(list(names), fill_value=0)
    return np.asarray(found, np.int64)


def common_sources(a: pd.DataFrame, b: pd.DataFrame) -> Iterator[tuple[str, Columns, Columns]]:
    """The sources that two runs have, and which images of each are from it.

    They are all generated images together, called ``*``, and each generator, or set of
    photographs, of which both runs say that it is generated, or both that it is real.
    """
    real_a, real_b = a["real"].to_numpy(bool), b["real"].to_numpy(bool)
    if not real_a.all() and not real_b.all():
        yield ALL, ~real_a, ~real_b
    for name in sorted({*a["generator"].dropna()} & {*b["generator"].dropna()}):
        in_a, in_b = (a["generator"] == name).to_numpy(), (b["generator"] == name).to_numpy()
        if {*real_a[in_a]} == {*real_b[in_b]}:
            yield str(name), in_a, in_b


@dataclass(frozen=True)
class _About:
    """What the rows of a source are about; arrays (categories,)."""

    source: str
    method: str
    over: npt.NDArray[np.str_]
    names: npt.NDArray[np.str_]
    n_a: Counts
    n_b: Counts
    same: Counts


def _tables(
    columns: Sequence[tuple[str, str]],
    about: _About,
    cells: Numbers,
    mean: Numbers,
    every: bool,
    part: Columns | None = None,
) -> Iterator[pd.DataFrame]:
    """The table of the mean over categories, and that of categories, perhaps of a part of them."""
    total = _About(
        *(about.source, about.method, np.array([EVERY if every else SHARED]), np.array([ALL])),
        *(each.sum(keepdims=True) for each in (about.n_a, about.n_b, about.same)),
    )
    yield _table(columns, total, mean.row(), len(about.names))
    if part is not None:
        arrays: dict[str, Any] = {n: v for n, v in vars(about).items() if not isinstance(v, str)}
        about = replace(about, **{name: each[part] for name, each in arrays.items()})
        cells = cells.rows(part)
    if len(about.names):
        yield _table(columns, about, cells, 1)


def _table(
    columns: Sequence[tuple[str, str]], about: _About, numbers: Numbers, categories: int
) -> pd.DataFrame:
    """A row for each category and column of hits."""
    each = len(columns)
    return pd.DataFrame(
        {
            "category": np.repeat(about.names, each),
            "generator": about.source,
            "rule": [rule for rule, _ in columns] * len(about.names),
            "measure": [hit for _, hit in columns] * len(about.names),
            "method": about.method,
            "over": np.repeat(about.over, each),
            "categories": categories,
            "n_a": np.repeat(about.n_a, each),
            "n_b": np.repeat(about.n_b, each),
            "same": np.repeat(about.same, each),
            **values(numbers),
        }
    )


def values(numbers: Numbers) -> dict[str, Any]:
    """Numbers as columns, row by row; counts are null for two samples."""
    found: dict[str, Any] = {
        "value_a": numbers.a.ravel(),
        "value_b": numbers.b.ravel(),
        "difference": (numbers.b - numbers.a).ravel(),
        "low": numbers.low.ravel(),
        "high": numbers.high.ravel(),
    }
    none = [pd.NA] * numbers.a.size
    for name, only in (("only_a", numbers.only_a), ("only_b", numbers.only_b)):
        found[name] = pd.array(none if only is None else only.ravel().tolist(), dtype="Int64")
    return found

"""How much more, or less, the same models get right in one run than in another, with intervals."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.comparing.same import Pairs, groups_of, match, together
from synthsight.statistics.hits import HITS, Scored, sample_of
from synthsight.statistics.intervals import paired_interval, share_interval, unpaired_interval
from synthsight.statistics.moments import Floats, Sample
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
    """A comparison of several columns of hits; arrays (columns,).

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
    only_a: npt.NDArray[np.int64] | None = None
    only_b: npt.NDArray[np.int64] | None = None


def paired(a: Columns, b: Columns, sample: Sample, level: float) -> Numbers:
    """Compare two runs on the same items, (items, columns): Tango's interval, by groups.

    Args:
        a: hits of the first run.
        b: hits of the second on the same items.
        sample: the strata of the items, whose mean it is, and groups.
        level: confidence level, such as 0.95.
    """
    plus, minus = sample.moments(b & ~a), sample.moments(a & ~b)
    difference = sample.moments(b.astype(np.int8) - a.astype(np.int8)).mean()
    low, high = paired_interval(difference, plus.mean(), minus.mean(), level)
    means = sample.moments(a).mean().mean, sample.moments(b).mean().mean
    return Numbers(*means, low, high, minus.hits.sum(axis=0), plus.hits.sum(axis=0))


def two_samples(
    a: Columns, b: Columns, sample_a: Sample, sample_b: Sample, level: float
) -> Numbers:
    """Compare two runs on different items, (items, columns): Newcombe's interval.

    It takes the two as independent. Where some items, or prompts, are in both, that is on the safe
    side, since what is easy in one run is easy in the other.

    Args:
        a: hits of the first run.
        b: hits of the second.
        sample_a: the strata and groups of the items of the first.
        sample_b: likewise, of the second.
        level: confidence level, such as 0.95.
    """
    of_a, of_b = sample_a.moments(a).mean(), sample_b.moments(b).mean()
    bounds = share_interval(of_a, level), share_interval(of_b, level)
    low, high = unpaired_interval(of_b.mean, bounds[1], of_a.mean, bounds[0])
    return Numbers(of_a.mean, of_b.mean, low, high)


def compare_hits(
    a: Mapping[str, Scored], b: Mapping[str, Scored], level: float, rules: Sequence[str]
) -> pd.DataFrame:
    """Compare the models that two runs have, by category and source, under common rules.

    Images are the same if their category and content are. Where all of a row's images are, the
    difference is paired; where none is, it is one of two samples; where some are, there are two
    rows, one paired over the shared images and one of two samples over all.

    Args:
        a: the hits of each model of the first run; images have the column ``sha256``.
        b: likewise, of the second.
        level: confidence level, such as 0.95.
        rules: those that both runs have.

    Returns:
        The columns :data:`COMPARISON`, without ``note``. ``category`` is ``*`` for the unweighted
        mean over the categories that both have (over ``shared`` images, of those that share any);
        ``generator`` is ``*`` for all generated images; ``difference`` = value_b - value_a;
        ``same`` counts the images that both have; ``only_a`` and ``only_b`` are images that one run
        alone gets, null for two samples. No rows for hits that one of the runs does not know.
    """
    tables = []
    kept: tuple[pd.DataFrame, pd.DataFrame, Pairs] | None = None
    for model in sorted({*a} & {*b}):
        of_a, of_b = a[model], b[model]
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
    hits = _columns(a, columns), _columns(b, columns)
    groups = groups_of(a.images), groups_of(b.images)
    for source, in_a, in_b in common_sources(a.images, b.images):
        common = {*a.images.loc[in_a, "category"]} & {*b.images.loc[in_b, "category"]}
        if not common:
            continue
        for category in (ALL, *sorted(common)):
            names = common if category == ALL else {category}
            mine = in_a & a.images["category"].isin(names).to_numpy()
            other = in_b & b.images["category"].isin(names).to_numpy()
            within = pairs.among(mine, other)
            same, sizes = len(within.a), (int(mine.sum()), int(other.sum()))
            found = []
            if same:
                strata = pd.factorize(a.images["category"].to_numpy()[within.a], sort=True)[0]
                units = together(groups[0][within.a], groups[1][within.b])
                numbers = paired(
                    hits[0][within.a], hits[1][within.b], Sample(strata, units), level
                )
                over = EVERY if sizes == (same, same) else SHARED
                about = (PAIRED, over, int(strata.max()) + 1, same, same)
                found.append((about, numbers))
            if sizes != (same, same):
                samples = sample_of(a.images[mine]), sample_of(b.images[other])
                numbers = two_samples(hits[0][mine], hits[1][other], *samples, level)
                found.append(((TWO, EVERY, len(names), *sizes), numbers))
            for about, numbers in found:
                table = _table(columns, about, numbers, same)
                yield table.assign(generator=source, category=category)


def common_sources(
    a: pd.DataFrame, b: pd.DataFrame
) -> Iterator[tuple[str, Columns, Columns]]:
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


def _table(
    columns: Sequence[tuple[str, str]],
    about: tuple[str, str, int, int, int],
    numbers: Numbers,
    same: int,
) -> pd.DataFrame:
    method, over, categories, n_a, n_b = about
    none = pd.array([pd.NA] * len(columns), dtype="Int64")
    return pd.DataFrame(
        {
            "rule": [rule for rule, _ in columns],
            "measure": [hit for _, hit in columns],
            **{"method": method, "over": over, "categories": categories},
            **{"n_a": n_a, "n_b": n_b, "same": same},
            "value_a": numbers.a,
            "value_b": numbers.b,
            "difference": numbers.b - numbers.a,
            "low": numbers.low,
            "high": numbers.high,
            "only_a": none if numbers.only_a is None else pd.array(numbers.only_a, dtype="Int64"),
            "only_b": none if numbers.only_b is None else pd.array(numbers.only_b, dtype="Int64"),
        }
    )

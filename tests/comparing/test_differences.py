"""Differences between runs: paired where images are the same, two samples where they are not."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from synthsight.comparing.differences import (
    COMPARISON,
    EVERY,
    PAIRED,
    SHARED,
    TWO,
    compare_hits,
    two_samples,
)
from synthsight.statistics.hits import Scored, sample_of
from synthsight.statistics.intervals import share_interval, unpaired_interval
from synthsight.statistics.moments import Sample
from synthsight.statistics.pairs import compare_pairs
from synthsight.tables import ALL

LEVEL = 0.95
RULES = ("classes", "words/simple")

#: An image of a run: its path, category, generator, content and group.
Image = tuple[str, str, str | None, str, str | None]


def images(
    category: str, contents: Sequence[int], generator: str | None = "sd", group: int = 0
) -> list[Image]:
    """Images of these contents; maybe in groups of so many."""
    return [
        (
            f"{generator}/{category}/{place:03d}.png",
            *(category, generator, f"{category}{content}"),
            f"{category}//{place // group}" if group else None,
        )
        for place, content in enumerate(contents)
    ]


def run(
    rows: Sequence[Image], seed: int, known: np.ndarray | None = None, real: str = "photos"
) -> Scored:
    """A model's hits on these images, by chance."""
    table = pd.DataFrame(rows, columns=["image", "category", "generator", "sha256", "group"])
    table = table.assign(real=table["generator"] == real).sort_values("image", ignore_index=True)
    rng = np.random.default_rng(seed)
    top1 = rng.random((len(table), len(RULES), 1)) < 0.5
    top5 = top1 | (rng.random(top1.shape) < 0.5)
    return Scored(RULES, ("net",), table, np.stack([top1, top5], axis=2), known)


def compare(a: Scored, b: Scored) -> pd.DataFrame:
    return compare_hits(["net"], lambda _: a, lambda _: b, LEVEL, RULES)


def only(table: pd.DataFrame, **values: object) -> pd.Series:
    values = {"rule": "classes", "measure": "top1", "generator": ALL, "category": ALL, **values}
    for column, value in values.items():
        table = table[table[column] == value]
    (row,) = (row for _, row in table.iterrows())
    return row


def own(side: Scored, chosen: Mapping[str, str]) -> float:
    """The mean over categories of a run's hits, counted by hand."""
    rows = side.images.assign(hit=side.hits[:, 0, 0, 0])
    for column, value in chosen.items():
        rows = rows[rows[column] == value]
    return float(rows.groupby("category")["hit"].mean().mean())


WHOLE = [*images("kite", range(30)), *images("vase", range(20))]


# The same images ----------------------------------------------------------------------------------


@pytest.mark.parametrize("group", [0, 3])
def test_the_same_images_are_compared_as_two_models_on_them_are(group: int) -> None:
    rows = [*images("kite", range(30), group=group), *images("vase", range(20), group=group)]
    a, b = run(rows, 1), run(rows, 2)
    row = only(compare(a, b))
    both = np.column_stack([b.hits[:, 0, 0, 0], a.hits[:, 0, 0, 0]])
    (pair,) = compare_pairs(["b", "a"], both, sample_of(a.images), LEVEL).to_dict("records")
    assert (row["method"], row["over"], row["same"]) == (PAIRED, EVERY, 50)
    for column, other in (("difference", "difference"), ("low", "low"), ("high", "high")):
        assert row[column] == pytest.approx(pair[other], abs=1e-12), column
    assert (row["only_b"], row["only_a"]) == (pair["only_a"], pair["only_b"])
    assert row["value_a"] == pytest.approx(own(a, {})) and row["value_b"] == pytest.approx(
        own(b, {})
    )


def test_other_names_and_another_order_change_nothing() -> None:
    a, b = run(WHOLE, 1), run(WHOLE, 2)
    table = b.images.assign(image=[f"z{len(WHOLE) - n:03d}" for n in range(len(WHOLE))])
    order = table["image"].argsort().to_numpy()
    renamed = Scored(RULES, b.models, table.iloc[order].reset_index(drop=True), b.hits[order])
    assert compare(a, b).equals(compare(a, renamed))


def test_the_other_way_round_has_the_other_signs() -> None:
    a, b = run(WHOLE, 1), run(WHOLE[5:], 2)
    there, back = compare(a, b), compare(b, a)
    assert there["difference"].to_numpy() == pytest.approx(-back["difference"].to_numpy())
    assert there["low"].to_numpy() == pytest.approx(-back["high"].to_numpy(), abs=1e-9)
    assert there["n_a"].equals(back["n_b"]) and there["only_a"].equals(back["only_b"])


def test_groups_that_one_run_alone_knows_count() -> None:
    plain, grouped = run(WHOLE, 1), run([*images("kite", range(30), group=10), *WHOLE[30:]], 1)
    other = run(WHOLE, 2)
    rows = [only(compare(side, other), category="kite") for side in (plain, grouped)]
    assert rows[0]["difference"] == rows[1]["difference"]
    assert (rows[0]["low"], rows[0]["high"]) != (rows[1]["low"], rows[1]["high"])
    back = only(compare(other, grouped), category="kite")
    assert back["low"] == pytest.approx(-rows[1]["high"], abs=1e-9)


# Other images -------------------------------------------------------------------------------------


def test_other_images_are_two_samples() -> None:
    a = run(WHOLE, 1)
    b = run([*images("kite", range(100, 140)), *images("vase", range(100, 110))], 2)
    row = only(compare(a, b))
    sides = [sample_of(side.images).moments(side.hits[:, 0, 0]).mean() for side in (a, b)]
    bounds = [share_interval(side, LEVEL) for side in sides]
    low, high = unpaired_interval(sides[1].mean, bounds[1], sides[0].mean, bounds[0])
    assert (row["method"], row["over"], row["same"]) == (TWO, EVERY, 0)
    assert (row["n_a"], row["n_b"], row["categories"]) == (50, 50, 2)
    assert (row["low"], row["high"]) == (low[0], high[0])
    assert row["only_a"] is pd.NA
    assert {*compare(a, b)["method"]} == {TWO}


def test_some_of_the_same_images_are_compared_both_ways_and_never_mixed() -> None:
    a = run(WHOLE, 1)
    b = run([*images("kite", range(20, 50)), *images("vase", range(20))], 2)
    table = compare(a, b)
    shared = only(table, method=PAIRED)
    both = only(table, method=TWO)
    assert (shared["over"], shared["n_a"], shared["n_b"], shared["same"]) == (SHARED, 30, 30, 30)
    assert (both["over"], both["n_a"], both["n_b"], both["same"]) == (EVERY, 50, 50, 30)
    assert both["value_a"] == own(a, {}) and both["value_b"] == own(b, {})
    few = own(run_part(a, b), {"category": "kite"})
    assert only(table, method=PAIRED, category="kite")["value_a"] == few
    vase = table[(table["category"] == "vase") & (table["generator"] == ALL)]
    assert {*vase["method"]} == {PAIRED} and {*vase["over"]} == {EVERY}


def run_part(a: Scored, b: Scored) -> Scored:
    return a.part(a.images["sha256"].isin({*b.images["sha256"]}).to_numpy())


def test_a_mean_over_shared_images_is_one_over_the_categories_that_share_any() -> None:
    a = run(WHOLE, 1)
    b = run([*images("kite", range(30)), *images("vase", range(100, 120))], 2)
    table = compare(a, b)
    assert only(table, method=PAIRED)["categories"] == 1
    assert only(table, method=TWO)["categories"] == 2
    kite, mean = only(table, category="kite"), only(table, method=PAIRED)
    assert mean["over"] == SHARED and kite["over"] == EVERY
    assert mean["difference"] == pytest.approx(kite["difference"])


def held(share: float, n: int, power: float, draws: int) -> float:
    """How often the interval of two samples holds the truth, no difference, by simulation.

    Args:
        share: of the images that both runs have.
        n: number of images of each run.
        power: the higher, the harder the images are.
        draws: number of simulations.
    """
    rng = np.random.default_rng(7)
    easy = rng.random((2 * n, draws)) ** power  # how often each image is got, in either run
    hits = rng.random((2, 2 * n, draws)) < easy
    start = n - round(share * n)
    sample = Sample(np.zeros(n, np.int64))
    _, found = two_samples(hits[0, :n], hits[1, start : start + n], sample, sample, LEVEL)
    return float(((found.low <= 0) & (found.high >= 0)).mean())


@pytest.mark.parametrize(("share", "least"), [(0.0, 0.94), (0.5, 0.95), (1.0, 0.97)])
def test_an_interval_of_two_samples_that_share_images_is_rather_too_wide(
    share: float, least: float
) -> None:
    """It takes the runs as independent; what is easy in both makes the difference vary less."""
    assert held(share, 80, 0.5, 2000) > least


@pytest.mark.long
@pytest.mark.parametrize(("share", "least"), [(0.0, 0.94), (0.5, 0.95), (1.0, 0.96)])
def test_it_is_so_with_few_images_and_many_easy_and_hard_ones(share: float, least: float) -> None:
    cells = itertools.product((20, 80, 300), (0.2, 0.5, 2.0))
    found = {cell: held(share, *cell, 6000) for cell in cells}
    assert min(found.values()) > least, found
    assert max(found.values()) < 0.995, found


# What both runs have ------------------------------------------------------------------------------


def test_only_what_both_runs_have_has_rows() -> None:
    a = run([*WHOLE, *images("clock", range(9)), *images("kite", range(50, 60), "mj")], 1)
    b = run([*WHOLE, *images("bagel", range(9)), *images("kite", range(60, 70), "dalle")], 2)
    table = compare(a, b)
    assert {*table["category"]} == {ALL, "kite", "vase"}
    assert {*table["generator"]} == {ALL, "sd"}
    assert only(table, method=TWO)["value_a"] == pytest.approx(
        np.mean([own(a, {"category": name}) for name in ("kite", "vase")])
    )


def test_photographs_are_by_themselves_and_no_generated_images() -> None:
    photos = images("kite", range(70, 90), "photos")
    a, b = run([*WHOLE, *photos], 1), run([*WHOLE, *photos], 2)
    table = compare(a, b)
    assert only(table)["n_a"] == 50 and only(table, generator="photos")["n_a"] == 20
    generated = run([*WHOLE, *photos], 2, real="no folder")
    assert "photos" not in {*compare(a, generated)["generator"]}


def test_hits_that_one_run_does_not_know_have_no_rows() -> None:
    known = np.ones((2, 2, 1), bool)
    known[0, 1] = False
    table = compare(run(WHOLE, 1, known), run(WHOLE, 2))
    told = {*zip(table["rule"], table["measure"], strict=True)}
    assert told == {("classes", "top1"), ("words/simple", "top1"), ("words/simple", "top5")}


def test_nothing_in_common_gives_an_empty_table_with_its_columns() -> None:
    table = compare(run(images("kite", range(3)), 1), run(images("vase", range(3)), 2))
    assert table.empty and [*table, "note"] == list(COMPARISON)

"""Generators are compared category by category, on those that both drew."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.columns import GENERATORS
from synthsight.statistics.generators import compare_generators
from synthsight.statistics.hits import HitsError
from tests.support import tabulate

LEVEL = 0.95

#: Generator (or none) and category: images, and how many of them each model gets.
Cells = Mapping[tuple[str | None, str], tuple[int, tuple[int, ...]]]


def write(folder: Path, cells: Cells, group: int | None = None) -> list[Path]:
    """Scores of models that get the first images of each cell, top-5 two more; maybe in groups."""
    folder.mkdir(parents=True, exist_ok=True)
    models = len(next(iter(cells.values()))[1])
    paths = []
    for model in range(models):
        rows = [
            {"image": f"{generator}/{category}/{number}.png", "category": category}
            | {"generator": generator, "rule": "words/simple"}
            | {"group": None if group is None else f"{category}/{number // group}"}
            | {"real": generator == "photos"}
            | {"top1_hit": number < hits[model], "top5_hit": number < hits[model] + 2}
            | {"predicted": [0], "probability": [1.0]}
            for (generator, category), (n, hits) in cells.items()
            for number in range(n)
        ]
        schema = SCHEMA.with_metadata({"model": f"m{model}", "class_names": "[]"})
        paths.append(folder / f"{model}.parquet")
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), paths[-1])
    return paths


CELLS: Cells = {
    ("dalle", "bagel"): (40, (30, 20)),
    ("dalle", "kite"): (10, (2, 4)),
    ("dalle", "vase"): (25, (5, 5)),
    ("mj", "bagel"): (20, (5, 10)),
    ("mj", "kite"): (30, (15, 3)),
    (None, "kite"): (9, (9, 9)),
    ("sd", "vase"): (12, (6, 6)),
}


@pytest.fixture(name="table")
def table_(tmp_path: Path) -> pd.DataFrame:
    return compare_generators(write(tmp_path, CELLS), LEVEL)


def row(table: pd.DataFrame, **values: object) -> pd.Series:
    for column, value in values.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_pairs_without_a_common_category_are_left_out(table: pd.DataFrame) -> None:
    assert table.columns.tolist() == list(GENERATORS)
    found = set(table[["a", "b"]].itertuples(index=False, name=None))
    assert found == {("dalle", "mj"), ("dalle", "sd")}
    assert len(table) == 2 * 3 * 2  # pairs, models and their mean, hits


def test_a_higher_level_widens_every_interval(tmp_path: Path, table: pd.DataFrame) -> None:
    narrow = compare_generators(write(tmp_path, CELLS), 0.6)
    assert ((table["low"] < narrow["low"]) & (narrow["high"] < table["high"])).all()


def test_no_bound_is_beyond_what_a_difference_can_be(tmp_path: Path) -> None:
    cells = {("a", "kite"): (2, (2,)), ("b", "kite"): (2, (0,))}
    table = compare_generators(write(tmp_path, cells), LEVEL)
    top1 = table[table["hit"] == "top1"]
    assert top1["difference"].eq(1).all()
    assert top1["high"].eq(1).all() and top1["low"].between(-1, 0.5).all()


def test_means_are_over_the_common_categories_by_hand(table: pd.DataFrame) -> None:
    found = row(table, model="m0", hit="top1", b="mj")
    assert (found["categories"], found["n_a"], found["n_b"]) == (2, 50, 50)
    assert found["a_mean"] == pytest.approx((30 / 40 + 2 / 10) / 2)
    assert found["b_mean"] == pytest.approx((5 / 20 + 15 / 30) / 2)
    assert found["difference"] == pytest.approx(found["a_mean"] - found["b_mean"])
    found = row(table, model="m0", hit="top5", b="sd")
    assert (found["categories"], found["n_a"], found["n_b"]) == (1, 25, 12)
    assert found["difference"] == pytest.approx(7 / 25 - 8 / 12)


def test_the_star_is_the_mean_over_models(table: pd.DataFrame) -> None:
    of_models = table[table["model"] != "*"].groupby(["hit", "a", "b"])
    for column in ("a_mean", "b_mean", "difference"):
        star = table[table["model"] == "*"].set_index(["hit", "a", "b"])[column]
        assert np.allclose(of_models[column].mean().loc[star.index], star)


def test_models_vary_together(tmp_path: Path) -> None:
    # Where the models agree on every image, their mean varies as each of them does.
    same = {("a", "kite"): (40, (20, 20)), ("b", "kite"): (40, (10, 10))}
    table = compare_generators(write(tmp_path, same), LEVEL)
    top1 = table[table["hit"] == "top1"].set_index("model")
    assert top1.loc["*", "low"] == pytest.approx(top1.loc["m0", "low"])
    assert top1.loc["*", "high"] == pytest.approx(top1.loc["m0", "high"])


def test_the_interval_is_that_of_two_independent_samples(tmp_path: Path) -> None:
    cells = {
        ("a", "bagel"): (400, (300,)),
        ("a", "kite"): (200, (50,)),
        ("b", "bagel"): (900, (450,)),
        ("b", "kite"): (100, (30,)),
    }
    table = compare_generators(write(tmp_path, cells), LEVEL)
    found = row(table, model="m0", hit="top1")
    shares = [(n, hits[0] / n) for n, hits in cells.values()]
    error = np.sqrt(sum(p * (1 - p) / n for n, p in shares)) / 2
    assert found["low"] == pytest.approx(found["difference"] - 1.96 * error, abs=0.06 * error)
    assert found["high"] == pytest.approx(found["difference"] + 1.96 * error, abs=0.06 * error)


def test_the_interval_is_newcombe_s(tmp_path: Path) -> None:
    # Method 10 of Newcombe 1998, his example of 56/70 and 48/80: 0.0524 to 0.3339.
    cells = {("a", "kite"): (70, (56,)), ("b", "kite"): (80, (48,))}
    found = row(compare_generators(write(tmp_path, cells), LEVEL), model="m0", hit="top1")
    low, high = confint_proportions_2indep(56, 70, 48, 80, method="newcomb")
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert (found["low"], found["high"]) == pytest.approx((low, high), abs=1e-9)


def test_generators_vary_independently(tmp_path: Path) -> None:
    # The same hits in the same places: paired, these would not differ.
    alike = {("a", "kite"): (100, (50,)), ("b", "kite"): (100, (50,))}
    found = row(compare_generators(write(tmp_path, alike), LEVEL), model="m0", hit="top1")
    assert found["difference"] == 0
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * np.sqrt(2 / 400), rel=0.1)


def test_groups_of_images_widen_the_interval_and_move_no_number(tmp_path: Path) -> None:
    alone = compare_generators(write(tmp_path / "a", CELLS), LEVEL)
    groups = compare_generators(write(tmp_path / "b", CELLS, group=5), LEVEL)
    bounds = ["low", "high"]
    pd.testing.assert_frame_equal(groups.drop(columns=bounds), alone.drop(columns=bounds))
    width, before = (table["high"] - table["low"] for table in (groups, alone))
    assert (width > 1.3 * before).all()


def test_photographs_are_one_of_the_sources(tmp_path: Path) -> None:
    cells = {("mj", "kite"): (50, (20,)), ("photos", "kite"): (50, (40,))}
    found = row(compare_generators(write(tmp_path, cells), LEVEL), model="m0", hit="top1")
    assert (found["a"], found["b"]) == ("mj", "photos")
    assert found["difference"] == pytest.approx(-0.4)


def test_more_easy_images_win_nothing(tmp_path: Path) -> None:
    # Better in each category, yet fewer hits in all: Simpson's paradox.
    cells = {
        ("better", "easy"): (20, (18,)),
        ("better", "hard"): (180, (54,)),
        ("worse", "easy"): (180, (144,)),
        ("worse", "hard"): (20, (4,)),
    }
    found = row(compare_generators(write(tmp_path, cells), LEVEL), model="m0", hit="top1")
    assert 18 + 54 < 144 + 4
    assert found["a"] == "better"
    assert found["difference"] == pytest.approx(0.1)


def test_a_category_of_only_one_generator_does_not_count(tmp_path: Path) -> None:
    cells = {("a", "kite"): (50, (20,)), ("b", "kite"): (50, (20,)), ("a", "bagel"): (50, (50,))}
    found = row(compare_generators(write(tmp_path, cells), LEVEL), model="m0", hit="top1")
    assert (found["categories"], found["n_a"], found["difference"]) == (1, 50, 0)


@pytest.mark.parametrize("generators", [(), ("dalle",)])
def test_fewer_than_two_generators_give_an_empty_table(
    tmp_path: Path, generators: tuple[str, ...]
) -> None:
    cells: Cells = {(name, "kite"): (5, (3,)) for name in (None, *generators)}
    table = compare_generators(write(tmp_path, cells), LEVEL)
    assert len(table) == 0
    assert table.dtypes.astype(str).to_dict() == GENERATORS


def test_no_scores_are_refused() -> None:
    with pytest.raises(HitsError, match="no scores"):
        compare_generators([], LEVEL)


def test_another_model_leaves_the_others_alone(tmp_path: Path, table: pd.DataFrame) -> None:
    alone = compare_generators(write(tmp_path, CELLS)[:1], LEVEL)
    kept = [part[part["model"] == "m0"].reset_index(drop=True) for part in (alone, table)]
    pd.testing.assert_frame_equal(*kept)


def test_another_generator_leaves_the_others_alone(tmp_path: Path) -> None:
    fewer = {key: cell for key, cell in CELLS.items() if key[0] != "sd"}
    both = [
        compare_generators(write(tmp_path / str(n), cells), LEVEL)
        for n, cells in enumerate([CELLS, fewer])
    ]
    kept = [table[table["b"] == "mj"].reset_index(drop=True) for table in both]
    pd.testing.assert_frame_equal(*kept)


@pytest.mark.long
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_swapping_generators_swaps_the_signs_whatever_the_order(
    tmp_path: Path, data: st.DataObject
) -> None:
    cells = {}
    for key in itertools.product("ab", ["bagel", "kite"]):
        n = data.draw(st.integers(2, 40))
        cells[key] = (n, (data.draw(st.integers(0, n)), data.draw(st.integers(0, n))))
    shuffled = {key: cells[key] for key in data.draw(st.permutations(list(cells)))}
    swapped = {("b" if g == "a" else "a", c): cell for (g, c), cell in cells.items()}
    one, again, other = (
        compare_generators(write(tmp_path, part), LEVEL) for part in (cells, shuffled, swapped)
    )
    pd.testing.assert_frame_equal(one, again)
    assert np.allclose(one["difference"], -other["difference"], atol=1e-12)
    assert np.allclose(one["low"], -other["high"], atol=1e-12)
    assert np.allclose(one["high"], -other["low"], atol=1e-12)
    assert (one["low"] <= one["difference"] + 1e-9).all()
    assert (one["difference"] <= one["high"] + 1e-9).all()


def test_the_program_writes_the_table(tmp_path: Path) -> None:
    spec = {"level": 0.9}
    scores = write(tmp_path, CELLS)
    tabulate("generators", tmp_path, spec, scores=scores).check_returncode()
    table = compare_generators(scores, **spec)
    table_made = pd.read_parquet(tmp_path / "generators.parquet")
    pd.testing.assert_frame_equal(table_made, table)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "generators.csv"), table)

"""Every accuracy is a count over a count, and every interval the one its name says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import beta, binomtest

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.accuracy import aggregate
from tests.support import tabulate

RULES = ("words/simple", "words/lemmas")
BOUNDS = ["top1_low", "top1_high", "top5_low", "top5_high"]
LEVEL = 0.95

Cell = tuple[str, str | None, int]  # category, generator, images
CELLS: list[Cell] = [
    ("bagel", "dalle", 40),
    ("bagel", "mj", 10),
    ("kite", "dalle", 7),
    ("vase", None, 3),
    ("vase", "mj", 25),
]


def write(path: Path, model: str, cells: Iterable[Cell] = CELLS, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    rows = []
    for category, generator, images in cells:
        for number in range(images):
            top1 = bool(rng.random() < 0.4)
            for rule in RULES:
                hit = top1 or (rule == "words/lemmas" and bool(rng.random() < 0.3))
                name = f"{generator}/{category}/{number}.png"
                row = {"image": name, "category": category, "generator": generator, "rule": rule}
                row |= {"group": None, "real": False}
                row |= {"top1_hit": hit, "top5_hit": hit or bool(rng.random() < 0.5)}
                rows.append(row | {"predicted": [0], "probability": [1.0]})
    schema = SCHEMA.with_metadata({"model": model, "class_names": "[]"})
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


@pytest.fixture(name="scores")
def scores_(tmp_path: Path) -> Path:
    return write(tmp_path / "alexnet.parquet", "alexnet")


def select(table: pd.DataFrame, **values: str) -> pd.DataFrame:
    for column, value in values.items():
        table = table[table[column] == value]
    return table


def one(table: pd.DataFrame, **values: str) -> pd.Series:
    found = select(table, **values)
    assert len(found) == 1
    return found.iloc[0]


def hits(path: Path, rule: str, generator: str = "*") -> pd.DataFrame:
    table = select(pq.read_table(path).to_pandas(), rule=rule)
    return table if generator == "*" else select(table, generator=generator)


# --- The cells --------------------------------------------------------------------------------


def test_every_cell_is_a_count_over_a_count(scores: Path) -> None:
    table = aggregate([scores], LEVEL)
    cells = table[table["category"] != "*"]
    for _, cell in cells.iterrows():
        images = select(hits(scores, cell["rule"], cell["generator"]), category=cell["category"])
        assert cell["n"] == len(images) > 0
        assert cell["top1"] == images["top1_hit"].sum() / len(images)
        assert cell["top5"] == images["top5_hit"].sum() / len(images)
    # bagel, kite, vase for all; bagel and kite of dalle; bagel and vase of mj
    assert len(cells) == 2 * (3 + 2 + 2)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_interval_of_a_cell_is_wilsons_but_reaches_the_exact_bound_where_hits_are_few(
    scores: Path, level: float
) -> None:
    table = aggregate([scores], level)
    for _, cell in table[table["category"] != "*"].iterrows():
        for hit in ("top1", "top5"):
            n = int(cell["n"])
            right = round(cell[hit] * n)
            wilson = binomtest(right, n).proportion_ci(level, method="wilson")
            low, high = wilson.low, wilson.high
            if 0 < right < 20:
                low = min(low, beta.ppf(1 - level, right, n - right + 1))
            if 0 < n - right < 20:
                high = max(high, 1 - beta.ppf(1 - level, n - right, right + 1))
            assert cell[f"{hit}_low"] == pytest.approx(low, abs=1e-9)
            assert cell[f"{hit}_high"] == pytest.approx(high, abs=1e-9)


def test_many_images_have_wilsons_interval_alone(tmp_path: Path) -> None:
    table = aggregate([write(tmp_path / "a", "m", [("bagel", None, 400)])], LEVEL)
    cell = one(table, category="bagel", rule=RULES[0])
    wilson = binomtest(round(cell["top1"] * 400), 400).proportion_ci(LEVEL, method="wilson")
    assert (cell["top1_low"], cell["top1_high"]) == pytest.approx((wilson.low, wilson.high))


def test_an_image_without_a_generator_counts_for_all_and_for_no_generator(scores: Path) -> None:
    table = aggregate([scores], LEVEL)
    vases = select(table, category="vase", rule=RULES[0]).set_index("generator")["n"].to_dict()
    assert vases == {"*": 28, "mj": 25}


def test_without_generators_there_are_rows_for_all_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "m", [("bagel", None, 5), ("kite", None, 4)])
    table = aggregate([path], LEVEL)
    assert set(table["generator"]) == {"*"}
    assert len(table) == 2 * 3


# --- The means over categories ----------------------------------------------------------------


def test_the_mean_weighs_every_category_alike(scores: Path) -> None:
    table = aggregate([scores], LEVEL)
    for rule in RULES:
        for generator in ("*", "dalle", "mj"):
            mean = one(table, category="*", rule=rule, generator=generator)
            by_category = hits(scores, rule, generator).groupby("category")
            assert mean["top1"] == pytest.approx(by_category["top1_hit"].mean().mean())
            assert mean["top5"] == pytest.approx(by_category["top5_hit"].mean().mean())
            assert mean["n"] == len(hits(scores, rule, generator))


def test_the_mean_is_not_the_share_of_all_images(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "m", [("bagel", None, 90), ("kite", None, 10)])
    table = aggregate([path], LEVEL)
    pooled = hits(path, RULES[0])["top1_hit"].mean()
    cells = select(table, rule=RULES[0], generator="*").set_index("category")["top1"]
    assert cells["*"] == pytest.approx((cells["bagel"] + cells["kite"]) / 2)
    assert cells["*"] != pytest.approx(pooled)


def test_the_interval_of_a_mean_of_many_images_is_the_formula_s(tmp_path: Path) -> None:
    cells = [("bagel", None, 4000), ("kite", None, 1500), ("vase", None, 900)]
    path = write(tmp_path / "a", "m", cells)
    mean = one(aggregate([path], LEVEL), category="*", rule=RULES[0])
    for hit in ("top1", "top5"):
        groups = hits(path, RULES[0]).groupby("category")[f"{hit}_hit"]
        error = np.sqrt(sum(of.var(ddof=1) / len(of) for _, of in groups)) / len(groups)
        for end, side in (("low", -1), ("high", 1)):
            expected = mean[hit] + side * 1.96 * error
            assert mean[f"{hit}_{end}"] == pytest.approx(expected, abs=0.04 * error)


def test_the_mean_over_one_category_is_the_category(tmp_path: Path) -> None:
    cells = [("bagel", "mj", 3), ("bagel", None, 14)]
    table = aggregate([write(tmp_path / "a", "m", cells)], LEVEL)
    mean, cell = (select(table, category=name) for name in ("*", "bagel"))
    pd.testing.assert_frame_equal(
        mean.drop(columns="category").reset_index(drop=True),
        cell.drop(columns="category").reset_index(drop=True),
    )


def test_an_only_generator_is_all(tmp_path: Path) -> None:
    cells = [("bagel", "mj", 3), ("kite", "mj", 14)]
    table = aggregate([write(tmp_path / "a", "m", cells)], LEVEL)
    every, of_one = (select(table, generator=name) for name in ("*", "mj"))
    pd.testing.assert_frame_equal(
        every.drop(columns="generator").reset_index(drop=True),
        of_one.drop(columns="generator").reset_index(drop=True),
    )


def test_one_image_a_category_says_something_and_not_everything(tmp_path: Path) -> None:
    """The bootstrap within categories had intervals of width zero here."""
    cells = [(f"c{number}", None, 1) for number in range(17)]
    path = write(tmp_path / "a", "m", cells, seed=3)
    table = aggregate([path], LEVEL)
    mean = one(table, category="*", rule=RULES[0])
    right = round(mean["top1"] * 17)
    # The same as of 17 images of one category: there is nothing else to go by.
    wilson = binomtest(right, 17).proportion_ci(LEVEL, method="wilson")
    low, high = beta.ppf(0.05, right, 18 - right), 1 - beta.ppf(0.05, 17 - right, right + 1)
    assert 0 < right < 17
    assert mean["top1_low"] == pytest.approx(min(wilson.low, low))
    assert mean["top1_high"] == pytest.approx(max(wilson.high, high))
    singles = select(table, rule=RULES[0])
    assert (singles["top1_high"] - singles["top1_low"] > 0.3).all()


def test_a_higher_level_widens_every_interval(scores: Path) -> None:
    narrow, wide = aggregate([scores], 0.8), aggregate([scores], 0.99)
    for hit in ("top1", "top5"):
        assert (wide[f"{hit}_low"] <= narrow[f"{hit}_low"]).all()
        assert (wide[f"{hit}_high"] >= narrow[f"{hit}_high"]).all()
        assert (wide[f"{hit}_high"] - wide[f"{hit}_low"]).sum() > (
            narrow[f"{hit}_high"] - narrow[f"{hit}_low"]
        ).sum()


def test_bounds_enclose_their_fraction_and_stay_fractions(tmp_path: Path) -> None:
    cells = [(f"c{number}", "g", number) for number in range(1, 40)]
    table = aggregate([write(tmp_path / "a", "m", cells)], LEVEL)
    assert ((table["top1"] == 0).any(), (table["top5"] == 1).any()) == (True, True)
    for hit in ("top1", "top5"):
        low, high = table[f"{hit}_low"], table[f"{hit}_high"]
        assert (low >= 0).all() and (high <= 1).all()
        assert (low <= table[hit] + 1e-12).all() and (high >= table[hit] - 1e-12).all()
        assert (high - low > 0.03).all(), "no number of images leaves no doubt"
    assert not table[BOUNDS].isna().to_numpy().any()


# --- Models -----------------------------------------------------------------------------------


def test_another_model_changes_no_row_of_the_others(scores: Path, tmp_path: Path) -> None:
    others = [write(tmp_path / name, name, seed=1) for name in ("aaa", "zzz")]
    alone = aggregate([scores], LEVEL)
    together = aggregate([others[0], scores, others[1]], LEVEL)
    found = select(together, model="alexnet").reset_index(drop=True)
    pd.testing.assert_frame_equal(found, alone)
    assert sorted(set(together["model"])) == ["aaa", "alexnet", "zzz"]


def test_equal_hits_have_equal_bounds(tmp_path: Path) -> None:
    """Of two models, of two rules, and of top-1 and top-5."""
    table = aggregate([write(tmp_path / name, name) for name in ("a", "b")], LEVEL)
    for _, same in table.groupby(["category", "generator", "rule"]):
        assert len(same[["top1", *BOUNDS]].drop_duplicates()) == 1
    rows = [
        {"image": f"{number}.png", "category": "vase", "generator": None, "rule": rule}
        | {"group": None, "real": False}
        | {"top1_hit": hit, "top5_hit": hit, "predicted": [0], "probability": [1.0]}
        for number, hit in enumerate([True, True, False] * 9)
        for rule in RULES
    ]
    found = aggregate([rows_to(tmp_path / "c", rows)], LEVEL)
    bounds = found[BOUNDS].to_numpy().reshape(-1, 2)
    assert len(found) == 4 and (bounds == bounds[0]).all()


def rows_to(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    schema = SCHEMA.with_metadata({"model": "a", "class_names": "[]"})
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)
    return path


# --- Groups and photographs -------------------------------------------------------------------


def grouped(path: Path, groups: Sequence[str | None], photographs: int = 0) -> Path:
    """Two categories of generated images, half of them hits, in these groups; and photographs."""
    count = len(groups)
    rows: list[dict[str, object]] = [
        {"image": f"{number}.png", "category": "ab"[2 * number // count], "generator": "mj"}
        | {"group": group, "real": False, "top1_hit": number % 4 < 2}
        for number, group in enumerate(groups)
    ]
    rows += [
        {"image": f"photo{number}.png", "category": "abc"[number % 3], "generator": "photos"}
        | {"group": None, "real": True, "top1_hit": number % 5 == 0}
        for number in range(photographs)
    ]
    same = {"rule": RULES[0], "top5_hit": True, "predicted": [0], "probability": [1.0]}
    return rows_to(path, [row | same for row in rows])


def test_groups_change_widths_and_no_mean(tmp_path: Path) -> None:
    alone = aggregate([grouped(tmp_path / "a", [None] * 40)], LEVEL)
    # Of each four, the first two are hits.
    alike = aggregate([grouped(tmp_path / "b", [str(n // 2) for n in range(40)])], LEVEL)
    mixed = aggregate([grouped(tmp_path / "c", [str((n + 1) // 2) for n in range(40)])], LEVEL)
    width = [(table["top1_high"] - table["top1_low"]).to_numpy() for table in (alone, alike, mixed)]
    for table in (alike, mixed):
        same = ["model", "category", "generator", "rule", "n", "top1", "top5"]
        pd.testing.assert_frame_equal(table[same], alone[same])
    assert (width[1] > 1.25 * width[0]).all()
    assert (width[2] < width[0]).all()


def test_an_image_moved_to_another_group_changes_widths_and_no_mean(tmp_path: Path) -> None:
    groups: list[str | None] = [str(n // 2) for n in range(40)]
    first = aggregate([grouped(tmp_path / "a", groups)], LEVEL)
    groups[0] = groups[2]
    moved = aggregate([grouped(tmp_path / "b", groups)], LEVEL)
    changed = first["category"] != "b"
    assert (first["top1"] == moved["top1"]).all()
    bounds = ["top1_low", "top1_high"]
    assert (first.loc[changed, bounds] != moved.loc[changed, bounds]).all(axis=None)
    assert (first.loc[~changed] == moved.loc[~changed]).all(axis=None)


def test_groups_of_one_are_no_groups(tmp_path: Path) -> None:
    alone = aggregate([grouped(tmp_path / "a", [None] * 40)], LEVEL)
    single = aggregate([grouped(tmp_path / "b", [f"prompt {n}" for n in range(40)])], LEVEL)
    pd.testing.assert_frame_equal(single, alone)


def test_a_group_in_two_categories_is_one(tmp_path: Path) -> None:
    # Category b has the same hits as a: if the prompts are the same, it says nothing new.
    per_category = [str(n % 20 // 2) for n in range(40)]
    apart = [str(n // 2) for n in range(40)]
    one_, other = (
        one(aggregate([grouped(tmp_path / name, groups)], LEVEL), category="*", generator="*")
        for name, groups in (("a", per_category), ("b", apart))
    )
    cell = one(aggregate([grouped(tmp_path / "c", apart)], LEVEL), category="a", generator="*")
    ratio = (one_["top1_high"] - one_["top1_low"]) / (other["top1_high"] - other["top1_low"])
    assert ratio > 1.25
    assert one_["top1_high"] - one_["top1_low"] == pytest.approx(
        cell["top1_high"] - cell["top1_low"], rel=0.1
    )


def test_photographs_have_rows_of_their_own_and_are_not_among_all(tmp_path: Path) -> None:
    without = aggregate([grouped(tmp_path / "a", [None] * 40)], LEVEL)
    both = aggregate([grouped(tmp_path / "b", [None] * 40, photographs=30)], LEVEL)
    photographs = select(both, generator="photos")
    assert photographs["category"].tolist() == ["*", "a", "b", "c"]
    assert photographs["n"].tolist() == [30, 10, 10, 10]
    assert photographs["top1"].tolist() == pytest.approx([0.2] * 4)
    generated = both.drop(index=photographs.index).reset_index(drop=True)
    pd.testing.assert_frame_equal(generated, without)


# --- The table --------------------------------------------------------------------------------


def test_the_columns_are_those_of_the_contract(scores: Path) -> None:
    table = aggregate([scores], LEVEL)
    names = "model category generator rule n top1 top5 top1_low top1_high top5_low top5_high"
    assert list(table.columns) == names.split()
    assert pd.api.types.is_integer_dtype(table["n"])
    assert not table.duplicated(["model", "category", "generator", "rule"]).any()


def test_the_order_of_the_files_changes_nothing(scores: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "b", "b", seed=2)
    first, second = aggregate([scores, other], LEVEL), aggregate([other, scores], LEVEL)
    pd.testing.assert_frame_equal(first, second)


def test_the_program_writes_the_table(scores: Path, tmp_path: Path) -> None:
    tabulate("accuracy", tmp_path / "t", {"level": 0.9}, scores=[scores]).check_returncode()
    table = aggregate([scores], 0.9)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t" / "accuracy.parquet"), table)
    read = pd.read_csv(tmp_path / "t" / "accuracy.csv", float_precision="round_trip")
    pd.testing.assert_frame_equal(read, table, check_exact=True, check_dtype=False)
    names = sorted(path.name for path in (tmp_path / "t").iterdir())
    assert names == ["accuracy.csv", "accuracy.parquet"]


def test_a_file_is_read_a_part_at_a_time(scores: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = aggregate([scores], LEVEL)
    sizes = []
    read = pq.ParquetFile.iter_batches

    def observed(self: pq.ParquetFile, *args: object, **options: object) -> Iterable[object]:
        for batch in read(self, *args, **options):
            sizes.append(len(batch))
            yield batch

    monkeypatch.setattr("synthsight.statistics.hits._ROWS", 7)
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", observed)
    assert aggregate([scores], LEVEL).equals(whole)
    assert max(sizes) == 7
    assert sum(sizes) == len(pq.read_table(scores))

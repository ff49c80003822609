"""Every accuracy is a count over a count, and every interval the one its name says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import binomtest
from synthsight.statistics.bootstrap import Intervals

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.accuracy import aggregate
from tests.support import tabulate

RULES = ("words/simple", "words/lemmas")
BOUNDS = ["top1_low", "top1_high", "top5_low", "top5_high"]
INTERVALS = Intervals(level=0.95, resamples=2000, seed=0)

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
    table = aggregate([scores], INTERVALS)
    cells = table[table["category"] != "*"]
    for _, cell in cells.iterrows():
        images = select(hits(scores, cell["rule"], cell["generator"]), category=cell["category"])
        assert cell["n"] == len(images) > 0
        assert cell["top1"] == images["top1_hit"].sum() / len(images)
        assert cell["top5"] == images["top5_hit"].sum() / len(images)
    # bagel, kite, vase for all; bagel and kite of dalle; bagel and vase of mj
    assert len(cells) == 2 * (3 + 2 + 2)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_interval_of_a_cell_is_wilsons(scores: Path, level: float) -> None:
    table = aggregate([scores], Intervals(level, 100, 0))
    for _, cell in table[table["category"] != "*"].iterrows():
        for hit in ("top1", "top5"):
            test = binomtest(round(cell[hit] * cell["n"]), int(cell["n"]))
            expected = test.proportion_ci(level, method="wilson")
            assert cell[f"{hit}_low"] == pytest.approx(expected.low, abs=1e-12)
            assert cell[f"{hit}_high"] == pytest.approx(expected.high, abs=1e-12)


def test_an_image_without_a_generator_counts_for_all_and_for_no_generator(scores: Path) -> None:
    table = aggregate([scores], INTERVALS)
    vases = select(table, category="vase", rule=RULES[0]).set_index("generator")["n"].to_dict()
    assert vases == {"*": 28, "mj": 25}


def test_without_generators_there_are_rows_for_all_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "m", [("bagel", None, 5), ("kite", None, 4)])
    table = aggregate([path], INTERVALS)
    assert set(table["generator"]) == {"*"}
    assert len(table) == 2 * 3


# --- The means over categories ----------------------------------------------------------------


def test_the_mean_weighs_every_category_alike(scores: Path) -> None:
    table = aggregate([scores], INTERVALS)
    for rule in RULES:
        for generator in ("*", "dalle", "mj"):
            mean = one(table, category="*", rule=rule, generator=generator)
            by_category = hits(scores, rule, generator).groupby("category")
            assert mean["top1"] == pytest.approx(by_category["top1_hit"].mean().mean())
            assert mean["top5"] == pytest.approx(by_category["top5_hit"].mean().mean())
            assert mean["n"] == len(hits(scores, rule, generator))


def test_the_mean_is_not_the_share_of_all_images(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "m", [("bagel", None, 90), ("kite", None, 10)])
    table = aggregate([path], INTERVALS)
    pooled = hits(path, RULES[0])["top1_hit"].mean()
    cells = select(table, rule=RULES[0], generator="*").set_index("category")["top1"]
    assert cells["*"] == pytest.approx((cells["bagel"] + cells["kite"]) / 2)
    assert cells["*"] != pytest.approx(pooled)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_of_a_mean_is_that_of_resampled_images(scores: Path, level: float) -> None:
    table = aggregate([scores], Intervals(level, 20_000, 3))
    rng = np.random.default_rng(1)
    for generator in ("*", "mj"):
        mean = one(table, category="*", rule=RULES[0], generator=generator)
        for hit in ("top1", "top5"):
            groups = hits(scores, RULES[0], generator).groupby("category")[f"{hit}_hit"]
            resampled = np.zeros(20_000)
            for _, images in groups:
                values = images.to_numpy()
                drawn = values[rng.integers(0, len(values), (20_000, len(values)))]
                wide = np.sqrt(len(values) / (len(values) - 1))
                means = values.mean() + wide * (drawn.mean(axis=1) - values.mean())
                resampled += means / len(groups)
            tail = (1 - level) / 2
            low, high = np.quantile(resampled, [tail, 1 - tail])
            assert mean[f"{hit}_low"] == pytest.approx(max(low, 0), abs=0.01)
            assert mean[f"{hit}_high"] == pytest.approx(min(high, 1), abs=0.01)


def test_a_higher_level_widens_every_interval(scores: Path) -> None:
    narrow = aggregate([scores], Intervals(0.8, 2000, 0))
    wide = aggregate([scores], Intervals(0.99, 2000, 0))
    for hit in ("top1", "top5"):
        assert (wide[f"{hit}_low"] <= narrow[f"{hit}_low"]).all()
        assert (wide[f"{hit}_high"] >= narrow[f"{hit}_high"]).all()
        assert (wide[f"{hit}_high"] - wide[f"{hit}_low"]).sum() > (
            narrow[f"{hit}_high"] - narrow[f"{hit}_low"]
        ).sum()


def test_bounds_enclose_their_fraction_and_stay_fractions(tmp_path: Path) -> None:
    cells = [(f"c{number}", "g", number) for number in range(1, 40)]
    table = aggregate([write(tmp_path / "a", "m", cells)], INTERVALS)
    assert ((table["top1"] == 0).any(), (table["top5"] == 1).any()) == (True, True)
    for hit in ("top1", "top5"):
        low, high = table[f"{hit}_low"], table[f"{hit}_high"]
        assert (low >= 0).all() and (high <= 1).all()
        assert (low <= table[hit] + 1e-12).all() and (high >= table[hit] - 1e-12).all()
    assert not table[BOUNDS].isna().to_numpy().any()


# --- Seeds ------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_table(scores: Path) -> None:
    pd.testing.assert_frame_equal(aggregate([scores], INTERVALS), aggregate([scores], INTERVALS))


def test_another_seed_moves_the_means_and_no_cell(scores: Path) -> None:
    first = aggregate([scores], INTERVALS)
    second = aggregate([scores], Intervals(0.95, 2000, 1))
    changed = (first[BOUNDS] != second[BOUNDS]).any(axis=1)
    assert changed.any()
    assert set(first.loc[changed, "category"]) == {"*"}
    pd.testing.assert_frame_equal(first.drop(columns=BOUNDS), second.drop(columns=BOUNDS))


def test_another_model_changes_no_row_of_the_others(scores: Path, tmp_path: Path) -> None:
    others = [write(tmp_path / name, name, seed=1) for name in ("aaa", "zzz")]
    alone = aggregate([scores], INTERVALS)
    together = aggregate([others[0], scores, others[1]], INTERVALS)
    found = select(together, model="alexnet").reset_index(drop=True)
    pd.testing.assert_frame_equal(found, alone)
    assert sorted(set(together["model"])) == ["aaa", "alexnet", "zzz"]


def test_models_with_equal_hits_are_resampled_each_for_itself(tmp_path: Path) -> None:
    table = aggregate([write(tmp_path / name, name) for name in ("a", "b")], INTERVALS)
    means = select(table, category="*", generator="*", rule=RULES[0])
    assert len(means["top1"].drop_duplicates()) == 1
    assert len(means[BOUNDS].drop_duplicates()) == 2


def written(path: Path, top1: Sequence[bool]) -> Path:
    """Scores of one category under one rule, with the same hits within five."""
    rows = [
        {"image": f"{number}.png", "category": "vase", "generator": None, "rule": RULES[0]}
        | {"top1_hit": hit, "top5_hit": hit, "predicted": [0], "probability": [1.0]}
        for number, hit in enumerate(top1)
    ]
    schema = SCHEMA.with_metadata({"model": "a", "class_names": "[]"})
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def test_top1_and_top5_are_resampled_each_for_itself(tmp_path: Path) -> None:
    table = aggregate([written(tmp_path / "a", [True, True, False] * 9)], INTERVALS)
    mean = one(table, category="*")
    assert mean["top1"] == mean["top5"]
    assert (mean["top1_low"], mean["top1_high"]) != (mean["top5_low"], mean["top5_high"])


def test_the_bounds_of_a_mean_of_few_images_are_fractions(tmp_path: Path) -> None:
    """Two images resampled and stretched reach from below 0 to above 1."""
    mean = one(aggregate([written(tmp_path / "a", [True, False])], INTERVALS), category="*")
    assert (mean["top1_low"], mean["top1_high"]) == (0, 1)


# --- The table --------------------------------------------------------------------------------


def test_the_columns_are_those_of_the_contract(scores: Path) -> None:
    table = aggregate([scores], INTERVALS)
    names = "model category generator rule n top1 top5 top1_low top1_high top5_low top5_high"
    assert list(table.columns) == names.split()
    assert pd.api.types.is_integer_dtype(table["n"])
    assert not table.duplicated(["model", "category", "generator", "rule"]).any()


def test_the_order_of_the_files_changes_nothing(scores: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "b", "b", seed=2)
    first, second = aggregate([scores, other], INTERVALS), aggregate([other, scores], INTERVALS)
    pd.testing.assert_frame_equal(first, second)


def test_the_program_writes_the_table(scores: Path, tmp_path: Path) -> None:
    spec = {"level": 0.9, "resamples": 100, "seed": 1}
    tabulate("accuracy", tmp_path / "t", spec, scores=[scores]).check_returncode()
    table = aggregate([scores], Intervals(**spec))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t" / "accuracy.parquet"), table)
    read = pd.read_csv(tmp_path / "t" / "accuracy.csv")
    pd.testing.assert_frame_equal(read, table, check_exact=True, check_dtype=False)
    names = sorted(path.name for path in (tmp_path / "t").iterdir())
    assert names == ["accuracy.csv", "accuracy.parquet"]


def test_a_file_is_read_a_part_at_a_time(scores: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = aggregate([scores], INTERVALS)
    sizes = []
    read = pq.ParquetFile.iter_batches

    def observed(self: pq.ParquetFile, *args: object, **options: object) -> Iterable[object]:
        for batch in read(self, *args, **options):
            sizes.append(len(batch))
            yield batch

    monkeypatch.setattr("synthsight.statistics.hits._ROWS", 7)
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", observed)
    assert aggregate([scores], INTERVALS).equals(whole)
    assert max(sizes) == 7
    assert sum(sizes) == len(pq.read_table(scores))

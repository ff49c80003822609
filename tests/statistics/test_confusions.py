"""What each category is taken for: counted name by name, most frequent first."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.columns import CONFUSIONS
from synthsight.statistics.confusions import MOST, confusions
from tests.support import tabulate

NAMES = ["parachute", "kite", "vase", "crane", "crane", "pot"]

Row = tuple[str, str, bool, list[int]]  # category, rule, top-1 hit, predicted


def write(
    path: Path, rows: list[Row], names: list[str] = NAMES, photographs: Sequence[Row] = ()
) -> Path:
    both = [*((row, None) for row in rows), *((row, "photos") for row in photographs)]
    records = [
        {"image": f"{n}.png", "category": category, "generator": generator, "rule": rule}
        | {"group": None, "real": generator is not None}
        | {"top1_hit": hit, "top5_hit": hit, "predicted": predicted}
        | {"probability": [0.1] * len(predicted)}
        for n, ((category, rule, hit, predicted), generator) in enumerate(both)
    ]
    metadata = {"model": path.stem, "class_names": json.dumps(names)}
    table = pa.Table.from_pylist(records, schema=SCHEMA.with_metadata(metadata))
    pq.write_table(table, path, row_group_size=5)
    return path


def random_rows(seed: int, classes: int, n: int = 400) -> list[Row]:
    rng = np.random.default_rng(seed)
    categories = rng.choice(["kite", "vase"], n, p=[0.8, 0.2])
    rules = rng.choice(["words/simple", "classes"], n)
    hits = rng.random(n) < 0.3
    best = rng.permuted(np.tile(np.arange(classes), (n, 1)), axis=1)[:, :3]
    rows = zip(categories, rules, hits, best, strict=True)
    return [(str(c), str(r), bool(h), p.tolist()) for c, r, h, p in rows]


def listed(table: pd.DataFrame, model: str) -> list[tuple[str, int, float]]:
    rows = table[(table["model"] == model) & (table["generator"] == "*")]
    return list(zip(rows["predicted"], rows["n"], rows["share"], strict=True))


def test_a_kite_taken_for_a_parachute(tmp_path: Path) -> None:
    rows: list[Row] = [("kite", "r", False, [0, 1])] * 3 + [("kite", "r", False, [2, 1])]
    rows += [("kite", "r", True, [1, 0])] * 6
    table = confusions([write(tmp_path / "alexnet", rows)])
    assert list(table.columns) == CONFUSIONS
    assert listed(table, "alexnet") == [("parachute", 3, 0.3), ("vase", 1, 0.1)]
    assert listed(table, "*") == listed(table, "alexnet")


def test_ties_go_by_name_and_classes_of_one_name_are_one(tmp_path: Path) -> None:
    rows: list[Row] = [("kite", "r", False, [place]) for place in (5, 4, 3, 2, 0)]
    table = confusions([write(tmp_path / "m", rows)])
    assert [name for name, _, _ in listed(table, "m")] == ["crane", "parachute", "pot", "vase"]
    assert [n for _, n, _ in listed(table, "m")] == [2, 1, 1, 1]


def test_models_with_other_label_spaces_are_pooled_by_name(tmp_path: Path) -> None:
    rows: list[Row] = [("kite", "r", False, [0])] * 2
    first = write(tmp_path / "a", [*rows, ("kite", "r", True, [1])])
    second = write(tmp_path / "b", rows * 2, names=["vase", "parachute"])
    third = write(tmp_path / "c", [("kite", "r", False, [1])] * 3, names=["vase", "parachute"])
    table = confusions([first, second, third])
    assert listed(table, "b") == [("vase", 4, 1.0)]
    assert listed(table, "*") == [("parachute", 5, 0.5), ("vase", 4, 0.4)]


def test_only_the_most_frequent_are_kept_and_the_share_is_of_all_images(tmp_path: Path) -> None:
    names = [f"class {place:02}" for place in range(MOST + 3)]
    rows: list[Row] = [
        ("kite", "r", False, [place]) for place in range(len(names)) for _ in range(place + 1)
    ]
    table = confusions([write(tmp_path / "m", rows, names)])
    found = listed(table, "m")
    assert [name for name, _, _ in found] == names[:2:-1]
    assert found[0][2] == pytest.approx(13 / 91)


def test_what_is_pooled_is_pooled_before_the_most_frequent_are_kept(tmp_path: Path) -> None:
    # "z" is eleventh in each model, but first over both.
    rows: list[Row] = [("kite", "r", False, [place]) for place in range(MOST) for _ in range(3)] + [
        ("kite", "r", False, [MOST])
    ] * 2
    paths = [
        write(tmp_path / model, rows, [*(f"{model}{n}" for n in range(MOST)), "z"])
        for model in ("a", "b")
    ]
    table = confusions(paths)
    assert "z" not in [name for name, _, _ in listed(table, "a")]
    assert listed(table, "*")[0][:2] == ("z", 4)


def test_an_image_for_which_nothing_could_be_chosen_is_taken_for_nothing(tmp_path: Path) -> None:
    rows: list[Row] = [("kite", "restricted", False, []), ("kite", "restricted", False, [2])]
    assert listed(confusions([write(tmp_path / "m", rows)]), "m") == [("vase", 1, 0.5)]


def test_models_without_a_mistake_leave_the_table_empty(tmp_path: Path) -> None:
    table = confusions([write(tmp_path / "m", [("kite", "r", True, [1])])])
    assert len(table) == 0
    assert list(table.columns) == CONFUSIONS
    assert table["n"].dtype == np.int64
    assert table["share"].dtype == np.float64


@pytest.mark.long
@pytest.mark.parametrize("batch", [3, 10_000])
def test_counts_are_those_of_a_slow_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("synthsight.statistics.confusions._ROWS", batch)
    names = [f"class {place % 13}" for place in range(15)]
    world = {model: random_rows(seed, len(names)) for seed, model in enumerate("abc")}
    real = {model: random_rows(seed, len(names), 90) for seed, model in enumerate("xyz")}
    real = dict(zip(world, real.values(), strict=True))
    paths = [write(tmp_path / m, rows, names, real[m]) for m, rows in world.items()]
    table = confusions(paths)
    wrong: Counter[tuple[str, str, str, str, str]] = Counter()
    images: Counter[tuple[str, str, str, str]] = Counter()
    for source, model in itertools.product(("*", "photos"), world):
        for category, rule, hit, predicted in (world if source == "*" else real)[model]:
            for name in (model, "*"):
                images[source, name, category, rule] += 1
                if not hit:
                    wrong[source, name, category, rule, names[predicted[0]]] += 1
    expected = []
    for cell in sorted(images):
        of_cell = [(-n, key[4]) for key, n in wrong.items() if key[:4] == cell]
        for negative, name in sorted(of_cell)[:MOST]:
            expected.append([*cell, name, -negative, -negative / images[cell]])
    assert table.to_numpy().tolist() == expected
    alone = confusions([write(tmp_path / m, rows, names) for m, rows in world.items()])
    pd.testing.assert_frame_equal(table[table["generator"] == "*"], alone)


def test_the_order_of_images_and_models_changes_nothing(tmp_path: Path) -> None:
    world = {model: random_rows(seed, len(NAMES)) for seed, model in enumerate("abc")}
    (tmp_path / "turned").mkdir()
    one = confusions([write(tmp_path / m, rows) for m, rows in world.items()])
    turned = {model: rows[::-1] for model, rows in reversed(world.items())}
    other = confusions([write(tmp_path / "turned" / m, rows) for m, rows in turned.items()])
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("hit", [True, False])
def test_the_program_writes_the_same_table_twice(tmp_path: Path, hit: bool) -> None:
    scores = write(tmp_path / "m", [("kite", "r", hit, [0])] * 3)
    csv, parquet = tmp_path / "confusions.csv", tmp_path / "confusions.parquet"
    tabulate("confusions", tmp_path, {}, scores=[scores]).check_returncode()
    table = pd.read_parquet(parquet)
    pd.testing.assert_frame_equal(table, confusions([scores]))
    pd.testing.assert_frame_equal(pd.read_csv(csv), table, check_dtype=False)
    types = [str(field.type) for field in pq.read_schema(parquet)]
    assert types == ["large_string"] * 5 + ["int64", "double"]

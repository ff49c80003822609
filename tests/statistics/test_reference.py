"""The drop from real photographs to generated images is a difference of what is stated."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from statsmodels.stats.proportion import proportion_confint

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.accuracy import aggregate
from synthsight.statistics.columns import ACCURACY, REFERENCE
from synthsight.statistics.reference import NotesError, of_models, reference
from tests.support import tabulate

STATED: dict[str, Any] = {
    "vgg16": {"top1": 0.75, "top5": 0.9, "source": "the library"},
    "local": None,
}


def write_accuracy(path: Path, models: list[str], generators: tuple[str, ...] = ("*",)) -> Path:
    rng = np.random.default_rng(0)
    rows = []
    keys = itertools.product(models, ("*", "kite"), generators, ("words/simple", "classes"))
    for model, category, generator, rule in keys:
        low, middle, high = np.sort(rng.random((3, 2)), axis=0)
        rows.append([model, category, generator, rule, 9, *middle])
        rows[-1] += [low[0], high[0], low[1], high[1]]
    pd.DataFrame(rows, columns=ACCURACY).to_parquet(path, index=False)
    return path


def write_notes(folder: Path, stated: dict[str, Any]) -> list[Path]:
    paths = []
    for number, (name, about) in enumerate(stated.items()):
        paths.append(folder / f"{number}.json")
        paths[-1].write_text(json.dumps({"name": name, "reference": about, "source": "a file"}))
    return paths


@pytest.fixture(name="accuracy")
def accuracy_(tmp_path: Path) -> Path:
    return write_accuracy(tmp_path / "accuracy.parquet", ["vgg16", "local"])


@pytest.fixture(name="notes")
def notes_(tmp_path: Path) -> list[Path]:
    return write_notes(tmp_path, STATED)


def test_the_drop_is_the_reference_less_the_mean_and_its_bounds_change_places(
    accuracy: Path, notes: list[Path]
) -> None:
    table = reference(accuracy, notes)
    assert list(table.columns) == list(REFERENCE)
    assert set(table["kind"]) == {"published"} and set(table["category"]) == {"*"}
    assert set(table["categories"]) == {1} and table["n_reference"].isna().all()
    means = pd.read_parquet(accuracy).set_index(["model", "category", "rule"])
    for row in table[table["model"] == "vgg16"].to_dict("records"):
        mean = means.loc[("vgg16", "*", row["rule"])]
        assert row["source"] == "the library"
        for hit, real in (("top1", 0.75), ("top5", 0.9)):
            assert row[f"reference_{hit}"] == real
            for bound in ("", "_low", "_high"):
                assert row[f"{hit}{bound}"] == mean[f"{hit}{bound}"]
            assert row[f"drop_{hit}"] == real - mean[hit]
            assert row[f"drop_{hit}_low"] == real - mean[f"{hit}_high"]
            assert row[f"drop_{hit}_high"] == real - mean[f"{hit}_low"]
            assert row[f"drop_{hit}_low"] <= row[f"drop_{hit}"] <= row[f"drop_{hit}_high"]


def test_only_means_over_categories_are_compared_one_row_each(
    tmp_path: Path, notes: list[Path]
) -> None:
    path = write_accuracy(tmp_path / "a.parquet", ["vgg16", "local"], ("mj", "*", "dalle"))
    table = reference(path, notes)
    keys = table[["model", "rule", "generator"]].to_numpy().tolist()
    generators, rules = ("*", "dalle", "mj"), ("classes", "words/simple")
    expected = itertools.product(("local", "vgg16"), rules, generators)
    assert keys == [list(key) for key in expected]


def test_a_model_without_a_reference_is_kept_with_nulls(accuracy: Path, notes: list[Path]) -> None:
    table = reference(accuracy, notes)
    local = table[table["model"] == "local"]
    assert len(local) == 2
    empty = [n for n in REFERENCE if n.startswith(("reference", "drop", "source", "n_ref"))]
    assert local[empty].isna().all(axis=None)
    assert local.drop(columns=empty).notna().all(axis=None)


def test_a_reference_of_top_1_alone_gives_a_drop_of_top_1_alone(
    tmp_path: Path, accuracy: Path
) -> None:
    notes = write_notes(tmp_path, STATED | {"vgg16": {"top1": 0.75, "source": "a paper"}})
    row = reference(accuracy, notes).query("model == 'vgg16'").iloc[0]
    assert row["drop_top1"] == 0.75 - row["top1"]
    assert pd.isna(row[["reference_top5", "drop_top5", "drop_top5_low"]]).all()


def test_the_order_of_the_notes_and_a_note_too_many_change_nothing(
    tmp_path: Path, accuracy: Path, notes: list[Path]
) -> None:
    (tmp_path / "more").mkdir()
    more = write_notes(tmp_path / "more", {"unused": STATED["vgg16"]})
    pd.testing.assert_frame_equal(
        reference(accuracy, [*more, *notes[::-1]]), reference(accuracy, notes)
    )


def test_a_model_without_a_note_is_an_error(accuracy: Path, notes: list[Path]) -> None:
    with pytest.raises(NotesError, match="no note about the weights of local"):
        reference(accuracy, notes[:1])


def run(accuracy: Path, notes: list[Path], folder: Path) -> subprocess.CompletedProcess[str]:
    return tabulate("reference", folder, {"level": 0.9}, accuracy=accuracy, notes=notes, scores=[])


@pytest.mark.parametrize("stated", [STATED, dict.fromkeys(STATED)], ids=["some", "none"])
def test_the_program_writes_the_same_table_twice(
    tmp_path: Path, accuracy: Path, stated: dict[str, Any]
) -> None:
    notes = write_notes(tmp_path, stated)
    completed = run(accuracy, notes, tmp_path)
    assert completed.returncode == 0, completed.stderr
    table = pd.read_parquet(tmp_path / "reference.parquet")
    pd.testing.assert_frame_equal(table, reference(accuracy, notes))
    text = pd.read_csv(tmp_path / "reference.csv", float_precision="round_trip")
    pd.testing.assert_frame_equal(text, table, check_dtype=False, check_exact=True)
    types = [str(field.type) for field in pq.read_schema(tmp_path / "reference.parquet")]
    assert types == ["large_string"] * 6 + ["int64"] * 3 + ["double"] * 18


def test_the_program_says_whose_note_is_missing(
    tmp_path: Path, accuracy: Path, notes: list[Path]
) -> None:
    completed = run(accuracy, notes[:1], tmp_path)
    assert completed.returncode == 1
    assert completed.stderr == "tabulate: no note about the weights of local\n"


# --- The run's own photographs ----------------------------------------------------------------

#: Images and top-1 hits of each generator (or photographs) and category.
Cells = dict[tuple[str | None, str], tuple[int, int]]
CELLS: Cells = {
    ("photos", "bagel"): (40, 36),
    ("photos", "kite"): (20, 15),
    ("photos", "urn"): (30, 30),
    ("mj", "bagel"): (50, 20),
    ("mj", "kite"): (10, 5),
    ("mj", "vase"): (25, 1),
    (None, "kite"): (10, 1),
}


def write_scores(path: Path, cells: Cells, model: str = "vgg16", group: int = 1) -> Path:
    """Scores under two rules, of which one takes everything; images in groups of some size."""
    rows = [
        {"image": f"{generator}/{category}/{number}.png", "category": category, "rule": rule}
        | {"generator": generator, "real": generator in ("photos", "more photos")}
        | {"group": f"{category}{number // group}" if group > 1 and generator == "mj" else None}
        | {"top1_hit": number < hits or rule == "classes", "top5_hit": number < hits + 2}
        | {"predicted": [0], "probability": [1.0]}
        for (generator, category), (n, hits) in cells.items()
        for number in range(n)
        for rule in ("classes", "words/simple")
    ]
    schema = SCHEMA.with_metadata({"model": model, "class_names": "[]"})
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def measured(folder: Path, cells: Cells, level: float = 0.95, group: int = 1) -> pd.DataFrame:
    """The rows of kind measured, under words/simple."""
    folder.mkdir(exist_ok=True)
    scores = write_scores(folder / "scores", cells, group=group)
    accuracy = folder / "accuracy.parquet"
    aggregate([scores], level).to_parquet(accuracy, index=False)
    table = reference(accuracy, write_notes(folder, STATED), [scores], level)
    assert set(table["kind"]) <= {"measured", "published"}
    return table[(table["kind"] == "measured") & (table["rule"] == "words/simple")]


def one(table: pd.DataFrame, **values: str) -> pd.Series:
    for column, value in values.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_photographs_are_the_reference_on_the_categories_that_both_have(tmp_path: Path) -> None:
    table = measured(tmp_path, CELLS)
    cells = table[["generator", "category"]].to_numpy().tolist()
    # Neither the urns, of which there are photographs alone, nor the vases.
    assert cells == [[g, c] for c in ("*", "bagel", "kite") for g in ("*", "mj")]
    mean = one(table, category="*", generator="*")
    assert (mean["categories"], mean["n_reference"], mean["n"]) == (2, 60, 70)
    assert mean["source"] == "photos"
    assert mean["reference_top1"] == pytest.approx((36 / 40 + 15 / 20) / 2)
    assert mean["top1"] == pytest.approx((20 / 50 + 6 / 20) / 2)
    assert mean["reference_top5"] == pytest.approx((38 / 40 + 17 / 20) / 2)
    of_mj = one(table, category="*", generator="mj")
    assert (of_mj["n"], of_mj["top1"]) == (60, pytest.approx((20 / 50 + 5 / 10) / 2))
    kite = one(table, category="kite", generator="*")
    assert (kite["categories"], kite["n_reference"], kite["n"]) == (1, 20, 20)
    assert kite["drop_top1"] == pytest.approx(15 / 20 - 6 / 20)
    assert (table["drop_top1"] == table["reference_top1"] - table["top1"]).all()
    assert (table["drop_top5"] == table["reference_top5"] - table["top5"]).all()


def test_the_bounds_of_a_measured_drop_are_those_of_two_samples(tmp_path: Path) -> None:
    table = measured(tmp_path, CELLS)
    for _, row in table.iterrows():
        for hit in ("top1", "top5"):
            a, b = row[f"reference_{hit}"], row[hit]
            a_low, a_high, b_low, b_high = (
                row[f"{side}{hit}_{end}"] for side in ("reference_", "") for end in ("low", "high")
            )
            low = a - b - np.sqrt((a - a_low) ** 2 + (b_high - b) ** 2)
            high = a - b + np.sqrt((a_high - a) ** 2 + (b - b_low) ** 2)
            assert row[f"drop_{hit}_low"] == pytest.approx(max(low, -1))
            assert row[f"drop_{hit}_high"] == pytest.approx(min(high, 1))
    bagel = one(table, category="bagel", generator="*")
    assert (bagel["top1_low"], bagel["top1_high"]) == pytest.approx(
        proportion_confint(20, 50, method="wilson")
    )


@pytest.mark.long
def test_real_and_generated_images_that_change_places_turn_the_drop_around(tmp_path: Path) -> None:
    other = {"mj": "photos", "photos": "mj"}
    cells = {key: cell for key, cell in CELLS.items() if key[0] is not None}
    swapped = {(other[str(name)], category): cell for (name, category), cell in cells.items()}
    one_, turned = (
        measured(tmp_path / name, part).reset_index(drop=True)
        for name, part in (("a", cells), ("b", swapped))
    )
    assert (one_["drop_top1"] > 0.1).all()
    for hit, (end, opposite) in itertools.product(
        ("top1", "top5"), (("", ""), ("_low", "_high"), ("_high", "_low"))
    ):
        np.testing.assert_allclose(
            one_[f"drop_{hit}{end}"], -turned[f"drop_{hit}{opposite}"], atol=1e-12
        )


@pytest.mark.long
def test_groups_widen_the_drop_and_move_no_number(tmp_path: Path) -> None:
    alone, grouped = (
        measured(tmp_path / str(group), CELLS, group=group).reset_index(drop=True)
        for group in (1, 5)
    )
    for hit in ("top1", "top5"):
        numbers = [hit, f"reference_{hit}", f"reference_{hit}_low", f"drop_{hit}"]
        pd.testing.assert_frame_equal(alone[numbers], grouped[numbers])
    width, before = (t["drop_top1_high"] - t["drop_top1_low"] for t in (grouped, alone))
    assert (width > 1.1 * before).all()


def test_without_photographs_of_a_category_in_common_nothing_is_measured(tmp_path: Path) -> None:
    generated = {key: cell for key, cell in CELLS.items() if key[0] != "photos"}
    apart = {**generated, ("photos", "urn"): (30, 30)}
    for name, cells in (("a", generated), ("b", apart)):
        assert measured(tmp_path / name, cells).empty


@pytest.mark.long
def test_a_category_without_common_photographs_moves_no_measured_number(tmp_path: Path) -> None:
    fewer = {key: cell for key, cell in CELLS.items() if key[1] not in ("urn", "vase")}
    pd.testing.assert_frame_equal(
        measured(tmp_path / "a", CELLS).reset_index(drop=True),
        measured(tmp_path / "b", fewer).reset_index(drop=True),
    )


@pytest.mark.long
def test_a_higher_level_widens_the_drop(tmp_path: Path) -> None:
    narrow, wide = (
        measured(tmp_path / str(level), CELLS, level).reset_index(drop=True)
        for level in (0.8, 0.99)
    )
    assert (wide["drop_top1_low"] < narrow["drop_top1_low"]).all()
    assert (wide["drop_top1_high"] > narrow["drop_top1_high"]).all()


@pytest.mark.long
def test_the_drop_of_a_run_is_measured_where_it_has_photographs(tmp_path: Path) -> None:
    scores = [write_scores(tmp_path / name, CELLS, name) for name in ("vgg16", "local")]
    aggregate(scores, 0.95).to_parquet(tmp_path / "accuracy.parquet", index=False)
    notes = write_notes(tmp_path, STATED)
    both = reference(tmp_path / "accuracy.parquet", notes, scores)
    stated = reference(tmp_path / "accuracy.parquet", notes)
    for table, kind in ((both, "measured"), (stated, "published")):
        found = of_models(table, "words/simple")
        assert found["model"].tolist() == ["local", "vgg16"]
        assert set(found["kind"]) == {kind}
        assert (found[["category", "generator"]] == "*").all(axis=None)
        assert set(found["rule"]) == {"words/simple"}

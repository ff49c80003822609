"""The drop from real photographs to generated images is a difference of what is stated."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthsight.statistics.columns import ACCURACY, REFERENCE
from synthsight.statistics.reference import NotesError, reference
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
    assert list(table.columns) == REFERENCE
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
    empty = [name for name in REFERENCE if name.startswith(("reference", "drop", "source"))]
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
    return tabulate("reference", folder, {}, accuracy=accuracy, notes=notes)


@pytest.mark.parametrize("stated", [STATED, dict.fromkeys(STATED)], ids=["some", "none"])
def test_the_program_writes_the_same_table_twice(
    tmp_path: Path, accuracy: Path, stated: dict[str, Any]
) -> None:
    notes = write_notes(tmp_path, stated)
    completed = run(accuracy, notes, tmp_path)
    assert completed.returncode == 0, completed.stderr
    table = pd.read_parquet(tmp_path / "reference.parquet")
    pd.testing.assert_frame_equal(table, reference(accuracy, notes))
    text = pd.read_csv(tmp_path / "reference.csv")
    pd.testing.assert_frame_equal(text, table, check_dtype=False, check_exact=True)
    types = [str(field.type) for field in pq.read_schema(tmp_path / "reference.parquet")]
    assert types == ["large_string"] * 4 + ["double"] * 14


def test_the_program_says_whose_note_is_missing(
    tmp_path: Path, accuracy: Path, notes: list[Path]
) -> None:
    completed = run(accuracy, notes[:1], tmp_path)
    assert completed.returncode == 1
    assert completed.stderr == "tabulate: no note about the weights of local\n"

"""Confidence against accuracy, beside a second computation and by simulation."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.calibration import BINS, bins_of, calibrate, error_of

#: Confidence (None where it is not stated), whether right (None where not known), group.
Guess = tuple[float | None, bool | None, str | None]


def write(
    path: Path,
    guesses: Sequence[Guess],
    rule: str = "words/simple",
    real: bool = False,
    silent: int = 0,
) -> Path:
    """Scores of one model, the last ``silent`` images without a prediction."""
    rows = [
        {
            **{"image": f"kite/{n:04}.png", "category": "kite", "real": real, "rule": rule},
            **{"generator": "photo" if real else "mj", "group": group},
            **{"top1_hit": right, "top5_hit": right, "predicted": [0], "probability": [sure]},
        }
        for n, (sure, right, group) in enumerate(guesses)
    ]
    for n in range(silent):
        rows.append({**rows[0], "image": f"kite/x{n}.png", "top1_hit": False, "top5_hit": False})
        rows[-1] |= {"predicted": [], "probability": []}
    schema = SCHEMA.with_metadata({"model": path.stem, "class_names": "[]"})
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def lot(number: int, power: float, seed: int = 0, group: int = 1) -> list[Guess]:
    """Guesses that are right with a power of their confidence."""
    rng = np.random.default_rng(seed)
    sure = rng.beta(2, 1, number).astype(np.float32)
    return [
        (float(p), bool(rng.random() < p**power), f"g{n // group}" if group > 1 else None)
        for n, p in enumerate(sure)
    ]


def test_everything_is_as_a_plain_loop_has_it(tmp_path: Path) -> None:
    guesses = lot(237, 1.5)
    models, bins = calibrate([write(tmp_path / "net", guesses, silent=3)], 0.95, 0)
    (row,) = models.to_dict("records")
    ordered = sorted(guesses, key=lambda guess: guess[0] or 0)
    assert (row["model"], row["rule"], row["generator"]) == ("net", "words/simple", "*")
    assert row["n"] == 237  # without the three images of which nothing is said
    assert row["bins"] == len(bins) == BINS
    assert row["top1"] == pytest.approx(sum(bool(right) for _, right, _ in guesses) / 237)
    assert row["confidence"] == pytest.approx(sum(sure or 0 for sure, _, _ in guesses) / 237)
    assert row["over"] == pytest.approx(row["confidence"] - row["top1"])
    start, error = 0, 0.0
    for each in bins.to_dict("records"):
        part = ordered[start : start + each["n"]]
        start += each["n"]
        assert len(part) in (23, 24)
        sure, right = [p for p, _, _ in part], [bool(hit) for _, hit, _ in part]
        assert (each["low_edge"], each["high_edge"]) == (sure[0], sure[-1])
        mean = sum(p or 0 for p in sure) / len(part)
        assert each["confidence"] == pytest.approx(mean)
        assert each["top1"] == pytest.approx(sum(right) / len(part))
        assert each["low"] <= each["top1"] <= each["high"]
        error += abs(mean - sum(right) / len(part)) * len(part) / 237
    assert start == 237
    assert row["ece"] == pytest.approx(error)
    assert row["ece_low"] <= row["ece"] <= row["ece_high"]


def test_chance_is_the_error_of_guesses_as_often_right_as_they_say(tmp_path: Path) -> None:
    sure = np.array([p for p, _, _ in lot(400, 1)], float)
    models, _ = calibrate([write(tmp_path / "net", lot(400, 1))], 0.95, 0)
    rng, bins = np.random.default_rng(1), bins_of(sure)
    drawn = [
        np.abs(np.bincount(bins, sure - (rng.random(400) < sure))).sum() / 400 for _ in range(2000)
    ]
    assert models["chance"].item() == pytest.approx(np.mean(drawn), rel=0.1)


@pytest.mark.parametrize(("power", "sign"), [(0.5, -1), (1.0, 0), (2.0, 1)])
def test_a_model_that_is_too_sure_is_told_from_one_that_is_right(
    tmp_path: Path, power: float, sign: int
) -> None:
    models, _ = calibrate([write(tmp_path / "net", lot(1500, power, seed=1))], 0.95, 0)
    (row,) = models.to_dict("records")
    found = (row["over_low"] > 0) - (row["over_high"] < 0)
    assert found == sign
    assert (row["ece_low"] > 0) == (sign != 0)


@pytest.mark.long
@pytest.mark.parametrize("power", [1.0, 1.3])
def test_the_intervals_hold_as_often_as_they_say(power: float) -> None:
    rng, held, over_held = np.random.default_rng(0), 0, 0
    for _ in range(300):
        sure = np.clip(rng.beta(2, 1, 200), 1e-3, 1 - 1e-3)
        likely = sure**power
        bins = bins_of(sure)
        right = rng.random(200) < likely
        error = error_of(sure, right, bins, np.arange(200), 0.95, rng)
        truth = np.abs(np.bincount(bins, sure - likely)).sum() / 200
        held += error.ece_bounds[0] <= truth <= error.ece_bounds[1]
        over_held += error.over_bounds[0] <= (sure - likely).mean() <= error.over_bounds[1]
    assert held >= 0.92 * 300
    assert over_held >= 0.92 * 300


def test_images_of_one_group_say_less_than_images_of_many(tmp_path: Path) -> None:
    alike = [
        (sure, right, f"g{n}") for n, (sure, right, _) in enumerate(lot(50, 1)) for _ in "12345"
    ]
    alone = [(sure, right, None) for sure, right, _ in alike]
    rows = [
        calibrate([write(tmp_path / name, guesses)], 0.95, 0)[0].iloc[0]
        for name, guesses in (("alike", alike), ("alone", alone))
    ]
    widths = [row["over_high"] - row["over_low"] for row in rows]
    assert widths[0] > 1.8 * widths[1]
    assert rows[0]["ece"] == rows[1]["ece"]


def test_of_one_group_alone_no_bounds_are_known(tmp_path: Path) -> None:
    guesses = [(sure, right, "one") for sure, right, _ in lot(30, 1)]
    (row,) = calibrate([write(tmp_path / "net", guesses)], 0.95, 0)[0].to_dict("records")
    assert np.isnan([row[name] for name in ("over_low", "over_high", "ece_low", "ece_high")]).all()
    assert row["ece"] > 0


def test_photographs_are_apart_and_files_and_rows_in_any_order(tmp_path: Path) -> None:
    first, second = tmp_path / "b", tmp_path / "a"
    write(first, lot(60, 1))
    write(second, lot(60, 2, seed=5), real=True)
    tables = calibrate([first, second], 0.95, 3)
    assert tables[0][["model", "generator"]].to_numpy().tolist() == [["a", "photo"], ["b", "*"]]
    table = pq.read_table(first)
    pq.write_table(table.take(np.random.default_rng(0).permutation(len(table))), first)
    for before, after in zip(tables, calibrate([second, first], 0.95, 3), strict=True):
        pd.testing.assert_frame_equal(before, after)


@pytest.mark.parametrize("unstated", [1, 40], ids=["one", "all"])
def test_without_probabilities_there_is_accuracy_and_nothing_else(
    tmp_path: Path, unstated: int
) -> None:
    guesses = lot(40, 1)
    guesses[:unstated] = [(None, right, None) for _, right, _ in guesses[:unstated]]
    models, bins = calibrate([write(tmp_path / "net", guesses)], 0.95, 0)
    assert bins.empty
    (row,) = models.to_dict("records")
    assert row["n"] == 40
    assert row["top1"] == pytest.approx(sum(bool(right) for _, right, _ in guesses) / 40)
    of_confidence = set(models) - {"model", "rule", "generator", "n", "top1"}
    assert models[sorted(of_confidence)].isna().all(axis=None)


def test_unknown_hits_and_rules_of_choice_have_no_rows(tmp_path: Path) -> None:
    unknown: list[Guess] = [(0.5, None, None)] * 20
    paths = [write(tmp_path / "net", unknown), write(tmp_path / "b", lot(20, 1), "restricted")]
    models, bins = calibrate(paths, 0.95, 0)
    assert models.empty
    assert bins.empty
    assert models["ece"].dtype == np.float64


@pytest.mark.parametrize("number", [1, 9, 10, 19, 57, 100, 1003])
def test_bins_hold_about_equal_numbers_and_equal_confidences_share_one(number: int) -> None:
    rng = np.random.default_rng(number)
    sizes = np.bincount(bins_of(rng.random(number)))
    assert len(sizes) == max(1, min(BINS, number // 10))
    assert sizes.max() - sizes.min() <= 1
    rounded = np.round(rng.random(number), 1)
    bins = bins_of(rounded)
    for value, other in itertools.pairwise(sorted(set(zip(rounded, bins, strict=True)))):
        assert value[0] < other[0]  # one bin for each confidence
        assert value[1] <= other[1]

"""The images that every model gets and those that none gets, counted image by image."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.agreement import AgreementError, agreement
from synthsight.score import SCHEMA

RULES = ("words/lemmas", "words/simple")
COUNTS = {"bagel": 7, "kite": 1, "toilet seat": 30}
KEYS = [
    (f"{category}/{number}.png", category, rule)
    for category, rule in itertools.product(COUNTS, RULES)
    for number in range(COUNTS[category])
]
Hits = dict[tuple[str, str, str], tuple[bool, bool]]


def random_hits(seed: int, share: float) -> Hits:
    rng = np.random.default_rng(seed)
    top1 = rng.random(len(KEYS)) < share
    top5 = top1 | (rng.random(len(KEYS)) < share)
    return {key: (bool(a), bool(b)) for key, a, b in zip(KEYS, top1, top5, strict=True)}


def write(path: Path, hits: Hits) -> Path:
    rows = [
        {"image": i, "category": c, "generator": None, "rule": r, "top1_hit": a, "top5_hit": b}
        | {"predicted": [0], "probability": [1.0]}
        for (i, c, r), (a, b) in hits.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    return path


def row(table: pd.DataFrame, category: str, rule: str) -> dict[str, float]:
    found = table[(table["category"] == category) & (table["rule"] == rule)]
    assert len(found) == 1
    return found.iloc[0].to_dict()


@pytest.mark.parametrize("models", [1, 2, 5])
def test_the_fractions_are_those_of_a_slow_count(tmp_path: Path, models: int) -> None:
    hits = [random_hits(seed, 0.6) for seed in range(models)]
    table = agreement([write(tmp_path / f"{n}.parquet", h) for n, h in enumerate(hits)])
    assert len(table) == len(COUNTS) * len(RULES)
    for category, rule in itertools.product(COUNTS, RULES):
        found = row(table, category, rule)
        images = [key for key in KEYS if key[1:] == (category, rule)]
        assert found["n"] == len(images) == COUNTS[category]
        for place, hit in enumerate(("top1", "top5")):
            every = sum(all(h[key][place] for h in hits) for key in images)
            none = sum(not any(h[key][place] for h in hits) for key in images)
            assert found[f"all_{hit}"] == pytest.approx(every / len(images))
            assert found[f"none_{hit}"] == pytest.approx(none / len(images))


def test_with_one_model_what_it_does_not_get_none_gets(tmp_path: Path) -> None:
    table = agreement([write(tmp_path / "a.parquet", random_hits(0, 0.5))])
    assert np.allclose(table["all_top1"] + table["none_top1"], 1)
    assert np.allclose(table["all_top5"] + table["none_top5"], 1)


def test_models_that_get_other_images_agree_on_none(tmp_path: Path) -> None:
    first = {key: (number % 2 == 0,) * 2 for number, key in enumerate(KEYS)}
    second = {key: (not hit,) * 2 for key, (hit, _) in first.items()}
    table = agreement([write(tmp_path / "a", first), write(tmp_path / "b", second)])
    assert (table[["all_top1", "none_top1", "all_top5", "none_top5"]] == 0).to_numpy().all()


def test_the_order_of_the_models_changes_nothing(tmp_path: Path) -> None:
    paths = [write(tmp_path / str(seed), random_hits(seed, 0.7)) for seed in range(3)]
    pd.testing.assert_frame_equal(agreement(paths), agreement(paths[::-1]))


def test_more_models_than_a_signed_byte_can_count(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {KEYS[0]: (True, True)})
    table = agreement([path] * 130)
    assert table[["all_top1", "none_top1"]].to_numpy().tolist() == [[1, 0]]


def test_the_columns_are_those_of_the_contract(tmp_path: Path) -> None:
    table = agreement([write(tmp_path / "a", random_hits(0, 0.5))])
    names = "category rule n all_top1 none_top1 all_top5 none_top5"
    assert list(table.columns) == names.split()
    assert pd.api.types.is_integer_dtype(table["n"])


@pytest.mark.parametrize(
    "change",
    [
        lambda hits: dict(list(hits.items())[1:]),
        lambda hits: dict(reversed(hits.items())),
        lambda hits: {("other.png", *k[1:]) if k == KEYS[0] else k: v for k, v in hits.items()},
        lambda hits: {(k[0], "kite", k[2]) if k == KEYS[0] else k: v for k, v in hits.items()},
    ],
    ids=["missing", "other order", "other image", "other category"],
)
def test_models_that_were_scored_on_other_images_cannot_be_compared(tmp_path: Path, change) -> None:
    first = write(tmp_path / "a.parquet", random_hits(0, 0.5))
    second = write(tmp_path / "b.parquet", change(random_hits(1, 0.5)))
    with pytest.raises(
        AgreementError, match=r"b\.parquet is not about the same images as .*a\.par"
    ):
        agreement([first, second])


def test_no_scores_are_an_error() -> None:
    with pytest.raises(AgreementError, match="no scores"):
        agreement([])

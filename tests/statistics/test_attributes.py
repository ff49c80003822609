"""Accuracy by attribute, beside a second computation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from statsmodels.stats.multitest import multipletests

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.attributes import MOST, _holm, compare_attributes, parts_of

CATEGORIES = ("kite", "vase", "clock")


def write(
    folder: Path,
    model: str,
    right: Mapping[str, bool | None],
    groups: Mapping[str, str] | None = None,
    real: bool = False,
) -> Path:
    """Scores by image, called `<category>/<name>`."""
    rows = [
        {"image": image, "category": image.split("/")[0], "real": real, "rule": "words/simple"}
        | {"generator": "photo" if real else "mj", "group": (groups or {}).get(image)}
        | {"top1_hit": hit, "top5_hit": True, "predicted": [0], "probability": [0.5]}
        for image, hit in right.items()
    ]
    schema = SCHEMA.with_metadata({"model": model, "class_names": "[]"})
    path = folder / f"{model}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def lot(number: int = 240, seed: int = 0) -> tuple[dict[str, bool | None], dict[str, str]]:
    """Hits, more often where the style is ink, and the styles."""
    rng = np.random.default_rng(seed)
    images = [f"{CATEGORIES[n % 3]}/{n:03}" for n in range(number)]
    styles = {image: ["ink", "oil", "pen"][rng.integers(3)] for image in images}
    rates = {"ink": 0.9, "oil": 0.3, "pen": 0.3}
    return {image: bool(rng.random() < rates[styles[image]]) for image in images}, styles


def table_of(**columns: Mapping[str, str | None]) -> pd.DataFrame:
    images = sorted({image for of in columns.values() for image in of})
    found = {name: [of.get(image) for image in images] for name, of in columns.items()}
    return pd.DataFrame({"image": images, **found})


def mean_of(hits: Mapping[str, bool | None], images: Sequence[str], among: set[str]) -> float:
    by_category = [
        [hits[image] for image in images if image.startswith(f"{category}/")]
        for category in sorted(among)
    ]
    return float(np.mean([np.mean(np.array(of, float)) for of in by_category]))


def test_each_value_is_compared_with_all_others_within_categories(tmp_path: Path) -> None:
    hits, styles = lot()
    # One value is there in two categories only, and of some images nothing is known.
    styles = {i: s for i, s in styles.items() if not (s == "ink" and i.startswith("clock/"))}
    table = compare_attributes([write(tmp_path, "net", hits)], table_of(style=styles), 0.95)
    rows = table[(table["model"] == "net") & (table["hit"] == "top1")].set_index("value")
    assert rows.index.tolist() == ["ink", "oil", "pen"]
    for value, row in rows.iterrows():
        inside = [image for image, style in styles.items() if style == value]
        rest = [image for image, style in styles.items() if style != value]
        own = {image.split("/")[0] for image in inside}
        common = own & {image.split("/")[0] for image in rest}
        assert (row["n"], row["categories"], row["common"]) == (len(inside), len(own), len(common))
        assert row["n_rest"] == sum(image.split("/")[0] in common for image in rest)
        assert row["mean"] == pytest.approx(mean_of(hits, inside, own))
        assert row["rest"] == pytest.approx(mean_of(hits, rest, common))
        difference = mean_of(hits, inside, common) - mean_of(hits, rest, common)
        assert row["difference"] == pytest.approx(difference)
        assert row["low"] <= difference <= row["high"]
        assert (row["p"] < 0.05) == (row["low"] > 0 or row["high"] < 0)
        assert row["p_holm"] >= row["p"]
    assert rows.loc["ink", "p_holm"] < 1e-6
    assert sorted(rows["p_holm"]) == pytest.approx(holm(rows["p"].tolist()))


def holm(p: Sequence[float]) -> list[float]:
    found, least = [], 0.0
    for place, value in enumerate(sorted(p)):
        least = max(least, min(1.0, value * (len(p) - place)))
        found.append(least)
    return found


def test_the_correction_is_that_of_statsmodels() -> None:
    p = np.random.default_rng(0).random(30) ** 3
    p[3] = p[7]
    assert _holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_p_is_the_level_at_which_the_interval_reaches_zero(tmp_path: Path) -> None:
    hits, styles = lot(90, seed=3)
    scores, attributes = [write(tmp_path, "net", hits)], table_of(style=styles)
    for row in compare_attributes(scores, attributes, 0.95).to_dict("records"):
        if row["hit"] == "top5" or row["p"] < 1e-9:
            continue
        again = compare_attributes(scores, attributes, 1 - row["p"])
        of = again[(again["value"] == row["value"]) & (again["model"] == row["model"])]
        (same,) = of[of["hit"] == "top1"].to_dict("records")
        nearest = same["low"] if row["difference"] > 0 else same["high"]
        assert nearest == pytest.approx(0, abs=1e-6)


def test_two_values_are_one_test(tmp_path: Path) -> None:
    hits, styles = lot()
    two = {image: "ink" if style == "ink" else "other" for image, style in styles.items()}
    table = compare_attributes([write(tmp_path, "net", hits)], table_of(a=two, b=two), 0.95)
    rows = table[(table["model"] == "net") & (table["hit"] == "top1")]
    assert len(rows) == 4
    assert rows["p"].to_numpy() == pytest.approx(rows["p"].iloc[0])
    assert rows["p_holm"].to_numpy() == pytest.approx(2 * rows["p"].iloc[0])  # two tests, not four
    first, second = rows.head(2)["difference"]
    assert first == pytest.approx(-second)


def test_groups_make_intervals_wider_and_other_values_of_them_do_not(tmp_path: Path) -> None:
    hits, styles = lot(60)
    images = [f"{image}{letter}" for image in hits for letter in "abcd"]
    same = {image: hits[image[:-1]] for image in images}
    style = {image: styles[image[:-1]] for image in images}
    widths = []
    for groups in (None, {image: image[:-1] for image in images}):
        table = compare_attributes(
            [write(tmp_path, "net", same, groups)], table_of(style=style), 0.95
        )
        row = table[(table["value"] == "oil") & (table["hit"] == "top1")].iloc[0]
        widths.append(row["high"] - row["low"])
    assert widths[1] > 1.7 * widths[0]


def test_the_mean_over_models_leaves_adapted_ones_out_and_unknown_hits_have_no_rows(
    tmp_path: Path,
) -> None:
    hits, styles = lot()
    none: dict[str, bool | None] = dict.fromkeys(hits, None)
    wrong: dict[str, bool | None] = dict.fromkeys(hits, False)
    paths = [
        write(tmp_path, name, of)
        for name, of in (("net", hits), ("wrong", wrong), ("told", none), ("new", hits))
    ]
    table = compare_attributes(paths, table_of(style=styles), 0.95, ["new"])
    top1 = table[table["hit"] == "top1"]
    assert set(top1["model"]) == {"*", "net", "wrong", "new"}
    means = top1.set_index(["value", "model"])["mean"]
    for value in ("ink", "oil", "pen"):
        assert means[value, "*"] == pytest.approx(means[value, "net"] / 2)
    assert set(table.loc[table["hit"] == "top5", "model"]) == {"*", "net", "wrong", "told", "new"}


def test_photographs_are_apart_and_categories_of_one_value_have_no_difference(
    tmp_path: Path,
) -> None:
    hits, _ = lot(60)
    real = {f"{image}r": hit for image, hit in hits.items()}
    generated, photographs = write(tmp_path, "net", hits), write(tmp_path, "b", real, real=True)
    both = pa.concat_tables([pq.read_table(generated), pq.read_table(photographs)])
    pq.write_table(both.replace_schema_metadata({"model": "net", "class_names": "[]"}), generated)
    by_category = {image: image.split("/")[0] for image in (*hits, *real)}
    table = compare_attributes([generated], table_of(shown=by_category), 0.95)
    assert table["generator"].unique().tolist() == ["*", "photo"]
    assert (table["common"] == 0).all()
    assert table[["rest", "difference", "low", "high", "p", "p_holm"]].isna().all(axis=None)
    assert table["mean"].notna().all()


@pytest.mark.parametrize(
    ("values", "kind", "parts"),
    [
        (["b", "a", None, "b"], "value", {"a": 1, "b": 2}),
        (["10", "9", "9", "100"], "value", {"9": 2, "10": 1, "100": 1}),
        (["a", "a", None], "value", {}),
        ([None, None], "value", {}),
        ([str(n) for n in range(40)], "number", {f"{n} to {n + 9}": 10 for n in (0, 10, 20, 30)}),
        (["nan", *[f"x{n}" for n in range(MOST)]], "words", {}),
        (
            [" ".join([f"w{n}"] * (1 + n // 10)) for n in range(40)],
            "words",
            {"1 word": 10, "2 words": 10, "3 words": 10, "4 words": 10},
        ),
        (
            [*[f"{n / 8}" for n in range(30)], *["0.0"] * 50],
            "number",
            {"0": 51, "0.125 to 1.125": 9, "1.25 to 3.625": 20},
        ),
    ],
    ids=["texts", "numbers", "one", "none", "many", "alike", "prompts", "ties"],
)
def test_what_images_are_compared_by(
    values: list[str | None], kind: str, parts: dict[str, int]
) -> None:
    found = parts_of(values)
    assert found[0] == kind
    assert {part.value: int(part.inside.sum()) for part in found[1]} == parts
    assert [part.value for part in found[1]] == list(parts)
    inside: Any = sum(part.inside.astype(int) for part in found[1])
    if parts:
        assert inside.tolist() == [int(value is not None) for value in values]

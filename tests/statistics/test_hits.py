"""The hits of several models lie side by side, image by image, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.hits import (
    HitsError,
    name_of_real,
    read_hits,
    read_scored,
    rules_of,
    sample_of,
    sources,
)

Row = tuple[str, str | None, bool, bool]  # image, generator, top-1 hit, top-5 hit


def write(path: Path, rules: dict[str, list[Row]]) -> Path:
    rows = [
        {"image": image, "category": image.split("/")[0], "generator": generator, "rule": rule}
        | {"group": f"prompt {image[-5]}" if generator else None, "real": generator == "photos"}
        | {"top1_hit": top1, "top5_hit": top5, "predicted": [0], "probability": [1.0]}
        for rule, images in rules.items()
        for image, generator, top1, top5 in images
    ]
    schema = SCHEMA.with_metadata({"model": path.stem, "class_names": "[]"})
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


FIRST: list[Row] = [
    ("vase/1.png", "mj", True, True),
    ("kite/2.png", None, False, True),
    ("kite/1.png", "mj", False, False),
]
SECOND: list[Row] = [(image, generator, False, top5) for image, generator, _, top5 in FIRST]
OTHER: list[Row] = [(image, generator, True, True) for image, generator, _, _ in FIRST]


def test_hits_are_columns_in_the_order_of_the_files_and_rows_in_that_of_the_images(
    tmp_path: Path,
) -> None:
    paths = [write(tmp_path / "z", {"r": FIRST}), write(tmp_path / "a", {"r": SECOND})]
    hits = read_hits(paths, "r")
    assert (hits.rule, hits.models) == ("r", ("z", "a"))
    assert hits.images["image"].tolist() == ["vase/1.png", "kite/2.png", "kite/1.png"]
    assert hits.images["category"].tolist() == ["vase", "kite", "kite"]
    assert hits.images["generator"].isna().tolist() == [False, True, False]
    assert hits.images["group"].fillna("").tolist() == ["prompt 1", "", "prompt 1"]
    assert hits.images["real"].tolist() == [False, False, False]
    assert hits.top1.tolist() == [[True, False], [False, False], [False, False]]
    assert hits.top5.tolist() == [[True, True], [True, True], [False, False]]
    assert hits.of("top1") is hits.top1
    assert hits.of("top5") is hits.top5
    assert hits.top1.dtype == hits.top5.dtype == np.bool_


def test_only_the_rows_of_the_rule_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {"words/simple": FIRST, "classes": OTHER})
    assert rules_of(path) == ["classes", "words/simple"]
    assert read_hits([path], "classes").top1.all()
    assert read_hits([path], "words/simple").top1.sum() == 1


def test_images_without_any_generator_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {"r": [("kite/1.png", None, True, True)]})
    assert read_hits([path, path], "r").images["generator"].isna().all()


@pytest.mark.parametrize(
    "rows",
    [
        {"r": FIRST[1:]},
        {"r": FIRST[::-1]},
        {"r": [*FIRST[:2], ("kite/9.png", "mj", False, False)]},
        {"r": [*FIRST, FIRST[0]]},
        {"another rule": FIRST},
    ],
    ids=["missing", "other order", "other image", "image twice", "rule not scored"],
)
def test_models_that_were_scored_on_other_images_do_not_go_together(
    tmp_path: Path, rows: dict[str, list[Row]]
) -> None:
    paths = [write(tmp_path / "a.parquet", {"r": FIRST}), write(tmp_path / "b.parquet", rows)]
    with pytest.raises(HitsError, match=r"b\.parquet is not about the same images as .*a\.par"):
        read_hits(paths, "r")


def test_images_of_other_categories_or_generators_do_not_go_together(tmp_path: Path) -> None:
    first = write(tmp_path / "a.parquet", {"r": FIRST})
    moved = [(image, "dalle", top1, top5) for image, _, top1, top5 in FIRST]
    with pytest.raises(HitsError):
        read_hits([first, write(tmp_path / "b.parquet", {"r": moved})], "r")
    table = pq.read_table(first)
    other = table.set_column(1, "category", pa.array(["kite"] * len(FIRST)))
    pq.write_table(other.replace_schema_metadata(table.schema.metadata), tmp_path / "c.parquet")
    with pytest.raises(HitsError):
        read_hits([first, tmp_path / "c.parquet"], "r")


def test_no_scores_are_an_error() -> None:
    with pytest.raises(HitsError, match="no scores"):
        read_hits([], "r")


# --- Strata, groups and sources ---------------------------------------------------------------


def images_of(rows: list[tuple[str, str | None, str | None, bool]]) -> pd.DataFrame:
    """Category, group, generator and whether it is a photograph."""
    return pd.DataFrame(rows, columns=["category", "group", "generator", "real"])


def test_categories_are_strata_and_images_without_a_group_are_groups_by_themselves() -> None:
    rows = [("b", "x", None, False), ("a", None, None, False), ("b", None, None, False)]
    sample = sample_of(images_of([*rows, ("a", "x", None, False)]))
    assert sample.strata.tolist() == [1, 0, 1, 0]
    assert sample.groups is not None
    same = sample.groups[:, None] == sample.groups
    assert same.tolist() == (np.eye(4) + np.eye(4)[::-1] * [[1], [0], [0], [1]] > 0).tolist()
    assert sample_of(images_of(rows[1:])).groups is None


def test_a_group_may_be_called_like_a_number() -> None:
    rows = [("a", str(n), None, False) for n in (3, 3, 4)] + [("a", None, None, False)] * 2
    groups = sample_of(images_of(rows)).groups
    assert groups is not None and len(set(groups.tolist())) == 4


def test_photographs_are_a_source_of_their_own() -> None:
    mixed = images_of(
        [
            ("a", None, "mj", False),
            ("a", None, "b", True),
            ("a", None, None, False),
            ("a", None, "a", True),
        ]
    )
    found = {name: chosen.tolist() for name, chosen in sources(mixed)}
    assert found == {"*": [True, False, True, False], "a + b": [False, True, False, True]}
    assert [name for name, _ in sources(mixed[~mixed["real"]])] == ["*"]
    assert [name for name, _ in sources(mixed[mixed["real"]])] == ["a + b"]
    assert name_of_real(["b", "a", "b"]) == "a + b"


def test_images_in_other_groups_do_not_go_together(tmp_path: Path) -> None:
    first = write(tmp_path / "a.parquet", {"r": FIRST})
    table = pq.read_table(first)
    for name, values in (("group", pa.nulls(3, pa.string())), ("real", pa.array([True] * 3))):
        other = table.set_column(table.schema.get_field_index(name), name, values)
        pq.write_table(other.replace_schema_metadata(table.schema.metadata), tmp_path / "c.parquet")
        with pytest.raises(HitsError):
            read_hits([first, tmp_path / "c.parquet"], "r")


def test_the_hits_of_all_rules_are_sorted_by_image_and_model(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / name, {"s": rows, "r": OTHER})
        for name, rows in (("z", FIRST), ("a", SECOND))
    ]
    scored = read_scored(paths)
    assert (scored.rules, scored.models) == (("r", "s"), ("a", "z"))
    assert scored.images["image"].tolist() == ["kite/1.png", "kite/2.png", "vase/1.png"]
    assert scored.images["group"].fillna("").tolist() == ["prompt 1", "", "prompt 1"]
    assert scored.hits[:, 0].all()
    assert scored.hits[:, 1, 0].tolist() == [[False, False], [False, False], [False, True]]
    part = scored.part(np.array([False, True, True]))
    assert part.images["image"].tolist() == ["kite/2.png", "vase/1.png"]
    assert part.hits.tolist() == scored.hits[1:].tolist()

"""A model whose hits are not known is left out of what is about them, and changes nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.accuracy import aggregate
from synthsight.statistics.agreement import IMAGES_SCHEMA, measure_agreement
from synthsight.statistics.columns import ACCURACY, AGREEMENT
from synthsight.statistics.compare import compare
from synthsight.statistics.confusions import confusions
from synthsight.statistics.generators import compare_generators
from synthsight.statistics.hits import HitsError, read_hits, read_scored
from synthsight.statistics.reference import reference
from synthsight.statistics.robustness import robustness

RULES = ("a", "b")
IMAGES = [
    (f"{generator}/{category}/{number}.png", category, generator)
    for generator in ("mj", "photos", "sd")
    for category in ("kite", "vase")
    for number in range(6)
]
#: By model and rule, which hits are known: of "one" no top-5, and under "b" nothing at all.
KNOWN = {(f"m{n}", rule): (True, True) for n in range(5) for rule in RULES}
KNOWN |= {("one", "a"): (True, False), ("one", "b"): (False, False)}
MODELS = sorted({model for model, _ in KNOWN})


def write(folder: Path, model: str, known: Mapping[str, tuple[bool, bool]]) -> Path:
    rng = np.random.default_rng(sum(model.encode()))
    rows = []
    for rule in RULES:
        for image, category, generator in IMAGES:
            top1, top5 = rng.random() < 0.5, rng.random() < 0.6
            hits = {"top1_hit": top1, "top5_hit": top1 or top5}
            for name, is_known in zip(hits, known[rule], strict=True):
                if not is_known:
                    hits[name] = None  # type: ignore[assignment]
            said = [0 if top1 else 1] if known[rule][0] else None
            shares = None if said is None else [None]
            rows.append(
                {"image": image, "category": category, "generator": generator, "rule": rule}
                | {"group": None, "real": generator == "photos", **hits}
                | {"predicted": said, "probability": shares}
            )
    described = {"model": model, "class_names": json.dumps(["right", "wrong"])}
    path = folder / model
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA.with_metadata(described)), path)
    return path


@pytest.fixture(name="every")
def every_(tmp_path: Path) -> list[Path]:
    return [write(tmp_path, m, {r: KNOWN[m, r] for r in RULES}) for m in MODELS]


@pytest.fixture(name="others")
def others_(every: list[Path]) -> list[Path]:
    return [path for path in every if path.name != "one"]


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True), expected.reset_index(drop=True), check_dtype=False
    )


def test_hits_have_a_column_for_each_model_of_which_they_are_known(every: list[Path]) -> None:
    hits = read_hits(every, "a")
    assert hits.models == hits.models_of("top1") == tuple(MODELS)
    assert hits.models_of("top5") == tuple(MODELS[:-1])
    assert hits.top5.shape == (36, 5)
    scored = read_scored(every)
    assert scored.of_rule(0, 0)[0] == tuple(MODELS)
    assert scored.of_rule(1, 0)[0] == tuple(MODELS[:-1])
    assert scored.of_model(5, 0)[0] == ("a",) and scored.of_model(5, 1)[0] == ()
    np.testing.assert_array_equal(scored.of_rule(1, 1)[1], scored.hits[:, 1, 1, :5])


def test_hits_of_some_images_alone_are_a_fault(tmp_path: Path) -> None:
    path = write(tmp_path, "m", dict.fromkeys(RULES, (True, True)))
    table = pq.read_table(path).to_pandas().astype({"top5_hit": object})
    table.loc[0, "top5_hit"] = None
    schema = pq.read_schema(path)
    pq.write_table(pa.Table.from_pandas(table, schema, preserve_index=False), path)
    with pytest.raises(HitsError, match="top5 hits of some images and not of others"):
        read_hits([path], "a")


@pytest.mark.long
def test_accuracy_has_the_rows_with_nothing_in_them(every: list[Path], others: list[Path]) -> None:
    table = aggregate(every, 0.95)
    one = table[table["model"] == "one"].set_index("rule")
    assert len(one) == len(table[table["model"] == "m0"])
    assert one.loc["a", "top1"].notna().all() and one.loc["a", "n"].gt(0).all()
    bounds = [name for name in ACCURACY if name.startswith("top5")]
    assert one.loc["a", bounds].isna().all(axis=None)
    assert one.loc["b", [*bounds, "top1", "top1_low"]].isna().all(axis=None)
    same(table[table["model"] != "one"], aggregate(others, 0.95))


def test_agreement_is_about_the_models_that_are_known(
    every: list[Path], others: list[Path], tmp_path: Path
) -> None:
    with_one = measure_agreement(every, 0.95, tmp_path / "with.parquet")
    without = measure_agreement(others, 0.95, tmp_path / "without.parquet")
    of_b = with_one.agreement["rule"] == "b"
    same(with_one.agreement[of_b], without.agreement[of_b])
    five = [name for name in AGREEMENT if "top5" in name]
    same(with_one.agreement[five], without.agreement[five])
    hits = read_hits(every, "a")
    kite = (hits.images["category"] == "kite").to_numpy() & ~hits.images["real"].to_numpy(bool)
    row = with_one.agreement.set_index(["generator", "category", "rule"]).loc[("*", "kite", "a")]
    assert row["all_top1"] == hits.top1[kite].all(axis=1).mean()
    for name in ("difficulty", "kappa"):
        now, before = getattr(with_one, name), getattr(without, name)
        keep = (now["rule"] == "b") | (now["hit"] == "top5")
        same(now[keep], before[(before["rule"] == "b") | (before["hit"] == "top5")])
    of_images = pq.read_table(tmp_path / "with.parquet").to_pandas()
    assert of_images.groupby("rule")["models"].unique().to_dict() == {"a": [6], "b": [5]}
    np.testing.assert_array_equal(of_images.loc[of_images["rule"] == "a", "top5"], hits.top5.sum(1))


@pytest.mark.long
def test_comparisons_ranking_generators_and_robustness_have_no_row_of_it(
    every: list[Path], others: list[Path]
) -> None:
    comparisons, ranking = compare(every, 0.95, 50, 0)
    of_models = comparisons[comparisons["kind"] == "model"]
    known = of_models["rule"].eq("a") & of_models["hit"].eq("top1")
    assert set(of_models.loc[known, "b"]) >= {"one"}
    assert "one" not in {*of_models.loc[~known, "a"], *of_models.loc[~known, "b"]}
    of_one = comparisons[comparisons["model"] == "one"]
    assert of_one.empty  # a single rule under which it is known is no pair
    expected = compare(others, 0.95, 50, 0)[0]
    expected = expected[expected["kind"] == "model"]
    same(of_models[~known], expected[~(expected["rule"].eq("a") & expected["hit"].eq("top1"))])
    held = ranking[ranking["model"] == "one"]
    assert set(zip(held["rule"], held["hit"], strict=True)) == {("a", "top1")}
    assert ranking[ranking["rule"].eq("b")]["rank"].max() == 5

    generators = compare_generators(every, 0.95)
    one = generators[generators["model"] == "one"]
    assert set(zip(one["rule"], one["hit"], strict=True)) == {("a", "top1")}
    before = compare_generators(others, 0.95)
    of = (generators["rule"] == "b") | (generators["hit"] == "top5")
    same(generators[of], before[(before["rule"] == "b") | (before["hit"] == "top5")])

    line = robustness(every, 0.95, 50, 0)
    assert line.groupby(["rule", "hit"])["models"].first().to_dict() == {
        ("a", "top1"): 6,
        ("a", "top5"): 5,
        ("b", "top1"): 5,
        ("b", "top5"): 5,
    }
    assert robustness(every[1:], 0.95, 50, 0).groupby(["rule", "hit"]).ngroups == 1


@pytest.mark.long
def test_references_and_confusions_know_nothing_of_it(
    every: list[Path], others: list[Path], tmp_path: Path
) -> None:
    notes = []
    for model in MODELS:
        stated = {"top1": 0.9, "top5": 0.99, "source": "a paper"}
        notes.append(tmp_path / f"{model}.json")
        notes[-1].write_text(json.dumps({"name": model, "reference": stated}), encoding="utf-8")
    accuracy = tmp_path / "accuracy.parquet"
    aggregate(every, 0.95).to_parquet(accuracy)
    one = reference(accuracy, notes, every).query("model == 'one'").set_index("rule")
    assert one.loc["a", ["drop_top5", "drop_top5_low"]].isna().all(axis=None)
    assert one.loc["a", "drop_top1"].notna().all()
    assert one.loc["b", ["drop_top1", "top1", "drop_top5"]].isna().all(axis=None)
    stated = one[one["kind"] == "published"]
    assert (stated["reference_top5"] == 0.99).all()
    table = confusions(every)
    assert set(table.loc[table["model"] == "one", "rule"]) == {"a"}
    pooled = table[(table["model"] == "*") & (table["rule"] == "b")]
    expected = confusions(others).query("model == '*' and rule == 'b'")
    same(pooled, expected)


def test_where_no_model_has_top_5_its_columns_are_null(tmp_path: Path) -> None:
    known = dict.fromkeys(RULES, (True, False))
    paths = [write(tmp_path, model, known) for model in ("x", "y")]
    found = measure_agreement(paths, 0.95, tmp_path / "images.parquet")
    assert found.agreement["all_top5"].isna().all() and found.agreement["all_top1"].notna().all()
    assert list(found.agreement) == AGREEMENT
    assert set(found.difficulty["hit"]) == set(found.kappa["hit"]) == {"top1"}
    images = pq.read_table(tmp_path / "images.parquet")
    assert images.schema.remove_metadata().equals(IMAGES_SCHEMA)
    assert images["top5"].null_count == len(images)
    comparisons, ranking = compare(paths, 0.95, 20, 0)
    assert set(comparisons["hit"]) == set(ranking["hit"]) == {"top1"}
    none = [write(tmp_path, "z", dict.fromkeys(RULES, (False, False)))]
    assert all(table.empty for table in compare(none, 0.95, 20, 0))
    assert confusions(none).empty and compare_generators(none, 0.95).empty
    empty = measure_agreement(none, 0.95, tmp_path / "images.parquet")
    assert empty.agreement["all_top1"].isna().all() and empty.difficulty.empty

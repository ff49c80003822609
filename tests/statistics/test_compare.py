"""Pairs of models and of rules, and how firm the ranking is."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.columns import COMPARISONS, RANKING
from synthsight.statistics.compare import compare
from synthsight.statistics.hits import HitsError
from synthsight.statistics.pairs import mcnemar_p
from synthsight.statistics.ranking import rank_shares
from tests.support import tabulate

#: Level, draws and seed.
ARGUMENTS = (0.95, 400, 0)
COUNTS = {"bagel": 60, "kite": 25, "vase": 40}
CATEGORIES = np.repeat(list(COUNTS), list(COUNTS.values()))
RULES = ("words/lemmas", "words/simple")

Column = npt.NDArray[np.bool_]


def write(
    path: Path,
    model: str,
    top1: Mapping[str, Column],
    categories: Sequence[str] | npt.NDArray[np.str_] = CATEGORIES,
    names: Sequence[str] | None = None,
    groups: Sequence[str | None] | None = None,
    real: Column | None = None,
) -> Path:
    """Scores with the given top-1 hits of each rule; top-5 takes every third image as well."""
    names = names or [f"{number}.png" for number in range(len(categories))]
    rows = [
        {"image": name, "category": str(category), "rule": rule}
        | {"generator": "photos" if real is not None and real[number] else None}
        | {"group": None if groups is None else groups[number]}
        | {"real": bool(real is not None and real[number])}
        | {"top1_hit": bool(hit), "top5_hit": bool(hit) or number % 3 == 0}
        | {"predicted": [0], "probability": [1.0]}
        for rule, hits in top1.items()
        for number, (name, category, hit) in enumerate(zip(names, categories, hits, strict=True))
    ]
    schema = SCHEMA.with_metadata({"model": model, "class_names": "[]"})
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def some_hits(models: int, seed: int = 0) -> list[dict[str, Column]]:
    """Models that are often right on the same images; ``lemmas`` takes all of ``simple``."""
    rng = np.random.default_rng(seed)
    difficulty = rng.normal(size=len(CATEGORIES))
    found = []
    for model in range(models):
        simple = difficulty + 0.5 * rng.normal(size=len(CATEGORIES)) < 0.15 * model
        found.append({RULES[0]: simple | (rng.random(len(CATEGORIES)) < 0.1), RULES[1]: simple})
    return found


@pytest.fixture(name="scores")
def scores_(tmp_path: Path) -> list[Path]:
    return [write(tmp_path / f"{n}", f"m{n}", hits) for n, hits in enumerate(some_hits(4))]


def row(table: pd.DataFrame, **values: object) -> pd.Series:
    for column, value in values.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


# --- The comparisons --------------------------------------------------------------------------


def test_every_pair_has_a_row(scores: list[Path]) -> None:
    table, _ = compare(scores, *ARGUMENTS)
    assert table.columns.tolist() == list(COMPARISONS)
    models, rules = table[table["kind"] == "model"], table[table["kind"] == "rule"]
    pairs = list(itertools.combinations(["m0", "m1", "m2", "m3"], 2))
    expected = set(itertools.product(("top1", "top5"), RULES, pairs))
    assert set(table["generator"]) == {"*"}
    found = models[["hit", "rule", "a", "b"]].itertuples(index=False)
    assert [(h, r, (a, b)) for h, r, a, b in found] == sorted(expected)
    assert models["model"].isna().all()
    assert len(rules) == 2 * 4
    assert set(rules["model"]) == {"m0", "m1", "m2", "m3"}
    assert (rules["a"] == RULES[0]).all() and (rules["b"] == RULES[1]).all()
    assert rules[["rule", "p", "p_holm"]].isna().all(axis=None)


@pytest.mark.long
def test_the_numbers_are_those_of_a_slow_count(scores: list[Path]) -> None:
    table, ranking = compare(scores, *ARGUMENTS)
    raw = {f"m{n}": pq.read_table(path).to_pandas() for n, path in enumerate(scores)}
    for _, found in table.iterrows():
        if found["kind"] == "model":
            keys = [(found["a"], found["rule"]), (found["b"], found["rule"])]
        else:
            keys = [(found["model"], found["a"]), (found["model"], found["b"])]
        a, b = (raw[model][raw[model]["rule"] == rule].set_index("image") for model, rule in keys)
        column = f"{found['hit']}_hit"
        means = [side.groupby("category")[column].mean().mean() for side in (a, b)]
        assert [found["a_mean"], found["b_mean"]] == pytest.approx(means)
        assert found["difference"] == pytest.approx(means[0] - means[1])
        assert found["n"] == len(a) == len(CATEGORIES)
        assert found["only_a"] == (a[column] & ~b[column]).sum()
        assert found["only_b"] == (b[column] & ~a[column]).sum()
        assert found["low"] <= found["difference"] <= found["high"]
        if found["kind"] == "model":
            for (model, rule), mean in zip(keys, means, strict=True):
                of_model = ranking[(ranking["model"] == model) & (ranking["rule"] == rule)]
                assert of_model.loc[of_model["hit"] == found["hit"], "mean"].iloc[0] == (
                    pytest.approx(mean)
                )


def test_means_weigh_categories_and_not_images(tmp_path: Path) -> None:
    categories = ["a"] * 90 + ["b"] * 10
    big, small = np.arange(100) < 90, np.arange(100) >= 90
    paths = [
        write(tmp_path / "x", "x", {"words/simple": big}, categories),
        write(tmp_path / "y", "y", {"words/simple": small}, categories),
    ]
    found = row(compare(paths, *ARGUMENTS)[0], hit="top1", kind="model")
    assert (found["a_mean"], found["b_mean"], found["difference"]) == (0.5, 0.5, 0)
    assert (found["only_a"], found["only_b"]) == (90, 10)


def test_a_model_and_itself_do_not_differ_as_far_as_is_known(tmp_path: Path) -> None:
    (hits,) = some_hits(1)
    table, _ = compare([write(tmp_path / n, n, hits) for n in "ab"], *ARGUMENTS)
    models = table[table["kind"] == "model"]
    assert (models[["difference", "only_a", "only_b"]] == 0).all(axis=None)
    assert (models["low"] == -models["high"]).all()
    assert models["high"].between(0.01, 0.06).all(), "125 images leave some doubt"
    assert (models[["p", "p_holm"]] == 1).all(axis=None)


def test_what_differs_in_the_first_guess_alone_does_not_differ_within_five(tmp_path: Path) -> None:
    numbers = np.arange(len(CATEGORIES))
    third, none = numbers % 3 == 0, numbers < 0
    hits = {"m": {RULES[0]: third, RULES[1]: none}, "n": {RULES[0]: none, RULES[1]: none}}
    paths = [write(tmp_path / name, name, of_model) for name, of_model in hits.items()]
    comparisons, ranking = compare(paths, *ARGUMENTS)
    for about in ({"kind": "rule", "model": "m"}, {"kind": "model", "rule": RULES[0]}):
        first, within = (row(comparisons, hit=hit, **about) for hit in ("top1", "top5"))
        assert abs(first["difference"]) > 0 and first["low"] < first["high"]
        assert (within["difference"], within["low"]) == (0, -within["high"])
        assert within["high"] - within["low"] < first["high"] - first["low"]
    for hit, share in (("top1", 1), ("top5", 0.5)):
        assert row(ranking, rule=RULES[0], hit=hit, model="m", rank=1)["share"] == share


@pytest.mark.long
def test_a_higher_level_widens_every_interval(scores: list[Path]) -> None:
    narrow, wide = (compare(scores, level, 200, 0)[0] for level in (0.6, 0.95))
    assert ((wide["low"] < narrow["low"]) & (narrow["high"] < wide["high"])).all()


@pytest.mark.long
def test_swapping_two_models_swaps_the_signs(tmp_path: Path) -> None:
    hits = some_hits(2)
    tables = []
    for number, names in enumerate(["ab", "ba"]):
        paths = [
            write(tmp_path / f"{number}{name}", name, of_model)
            for name, of_model in zip(names, hits, strict=True)
        ]
        table = compare(paths, *ARGUMENTS)[0]
        tables.append(table[table["kind"] == "model"])
    one, other = tables
    assert (one["difference"].to_numpy() == -other["difference"].to_numpy()).all()
    assert one["only_a"].tolist() == other["only_b"].tolist()
    assert one["p"].tolist() == other["p"].tolist()
    assert one["low"].to_list() == pytest.approx(-other["high"])
    assert one["high"].to_list() == pytest.approx(-other["low"])


def test_pairing_narrows_the_interval_of_correlated_models(tmp_path: Path) -> None:
    hits = [{"words/simple": of_model["words/simple"]} for of_model in some_hits(2)]
    paths = [write(tmp_path / str(n), f"m{n}", of_model) for n, of_model in enumerate(hits)]
    found = row(compare(paths, *ARGUMENTS)[0], hit="top1", kind="model")
    variances = []
    for of_model in hits:
        groups = [of_model["words/simple"][name == CATEGORIES] for name in COUNTS]
        variances.append(sum(group.var() / len(group) for group in groups) / len(groups) ** 2)
    unpaired = 2 * 1.96 * np.sqrt(sum(variances))
    assert found["high"] - found["low"] < 0.75 * unpaired


def test_the_interval_of_a_paired_difference_is_the_formula_s(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    categories = ["a"] * 2000 + ["b"] * 1000
    one, other = rng.random((2, 3000)) < [[0.7], [0.5]]
    other = np.where(rng.random(3000) < 0.5, one, other)
    paths = [
        write(tmp_path / "x", "x", {"words/simple": one}, categories),
        write(tmp_path / "y", "y", {"words/simple": other}, categories),
    ]
    found = row(compare(paths, 0.9, 100, 0)[0], hit="top1", kind="model")
    d = one.astype(float) - other
    error = np.sqrt(d[:2000].var() / 2000 + d[2000:].var() / 1000) / 2
    assert found["low"] == pytest.approx(found["difference"] - 1.645 * error, abs=0.06 * error)
    assert found["high"] == pytest.approx(found["difference"] + 1.645 * error, abs=0.06 * error)


@pytest.mark.long
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_the_order_of_files_and_of_categories_changes_nothing(
    tmp_path: Path, data: st.DataObject
) -> None:
    n = 12
    column = st.lists(st.booleans(), min_size=n, max_size=n)
    hits = [{"words/simple": np.array(data.draw(column))} for _ in range(3)]
    categories = np.array(data.draw(st.lists(st.sampled_from("xyz"), min_size=n, max_size=n)))
    order = np.array(data.draw(st.permutations(range(n))))
    files = data.draw(st.permutations(range(3)))
    few = (0.95, 40, 0)
    paths = [
        write(tmp_path / f"{k}", f"m{k}", of_model, categories) for k, of_model in enumerate(hits)
    ]
    first = compare(paths, *few)
    for k, of_model in enumerate(hits):
        moved = {rule: column[order] for rule, column in of_model.items()}
        # Top-5 depends on the place of an image, so look at top-1 alone.
        write(paths[k], f"m{k}", moved, categories[order], [f"{place}.png" for place in order])
    second = compare([paths[place] for place in files], *few)
    for one, other in zip(first, second, strict=True):
        top1 = [table[table["hit"] == "top1"] for table in (one, other)]
        pd.testing.assert_frame_equal(*top1)
    shares = first[1].groupby(["hit", "model"])["share"].sum()
    assert np.allclose(shares, 1)
    assert np.allclose(first[1].groupby(["hit", "rank"])["share"].sum(), 1)


@pytest.mark.long
def test_the_same_seed_gives_the_same_numbers(scores: list[Path]) -> None:
    first, again = compare(scores, *ARGUMENTS), compare(scores, *ARGUMENTS)
    for one, other in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one, other)
    comparisons, ranking = compare(scores, 0.95, 400, 1)
    pd.testing.assert_frame_equal(comparisons, first[0])
    assert not ranking["share"].equals(first[1]["share"]), "only the ranking is drawn"


@pytest.mark.long
def test_another_model_or_rule_leaves_the_others_alone(scores: list[Path], tmp_path: Path) -> None:
    table, _ = compare(scores, *ARGUMENTS)
    fewer, _ = compare(scores[1:], *ARGUMENTS)
    kept = table[(table["a"] != "m0") & (table["model"] != "m0")]
    pd.testing.assert_frame_equal(
        kept.drop(columns="p_holm").reset_index(drop=True), fewer.drop(columns="p_holm")
    )
    simple = [
        write(tmp_path / f"s{n}", f"m{n}", {RULES[1]: of_model[RULES[1]]})
        for n, of_model in enumerate(some_hits(4))
    ]
    kept = table[table["rule"] == RULES[1]]
    pd.testing.assert_frame_equal(kept.reset_index(drop=True), compare(simple, *ARGUMENTS)[0])


def test_one_model_and_one_rule_leave_nothing_to_compare(tmp_path: Path) -> None:
    hits = {"words/simple": some_hits(1)[0]["words/simple"]}
    table, ranking = compare([write(tmp_path / "a", "a", hits)], *ARGUMENTS)
    assert len(table) == 0
    assert table.dtypes.astype(str).to_dict() == COMPARISONS
    assert ranking["rank"].tolist() == [1, 1] and ranking["share"].tolist() == [1, 1]


def test_scores_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HitsError, match="no scores"):
        compare([], *ARGUMENTS)
    path = write(tmp_path / "a", "a", some_hits(1)[0])
    table = pq.read_table(path)
    pq.write_table(table.slice(0, table.num_rows - 1), path)
    with pytest.raises(HitsError, match="not about the same images"):
        compare([path], *ARGUMENTS)


# --- The tests --------------------------------------------------------------------------------


def test_mcnemar_by_hand() -> None:
    # One of ten: 2 (1 + 10) / 2^10.
    p = mcnemar_p(np.array([1, 9, 5, 0]), np.array([9, 1, 5, 0]))
    assert p == pytest.approx([22 / 1024, 22 / 1024, 1, 1])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemar_is_that_of_statsmodels(only_a: int, only_b: int) -> None:
    expected = mcnemar([[5, only_a], [only_b, 7]], exact=True).pvalue
    assert mcnemar_p(np.array([only_a]), np.array([only_b]))[0] == pytest.approx(
        expected, rel=1e-9, abs=1e-300
    )


def test_p_is_corrected_over_the_pairs_of_a_rule_and_a_hit(scores: list[Path]) -> None:
    table, _ = compare(scores, *ARGUMENTS)
    models = table[table["kind"] == "model"]
    for _, group in models.groupby(["rule", "hit"]):
        p = [
            mcnemar([[0, only_a], [only_b, 0]], exact=True).pvalue
            for only_a, only_b in zip(group["only_a"], group["only_b"], strict=True)
        ]
        assert group["p"].to_list() == pytest.approx(p)
        assert group["p_holm"].to_list() == pytest.approx(multipletests(p, method="holm")[1])
        # Holm by hand: the k-th smallest times the number of tests not yet rejected.
        factors = np.arange(len(p), 0, -1)
        steps = np.minimum(1, np.maximum.accumulate(np.sort(p) * factors))
        assert np.sort(group["p_holm"]) == pytest.approx(steps)
    assert (models["p_holm"] > models["p"]).any()


# --- The ranking ------------------------------------------------------------------------------


def test_shares_count_the_resamples() -> None:
    resampled = np.array([[0.9, 0.5, 0.1], [0.9, 0.1, 0.5], [0.5, 0.9, 0.1], [0.9, 0.5, 0.1]])
    expected = [[0.75, 0.25, 0], [0.25, 0.5, 0.25], [0, 0.25, 0.75]]
    assert rank_shares(resampled) == pytest.approx(np.array(expected))


def test_models_that_tie_share_their_ranks() -> None:
    resampled = np.array([[0.5, 0.7, 0.5, 0.5], [0.1 + 0.2, 0.3, 0, 1]])
    expected = np.array([[0, 1, 1, 1], [3, 0, 0, 0], [0, 1, 1, 1], [0, 1, 1, 1]]) / 6
    expected += np.array([[0, 0.25, 0.25, 0], [0, 0.25, 0.25, 0], [0, 0, 0, 0.5], [0.5, 0, 0, 0]])
    assert rank_shares(resampled) == pytest.approx(expected)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(1, 30), st.integers(0, 10**6))
def test_shares_sum_to_one(columns: int, resamples: int, seed: int) -> None:
    resampled = np.random.default_rng(seed).integers(0, 5, size=(resamples, columns)) / 7
    shares = rank_shares(resampled)
    assert (shares >= 0).all()
    assert np.allclose(shares.sum(axis=0), 1) and np.allclose(shares.sum(axis=1), 1)


def test_a_clear_order_is_a_firm_ranking(tmp_path: Path) -> None:
    place = np.concatenate([np.arange(count) / count for count in COUNTS.values()])
    paths = [
        write(tmp_path / name, name, {"words/simple": place < share})
        for name, share in {"best": 0.9, "good": 0.5, "level": 0.5, "poor": 0.1}.items()
    ]
    _, ranking = compare(paths, *ARGUMENTS)
    assert ranking.columns.tolist() == RANKING
    top1 = ranking[ranking["hit"] == "top1"]
    assert top1["model"].tolist() == np.repeat(["best", "good", "level", "poor"], 4).tolist()
    expected = [[1, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1]]
    assert top1["share"].to_numpy().reshape(4, 4) == pytest.approx(np.array(expected))


def test_shares_are_those_of_the_chance_that_one_is_better(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    one, other = rng.random((2, len(CATEGORIES))) < [[0.55], [0.5]]
    paths = [
        write(tmp_path / name, name, {"words/simple": hits})
        for name, hits in (("a", one), ("b", other))
    ]
    comparisons, ranking = compare(paths, 0.95, 20_000, 0)
    found = row(comparisons, hit="top1", kind="model")
    d = one.astype(float) - other
    error = np.sqrt(sum(d[name == CATEGORIES].var(ddof=1) / n for name, n in COUNTS.items())) / 3
    share = row(ranking, hit="top1", model="a", rank=1)["share"]
    assert share == pytest.approx(norm.cdf(found["difference"] / error), abs=0.015)


def test_the_order_of_models_with_one_image_a_category_is_not_firm(tmp_path: Path) -> None:
    """Images drawn anew within categories would be the same ones."""
    categories = [f"c{number}" for number in range(17)]
    paths = [
        write(tmp_path / name, name, {"words/simple": np.arange(17) < right}, categories)
        for name, right in (("a", 9), ("b", 8))
    ]
    comparisons, ranking = compare(paths, 0.95, 2000, 0)
    found = row(comparisons, hit="top1", kind="model")
    assert found["low"] < 0 < found["difference"] < found["high"]
    assert 0.6 < row(ranking, hit="top1", model="a", rank=1)["share"] < 0.95


# --- Groups and photographs -------------------------------------------------------------------


def test_groups_widen_the_intervals_and_move_no_number(scores: list[Path], tmp_path: Path) -> None:
    groups = [f"{number // 5}" for number in range(len(CATEGORIES))]
    # In each category, hits of the same kind stand together.
    order = np.lexsort([*(hits[RULES[1]] for hits in some_hits(2)), CATEGORIES])
    tables = []
    for folder, of in (("alone", None), ("groups", groups)):
        (tmp_path / folder).mkdir()
        paths = [
            write(tmp_path / folder / str(n), f"m{n}", {RULES[1]: hits[RULES[1]][order]}, groups=of)
            for n, hits in enumerate(some_hits(2))
        ]
        tables.append(row(compare(paths, *ARGUMENTS)[0], hit="top1", kind="model"))
    alone, grouped = tables
    same = ["n", "a_mean", "b_mean", "difference", "only_a", "only_b", "p"]
    assert alone[same].equals(grouped[same])
    assert grouped["high"] - grouped["low"] > 1.3 * (alone["high"] - alone["low"])


@pytest.mark.long
def test_photographs_are_compared_apart(tmp_path: Path) -> None:
    real = np.arange(len(CATEGORIES)) % 3 == 0
    both = [
        write(tmp_path / f"{n}", f"m{n}", hits, real=real) for n, hits in enumerate(some_hits(3))
    ]
    found = compare(both, *ARGUMENTS)
    for source, chosen in (("*", ~real), ("photos", real)):
        (tmp_path / source).mkdir()
        names = [f"{number}.png" for number in np.flatnonzero(chosen)]
        parts = []
        for n in range(3):
            table = pq.read_table(both[n])
            kept = table.filter(pc.is_in(table["image"], pa.array(names)))
            parts.append(tmp_path / source / f"{n}")
            pq.write_table(kept, parts[-1])
        alone = compare(parts, *ARGUMENTS)
        for table, expected in zip(found, alone, strict=True):
            of_source = table[table["generator"] == source].reset_index(drop=True)
            # p_holm, too: the pairs of one source are one family of tests.
            pd.testing.assert_frame_equal(of_source, expected)
    assert set(found[0]["generator"]) == set(found[1]["generator"]) == {"*", "photos"}


# --- The program ------------------------------------------------------------------------------


@pytest.mark.long
def test_the_program_writes_the_tables(scores: list[Path], tmp_path: Path) -> None:
    spec = {"level": 0.9, "resamples": 200, "seed": 0}
    tabulate("compare", tmp_path, spec, scores=scores).check_returncode()
    measured = compare(scores, **spec)
    for name, expected in zip(("comparisons", "ranking"), measured, strict=True):
        table = pd.read_parquet(tmp_path / f"{name}.parquet")
        pd.testing.assert_frame_equal(table, expected)
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / f"{name}.csv"), expected)

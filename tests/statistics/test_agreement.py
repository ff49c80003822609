"""The images that every model gets, those that none gets, and how alike any two models fail."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import t as student
from statsmodels.stats.inter_rater import cohens_kappa

from synthsight.classifiers.score import SCHEMA
from synthsight.statistics.agreement import (
    IMAGES_SCHEMA,
    Agreement,
    agreement,
    count_models,
    design_effects,
    difficulty,
    kappas,
    measure_agreement,
)
from synthsight.statistics.columns import AGREEMENT, DIFFICULTY, IMAGES, KAPPA
from synthsight.statistics.hits import HITS, Hits, HitsError
from tests.support import tabulate

RULES = ("words/lemmas", "words/simple")
COUNTS = {"bagel": 7, "kite": 1, "toilet seat": 30}
CATEGORIES = [category for category, n in COUNTS.items() for _ in range(n)]
#: Some images have no generator, and no image of the category kite has "mj".
GENERATORS = [
    ("dalle", "mj", None)[n % 3] if c != "kite" else None for n, c in enumerate(CATEGORIES)
]
Bools = npt.NDArray[np.bool_]


def make(top1: Bools, top5: Bools | None = None, models: tuple[str, ...] | None = None) -> Hits:
    """Hits on the first images of the world above; rows are images, columns models."""
    n, count = top1.shape
    images = pd.DataFrame(
        {
            "image": [f"{place}.png" for place in range(n)],
            "category": CATEGORIES[:n],
            "generator": pd.array(GENERATORS[:n], dtype="str"),
            "group": pd.array([None] * n, dtype="str"),
            "real": False,
        }
    )
    names = models or tuple(f"m{number:03}" for number in range(count))
    return Hits("words/simple", names, images, top1, top1 if top5 is None else top5)


def random_hits(seed: int, models: int, share: float = 0.6) -> Hits:
    rng = np.random.default_rng(seed)
    # Harder and easier images, so that the models' errors go together.
    hard = rng.random((len(CATEGORIES), 1)) * 0.4 - 0.2
    top1 = rng.random((len(CATEGORIES), models)) < share + hard
    return make(top1, top1 | (rng.random(top1.shape) < share))


def write(folder: Path, rules: dict[str, Hits]) -> list[Path]:
    """Write hits of the same models and images under several rules as the scores would be."""
    paths = []
    for column, model in enumerate(next(iter(rules.values())).models):
        tables = [
            hits.images.assign(
                rule=rule,
                top1_hit=hits.top1[:, column],
                top5_hit=hits.top5[:, column],
                predicted=[[0]] * len(hits.images),
                probability=[[1.0]] * len(hits.images),
            )
            for rule, hits in rules.items()
        ]
        schema = SCHEMA.with_metadata({"model": model, "class_names": "[]"})
        paths.append(folder / f"{model}.parquet")
        table = pa.Table.from_pandas(pd.concat(tables), schema, preserve_index=False)
        pq.write_table(table.replace_schema_metadata(schema.metadata), paths[-1])
    return paths


def shuffled(hits: Hits) -> Hits:
    order = np.random.default_rng(7).permutation(len(hits.images))
    images = hits.images.iloc[order].reset_index(drop=True)
    return Hits(hits.rule, hits.models, images, hits.top1[order], hits.top5[order])


some_hits = st.tuples(st.integers(1, 38), st.integers(1, 6)).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape))
)
quick = settings(max_examples=40, deadline=None)


# What all models get, and none


@pytest.mark.parametrize("models", [1, 2, 5])
def test_the_fractions_are_those_of_a_slow_count(models: int) -> None:
    hits = random_hits(models, models)
    table = agreement(hits, 0.95).set_index("category")
    assert table["rule"].unique().tolist() == ["words/simple"]
    assert table["n"].to_dict() == COUNTS
    for category, hit in itertools.product(COUNTS, HITS):
        rows = [list(row) for row, c in zip(hits.of(hit), CATEGORIES, strict=True) if c == category]
        every, none = sum(all(row) for row in rows), sum(not any(row) for row in rows)
        assert table.loc[category, f"all_{hit}"] == pytest.approx(every / len(rows))
        assert table.loc[category, f"none_{hit}"] == pytest.approx(none / len(rows))


def test_with_one_model_what_it_does_not_get_none_gets() -> None:
    table = agreement(random_hits(0, 1), 0.95)
    assert np.allclose(table["all_top1"] + table["none_top1"], 1)
    assert np.allclose(table["all_top5"] + table["none_top5"], 1)


def test_models_that_get_other_images_agree_on_none() -> None:
    first = np.arange(len(CATEGORIES)) % 2 == 0
    table = agreement(make(np.column_stack([first, ~first])), 0.95)
    assert (table[["all_top1", "none_top1", "all_top5", "none_top5"]] == 0).to_numpy().all()
    # That does not mean that they never would.
    lows, highs = (table.filter(like=end).to_numpy() for end in ("_low", "_high"))
    assert (lows == 0).all() and (highs > 0).all()


def test_the_columns_are_those_of_the_contract() -> None:
    table = agreement(random_hits(0, 2), 0.95)
    names = ["category", "rule", "n", "all_top1", "none_top1", "all_top5", "none_top5"]
    names += [f"{name}_{end}" for name in names[3:7] for end in ("low", "high")]
    assert list(table.columns) == names
    assert ["generator", *names] == AGREEMENT
    assert pd.api.types.is_integer_dtype(table["n"])


# How many models get an image


def test_each_image_has_the_number_of_models_that_get_it() -> None:
    top1 = np.array([[True, False, True], [False, False, False]])
    table = count_models(make(top1, np.ones_like(top1)))
    assert list(table.columns) == IMAGES_SCHEMA.names == IMAGES
    assert table["image"].tolist() == ["0.png", "1.png"]
    assert table[["top1", "top5", "models"]].to_numpy().tolist() == [[2, 3, 3], [0, 3, 3]]


def test_more_models_than_a_signed_byte_can_count() -> None:
    hits = make(np.ones((2, 130), bool))
    assert count_models(hits)["top1"].tolist() == [130, 130]
    assert agreement(hits, 0.95)["all_top1"].tolist() == [1]
    table = difficulty(hits)
    assert table.loc[table["n"] > 0, "models"].unique().tolist() == [130]
    assert len(kappas(hits, 0.95)) == 2 * 130 * 129 // 2


@pytest.mark.parametrize("models", [1, 4])
def test_the_histogram_is_that_of_a_slow_count(models: int) -> None:
    hits = random_hits(3, models)
    table = difficulty(hits)
    assert list(table.columns) == DIFFICULTY
    counted: Counter[tuple[str, str, str, int]] = Counter()
    sizes: Counter[tuple[str, str, str]] = Counter()
    for place, (category, generator) in enumerate(zip(CATEGORIES, GENERATORS, strict=True)):
        for hit, g, c in itertools.product(HITS, {"*", generator} - {None}, ("*", category)):
            counted[g, c, hit, int(sum(hits.of(hit)[place]))] += 1
            sizes[g, c, hit] += 1
    assert len(table) == len(sizes) * (models + 1)
    for row in table.itertuples():
        n = counted[row.generator, row.category, row.hit, row.models]
        assert row.n == n
        assert row.share == pytest.approx(n / sizes[row.generator, row.category, row.hit])
    assert sum(counted.values()) == table["n"].sum()


def test_the_histogram_has_every_number_of_models_also_where_no_image_has_it() -> None:
    table = difficulty(make(np.ones((7, 3), bool)))
    pooled = table[(table["generator"] == "*") & (table["category"] == "*")]
    assert pooled["models"].tolist() == [0, 1, 2, 3] * 2
    assert pooled["n"].tolist() == [0, 0, 0, 7] * 2
    assert pooled["share"].tolist() == [0, 0, 0, 1] * 2


def test_images_without_generator_count_for_all_generators_only() -> None:
    hits = random_hits(0, 2)
    bare = hits.images.assign(generator=pd.array([None] * len(CATEGORIES), dtype="str"))
    table = difficulty(Hits(hits.rule, hits.models, bare, hits.top1, hits.top5))
    assert table["generator"].unique().tolist() == ["*"]
    with_some = difficulty(hits)
    every = with_some[with_some["generator"] == "*"].reset_index(drop=True)
    pd.testing.assert_frame_equal(table, every)
    assert set(with_some["generator"]) == {"*", "dalle", "mj"}


@pytest.mark.long
@quick
@given(some_hits)
def test_the_histogram_sums_to_the_images_and_ends_in_all_and_none(
    both: tuple[Bools, Bools],
) -> None:
    hits = make(*both)
    models = len(hits.models)
    table = difficulty(hits)
    every = table[table["generator"] == "*"]
    sums = every.groupby(["category", "hit"])["n"].sum()
    assert (sums["*"] == len(hits.images)).all()
    assert np.allclose(every.groupby(["category", "hit"])["share"].sum(), 1)
    agreed = agreement(hits, 0.95).set_index("category")
    for hit, (name, end) in itertools.product(HITS, [("all", models), ("none", 0)]):
        ends = every[(every["hit"] == hit) & (every["models"] == end)].set_index("category")
        assert np.allclose(ends["share"].drop("*"), agreed[f"{name}_{hit}"])
    # The mean number of models is the sum of the accuracies.
    pooled = every[(every["category"] == "*") & (every["hit"] == "top1")]
    assert (pooled["models"] * pooled["n"]).sum() == both[0].sum()


# Kappa


def images_of(n: int, groups: Sequence[str] | None = None) -> pd.DataFrame:
    """Generated images of one category, each by itself or in groups."""
    images = pd.DataFrame({"image": "x", "category": "c", "generator": "g"}, index=range(n))
    return images.assign(real=False, group=None if groups is None else list(groups))


def pair(
    both: int, only_a: int, only_b: int, neither: int, groups: Sequence[str] | None = None
) -> pd.Series:
    """The row of two models with these counts of images, in this order."""
    counts = [both, only_a, only_b, neither]
    a = np.repeat([True, True, False, False], counts)
    b = np.repeat([True, False, True, False], counts)
    images = images_of(len(a), groups)
    hits = np.column_stack([a, b])
    table = kappas(Hits("r", ("a", "b"), images, hits, hits), 0.95)
    assert len(table) == 2
    return table.iloc[0]


def test_kappa_of_a_case_worked_out_by_hand() -> None:
    # p = 25/50, q = 30/50: the textbook's example (20, 5, 10, 15).
    row = pair(20, 5, 10, 15)
    assert row["n"] == 50
    assert row["observed"] == pytest.approx(0.7)
    assert row["expected"] == pytest.approx(0.5)
    assert row["kappa"] == pytest.approx(0.4)


def test_kappa_is_1_for_the_same_errors_0_for_independent_ones_and_below_for_complements() -> None:
    same = pair(5, 0, 0, 3)
    assert same[["kappa", "high"]].tolist() == pytest.approx([1, 1])
    assert same["low"] < 0.9, "eight images do not prove it"
    assert pair(9, 3, 3, 1)["kappa"] == pytest.approx(0, abs=1e-12)
    assert pair(0, 4, 4, 0)["kappa"] == pytest.approx(-1)


@pytest.mark.parametrize("counts", [(8, 0, 0, 0), (0, 0, 0, 8), (1, 0, 0, 0)])
def test_kappa_is_undefined_where_neither_model_errs_or_neither_hits(
    counts: tuple[int, int, int, int],
) -> None:
    row = pair(*counts)
    assert row["observed"] == row["expected"] == 1
    assert row[["kappa", "low", "high"]].isna().all()


def test_kappa_is_0_where_one_model_gets_everything_and_need_not_be() -> None:
    kappa, low, high = pair(5, 3, 0, 0)[["kappa", "low", "high"]]
    assert kappa == pytest.approx(0, abs=1e-12)
    assert low < -0.1 and high > 0.1


def formula(both: float, only_a: float, only_b: float, neither: float, level: float) -> list[float]:
    """The interval as docs/methods.md has it, by statsmodels' kappa of the counts plus a half."""
    more = np.array([[both, only_a], [only_b, neither]]) + 0.5
    found = cohens_kappa(more)
    margin = student.ppf((1 + level) / 2, min(both, neither) + 5) * np.sqrt(found.var_kappa)
    return [max(found.kappa - margin, -1), min(found.kappa + margin, 1)]


@pytest.mark.long
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_kappa_is_that_of_statsmodels_and_its_interval_that_of_half_an_image_more(
    level: float,
) -> None:
    rng = np.random.default_rng(1)
    images = images_of(60)
    top1 = rng.random((60, 12)) < rng.random(12) * 0.9 + 0.05
    table = kappas(Hits("r", tuple("abcdefghijkl"), images, top1, ~top1), level)
    assert len(table) == 2 * 66
    for row in table.itertuples():
        a, b = (ord(name) - ord("a") for name in (row.a, row.b))
        hits = top1 if row.hit == "top1" else ~top1
        counts = pd.crosstab(hits[:, a], hits[:, b]).reindex(
            index=[True, False], columns=[True, False], fill_value=0
        )
        assert row.kappa == pytest.approx(cohens_kappa(counts.to_numpy()).kappa)
        low, high = formula(*counts.to_numpy().ravel(), level)
        bounds = [min(low, row.kappa), max(high, row.kappa)]
        assert [row.low, row.high] == pytest.approx(bounds)


def test_many_images_have_the_interval_of_fleiss() -> None:
    row = pair(9000, 2000, 1000, 4000)
    expected = cohens_kappa([[9000, 2000], [1000, 4000]])
    width = expected.kappa_upp - expected.kappa_low
    assert row["low"] == pytest.approx(expected.kappa_low, abs=0.01 * width)
    assert row["high"] == pytest.approx(expected.kappa_upp, abs=0.01 * width)


# Groups of images


def test_copies_of_images_in_groups_have_the_interval_of_the_images_or_a_little_more() -> None:
    groups = [f"{number // 4}" for number in range(4 * 50)]
    four, alone = pair(80, 20, 40, 60, groups), pair(20, 5, 10, 15)
    assert four["n"] == 200 and four["kappa"] == pytest.approx(alone["kappa"])
    # That they are copies is itself found from the images.
    assert alone["low"] - 0.01 < four["low"] < alone["low"]
    assert alone["high"] < four["high"] < alone["high"] + 0.01
    apart = pair(80, 20, 40, 60)
    assert apart["high"] - apart["low"] < 0.6 * (four["high"] - four["low"])


def test_groups_whose_images_differ_narrow_nothing() -> None:
    # One image of each kind: groups vary less than images drawn one by one would.
    groups = [str(number % 25) for number in range(100)]
    mixed, apart = pair(25, 25, 25, 25, groups), pair(25, 25, 25, 25)
    assert mixed[["low", "high"]].tolist() == apart[["low", "high"]].tolist()


def test_a_group_of_one_is_no_group() -> None:
    alone = pair(20, 5, 10, 15, [str(number) for number in range(50)])
    pd.testing.assert_series_equal(alone, pair(20, 5, 10, 15))


@pytest.mark.parametrize("differing", [0.5, 0.06])
def test_the_design_effect_by_its_definition(differing: float) -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(30), 3)
    for _ in range(3):
        one = rng.random(90) < 0.6
        differ = rng.permutation(90) < differing * 90
        both = np.column_stack([one, one ^ differ])
        # Jackknife: leave out one image, or one group, at a time.
        spreads, weights = [], np.ones(1)
        for units in (groups, np.arange(90)):
            left = np.array([kappa_by_hand(both[units != unit]) for unit in np.unique(units)])
            spreads.append((len(left) - 1) * np.var(left))
            weights = (left - left.mean()) ** 2
        # As many images as decide, and one more whose group of three is all like it.
        images = weights.sum() ** 2 / (weights**2).sum()
        expected = max(1, (images * spreads[0] / spreads[1] + 3) / (images + 1))
        sides = [both.all(axis=1), one & differ, ~one & differ, ~both.any(axis=1)]
        cells = np.array([np.bincount(groups, side) for side in sides])
        assert design_effects(cells[:, :, None])[0] == pytest.approx(expected, rel=0.05)


def kappa_by_hand(hits: Bools) -> float:
    observed = (hits[:, 0] == hits[:, 1]).mean()
    p, q = hits.mean(axis=0)
    expected = p * q + (1 - p) * (1 - q)
    return (observed - expected) / (1 - expected)


@pytest.mark.parametrize("counts", [(5, 0, 0, 3), (6, 2, 0, 0), (0, 4, 0, 4)])
def test_where_the_models_never_differ_or_one_never_errs_a_group_counts_as_one(
    counts: tuple[int, int, int, int],
) -> None:
    groups = ["x", "x", "y", "y", "z", "z", "u", "u"]
    cells = np.zeros((4, 4, 1))
    for image, outcome in enumerate(np.repeat(np.arange(4), counts)):
        cells[outcome, image // 2] += 1
    assert design_effects(cells).tolist() == [2]
    grouped, apart = pair(*counts, groups), pair(*counts)
    assert grouped["high"] - grouped["low"] > apart["high"] - apart["low"]


@pytest.mark.long
@quick
@given(some_hits)
def test_kappa_keeps_its_range_and_does_not_depend_on_the_order_of_models(
    both: tuple[Bools, Bools],
) -> None:
    hits = make(*both)
    table = kappas(hits, 0.9)
    assert (table["a"] < table["b"]).all()
    defined = table[table["kappa"].notna()]
    assert (defined["low"] >= -1).all()
    assert (defined["high"] <= 1).all()
    assert (defined["low"] <= defined["kappa"] + 1e-9).all()
    assert (defined["kappa"] <= defined["high"] + 1e-9).all()
    assert (table["observed"] == 1)[table["kappa"].isna()].all()
    turned = make(both[0][:, ::-1], both[1][:, ::-1], hits.models[::-1])
    pd.testing.assert_frame_equal(kappas(turned, 0.9), table)


@quick
@given(arrays(np.bool_, st.integers(2, 38)))
def test_a_model_agrees_with_itself_perfectly(hits: Bools) -> None:
    table = kappas(make(np.column_stack([hits, hits])), 0.95)
    if hits.all() or not hits.any():
        assert table["kappa"].isna().all()
    else:
        assert table["kappa"].tolist() == pytest.approx([1, 1])


def test_the_interval_covers_the_true_kappa_as_often_as_it_says() -> None:
    # Model 2i and model 2i + 1 are a pair; both get an image with probability 0.5, and so on.
    rng = np.random.default_rng(0)
    true = (0.5 + 0.25 - 0.53) / (1 - 0.53)
    images = images_of(400)
    names = tuple(f"{number:03}" for number in range(200))
    covered: list[bool] = []
    for _ in range(8):
        sides = []
        for _ in HITS:
            case = rng.choice(4, size=(400, 100), p=[0.5, 0.15, 0.1, 0.25])
            sides.append(np.stack([case <= 1, case % 2 == 0], axis=2).reshape(400, 200))
        table = kappas(Hits("r", names, images, *sides), 0.9)
        a, b = table["a"].astype(int), table["b"].astype(int)
        pairs = table[(a % 2 == 0) & (b == a + 1)]
        covered += ((pairs["low"] <= true) & (true <= pairs["high"])).tolist()
    assert len(covered) == 1600
    # Four standard errors of the simulation.
    assert np.mean(covered) == pytest.approx(0.9, abs=4 * np.sqrt(0.9 * 0.1 / 1600))


def test_one_model_makes_no_pair() -> None:
    table = kappas(random_hits(0, 1), 0.95)
    assert len(table) == 0
    assert list(table.columns) == KAPPA[1:]


def test_errors_are_counted_across_the_parts_that_are_read_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hits = random_hits(5, 4)
    whole = kappas(hits, 0.95)
    monkeypatch.setattr("synthsight.statistics.pairs._ROWS", 7)
    pd.testing.assert_frame_equal(kappas(hits, 0.95), whole)


def test_a_hundred_models_take_seconds() -> None:
    rng = np.random.default_rng(0)
    images = images_of(20_000)
    top1 = rng.random((20_000, 100)) < 0.5
    names = tuple(str(number) for number in range(100))
    start = time.process_time()
    table = kappas(Hits("r", names, images, top1, top1), 0.95)
    assert len(table) == 2 * 4950
    # Eight times this is all rules; a call of statsmodels for each pair takes far longer.
    assert time.process_time() - start < 5


# All of it, from files


def test_the_order_of_the_images_changes_nothing() -> None:
    hits = random_hits(2, 4)
    other = shuffled(hits)
    pd.testing.assert_frame_equal(agreement(other, 0.95), agreement(hits, 0.95))
    pd.testing.assert_frame_equal(difficulty(other), difficulty(hits))
    pd.testing.assert_frame_equal(kappas(other, 0.95), kappas(hits, 0.95))
    images = count_models(other).set_index("image").sort_index()
    pd.testing.assert_frame_equal(images, count_models(hits).set_index("image").sort_index())


@pytest.fixture(name="scores")
def scores_(tmp_path: Path) -> list[Path]:
    return write(tmp_path, {rule: random_hits(seed, 3) for seed, rule in enumerate(RULES)})


def test_each_rule_is_measured_by_itself(tmp_path: Path, scores: list[Path]) -> None:
    measured = measure_agreement(scores, 0.9, tmp_path / "images.parquet")
    images = pd.read_parquet(tmp_path / "images.parquet")
    for seed, rule in enumerate(RULES):
        hits = random_hits(seed, 3)
        for found, expected in (
            (measured.agreement, agreement(hits, 0.9)),
            (measured.difficulty, difficulty(hits)),
            (measured.kappa, kappas(hits, 0.9)),
            (images, count_models(hits)),
        ):
            of_rule = found[found["rule"] == rule].reset_index(drop=True)
            if found is measured.agreement or found is measured.kappa:
                assert set(of_rule.pop("generator")) == {"*"}
            pd.testing.assert_frame_equal(of_rule, expected.assign(rule=rule), check_dtype=False)


def test_the_order_of_the_models_changes_nothing(tmp_path: Path, scores: list[Path]) -> None:
    one = measure_agreement(scores, 0.95, tmp_path / "one")
    other = measure_agreement(scores[::-1], 0.95, tmp_path / "other")
    for table in ("agreement", "difficulty", "kappa"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(other, table))
    assert pq.read_table(tmp_path / "one") == pq.read_table(tmp_path / "other")


def test_no_scores_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(HitsError, match="no scores"):
        measure_agreement([], 0.95, tmp_path / "images.parquet")


def test_models_on_other_images_leave_no_file_behind(tmp_path: Path, scores: list[Path]) -> None:
    table = pq.read_table(scores[1])
    pq.write_table(table.slice(1), scores[1])
    with pytest.raises(HitsError, match="not about the same images"):
        measure_agreement(scores, 0.95, tmp_path / "images.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(p.name for p in scores)


def run(folder: Path, scores: list[Path]) -> subprocess.CompletedProcess[str]:
    return tabulate("agreement", folder, {"level": 0.9}, scores=scores)


@pytest.mark.parametrize("models", [1, 3])
def test_the_program_writes_the_same_tables_twice(
    tmp_path: Path, scores: list[Path], models: int
) -> None:
    folder = tmp_path / "tables"
    completed = run(folder, scores[:models])
    assert completed.returncode == 0, completed.stderr
    measured: Agreement = measure_agreement(scores[:models], 0.9, tmp_path / "images.parquet")
    for name in ("agreement", "difficulty", "kappa"):
        expected = getattr(measured, name)
        table = pd.read_parquet(folder / f"{name}.parquet")
        pd.testing.assert_frame_equal(table, expected, check_dtype=False)
        text = pd.read_csv(folder / f"{name}.csv", float_precision="round_trip")
        pd.testing.assert_frame_equal(text, table, check_dtype=False, check_exact=True)
    kappa = pq.read_schema(folder / "kappa.parquet")
    assert [str(kappa.field(name).type) for name in ("a", "n", "kappa")] == [
        "large_string",
        "int64",
        "double",
    ]
    images = pq.read_table(folder / "images.parquet")
    assert images.schema.equals(IMAGES_SCHEMA)
    assert images == pq.read_table(tmp_path / "images.parquet")


def test_the_program_says_which_scores_do_not_go_together(
    tmp_path: Path, scores: list[Path]
) -> None:
    pq.write_table(pq.read_table(scores[1]).slice(1), scores[1])
    completed = run(tmp_path / "tables", scores)
    assert completed.returncode == 1
    assert completed.stderr.startswith("tabulate: ")
    assert "Traceback" not in completed.stderr

"""People beside models: accuracies, agreement and who gets an image, on counts made by hand."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm
from scipy.special import ndtri
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

from synthsight.statistics import people_agreement, people_kappas
from synthsight.statistics.columns import PEOPLE, PEOPLE_AGREEMENT, WHO
from synthsight.statistics.crossed import Design
from synthsight.statistics.intervals import share_interval
from synthsight.statistics.moments import Sample
from synthsight.statistics.people import (
    accuracies,
    agreeing,
    compare_with_people,
    count_groups,
    describe_images,
    majority,
    recognisable,
)
from synthsight.statistics.people_agreement import agreement, draw_items
from synthsight.statistics.people_answers import compare_answers
from synthsight.statistics.people_kappas import among_raters, trials_needed
from synthsight.statistics.ratings import ModelHits, Ratings, read_labels, read_model_hits
from tests.support import assert_close

RULE = "words/simple"


def labels(
    folder: Path,
    said: Mapping[str, Mapping[str, str]],
    groups: Mapping[str, str] | None = None,
    real: Sequence[str] = (),
) -> Ratings:
    """Ratings by rater and image; images are called GENERATOR/CATEGORY/NUMBER."""
    rows = []
    for rater, of_rater in said.items():
        for image, response in of_rater.items():
            generator, category, _ = image.split("/")
            rows.append(
                {
                    "rater": rater,
                    "image": image,
                    "category": category,
                    "generator": generator,
                    "group": (groups or {}).get(image),
                    "real": generator in real,
                    "response": response,
                    "correct": response == category,
                }
            )
    schema = pa.schema(
        [
            *((n, pa.string()) for n in ("rater", "image", "category", "generator", "group")),
            *(("real", pa.bool_()), ("response", pa.string()), ("correct", pa.bool_())),
        ]
    )
    path = folder / "labels.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return read_labels(path)


def models(ratings: Ratings, hits: Mapping[str, Sequence[int]], rule: str = RULE) -> ModelHits:
    """Hits by model, in the order of the ratings' images."""
    names = tuple(sorted(hits))
    return ModelHits(rule, names, np.array([hits[name] for name in names], bool).T)


def three(folder: Path) -> Ratings:
    """Three raters, four images: a1 all right, a2 two right, b1 one right, b2 none, all differ."""
    return labels(
        folder,
        {
            "x": {"g/a/1": "a", "g/a/2": "a", "g/b/1": "b", "g/b/2": "a"},
            "y": {"g/a/1": "a", "g/a/2": "a", "g/b/1": "a", "g/b/2": "other"},
            "z": {"g/a/1": "a", "g/a/2": "b", "g/b/1": "other", "g/b/2": "cannot tell"},
        },
    )


def simulated(folder: Path, raters: int, images: int, seed: int, share: float = 1) -> Ratings:
    rng = np.random.default_rng(seed)
    hard = rng.standard_normal(images)
    said: dict[str, dict[str, str]] = {}
    for rater in range(raters):
        skill = 0.8 + 0.4 * rng.standard_normal()
        for image in range(images):
            if rng.random() < share:
                category = "abc"[image % 3]
                right = rng.standard_normal() < skill + hard[image]
                name = f"g/{category}/{image:03d}"
                said.setdefault(f"r{rater}", {})[name] = category if right else "other"
    groups = {f"g/{'abc'[i % 3]}/{i:03d}": f"{'abc'[i % 3]}//{i // 6}" for i in range(images)}
    return labels(folder, said, groups)


def cohen(a: Any, b: Any) -> float:
    counts = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    return float(cohens_kappa(np.array(counts), return_results=False))


def peak(function: Callable[[], Any]) -> int:
    """How many bytes a call takes at most."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def row(table: pd.DataFrame, **keys: Any) -> pd.Series:
    found = table
    for key, value in {"category": "*", "generator": "*", **keys}.items():
        if key in table:
            found = found[found[key].isna() if value is None else found[key] == value]
    assert len(found) == 1
    return found.iloc[0]


# Accuracies --------------------------------------------------------------------------------------


def test_accuracies_are_means_over_raters_then_images_then_categories(tmp_path: Path) -> None:
    ratings = three(tmp_path)
    table = accuracies(ratings, [models(ratings, {"m": [1, 0, 1, 0]})], 0.95)
    assert list(table) == list(PEOPLE)
    for name, expected in (("x", 3 / 4), ("y", 2 / 4), ("z", 1 / 4)):
        assert row(table, kind="rater", name=name)["accuracy"] == expected
    # Category a: (3/3 + 2/3) / 2; category b: (1/3 + 0/3) / 2.
    assert_close(row(table, kind="mean")["accuracy"], (5 / 6 + 1 / 6) / 2)
    assert_close(row(table, kind="mean", category="a")["accuracy"], 5 / 6)
    assert abs(row(table, kind="model")["difference"]) < 1e-12
    assert_close(row(table, kind="model", category="b")["difference"], 1 / 2 - 1 / 6)
    about = row(table, kind="mean")[["n", "raters", "categories", "other", "cannot_tell"]]
    assert_close(about.tolist(), [4, 3, 2, 2 / 12, 1 / 12])


def test_categories_count_the_same_whatever_their_numbers_of_images_and_raters(
    tmp_path: Path,
) -> None:
    said = {
        "x": {**{f"g/a/{i}": "a" for i in range(5)}, "g/b/0": "a"},
        "y": {"g/a/0": "b"},
    }
    table = accuracies(labels(tmp_path, said), [], 0.95)
    # Image a0 is half right, the other four all; b0 is wrong.
    assert_close(row(table, kind="mean")["accuracy"], (4.5 / 5 + 0) / 2)
    assert row(table, kind="rater", name="y")["categories"] == 1


def test_most_raters_decide_and_ties_are_broken_at_random(tmp_path: Path) -> None:
    ratings = three(tmp_path)
    # b1: b, a, other: the right one of three that are said equally often; b2 has none.
    assert_close(majority(ratings), [1, 1, 1 / 3, 0])
    assert_close(
        row(accuracies(ratings, [], 0.95), kind="majority")["accuracy"], (1 + (1 / 3 + 0) / 2) / 2
    )


def test_the_ceiling_is_how_often_a_rater_says_what_most_others_do(tmp_path: Path) -> None:
    ratings = three(tmp_path)
    credit = {
        (ratings.raters[r], str(ratings.items["image"][i])): share
        for r, i, share in zip(ratings.rater, ratings.item, agreeing(ratings), strict=True)
    }
    # a2: to x the others say a and b, so a is drawn in half of the cases; z is alone.
    assert {rater: credit[rater, "g/a/2"] for rater in "xyz"} == {"x": 0.5, "y": 0.5, "z": 0}
    assert {rater: credit[rater, "g/a/1"] for rater in "xyz"} == dict.fromkeys("xyz", 1)
    assert {rater: credit[rater, "g/b/1"] for rater in "xyz"} == dict.fromkeys("xyz", 0)
    assert_close(row(accuracies(ratings, [], 0.95), kind="ceiling")["accuracy"], (2 / 3 + 0) / 2)


def test_the_ceiling_is_that_of_counting_what_the_others_say(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    said = {
        f"r{rater}": {
            f"g/a/{image:03d}": "abcd"[rng.integers(4)]
            for image in range(200)
            if rng.random() < 0.7
        }
        for rater in range(6)
    }
    ratings = labels(tmp_path, said)
    ratings = ratings.part(ratings.raters_of_item > 1)
    names = ratings.items["image"].tolist()
    for r, i, share in zip(ratings.rater, ratings.item, agreeing(ratings), strict=True):
        own = said[ratings.raters[r]][names[i]]
        rest = [
            of[names[i]]
            for rater, of in said.items()
            if rater != ratings.raters[r] and names[i] in of
        ]
        most = {each for each in rest if rest.count(each) == max(map(rest.count, rest))}
        assert share == (own in most) / len(most)


def test_what_most_others_say_takes_no_table_of_responses_by_responses(tmp_path: Path) -> None:
    said = {f"r{r}": {f"g/{i:03d}/1": f"{(i + r) % 300:03d}" for i in range(300)} for r in range(9)}
    ratings = labels(tmp_path, said)
    assert peak(lambda: agreeing(ratings)) < 4e6, "2,700 x 300 numbers are 6.5 MB"


def test_one_rater_has_no_ceiling_and_intervals_by_images_alone(tmp_path: Path) -> None:
    ratings = labels(tmp_path, {"x": {f"g/a/{i}": "ab"[i % 2] for i in range(20)}})
    table = accuracies(ratings, [models(ratings, {"m": [1] * 20})], 0.95)
    assert set(table["kind"]) == {"rater", "mean", "majority", "model"}
    spread = Sample(np.zeros(20, np.int64)).moments(ratings.correct[:, None]).mean()
    low, high = share_interval(spread, 0.95)
    assert_close(row(table, kind="mean")[["low", "high"]].tolist(), [low[0], high[0]])
    found = agreement(ratings, [models(ratings, {"m": [1] * 20})], 0.95, 0)
    assert found["kind"].tolist() == ["model"]


def test_raters_who_share_no_image_have_no_ceiling_and_no_kappa_between_them(
    tmp_path: Path,
) -> None:
    ratings = labels(
        tmp_path,
        {
            "x": {f"g/a/{i}": "ab"[i % 2] for i in range(8)},
            "y": {f"g/b/{i}": "ab"[i % 3 > 0] for i in range(8)},
        },
    )
    table = accuracies(ratings, [], 0.95)
    assert "ceiling" not in set(table["kind"])
    mean = row(table, kind="mean")
    assert mean["low"] < mean["accuracy"] < mean["high"]
    found = agreement(ratings, [], 0.95, 0).set_index("kind")
    assert found.loc["raters", "pairs"] == 0 and np.isnan(found.loc["raters", "kappa"])
    assert np.isnan(found.loc["fleiss", "kappa"])


def test_no_interval_has_width_zero_though_a_rater_and_a_model_are_always_right(
    tmp_path: Path,
) -> None:
    said = {rater: {f"g/a/{i}": "a" for i in range(12)} for rater in "xy"}
    ratings = labels(tmp_path, said)
    hits = [models(ratings, {"m": [1] * 12, "n": [0] * 12})]
    table = accuracies(ratings, hits, 0.95)
    assert (table["low"] < table["high"] - 0.05).all()
    assert (table.loc[table["kind"] == "mean", "high"] == 1).all()
    apart = table[table["kind"] == "model"]
    assert (apart["difference_low"] < apart["difference_high"] - 0.05).all()
    assert row(table, kind="model", name="m")["difference"] == 0
    assert row(table, kind="model", name="n")["difference"] == -1
    found = recognisable(ratings, hits, 0.95)
    assert (found["low"] < found["high"] - 0.05).all()
    assert not (found["difference_low"] == found["difference_high"]).any()


def test_photographs_are_no_generated_images(tmp_path: Path) -> None:
    said = {"x": {"g/a/1": "a", "h/a/1": "b", "photo/a/1": "a"}}
    ratings = labels(tmp_path, said, real=["photo"])
    table = accuracies(ratings, [models(ratings, {"m": [0, 1, 1]})], 0.95)
    means = table[(table["kind"] == "mean") & (table["category"] == "*")]
    assert dict(zip(means["generator"], means["accuracy"], strict=True)) == {
        "*": 0.5,
        "g": 1,
        "h": 0,
        "photo": 1,
    }
    assert row(table, kind="model", generator="photo")["difference"] == 0


# The variance by two ways ------------------------------------------------------------------------


@pytest.mark.parametrize("share", [1, 0.6])
def test_the_variance_has_the_parts_of_statsmodels_two_way_clusters(
    tmp_path: Path, share: float
) -> None:
    """Weighted least squares with a mean for each category, whose mean is what is estimated."""
    ratings = simulated(tmp_path, raters=5, images=36, seed=3, share=share)
    design = Design(ratings)
    weights = (design.weights / ratings.raters_of_item)[ratings.item]
    categories = pd.get_dummies(ratings.strata[ratings.item]).to_numpy(float)
    model = sm.WLS(ratings.correct.astype(float), categories, weights=weights).fit()
    groups = ratings.groups[ratings.item]
    both, by_group, by_rater = cov_cluster_2groups(
        model, groups, ratings.rater, use_correction=False
    )
    mean = np.full(categories.shape[1], 1 / categories.shape[1])
    parts = [mean @ cov @ mean for cov in (both, by_group, by_rater)]
    values = ratings.correct[:, None].astype(float)
    spread = design.spread(ratings.mean_of_items(values))
    assert_close(spread.error[0], parts[1], 1e-9)
    count = len(ratings.raters)
    between = parts[1] + parts[2] - parts[0]  # within one rater's responses to one group
    items, raters = spread.variance[0], parts[2] * count / (count - 1)
    expected = max(items + raters - between, items, raters)
    variance, freedom = design.variance(values)
    assert_close(variance[0], expected, 1e-9)
    units = ratings.groups.max() + 1 - 3
    parts_of_freedom = items**2 / units + raters**2 / (count - 1)
    assert_close(freedom[0], max(1, expected**2 / parts_of_freedom), 1e-9)


def test_groups_that_lie_across_categories_are_pooled_by_what_each_has_of_each(
    tmp_path: Path,
) -> None:
    groups = {f"g/{c}/{i}": f"{'xyz'[i % 3]}" for c, n in (("a", 7), ("b", 2)) for i in range(n)}
    ratings = labels(tmp_path, {"x": dict.fromkeys(groups, "a")}, groups)
    spread = Design(ratings).spread(ratings.correct[:, None].astype(float))
    # Of a, x has three of seven images, y and z two each; of b, x and y have one of two.
    shares = {"a": [3 / 14, 2 / 14, 2 / 14], "b": [1 / 4, 1 / 4]}
    assert_close(spread.pooled[0], sum(np.mean(np.square(of)) for of in shares.values()))
    assert_close(spread.kish[0], (13 / 28) ** 2 + (11 / 28) ** 2 + (4 / 28) ** 2)


def test_the_spread_takes_no_table_of_categories_by_groups(tmp_path: Path) -> None:
    ratings = labels(tmp_path, {"x": {f"g/{i % 500:03d}/{i}": "a" for i in range(2000)}})
    values = ratings.correct[:, None].astype(float)
    assert peak(lambda: Design(ratings).spread(values)) < 2e6, "500 x 2,000 numbers are 8 MB"


def test_intervals_are_wider_the_more_raters_differ(tmp_path: Path) -> None:
    def width(wrong: Sequence[int]) -> float:
        said = {f"r{r}": {f"g/a/{i}": "ab"[i < n] for i in range(30)} for r, n in enumerate(wrong)}
        mean = row(accuracies(labels(tmp_path, said), [], 0.95), kind="mean")
        return float(mean["high"] - mean["low"])

    assert width([10, 10, 10]) < width([5, 10, 15]) < width([0, 10, 20])


@pytest.mark.long
def test_intervals_hold_the_truth_with_three_raters_who_differ() -> None:
    """The full grid is in benchmarks/people.py; taking raters for no chance holds it in 45%."""
    from benchmarks.people import Cell, draw, truth

    cell = Cell(raters=3, images=150, differ=0.5, level=1.0, half=False)
    rng, true = np.random.default_rng(1), truth(cell)
    held = np.zeros(2)
    for _ in range(150):
        ratings, hits = draw(cell, rng)
        design, correct = Design(ratings), ratings.correct.astype(float)
        _, low, high = design.shares(correct[:, None], 0.95)
        held[0] += low[0] <= true["accuracy"] <= high[0]
        _, low, high = design.differences(hits.astype(float), correct, 0.95)
        held[1] += low[0] <= true["difference"] <= high[0]
    assert (held / 150 > 0.88).all(), held


# Agreement ---------------------------------------------------------------------------------------


def test_kappas_are_those_of_other_libraries(tmp_path: Path) -> None:
    ratings = simulated(tmp_path, raters=4, images=60, seed=1)
    rng = np.random.default_rng(2)
    hits = models(ratings, {name: rng.random(60) < 0.6 for name in "mno"})
    table = agreement(ratings, [hits], 0.95, seed=0)
    assert list(table) == list(PEOPLE_AGREEMENT)
    _, right = ratings.table()
    pairs = [cohen(right[:, a], right[:, b]) for a, b in itertools.combinations(range(4), 2)]
    assert_close(row(table, kind="raters")["kappa"], np.mean(pairs))
    with_model = [cohen(right[:, r], hits.hits[:, 1]) for r in range(4)]
    assert_close(row(table, kind="model", name="n")["kappa"], np.mean(with_model))
    with_others = [cohen(right[:, 2], right[:, r]) for r in (0, 1, 3)]
    assert_close(row(table, kind="rater", name="r2")["kappa"], np.mean(with_others))
    among = [
        cohen(hits.hits[:, a], hits.hits[:, b]) for a, b in itertools.combinations(range(3), 2)
    ]
    assert_close(row(table, kind="models")["kappa"], np.mean(among))
    assert_close(row(table, kind="fleiss")["kappa"], fleiss_kappa(ratings.votes[0]))
    assert table["low"].lt(table["kappa"]).all() and table["high"].gt(table["kappa"]).all()
    assert row(table, kind="raters")[["pairs", "undefined", "n"]].tolist() == [6, 0, 60]


def test_a_pair_weighs_as_many_images_as_both_have(tmp_path: Path) -> None:
    ratings = simulated(tmp_path, raters=3, images=60, seed=4, share=0.6)
    rated, right = ratings.table()
    kappas, sizes = [], []
    for a, b in itertools.combinations(range(3), 2):
        both = rated[:, a] & rated[:, b]
        kappas.append(cohen(right[both, a], right[both, b]))
        sizes.append(both.sum())
    found = row(agreement(ratings, [], 0.95, 0), kind="raters")
    assert_close(found["kappa"], np.average(kappas, weights=sizes))
    assert found["n"] == round(np.mean(sizes))


def test_pairs_that_both_get_everything_are_counted_and_left_out(tmp_path: Path) -> None:
    rights = {"x": "aaaaaa", "y": "aaaaaa", "z": "abaaba"}
    said = {r: {f"g/a/{i}": s for i, s in enumerate(text)} for r, text in rights.items()}
    ratings = labels(tmp_path, said)
    found = row(agreement(ratings, [], 0.95, 0), kind="raters")
    assert found[["pairs", "undefined"]].tolist() == [2, 1]
    assert found["kappa"] == 0, "one of them differs, which the other's errors say nothing about"


def test_models_that_always_agree_have_an_interval_all_the_same(tmp_path: Path) -> None:
    ratings = labels(tmp_path, {"x": {f"g/a/{i}": "a" for i in range(10)}})
    hits = models(ratings, {"m": [1, 0] * 5, "n": [1, 0] * 5})
    found = row(agreement(ratings, [hits], 0.95, 0), kind="models")
    assert found["kappa"] == 1 and found["low"] < 0.9
    assert pd.isna(found["trials"]), "draws that do not differ tell no variance"


def test_intervals_of_kappa_are_reproduced_and_depend_on_the_seed(tmp_path: Path) -> None:
    ratings = simulated(tmp_path, raters=3, images=30, seed=1)
    tables = [agreement(ratings, [], 0.95, seed) for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert not tables[0]["low"].equals(tables[2]["low"])


def test_groups_of_images_are_drawn_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_agreement, "DRAWS", 20)
    ratings = simulated(tmp_path, raters=2, images=36, seed=1)
    weights = draw_items(ratings, np.random.default_rng(0))
    assert weights.shape == (21, 36) and (weights[0] == 1).all()
    for group in np.unique(ratings.groups):
        of_group = weights[:, ratings.groups == group]
        assert (of_group == of_group[:, :1]).all()


def test_the_trials_needed_are_those_at_which_a_difference_has_the_power() -> None:
    """By drawing differences of two kappas with that many images."""
    variance, images = 0.004, 120
    needed = trials_needed(variance, images, 0.95)
    assert needed == int(np.ceil((ndtri(0.975) + ndtri(0.8)) ** 2 * 2 * 0.004 * 120 / 0.01))
    rng = np.random.default_rng(0)
    error = np.sqrt(variance * images / needed)
    apart = 0.1 + error * (rng.standard_normal(20000) - rng.standard_normal(20000))
    told = np.abs(apart) > ndtri(0.975) * error * np.sqrt(2)
    assert abs(told.mean() - 0.8) < 0.01


def test_the_trials_needed_do_not_depend_on_how_images_are_dealt_out_to_raters(
    tmp_path: Path,
) -> None:
    """Two raters of 60 images, and four such pairs of 60 images each, who say the same of them."""
    rng = np.random.default_rng(5)
    right = [rng.random(60) < share for share in (0.7, 0.7, 0.6)]
    right[1] = np.where(rng.random(60) < 0.5, right[0], right[1])
    right[2] = np.where(rng.random(60) < 0.5, right[0], right[2])

    def table(blocks: int) -> pd.DataFrame:
        said = {
            f"r{block}{r}": {f"g/a/{block}{i:02d}": "ba"[int(right[r][i])] for i in range(60)}
            for block in range(blocks)
            for r in range(2)
        }
        ratings = labels(tmp_path, said)
        return agreement(ratings, [models(ratings, {"m": [*right[2]] * blocks})], 0.95, 0)

    one, four = table(1), table(4)
    for kind in ("raters", "fleiss", "model"):
        a, b = row(one, kind=kind), row(four, kind=kind)
        assert_close(a["kappa"], b["kappa"])
        assert abs(np.log(a["trials"] / b["trials"])) < 0.15, kind
    assert row(four, kind="raters")["n"] == 60, "the images of a pair"
    assert abs(np.log(row(four, kind="rater", name="r00")["trials"] / one["trials"][0])) < 0.15


def test_kappas_of_many_raters_are_not_held_for_all_pairs_and_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_agreement, "DRAWS", 300)
    monkeypatch.setattr(people_kappas, "_PAIRS", 50)
    ratings = simulated(tmp_path, raters=80, images=30, seed=1)
    weights = draw_items(ratings, np.random.default_rng(0))
    assert peak(lambda: among_raters(ratings, weights).all()) < 4e6, "301 x 3,160 are 7.6 MB"
    assert peak(among_raters(ratings, weights).all) < 1e6
    assert peak(lambda: among_raters(ratings, weights).of_rater(3)) < 4e6


# Who gets an image -------------------------------------------------------------------------------


def test_images_are_divided_by_who_gets_them(tmp_path: Path) -> None:
    ratings = three(tmp_path)
    found = models(ratings, {"m": [1, 0, 1, 0], "n": [1, 0, 0, 0]})
    images = describe_images(ratings, found)
    columns = ["image", "raters", "right", "recognised", "response", "models_right", "who"]
    assert images[columns].fillna("-").to_numpy().tolist() == [
        ["g/a/1", 3, 3, True, "a", 2, WHO[0]],
        ["g/a/2", 3, 2, True, "a", 0, WHO[1]],
        ["g/b/1", 3, 1, False, "-", 1, WHO[2]],
        ["g/b/2", 3, 0, False, "-", 0, WHO[3]],
    ]
    groups = count_groups(images)
    assert [tuple(each) for each in groups.to_numpy().tolist()] == [
        ("*", "*", RULE, 4, 1, 1, 1, 1),
        ("a", "*", RULE, 2, 1, 1, 0, 0),
        ("b", "*", RULE, 2, 0, 0, 1, 1),
        ("*", "g", RULE, 4, 1, 1, 1, 1),
        ("a", "g", RULE, 2, 1, 1, 0, 0),
        ("b", "g", RULE, 2, 0, 0, 1, 1),
    ]


def test_half_of_the_raters_are_not_more_than_half(tmp_path: Path) -> None:
    said = {"x": {"g/a/1": "a"}, "y": {"g/a/1": "b"}}
    ratings = labels(tmp_path, said)
    assert not ratings.recognised.any()
    assert_close(majority(ratings), [0.5])


def test_models_are_compared_on_the_images_that_people_recognise(tmp_path: Path) -> None:
    ratings = three(tmp_path)  # a1 and a2 are recognised, and of b none
    found = recognisable(ratings, [models(ratings, {"m": [1, 0, 1, 1]})], 0.95)
    every = row(found)
    assert every[["categories", "n_all", "n"]].tolist() == [1, 2, 2]
    assert every[["all_top1", "top1", "difference"]].tolist() == [0.5, 0.5, 0]
    unknown = every[["difference_low", "difference_high"]]
    assert unknown.isna().all(), "the same images say nothing of those that people do not get"


def test_the_difference_on_recognisable_images_has_bounds_though_no_image_adds_to_it(
    tmp_path: Path,
) -> None:
    said = {"x": {f"g/a/{i}": "ab"[i > 5] for i in range(12)}}
    ratings = labels(tmp_path, said)
    found = recognisable(ratings, [models(ratings, {"m": [1] * 12, "n": [0] * 12})], 0.95)
    assert (found["difference"] == 0).all()
    assert (found["difference_low"] < found["difference_high"] - 0.05).all()


def test_the_difference_on_recognisable_images_has_the_error_of_a_bootstrap(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    n = 90
    known, right = rng.random(n) < 0.6, rng.random(n)
    hits = right < np.where(known, 0.8, 0.3)
    said = {"x": {f"g/a/{i:02d}": "ab"[not known[i]] for i in range(n)}}
    ratings = labels(tmp_path, said)
    found = row(recognisable(ratings, [models(ratings, {"m": hits})], 0.95))
    assert_close(found["difference"], hits[known].mean() - hits.mean())
    drawn = []
    for _ in range(4000):
        these = rng.integers(0, n, n)
        drawn.append(hits[these][known[these]].mean() - hits[these].mean())
    width = found["difference_high"] - found["difference_low"]
    assert abs(width / (2 * 1.987 * np.std(drawn)) - 1) < 0.06


# Scores ------------------------------------------------------------------------------------------


def scores(folder: Path, model: str, hits: Mapping[str, bool | None]) -> Path:
    rows = [
        {"image": image, "rule": rule, "top1_hit": hit}
        for rule in (RULE, "classes")
        for image, hit in hits.items()
    ]
    schema = pa.schema([("image", pa.string()), ("rule", pa.string()), ("top1_hit", pa.bool_())])
    table = pa.Table.from_pylist(rows, schema=schema).replace_schema_metadata({"model": model})
    path = folder / f"{model}.parquet"
    pq.write_table(table, path)
    return path


def test_models_without_a_hit_or_miss_for_an_image_are_left_out_and_said(tmp_path: Path) -> None:
    ratings = three(tmp_path)
    images = ratings.items["image"].tolist()
    sound = dict.fromkeys([*images, "g/a/9"], True)
    paths = [
        scores(tmp_path, "sound", sound),
        scores(tmp_path, "null", {**sound, "g/b/1": None}),
        scores(tmp_path, "short", dict.fromkeys(images[:3], True)),
    ]
    found, notes = read_model_hits(paths, images)
    assert [(each.rule, each.models) for each in found] == [
        ("classes", ("sound",)),
        (RULE, ("sound",)),
    ]
    assert len(notes) == 4 and notes[0].startswith("null has no hit or miss for 1 of 4 images")
    tables = compare_with_people(tmp_path / "labels.parquet", paths, RULE, 0.95, 0)
    assert tables.notes == notes
    assert set(tables.people["name"].dropna()) == {"x", "y", "z", "sound"}
    assert (tables.images["models"] == 1).all()


def test_without_any_model_people_have_their_tables_all_the_same(tmp_path: Path) -> None:
    ratings = three(tmp_path)
    paths = [scores(tmp_path, "short", {ratings.items["image"][0]: True})]
    tables = compare_with_people(tmp_path / "labels.parquet", paths, RULE, 0.95, 0)
    assert set(tables.people["kind"]) == {"rater", "mean", "majority", "ceiling"}
    assert tables.groups.empty and tables.recognisable.empty
    assert tables.images["who"].isna().all()


# Questions ---------------------------------------------------------------------------------------


def answered(folder: Path, model: str, correct: Mapping[tuple[str, str], bool | None]) -> Path:
    rows = [
        {
            **{"image": image, "number": number, "question": question, "answer": "yes"},
            **{"generator": "g", "first_word": "is", "kind": "other", "sha256": image, "mass": 1.0},
            **{"p_yes": None if right is None else 0.9 if right else 0.1, "correct": right},
            "mass": None,
        }
        for number, ((image, question), right) in enumerate(correct.items())
    ]
    path = folder / f"{model}.parquet"
    table = pa.Table.from_pandas(pd.DataFrame(rows), preserve_index=False)
    pq.write_table(table.replace_schema_metadata({"model": model}), path)
    return path


def test_people_answer_beside_the_models_that_were_asked_the_same(tmp_path: Path) -> None:
    asked = [(image, question) for image in "abcd" for question in ("q1", "q2")]
    paths = [
        answered(tmp_path, "m", {key: n % 2 == 0 for n, key in enumerate(asked)}),
        answered(tmp_path, "n", {key: n != 7 or None for n, key in enumerate(asked)}),
    ]
    right = {
        "x": "10111111",
        "y": "1110110-",
    }  # of the eight questions; the last has no answer of n
    rows = [
        {
            **{"rater": rater, "image": image, "question": question},
            **{"response": "yes" if each == "1" else "cannot tell", "correct": each == "1"},
        }
        for rater, marks in right.items()
        for (image, question), each in zip(asked, marks, strict=True)
        if each != "-"
    ]
    given = tmp_path / "given.parquet"
    pq.write_table(pa.Table.from_pylist(rows), given)
    table = compare_answers(given, paths, 0.95, 0)
    assert table["kind"].tolist() == [
        "rater",
        "rater",
        "mean",
        "majority",
        "ceiling",
        *["model"] * 2,
    ]
    assert (table["left_out"] == 1).all() and (table["n"] == 7).all()
    assert (table["images"] == 4).all()
    found = table.set_index(table["name"].fillna(table["kind"]))
    assert_close(found.loc["x", "accuracy"], 6 / 7)
    assert_close(found.loc["y", "accuracy"], 5 / 7)
    assert_close(found.loc["mean", ["accuracy", "cannot_tell"]].tolist(), [11 / 14, 3 / 14])
    assert_close(found.loc["m", "difference"], 4 / 7 - 11 / 14)
    x, y = (np.array([each == "1" for each in right[name][:7]]) for name in "xy")
    m = np.array([n % 2 == 0 for n in range(7)])
    assert_close(found.loc["mean", "kappa"], cohen(x, y))
    assert_close(found.loc["m", "kappa"], (cohen(x, m) + cohen(y, m)) / 2)
    assert found.loc["n", "kappa"] == 0, "who is always right has no errors in common with anyone"

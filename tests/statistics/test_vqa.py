"""Scoring answers to yes/no questions, and the tables about them."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from synthsight.statistics.answers import read_answers
from synthsight.statistics.columns import (
    SEEING,
    VQA,
    VQA_CALIBRATION,
    VQA_COMPARISONS,
    VQA_GROUPS,
    VQA_QUESTIONS,
)
from synthsight.statistics.intervals import share_interval
from synthsight.statistics.moments import Sample, Spread
from synthsight.statistics.pairs import compare_pairs
from synthsight.statistics.vqa import (
    AggregateVqaError,
    VqaTables,
    accuracy_of,
    aggregate_vqa,
    balanced_accuracy,
    describe,
)
from synthsight.vqa.score import SCHEMA, ScoreVqaError, score_vqa
from tests.support import tabulate

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
ASKED = ("Is there a dog?", "Are there two cats?", "Is it red?", "Isn't it dark?", "Is it day?")

Flags = npt.NDArray[np.bool_]


# --- Making questions and answers ---------------------------------------------------------------


def make_questions(images: int = 12, seed: int = 0) -> pd.DataFrame:
    """Questions as a shard holds them, one of them excluded, numbers in no order."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"{'ab'[image % 2]}/{image:02d}.png", question, rng.choice(["yes", "no"], p=[0.6, 0.4]))
        for image in range(images)
        for question in rng.permutation(ASKED)[: 1 + image % len(ASKED)]
    ]
    table = pd.DataFrame(rows, columns=["image", "question", "answer"])
    table["number"] = rng.permutation(len(table)).astype("int32") + 1
    table["generator"] = np.where(
        table["image"] == "a/00.png", None, table["image"].str[0].map({"a": "dalle", "b": "sd"})
    )
    sha256 = table["image"].map(lambda image: hashlib.sha256(image.encode()).hexdigest())
    table = table.assign(objects=None, status="ok", reason=None, sha256=sha256)
    bad = table.iloc[:1].assign(question="Why?", answer=None, status="excluded", reason="no answer")
    return pd.concat([table, bad.assign(number=np.int32(999))], ignore_index=True)


def make_answers(questions: pd.DataFrame, skill: float = 1.0, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    usable = questions[questions["status"] == "ok"]
    side = np.where(usable["answer"] == "yes", 1, -1)
    p_yes = 1 / (1 + np.exp(-2 * (skill * side + rng.normal(size=len(usable)))))
    return usable[["image", "question"]].assign(
        p_yes=p_yes, mass=rng.random(len(usable)), reason=None
    )


def scored(
    path: Path,
    name: str,
    questions: pd.DataFrame,
    answers: pd.DataFrame,
    shards: int = 2,
    groups: Mapping[str, str | None] | None = None,
    blind: pd.DataFrame | None = None,
) -> Path:
    """Write the shards and score them."""
    path.mkdir(exist_ok=True, parents=True)
    images = sorted(set(questions["image"]))
    files: dict[str, list[Path]] = {"q": [], "a": [], "b": []}
    tables = [("q", questions), ("a", answers.sample(frac=1, random_state=1))]
    tables += [("b", table) for table in [blind] if table is not None]
    for shard, (kind, table) in itertools.product(range(shards), tables):
        of_shard = table[table["image"].isin(images[shard::shards])]
        files[kind].append(path / f"{name}.{kind}{shard}.parquet")
        of_shard.to_parquet(files[kind][-1])
    score_vqa(files["q"], files["a"], name, path / f"{name}.parquet", groups, files["b"])
    return path / f"{name}.parquet"


def note(path: Path, name: str, reference: object = None) -> Path:
    file = path / f"{name}.json"
    file.write_text(json.dumps({"name": name, "reference": reference}))
    return file


def tables_of(
    path: Path,
    questions: pd.DataFrame,
    answers: Sequence[pd.DataFrame],
    level: float = 0.95,
    groups: Mapping[str, str | None] | None = None,
) -> VqaTables:
    names = [f"m{number}" for number in range(len(answers))]
    files = [
        scored(path, name, questions, table, groups=groups)
        for name, table in zip(names, answers, strict=True)
    ]
    return aggregate_vqa(files, [note(path, name) for name in names], level)


# --- Scoring ------------------------------------------------------------------------------------


def test_scores_have_a_row_for_each_usable_question(tmp_path: Path) -> None:
    questions = make_questions()
    answers = make_answers(questions)
    path = scored(tmp_path, "net", questions, answers)
    table = pq.read_table(path)
    assert table.schema.equals(SCHEMA)
    assert table.schema.metadata == {b"model": b"net"}
    rows = table.to_pandas()
    assert list(rows.index) == list(range(len(answers)))
    expected = questions[questions["status"] == "ok"].sort_values(["image", "number"])
    for column in ("image", "number", "question", "answer", "generator", "sha256"):
        assert rows[column].tolist() == expected[column].tolist()
    given_ = answers.set_index(["image", "question"])["p_yes"]
    assert rows["p_yes"].tolist() == [
        given_[key] for key in zip(rows["image"], rows["question"], strict=True)
    ]
    assert rows["predicted"].tolist() == ["yes" if p > 0.5 else "no" for p in rows["p_yes"]]
    assert rows["correct"].tolist() == (rows["predicted"] == rows["answer"]).tolist()
    assert rows["correct"].nunique() == 2
    assert set(rows.loc[rows["question"] == "Isn't it dark?", "kind"]) == {"negation"}
    assert set(rows.loc[rows["question"] == "Isn't it dark?", "first_word"]) == {"isn't"}


def test_a_half_is_no(tmp_path: Path) -> None:
    questions = make_questions(images=3)
    answers = make_answers(questions).assign(p_yes=[0.5, *[np.nextafter(0.5, 1)] * 5])
    rows = pq.read_table(scored(tmp_path, "net", questions, answers)).to_pandas()
    assert (rows["predicted"] == np.where(rows["p_yes"] == 0.5, "no", "yes")).all()
    assert (rows["p_yes"] == 0.5).sum() == 1


def test_the_order_of_shards_and_rows_changes_nothing(tmp_path: Path) -> None:
    questions = make_questions()
    answers = make_answers(questions)
    one = scored(tmp_path / "one", "net", questions, answers, shards=1)
    many = scored(tmp_path / "many", "net", questions[::-1], answers[::-1], shards=4)
    assert one.read_bytes() == many.read_bytes()


def test_a_shard_without_usable_questions_is_no_fault(tmp_path: Path) -> None:
    questions = make_questions(images=1)
    excluded = questions[questions["status"] == "excluded"].assign(image="z/0.png")
    both = pd.concat([questions, excluded])
    rows = pq.read_table(scored(tmp_path, "net", both, make_answers(both))).to_pandas()
    assert rows["image"].tolist() == ["a/00.png"]


def broken(questions: pd.DataFrame, answers: pd.DataFrame, how: str) -> tuple[pd.DataFrame, ...]:
    first = answers.iloc[:1]
    if how == "missing":
        return questions, answers.iloc[1:]
    if how == "extra":
        return questions, pd.concat([answers, first.assign(question="Is it?")])
    if how == "excluded":
        return questions, pd.concat([answers, first.assign(question="Why?")])
    if how == "answered twice":
        return questions, pd.concat([answers, first])
    if how == "asked twice":
        return pd.concat([questions, questions.iloc[:1].assign(number=np.int32(500))]), answers
    if how == "maybe":
        return questions.replace({"answer": {"no": "maybe"}}), answers
    if how == "none":
        return questions.assign(status="excluded"), answers
    value = {"nan": np.nan, "above": 1.5, "below": -0.5}[how]
    return questions, answers.assign(p_yes=[value, *answers["p_yes"].iloc[1:]])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", "'Is.*about 'a/00.png' has no answer"),
        ("extra", "'Is it\\?' about 'a/00.png' has an answer but is not among the questions"),
        ("excluded", "'Why\\?' about 'a/00.png' has an answer but is not among the questions"),
        ("answered twice", "about 'a/00.png' is answered twice"),
        ("asked twice", "about 'a/00.png' is asked twice"),
        ("maybe", "the truth is 'maybe'"),
        ("nan", "has no P\\(yes\\), no prediction, and no reason"),
        ("above", "P\\(yes\\) is 1.5"),
        ("below", "P\\(yes\\) is -0.5"),
        ("none", "there is no usable question"),
    ],
)
def test_answers_that_are_not_those_to_the_questions_are_refused(
    how: str, message: str, tmp_path: Path
) -> None:
    questions = make_questions()
    both = broken(questions, make_answers(questions), how)
    with pytest.raises(ScoreVqaError, match=message):
        scored(tmp_path, "net", *both)
    assert not (tmp_path / "net.parquet").exists()


# --- Intervals ----------------------------------------------------------------------------------


def some_hits(images: int, seed: int = 0) -> tuple[Flags, Flags, npt.NDArray[np.int64]]:
    """Two models' right answers, whether the truth is yes, and the images; some are hard."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(images), rng.integers(1, 9, images))
    chance = rng.beta(3, 1, images)[clusters]
    correct = rng.random((len(clusters), 2)) < chance[:, None]
    return correct, rng.random(len(clusters)) < 0.55, clusters


def bounds_of(share: float, variance: float, level: float) -> tuple[float, float]:
    """Wilson's interval with the size that has this variance, where hits and misses are many."""
    size = share * (1 - share) / variance + 1
    return proportion_confint(share * size, size, 1 - level, method="wilson")


def variance_of(right: Flags, images: npt.NDArray[np.int64]) -> float:
    """That of the mean, by its definition: images vary, and one more of a single question."""
    n, count = len(right), len(np.unique(images))
    sizes = np.bincount(np.unique(images, return_inverse=True)[1])
    residuals = right - right.mean()
    between = sum(residuals[images == image].sum() ** 2 for image in np.unique(images)) / n**2
    kish = (sizes**2).sum() / n**2
    total = right.mean() * (1 - right.mean())
    # The one more counts as a mean image does; ``total`` lacks the variance of the mean itself.
    return (between + kish / count * total) / (1 - kish / count)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_of_an_accuracy_is_wilson_s_with_the_variance_between_images(
    level: float,
) -> None:
    correct, _, images = some_hits(120)
    low, high = share_interval(accuracy_of(correct, images), level)
    for column in range(2):
        hits = correct[:, column]
        variance = variance_of(hits, images)
        expected = bounds_of(hits.mean(), variance, level)
        assert (low[column], high[column]) == pytest.approx(expected)
        # With 120 images it is nearly the cluster-robust one.
        fit = sm.OLS(hits.astype(float), np.ones(len(hits))).fit(
            cov_type="cluster", cov_kwds={"groups": images}
        )
        assert variance == pytest.approx(float(fit.cov_params()[0, 0]), rel=0.03)
    # Wider than if the questions were independent.
    plain = proportion_confint(correct[:, 0].sum(), len(correct), 1 - level, method="wilson")
    assert high[0] - low[0] > 1.1 * (plain[1] - plain[0])


def test_the_interval_of_a_balanced_accuracy_is_that_of_a_regression_s_contrast() -> None:
    """The same images have questions of both kinds, whose errors go together."""
    correct, yes, images = some_hits(400)
    found = balanced_accuracy(correct, yes, images)
    assert found is not None
    low, high = share_interval(found, 0.95)
    sides = np.column_stack([yes, ~yes]).astype(float)
    for column in range(2):
        fit = sm.OLS(correct[:, column].astype(float), sides).fit(
            cov_type="cluster", cov_kwds={"groups": images}
        )
        half = np.array([0.5, 0.5])
        assert found.mean[column] == pytest.approx(half @ fit.params)
        variance = half @ fit.cov_params() @ half
        assert found.variance[column] == pytest.approx(variance, rel=0.03)
        expected = bounds_of(found.mean[column], found.variance[column], 0.95)
        assert (low[column], high[column]) == pytest.approx(expected, abs=1e-3)


def test_asking_again_hardly_narrows_an_interval() -> None:
    """Only the one question more that images are taken to vary like becomes less."""
    correct, _, images = some_hits(30)

    def widths(times: int) -> npt.NDArray[np.float64]:
        often, of = np.repeat(correct, times, axis=0), np.repeat(images, times)
        low, high = share_interval(accuracy_of(often, of), 0.95)
        table = compare_pairs(["a", "b"], often, Sample(np.zeros(len(of), np.int64), of), 0.95)
        return np.append(high - low, table["high"] - table["low"])

    np.testing.assert_allclose(widths(7), widths(1), rtol=1e-12)
    np.testing.assert_allclose(widths(21), widths(3), rtol=1e-12)


def test_answers_that_balance_within_images_do_not_make_an_interval_vanish() -> None:
    # Each image has three right answers of four: between images nothing varies.
    correct = np.tile([[True], [True], [True], [False]], (25, 1))
    images = np.repeat(np.arange(25), 4)
    low, high = share_interval(accuracy_of(correct, images), 0.95)
    # What is left is one image of 25 that varies as questions do.
    expected = bounds_of(0.75, 0.75 * 0.25 / 25 / 25 / (1 - 1 / 25 / 25), 0.95)
    assert high[0] - low[0] > 0.05
    assert (low[0], high[0]) == pytest.approx(expected)


@pytest.mark.parametrize(("right", "images"), [(True, 20), (False, 20), (True, 1)])
def test_where_nothing_varies_each_image_counts_as_one_question(right: bool, images: int) -> None:
    correct = np.full((4 * images, 1), right)
    low, high = share_interval(accuracy_of(correct, np.repeat(np.arange(images), 4)), 0.95)
    bound = 0.05 ** (1 / images)  # exact, one-sided
    wilson = proportion_confint(images, images, method="wilson")[0]
    edge = min(bound, wilson)
    assert (low[0], high[0]) == pytest.approx((edge, 1) if right else (0, 1 - edge))


def test_a_single_image_says_little_of_a_share_and_of_a_difference() -> None:
    correct = np.array([[True, False], [False, False], [True, True], [True, True]])
    low, high = share_interval(accuracy_of(correct, np.zeros(4, int)), 0.95)
    assert (high - low > 0.75).all()
    sample = Sample(np.zeros(4, np.int64), np.zeros(4, np.int64))
    (row,) = compare_pairs(["a", "b"], correct, sample, 0.95).to_dict("records")
    assert row["difference"] == 0.25
    assert row["low"] < -0.5 and row["high"] > 0.9


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 5)), min_size=1))
def test_bounds_hold_the_value_and_lie_in_range(rows: list[tuple[bool, bool, int]]) -> None:
    correct = np.array([[a, b] for a, b, _ in rows])
    yes = np.array([a for a, _, _ in rows])
    images = np.array([image for *_, image in rows])
    balanced = balanced_accuracy(correct, yes, images)
    assert (balanced is None) == (yes.all() or not yes.any())
    for found in (accuracy_of(correct, images), balanced):
        if isinstance(found, Spread):
            low, high = share_interval(found, 0.95)
            assert ((low >= 0) & (low <= found.mean) & (found.mean <= high) & (high <= 1)).all()
            assert (high - low > 0.01).all()


# --- Tables -------------------------------------------------------------------------------------


def test_the_table_of_models_is_that_of_a_slow_count(tmp_path: Path) -> None:
    questions = make_questions()
    answers = [make_answers(questions, skill, seed) for seed, skill in enumerate((0.3, 1.0))]
    paths = [scored(tmp_path, f"m{n}", questions, table) for n, table in enumerate(answers)]
    stated = {"yes_no": 0.947, "overall": 0.82, "source": "a paper"}
    notes = [note(tmp_path, "m0", stated), note(tmp_path, "m1"), note(tmp_path, "unused")]
    table = aggregate_vqa(paths[::-1], notes, 0.9).models
    assert table.columns.tolist() == VQA
    assert table["model"].tolist() == ["m0", "m1"]
    for path, row in zip(paths, table.to_dict("records"), strict=True):
        rows = pq.read_table(path).to_pandas()
        yes = rows["answer"] == "yes"
        assert row["n"] == len(rows) == row["n_yes"] + row["n_no"]
        assert row["n_yes"] == yes.sum()
        assert row["images"] == rows["image"].nunique() == 12
        assert row["accuracy"] == pytest.approx(rows["correct"].mean())
        assert row["always_yes"] == pytest.approx(yes.mean())
        cells = rows.groupby(["answer", "predicted"]).size()
        for truth, said in itertools.product(("yes", "no"), repeat=2):
            assert row[f"{truth}_{said}"] == cells.get((truth, said), 0)
        sides = rows.groupby("answer")["correct"].mean()
        assert row["balanced_accuracy"] == pytest.approx(sides.mean())
        assert row["low"] < row["accuracy"] < row["high"]
        assert row["balanced_low"] < row["balanced_accuracy"] < row["balanced_high"]
        correct, images = rows[["correct"]].to_numpy(), pd.factorize(rows["image"])[0]
        for prefix, found in (
            ("", accuracy_of(correct, images)),
            ("balanced_", balanced_accuracy(correct, yes.to_numpy(), images)),
        ):
            assert found is not None
            expected = [bound[0] for bound in share_interval(found, 0.9)]
            assert [row[f"{prefix}low"], row[f"{prefix}high"]] == pytest.approx(expected)
        assert row["brier"] == pytest.approx(((rows["p_yes"] - yes) ** 2).mean())
        assert row["mass"] == pytest.approx(rows["mass"].mean())
        ece = 0.0
        for tenth in range(10):
            inside = (rows["p_yes"] >= tenth / 10) & (rows["p_yes"] < (tenth + 1) / 10)
            if inside.any():
                ece += inside.mean() * abs(rows["p_yes"][inside].mean() - yes[inside].mean())
        assert row["ece"] == pytest.approx(ece)
    known, unknown = table.to_dict("records")
    assert (known["reference_yes_no"], known["reference_overall"]) == (0.947, 0.82)
    assert known["source"] == "a paper"
    assert known["drop"] == pytest.approx(0.947 - known["accuracy"])
    assert known["drop_low"] == pytest.approx(0.947 - known["high"])
    assert known["drop_high"] == pytest.approx(0.947 - known["low"])
    nothing = ["source", "reference_yes_no", "reference_overall", "drop", "drop_low", "drop_high"]
    assert pd.Series(unknown)[nothing].isna().all()


def test_a_reference_on_all_questions_alone_makes_no_drop(tmp_path: Path) -> None:
    questions = make_questions()
    path = scored(tmp_path, "net", questions, make_answers(questions))
    about = note(tmp_path, "net", {"yes_no": None, "overall": 0.78, "source": "a paper"})
    (row,) = aggregate_vqa([path], [about], 0.95).models.to_dict("records")
    assert row["reference_overall"] == 0.78
    assert np.isnan([row["reference_yes_no"], row["drop"], row["drop_low"]]).all()


def test_balanced_accuracy_is_the_mean_of_shuffle_acc() -> None:
    correct, yes, images = some_hits(40)
    rng = np.random.default_rng(0)
    sides = np.flatnonzero(yes), np.flatnonzero(~yes)
    size = min(map(len, sides))
    draws = [
        correct[np.concatenate([rng.choice(side, size, replace=False) for side in sides])].mean(0)
        for _ in range(4000)
    ]
    error = np.std(draws, axis=0) / np.sqrt(len(draws))
    found = balanced_accuracy(correct, yes, images)
    assert found is not None
    distance = np.abs(np.mean(draws, axis=0) - found.mean)
    assert (distance < 4 * error + 1e-12).all()


def by_image(right: pd.Series, images: pd.Series) -> tuple[float, float]:
    """The bounds at level 0.8 of a share of questions, of whose images chance draws."""
    share = accuracy_of(right.to_numpy(bool)[:, None], pd.factorize(images, sort=True)[0])
    low, high = share_interval(share, 0.8)
    return low[0], high[0]


def test_groups_are_the_questions_with_a_word_a_kind_or_a_generator(tmp_path: Path) -> None:
    questions = make_questions()
    answers = [make_answers(questions, 0.5, n) for n in range(2)]
    tables = tables_of(tmp_path, questions, answers, level=0.8)
    groups = tables.groups
    assert groups.columns.tolist() == VQA_GROUPS
    keys = ["model", "by", "value"]
    assert groups[keys].equals(groups[keys].sort_values(keys, ignore_index=True))
    assert set(groups.loc[groups["by"] == "generator", "value"]) == {"dalle", "sd"}
    columns = {"first word": "first_word", "kind": "kind", "generator": "generator"}
    for row in groups.to_dict("records"):
        rows = pq.read_table(tmp_path / f"{row['model']}.parquet").to_pandas()
        rows = rows[rows[columns[row["by"]]] == row["value"]]
        yes = rows["answer"] == "yes"
        assert (row["n"], row["n_yes"]) == (len(rows), yes.sum())
        assert row["images"] == rows["image"].nunique()
        assert row["accuracy"] == pytest.approx(rows["correct"].mean())
        assert row["always_yes"] == pytest.approx(yes.mean())
        assert 0 <= row["low"] <= row["accuracy"] <= row["high"] + 1e-12 and row["high"] <= 1
        assert (row["low"], row["high"]) == pytest.approx(by_image(rows["correct"], rows["image"]))
        sides = rows.groupby("answer")["correct"].mean()
        balanced = sides.mean() if len(sides) == 2 else np.nan
        assert row["balanced_accuracy"] == pytest.approx(balanced, nan_ok=True)
    # A question is in one kind, and has one first word.
    for by in ("kind", "first word"):
        of_model = groups[(groups["by"] == by) & (groups["model"] == "m0")]
        assert of_model["n"].sum() == tables.models["n"].iloc[0]


def test_the_statistics_of_the_questions(tmp_path: Path) -> None:
    questions = make_questions()
    table = tables_of(tmp_path, questions, [make_answers(questions)]).questions
    assert table.columns.tolist() == VQA_QUESTIONS
    assert table["generator"].tolist() == ["*", "dalle", "sd"]
    usable = questions[questions["status"] == "ok"]
    for row in table.to_dict("records"):
        of = usable if row["generator"] == "*" else usable[usable["generator"] == row["generator"]]
        assert row["questions"] == len(of) == row["yes"] + row["no"]
        assert row["images"] == of["image"].nunique()
        assert row["yes"] == (of["answer"] == "yes").sum()
        assert row["share_yes"] == pytest.approx(row["yes"] / row["questions"])
        assert row["questions_per_image"] == pytest.approx(len(of) / of["image"].nunique())
        words = [question.count(" ") + 1 for question in of["question"]]
        assert row["words_per_question"] == pytest.approx(np.mean(words))


def test_a_word_is_what_stands_between_blanks_however_many() -> None:
    questions = pd.DataFrame(
        {"image": ["a"], "question": ["Is  it   red ?"], "answer": ["no"], "generator": [None]}
    ).assign(sha256=None)
    assert describe(questions)["words_per_question"].tolist() == [4]


def test_all_generators_come_before_each() -> None:
    questions = pd.DataFrame(
        {"image": ["a", "b"], "question": "Is it?", "answer": "no", "generator": ["!", "z"]}
    ).assign(sha256=None)
    assert describe(questions)["generator"].tolist() == ["*", "!", "z"]


def test_the_paper_s_numbers_of_questions() -> None:
    n, images = 241, 50
    questions = pd.DataFrame(
        {
            "image": [f"{row % images}.png" for row in range(n)],
            "question": ["Is there a dog here?"] * 213 + ["Is there a dog in here, too?"] * 28,
            "answer": ["yes"] * 132 + ["no"] * 109,
            "generator": None,
            "sha256": None,
        }
    )
    (row,) = describe(questions).to_dict("records")
    assert (row["questions"], row["images"], row["yes"], row["no"]) == (241, 50, 132, 109)
    assert row["questions_per_image"] == pytest.approx(4.82)
    # docs/methods.md: the paper's 77.27% is no share of 241.
    shares = [round(100 * k / n, 2) for k in range(n + 1)]
    assert 77.27 not in shares and {77.18, 77.59} <= set(shares)


def test_calibration_counts_each_question_in_one_bin(tmp_path: Path) -> None:
    questions = make_questions(images=11)
    answers = make_answers(questions)
    values = np.resize([0.0, 0.05, 0.1, 0.35, 0.3, 0.999, 1.0], len(answers))
    answers = answers.assign(p_yes=values)
    table = tables_of(tmp_path, questions, [answers], level=0.8).calibration
    assert table.columns.tolist() == list(VQA_CALIBRATION)
    assert table["bin"].tolist() == list(range(1, 11))
    assert table["low_edge"].tolist() == pytest.approx([k / 10 for k in range(10)])
    assert table["high_edge"].tolist() == pytest.approx([k / 10 for k in range(1, 11)])
    rows = pq.read_table(tmp_path / "m0.parquet").to_pandas()
    members = {1: [0.0, 0.05], 2: [0.1], 4: [0.3, 0.35], 10: [0.999, 1.0]}
    for row in table.to_dict("records"):
        inside = rows[rows["p_yes"].isin(members.get(row["bin"], []))]
        assert (row["n"], row["images"]) == (len(inside), inside["image"].nunique())
        if len(inside):
            share = (inside["answer"] == "yes").mean()
            assert row["share_yes"] == pytest.approx(share)
            assert row["mean_p_yes"] == pytest.approx(inside["p_yes"].mean())
            assert 0 <= row["low"] <= share <= row["high"] <= 1
            bounds = by_image(inside["answer"] == "yes", inside["image"])
            assert (row["low"], row["high"]) == pytest.approx(bounds)
        else:
            empty = pd.Series(row)[["mean_p_yes", "share_yes", "low", "high"]]
            assert empty.isna().all()


def test_comparisons_are_paired(tmp_path: Path) -> None:
    questions = make_questions(images=40)
    answers = [make_answers(questions, skill, 1) for skill in (0.2, 0.6, 1.0)]
    table = tables_of(tmp_path, questions, answers, level=0.8).comparisons
    assert table.columns.tolist() == list(VQA_COMPARISONS)
    assert list(zip(table["a"], table["b"], strict=True)) == [
        ("m0", "m1"),
        ("m0", "m2"),
        ("m1", "m2"),
    ]
    for row in table.to_dict("records"):
        a, b = (pq.read_table(tmp_path / f"{row[side]}.parquet").to_pandas() for side in "ab")
        hit, other = a["correct"], b["correct"]
        assert (row["n"], row["images"]) == (len(a), a["image"].nunique())
        assert (row["a_accuracy"], row["b_accuracy"]) == (hit.mean(), other.mean())
        assert row["difference"] == pytest.approx(hit.mean() - other.mean())
        assert (row["only_a"], row["only_b"]) == ((hit & ~other).sum(), (other & ~hit).sum())
        counts = [[(hit & other).sum(), row["only_a"]], [row["only_b"], (~hit & ~other).sum()]]
        assert row["p"] == pytest.approx(mcnemar(counts, exact=True).pvalue)
        d = hit.astype(float) - other
        fit = sm.OLS(d, np.ones(len(d))).fit(cov_type="cluster", cov_kwds={"groups": a["image"]})
        margin = stats.norm.ppf(0.9) * np.sqrt(float(fit.cov_params().iloc[0, 0]))
        # Tango's, which is not symmetric, and with the variance of one image more.
        assert (row["high"] - row["low"]) / 2 == pytest.approx(margin, rel=0.1)
        assert row["low"] < row["difference"] < row["high"]
    assert table["p_holm"].tolist() == pytest.approx(multipletests(table["p"], method="holm")[1])


def test_the_order_of_the_files_changes_nothing(tmp_path: Path) -> None:
    questions = make_questions()
    names = ["m0", "m1", "m2"]
    paths = [
        scored(tmp_path, name, questions, make_answers(questions, 0.5, seed))
        for seed, name in enumerate(names)
    ]
    notes = [note(tmp_path, name) for name in names]
    one, other = aggregate_vqa(paths, notes, 0.95), aggregate_vqa(paths[::-1], notes[::-1], 0.95)
    for table in ("models", "groups", "questions", "calibration", "comparisons"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(other, table))


def test_one_model_is_compared_with_none(tmp_path: Path) -> None:
    questions = make_questions()
    table = tables_of(tmp_path, questions, [make_answers(questions)]).comparisons
    assert table.empty
    assert table.dtypes.astype(str).to_dict() == VQA_COMPARISONS


@pytest.mark.long
def test_copies_of_a_picture_are_one_image(tmp_path: Path) -> None:
    """Whatever their names: the tables are those of the same questions about one file."""
    questions = make_questions(images=8).query("status == 'ok'")
    copies = questions.assign(
        image=[f"{image}{row % 3}" for row, image in enumerate(questions["image"])]
    )
    one, other = (
        tables_of(tmp_path / name, table, [make_answers(table, seed=seed) for seed in (1, 2)])
        for name, table in (("one", questions), ("copies", copies))
    )
    assert (one.models["images"] == 8).all()
    for name in ("models", "groups", "questions", "calibration", "comparisons"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    apart = tables_of(
        tmp_path / "apart",
        copies.assign(sha256=None),
        [make_answers(copies, seed=seed) for seed in (1, 2)],
    )
    assert (apart.models["images"] == copies["image"].nunique()).all()


def test_what_is_asked_about_copies_of_a_picture_counts_once_or_not_at_all(tmp_path: Path) -> None:
    questions = make_questions(images=5).query("status == 'ok'")
    of_one = questions[questions["image"] == "a/04.png"]
    other = {"yes": "no", "no": "yes"}
    copies = of_one.assign(image="copy.png")
    copies["answer"] = [other[answer] for answer in copies["answer"][:-1]] + [
        of_one["answer"].iloc[-1]
    ]
    both = pd.concat([questions, copies], ignore_index=True)
    found = pd.read_parquet(scored(tmp_path, "net", both, make_answers(both)))
    kept = set(zip(questions["image"], questions["question"], strict=True))
    kept -= {("a/04.png", question) for question in of_one["question"][:-1]}
    assert set(zip(found["image"], found["question"], strict=True)) == kept
    only = both[both["sha256"] == of_one["sha256"].iloc[0]].query(
        "question != @last", local_dict={"last": of_one["question"].iloc[-1]}
    )
    with pytest.raises(ScoreVqaError, match="copies of pictures contradict each other"):
        scored(tmp_path / "only", "net", only, make_answers(only))


def test_one_image_says_hardly_anything(tmp_path: Path) -> None:
    questions = make_questions()
    questions = questions[questions["image"] == "a/04.png"]
    tables = tables_of(tmp_path, questions, [make_answers(questions, 0.3, n) for n in range(2)])
    assert tables.comparisons["high"].gt(tables.comparisons["low"] + 1).all()
    assert tables.models["high"].gt(tables.models["low"] + 0.5).all()


def test_only_yes_questions_have_no_balanced_accuracy(tmp_path: Path) -> None:
    questions = make_questions()
    questions = questions[questions["answer"] == "yes"]
    tables = tables_of(tmp_path, questions, [make_answers(questions)])
    (row,) = tables.models.to_dict("records")
    assert row["always_yes"] == 1 and row["n_no"] == row["no_yes"] == row["no_no"] == 0
    nothing = [row["balanced_accuracy"], row["balanced_low"], row["balanced_high"]]
    assert np.isnan(nothing).all()
    assert tables.groups["balanced_accuracy"].isna().all()


def test_questions_without_generators_have_no_such_groups(tmp_path: Path) -> None:
    questions = make_questions().assign(generator=None)
    tables = tables_of(tmp_path, questions, [make_answers(questions)])
    assert set(tables.groups["by"]) == {"first word", "kind"}
    assert tables.questions["generator"].tolist() == ["*"]


def test_models_with_other_questions_are_refused(tmp_path: Path) -> None:
    questions = make_questions()
    paths = [scored(tmp_path, "m0", questions, make_answers(questions))]
    fewer = questions.iloc[1:]
    paths.append(scored(tmp_path, "m1", fewer, make_answers(fewer)))
    notes = [note(tmp_path, name) for name in ("m0", "m1")]
    with pytest.raises(AggregateVqaError, match=r"m1\.parquet is not about the same questions as"):
        aggregate_vqa(paths, notes, 0.95)


def test_a_model_twice_or_without_a_note_and_no_model_are_refused(tmp_path: Path) -> None:
    questions = make_questions()
    path = scored(tmp_path, "net", questions, make_answers(questions))
    with pytest.raises(AggregateVqaError, match="both of 'net'"):
        aggregate_vqa([path, path], [note(tmp_path, "net")], 0.95)
    with pytest.raises(AggregateVqaError, match="no note about the weights of net"):
        aggregate_vqa([path], [note(tmp_path, "other")], 0.95)
    with pytest.raises(AggregateVqaError, match="no answers"):
        aggregate_vqa([], [], 0.95)


@pytest.mark.long
def test_ten_models_on_ten_thousand_questions_take_seconds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image = np.repeat(np.arange(2000), 5)
    n = len(image)
    table = pa.table(
        {
            "image": [f"{number:05d}.png" for number in image],
            "number": pa.array(np.arange(n) % 5 + 1, pa.int32()),
            "question": [ASKED[row % 5] for row in range(n)],
            "answer": rng.choice(["yes", "no"], n),
            "generator": pa.nulls(n, pa.string()),
            "first_word": [f"word{row % 60}" for row in range(n)],
            "kind": [f"kind{row % 6}" for row in range(n)],
            "p_yes": rng.random(n),
            "mass": np.full(n, np.nan),
            "predicted": rng.choice(["yes", "no"], n),
            "correct": rng.random(n) < 0.7,
            "reason": pa.nulls(n, pa.string()),
            "sha256": [f"{number:064x}" for number in image],
        },
        schema=SCHEMA,
    )
    paths = []
    for name in (f"m{number}" for number in range(10)):
        paths.append(tmp_path / f"{name}.parquet")
        pq.write_table(table.replace_schema_metadata({"model": name}), paths[-1])
    start = time.process_time()
    tables = aggregate_vqa(paths, [note(tmp_path, path.stem) for path in paths], 0.95)
    assert time.process_time() - start < 5
    assert (tables.models["n"] == 10_000).all() and len(tables.comparisons) == 45


# --- Scripts ------------------------------------------------------------------------------------


def script(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / f"{name}.py"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_the_scripts_do_what_the_library_does(tmp_path: Path) -> None:
    questions = make_questions()
    path = scored(tmp_path, "net", questions, make_answers(questions))
    shards = [f"{kind}{number}" for kind in "qa" for number in range(2)]
    q0, q1, a0, a1 = (f"net.{shard}.parquet" for shard in shards)
    done = script(
        tmp_path,
        "score_vqa",
        *("--questions", q0, q1, "--answers", a0, a1, "--spec", '{"model": "net"}'),
        *("--output", "out/net.parquet"),
    )
    assert done.returncode == 0, done.stderr
    made = tmp_path / "out" / "net.parquet"
    assert pq.read_table(made).equals(pq.read_table(path))
    about = note(tmp_path, "net")
    tabulate("vqa", tmp_path, {"level": 0.9}, answers=[made], notes=[about]).check_returncode()
    expected = aggregate_vqa([path], [about], 0.9)
    for table in ("models", "groups", "questions", "calibration", "comparisons"):
        of_library = getattr(expected, table)
        name = "vqa" if table == "models" else f"vqa_{table}"
        found = pd.read_parquet(tmp_path / f"{name}.parquet")
        pd.testing.assert_frame_equal(found, of_library, check_dtype=False)
        csv = pd.read_csv(tmp_path / f"{name}.csv", keep_default_na=False, na_values="")
        pd.testing.assert_frame_equal(csv, of_library, check_dtype=False, check_exact=False)


@pytest.mark.slow
def test_the_scripts_say_what_is_wrong(tmp_path: Path) -> None:
    questions = make_questions()
    path = scored(tmp_path, "net", questions, make_answers(questions))
    files = ("--questions", "net.q0.parquet", "--answers", "net.a0.parquet", "net.a1.parquet")
    spec = ("--spec", '{"model": "new"}')
    done = script(tmp_path, "score_vqa", *files, *spec, "--output", "new.parquet")
    assert done.returncode == 1
    assert done.stderr.startswith("score_vqa: ") and "not among the questions" in done.stderr
    assert not os.path.exists(tmp_path / "new.parquet")
    about = note(tmp_path, "other")
    done = tabulate("vqa", tmp_path, {"level": 0.9}, answers=[path], notes=[about])
    assert done.returncode == 1
    assert done.stderr == "tabulate: no note about the weights of net\n"


def test_a_question_that_one_model_could_not_take_is_wrong_for_none(tmp_path: Path) -> None:
    questions = make_questions()
    whole = make_answers(questions)
    part = whole.copy()
    lost = part.index[[1, 4, 9]]
    part.loc[lost, "p_yes"] = None
    part.loc[lost, "reason"] = "too long"
    path = scored(tmp_path, "part", questions, part)
    rows = pd.read_parquet(path)
    unanswered = rows["p_yes"].isna()
    assert rows.loc[unanswered, "reason"].tolist() == ["too long"] * 3
    assert rows.loc[unanswered, ["predicted", "correct"]].isna().all(axis=None)
    assert rows.loc[~unanswered, "reason"].isna().all()
    paths = [path, scored(tmp_path, "whole", questions, whole)]
    tables = aggregate_vqa(paths, [note(tmp_path, name) for name in ("part", "whole")], 0.95)
    found = tables.models.set_index("model")
    assert found["unanswered"].to_dict() == {"part": 3, "whole": 0}
    kept = rows[~unanswered]
    truth = (kept["answer"] == "yes").astype(float)
    for name in ("part", "whole"):  # which answer alike
        row = found.loc[name]
        assert row["n"] == len(kept) == len(rows) - 3
        assert row["accuracy"] == pytest.approx(kept["correct"].astype(bool).mean())
        assert row["brier"] == pytest.approx(((kept["p_yes"] - truth) ** 2).mean())
        assert row[["yes_yes", "yes_no", "no_yes", "no_no"]].sum() == len(kept)
        bins = tables.calibration[tables.calibration["model"] == name]
        assert bins["n"].sum() == len(kept)
    assert tables.comparisons["difference"].tolist() == [0.0]


def test_models_without_a_question_that_all_answered_are_refused(tmp_path: Path) -> None:
    questions = make_questions()
    none = make_answers(questions).assign(p_yes=None, reason="too narrow")
    none["p_yes"] = none["p_yes"].astype(float)
    path = scored(tmp_path, "none", questions, none)
    with pytest.raises(AggregateVqaError, match=r"no question was answered by every .*none: \d+"):
        aggregate_vqa([path], [note(tmp_path, "none")], 0.95)


def test_no_p_yes_without_a_reason_is_refused(tmp_path: Path) -> None:
    questions = make_questions()
    answers = make_answers(questions)
    answers.loc[answers.index[0], "p_yes"] = None
    with pytest.raises(ScoreVqaError, match="no P\\(yes\\), no prediction, and no reason"):
        scored(tmp_path, "m", questions, answers)


def grouped(table: pd.DataFrame, of: str) -> dict[str, str | None]:
    return dict(zip(table["image"], table[of], strict=True))


def test_a_group_of_images_is_the_unit_as_if_its_images_were_one(tmp_path: Path) -> None:
    """Everything but counts of images is that of the same questions about one file a group."""
    questions = make_questions(images=24).query("status == 'ok'")
    numbers = questions["image"].str[2:4].astype(int)
    questions = questions.assign(
        group=[None if number < 4 else f"prompt {number // 4}" for number in numbers]
    )
    merged = questions.assign(sha256=questions["group"].fillna(questions["sha256"]))
    # A question about two images of a group is one about copies, and would count once.
    questions, merged = (
        table.assign(question=[f"{q} {n}" for q, n in zip(table["question"], numbers, strict=True)])
        for table in (questions, merged)
    )
    answers = [make_answers(questions, seed=seed) for seed in (1, 2)]
    images = tables_of(tmp_path / "images", questions.drop(columns="group"), answers)
    as_copies = tables_of(tmp_path / "copies", merged.drop(columns="group"), answers)
    groups = grouped(questions, "group")
    as_groups = tables_of(tmp_path / "groups", questions, answers, groups=groups)
    for name in ("models", "groups", "calibration", "comparisons"):
        found, expected, apart = (
            getattr(tables, name) for tables in (as_groups, as_copies, images)
        )
        pd.testing.assert_frame_equal(
            found.drop(columns="images"), expected.drop(columns="images"), check_exact=True
        )
        pd.testing.assert_series_equal(found["images"], apart["images"])
        low, high = [c for c in found.columns if c in ("low", "high")]
        assert (found[high] - found[low]).mean() > 1.05 * (apart[high] - apart[low]).mean()
    pd.testing.assert_frame_equal(as_groups.questions, images.questions)


def test_groups_with_a_picture_in_common_are_one(tmp_path: Path) -> None:
    """As when copies of a picture are said to be of two prompts; an image without stays alone."""
    questions = make_questions(images=6).query("status == 'ok'")
    names = sorted(set(questions["image"]))
    told = dict(zip(names, ["a", "a", "b", "b", None, "c"], strict=True))
    copy = questions["image"].isin([names[1], names[2]])
    questions = questions.assign(
        question=questions["question"] + questions["image"],
        sha256=questions["sha256"].where(~copy, "0" * 64),
    )
    path = scored(tmp_path, "m", questions, make_answers(questions), groups=told)
    found = read_answers([path])
    units = dict(zip(found.questions["image"], found.units.tolist(), strict=True))
    assert len({units[name] for name in names[:4]}) == 1
    assert len({units[name] for name in names}) == 3
    plain = scored(tmp_path / "plain", "n", questions, make_answers(questions))
    assert "group" not in pq.read_schema(plain).names
    with pytest.raises(AggregateVqaError, match="not about the same questions"):
        read_answers([path, plain])


# --- Seeing and guessing ------------------------------------------------------------------------


def test_the_gain_is_the_difference_between_two_models_one_of_which_sees(tmp_path: Path) -> None:
    """As if the answers without the images were those of a second model on the same questions."""
    questions = make_questions(images=40)
    seeing, guessing = make_answers(questions, 1.2, 1), make_answers(questions, 0.1, 2)
    groups = {image: image[:-5] for image in questions["image"]}  # tens of images
    for told in (None, groups):
        both = scored(tmp_path, "net", questions, seeing, groups=told, blind=guessing)
        found = aggregate_vqa([both], [note(tmp_path, "net")], 0.9)
        apart = tables_of(tmp_path, questions, [seeing, guessing], 0.9, told)
        row, pair = found.models.iloc[0], apart.comparisons.iloc[0]
        assert row["gain"] == pytest.approx(row["accuracy"] - row["blind"])
        assert row["blind"] == pytest.approx(apart.models["accuracy"][1])
        assert [row["gain"], row["gain_low"], row["gain_high"]] == pytest.approx(
            [pair["difference"], pair["low"], pair["high"]]
        )
        ends = ["blind_low", "blind_high"], ["low", "high"]
        assert row[ends[0]].tolist() == pytest.approx(apart.models.loc[1, ends[1]].tolist())
        by = ["by", "value"]
        parts = apart.groups[apart.groups["model"] == "m1"].set_index(by)["accuracy"]
        assert found.groups.set_index(by)["blind"].to_dict() == pytest.approx(parts.to_dict())


def test_without_blind_answers_there_is_no_gain_and_nothing_else_changes(tmp_path: Path) -> None:
    questions = make_questions()
    answers = make_answers(questions)
    without = tables_of(tmp_path, questions, [answers]).models
    assert without[SEEING].isna().all(axis=None)
    path = scored(tmp_path, "m0", questions, answers, blind=make_answers(questions, seed=5))
    with_ = aggregate_vqa([path], [note(tmp_path, "m0")], 0.95).models
    assert with_[SEEING].notna().all(axis=None)
    pd.testing.assert_frame_equal(with_.drop(columns=SEEING), without.drop(columns=SEEING))


def test_a_question_without_a_blind_answer_is_left_out_of_both(tmp_path: Path) -> None:
    questions = make_questions()
    answers, blind = make_answers(questions), make_answers(questions, seed=5)
    blind.loc[blind.index[0], ["p_yes", "reason"]] = [None, "too narrow"]
    path = scored(tmp_path, "m0", questions, answers, blind=blind)
    row = aggregate_vqa([path], [note(tmp_path, "m0")], 0.95).models.iloc[0]
    assert (row["n"], row["unanswered"]) == (len(answers) - 1, 1)
    with pytest.raises(ScoreVqaError, match="not to the same questions"):
        scored(tmp_path, "m1", questions, answers, blind=blind.iloc[1:])

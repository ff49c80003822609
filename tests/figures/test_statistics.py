"""The figures of the statistics show their tables' numbers and stay legible at any size."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from PIL import Image
from scipy.special import ndtr, ndtri

from synthsight.figures import style
from synthsight.figures.confusions import confusions
from synthsight.figures.difficulty import difficulty
from synthsight.figures.gallery import SHOWN, choose, gallery
from synthsight.figures.generators import generators
from synthsight.figures.kappa import NUMBERED, kappa
from synthsight.figures.placing import leader, place
from synthsight.figures.probits import ticks_of
from synthsight.figures.ranking import ranking
from synthsight.figures.reference import drops, reference
from synthsight.figures.robustness import NAMED, robustness
from synthsight.figures.rules import rules
from synthsight.labels import matching
from synthsight.plan import figures, specs
from synthsight.statistics.columns import REFERENCE
from tests.figures.test_classifiers import (
    HOSTILE,
    LONG_MODELS,
    RULE,
    assert_legible,
    names,
    picture,
    row_labels,
    texts,
    words,
)
from tests.support import plot

RULES = list(matching.RULES)
METRICS = ("top1", "top5")
SHORT = names("net", 10)
CATEGORIES = names("kite", 17)


# --- Tables -----------------------------------------------------------------------------------


def accuracy_table(
    models: list[str], categories: list[str], rules_: list[str], generators_: list[str]
) -> pd.DataFrame:
    random = np.random.default_rng(0)
    keys = list(itertools.product(models, [*categories, "*"], ["*", *generators_], rules_))
    table = pd.DataFrame(keys, columns=["model", "category", "generator", "rule"])
    table["n"] = 20
    table[["top1", "top5"]] = np.sort(random.uniform(0, 1, (len(table), 2)), axis=1)
    for metric, column in itertools.product(METRICS, ("low", "high")):
        side = -0.05 if column == "low" else 0.07
        table[f"{metric}_{column}"] = (table[metric] + side).clip(0, 1)
    return table


def reference_table(models: list[str], unknown: tuple[str, ...] = ()) -> pd.DataFrame:
    means = accuracy_table(models, [], [RULE, "classes"], ["dalle"]).drop(columns="category")
    means["category"], means["kind"], means["source"] = "*", "published", "a paper"
    means["categories"], means["n_reference"] = 2, pd.array([None] * len(means), "Int64")
    for number, metric in enumerate(METRICS):
        value = 0.7 + 0.1 * number + np.linspace(0, 0.19, len(means))
        means[f"reference_{metric}"] = np.where(means["model"].isin(unknown), np.nan, value)
        means[f"reference_{metric}_low"] = means[f"reference_{metric}_high"] = np.nan
        drop = means[f"reference_{metric}"] - means[metric]
        means[f"drop_{metric}"] = drop
        means[f"drop_{metric}_low"], means[f"drop_{metric}_high"] = drop - 0.03, drop + 0.04
    return means


def drops_table(models: list[str], categories: list[str]) -> pd.DataFrame:
    """Rows about means and categories, of both kinds of reference, by generator and for all."""
    cells = accuracy_table(models, categories, [RULE, "classes"], ["dalle"])
    cells["kind"], cells["source"], cells["n_reference"], cells["categories"] = (
        "measured",
        "r",
        9,
        2,
    )
    for number, metric in enumerate(METRICS):
        drop = np.linspace(0.4, -0.2, len(cells)) * (1 - number / 2)
        cells[f"reference_{metric}"] = (cells[metric] + drop).clip(0, 1)
        cells[f"reference_{metric}_low"] = cells[f"reference_{metric}"] - 0.05
        cells[f"reference_{metric}_high"] = cells[f"reference_{metric}"] + 0.05
        cells[f"drop_{metric}"] = cells[f"reference_{metric}"] - cells[metric]
        cells[f"drop_{metric}_low"] = cells[f"drop_{metric}"] - 0.1
        cells[f"drop_{metric}_high"] = cells[f"drop_{metric}"] + 0.1
    stated = cells[cells["category"] == "*"].assign(kind="published")
    return pd.concat([cells, stated], ignore_index=True)


def with_photographs(table: pd.DataFrame, **changed: pd.Series) -> pd.DataFrame:
    """Rows about generated images, and others about real photographs, which say something else."""
    parts = [table.assign(generator="*"), table.assign(generator="photographs", **changed)]
    return pd.concat(parts, ignore_index=True)


def generated(table: pd.DataFrame) -> pd.DataFrame:
    """The rows about all generated images."""
    return table[table["generator"] == "*"]


def generators_table(models: list[str], generators_: list[str]) -> pd.DataFrame:
    random = np.random.default_rng(1)
    pairs = list(itertools.combinations(sorted(generators_), 2))
    keys = itertools.product(["*", *models], [RULE, "classes"], METRICS, pairs)
    rows = [(model, rule, hit, *pair) for model, rule, hit, pair in keys]
    table = pd.DataFrame(rows, columns=["model", "rule", "hit", "a", "b"])
    table["difference"] = random.uniform(-0.9, 0.9, len(table))
    table["low"], table["high"] = table["difference"] - 0.05, table["difference"] + 0.08
    return table.assign(categories=3, n_a=60, n_b=60, a_mean=0.5, b_mean=0.5)


def kappa_table(models: list[str]) -> pd.DataFrame:
    """Two groups of models, the even and the odd ones, that agree within and not between."""
    random = np.random.default_rng(2)
    rows = []
    for (a, first), (b, second) in itertools.combinations(
        sorted(zip(models, range(len(models)), strict=True)), 2
    ):
        value = (0.7 if first % 2 == second % 2 else 0.1) + random.uniform(-0.05, 0.05)
        for rule, hit, shift in ((RULE, "top1", 0), (RULE, "top5", 0.2), ("classes", "top1", 0.1)):
            rows.append((rule, hit, a, b, value + shift))
    table = pd.DataFrame(rows, columns=["rule", "hit", "a", "b", "kappa"])
    table = table.assign(n=20, observed=0.8, expected=0.5, low=-0.1, high=0.9)
    return with_photographs(table, kappa=-table["kappa"])


def difficulty_table(models: int, generators_: list[str]) -> pd.DataFrame:
    random = np.random.default_rng(3)
    keys = itertools.product(["*", *generators_], ["*", "kite"], [RULE, "classes"], METRICS)
    rows = []
    for key in keys:
        images = random.integers(0, 1500, models + 1)
        for number, n in enumerate(images):
            rows.append((*key, number, n, n / images.sum()))
    columns = ["generator", "category", "rule", "hit", "models", "n", "share"]
    return pd.DataFrame(rows, columns=columns)


def ranking_table(models: list[str]) -> pd.DataFrame:
    random = np.random.default_rng(4)
    rows = []
    for rule, hit in itertools.product((RULE, "classes"), METRICS):
        means = random.permutation(np.linspace(0.3, 0.9, len(models)))
        for model, mean in zip(models, means, strict=True):
            shares = random.dirichlet(np.full(len(models), 0.3)).round(3)
            for rank, share in enumerate(shares, start=1):
                rows.append((rule, hit, model, mean, rank, share))
    table = pd.DataFrame(rows, columns=["rule", "hit", "model", "mean", "rank", "share"])
    # What is true of photographs is not drawn.
    return with_photographs(table, share=1 - table["share"], mean=1 - table["mean"])


def confusions_table(categories: list[str], classes: list[str]) -> pd.DataFrame:
    random = np.random.default_rng(5)
    rows = [
        (model, category, rule, name, random.integers(1, 99))
        for model in ("*", "net")
        for category in categories
        for rule in (RULE, "classes")
        for name in classes
    ]
    table = pd.DataFrame(rows, columns=["model", "category", "rule", "predicted", "n"])
    table = table.assign(share=table["n"] / 1000)
    return with_photographs(table, share=1 - table["share"])


def sources_table(real: str) -> pd.DataFrame:
    """Where images are from, of which one source is of photographs."""
    return pd.DataFrame({"generator": ["a", "b"], "real": [real == "a", real == "b"]})


def images_table(models: int, categories: list[str], each: int) -> pd.DataFrame:
    random = np.random.default_rng(6)
    rows = [
        (f"dalle/{category}/{number}.png", category, "dalle", rule, models)
        for rule in (RULE, "classes")
        for category in categories
        for number in range(each)
    ]
    table = pd.DataFrame(rows, columns=["image", "category", "generator", "rule", "models"])
    table["top1"] = random.integers(0, models + 1, len(table))
    table["top5"] = random.integers(table["top1"], models + 1)
    return table.assign(real=False)


def robustness_tables(
    models: list[str], generators_: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of robustness and of references, of which each generator's is harder."""
    random = np.random.default_rng(8)
    real = np.linspace(0.95, 0.4, len(models))
    generated_ = ndtr(0.8 * ndtri(real) - 0.4 + random.normal(0, 0.2, len(models)))
    slope, intercept = np.polyfit(ndtri(real), ndtri(generated_), 1)
    expected = ndtr(intercept + slope * ndtri(real))
    line = pd.DataFrame({"model": models, "real": real, "generated": generated_})
    line = line.assign(models=len(models), categories=9, slope=slope, intercept=intercept)
    line = line.assign(expected=expected, residual=generated_ - expected)
    line = line.assign(low=line["residual"] - 0.02, high=line["residual"] + 0.03)
    wrong = line.assign(residual=-line["residual"], slope=-line["slope"])
    table = pd.concat(
        [
            line.assign(rule=RULE, hit="top1"),
            wrong.assign(rule=RULE, hit="top5"),
            wrong.assign(rule="classes", hit="top1"),
        ]
    )
    parts = []
    for number, name in enumerate(["*", *generators_]):
        part = pd.DataFrame({"model": models, "reference_top1": real, "top1": generated_})
        part["top1"] *= 1 - 0.1 * number
        for metric in ("reference_top1", "top1"):
            part[f"{metric}_low"] = part[metric] - 0.03
            part[f"{metric}_high"] = (part[metric] + 0.04).clip(upper=1)
        parts.append(part.assign(generator=name, n=900 - number, n_reference=90))
    means = pd.concat(parts).assign(category="*", kind="measured", rule=RULE)
    others = means.assign(kind="published"), means.assign(category="kite"), means.assign(rule="x")
    means = pd.concat([means, *(part.assign(top1=0.01) for part in others)])
    return table, means.reindex(columns=list(REFERENCE))


def draw(name: str, models: list[str], categories: list[str], many: list[str]) -> Figure:
    """Draw one of the figures; ``many`` are its generators."""
    if name == "rules":
        return rules(accuracy_table(models, categories, RULES, []), RULE)
    if name == "reference":
        return reference(reference_table(models, unknown=(models[-1],)), RULE)
    if name == "drops":
        return drops(drops_table(models, categories), RULE)
    if name == "robustness":
        return robustness(*robustness_tables(models, many), RULE)
    if name == "generators":
        table = accuracy_table(models, categories[:1], [RULE], many)
        return generators(table, generators_table(models, many), many[-1:], RULE)
    if name == "kappa":
        return kappa(kappa_table(models), RULE)
    if name == "difficulty":
        return difficulty(difficulty_table(len(models), many), many[-1:], RULE)
    if name == "ranking":
        return ranking(ranking_table(models), RULE)
    if name == "confusions":
        return confusions(confusions_table(categories, [*HOSTILE, *LONG_MODELS[:2]]), RULE)
    return gallery(images_table(len(models), categories, each=3), RULE, picture)


FIGURES = [
    "rules",
    "reference",
    "drops",
    "robustness",
    "generators",
    "kappa",
    "difficulty",
    "ranking",
    "confusions",
    "gallery",
]


# --- All figures ------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize(
    ("models", "categories"),
    [(LONG_MODELS[:1], CATEGORIES[:1]), (SHORT, CATEGORIES), (LONG_MODELS, names("shark", 100))],
    ids=["one", "ten", "hundred"],
)
@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_legible(name: str, models: list[str], categories: list[str]) -> None:
    assert_legible(draw(name, models, categories, names("a_long_generator", 3)))


@pytest.mark.long
@pytest.mark.parametrize("name", FIGURES)
def test_hostile_names_are_plain_text_and_bytes_are_the_same(
    name: str,
    tmp_path: Path,
    recwarn: pytest.WarningsRecorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for time in ("1", "2000000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", time)
        figure = draw(name, HOSTILE, HOSTILE, HOSTILE[:3])
        style.save(figure, tmp_path / f"{time}.pdf", tmp_path / f"{time}.png")
    for suffix in ("pdf", "png"):
        first, second = (tmp_path / f"{time}.{suffix}" for time in ("1", "2000000000"))
        assert first.read_bytes() == second.read_bytes()
    assert_legible(figure)
    assert not any(text.get_parse_math() for text in texts(figure))
    assert not any("\n" in text.get_text() for text in texts(figure))
    assert [str(warning.message) for warning in recwarn if "lyph" in str(warning.message)] == []
    assert "$" in words(figure)


# Tables of the others may well hold no row under a rule.
@pytest.mark.parametrize("name", [n for n in FIGURES if n != "confusions"])
def test_a_rule_that_the_table_lacks_is_named_with_those_found(name: str) -> None:
    with pytest.raises(ValueError, match=f"'nothing'; rules found: .*{RULE}"):
        CALLS[name]("nothing")


def two(values: object) -> list[str]:
    """Percentage points as the figures write them."""
    return [f"{round(100 * x, 1) + 0.0:.1f}".replace("-", "\N{MINUS SIGN}") for x in values]  # type: ignore[attr-defined]


def column(axes: object, head: str) -> list[str]:
    """The numbers of a column beside the rows, from the top down."""
    (found,) = (text for text in axes.texts if text.get_text() == head)  # type: ignore[attr-defined]
    x = found.get_position()[0]
    below = [t for t in axes.texts if t is not found and t.get_position()[0] == x]  # type: ignore[attr-defined]
    return [t.get_text() for t in sorted(below, key=lambda text: float(text.get_position()[1]))]


def spans(axes: object, label: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values and interval bounds of the marks with a label, from the top row down."""
    (container,) = (
        item
        for item in axes.containers  # type: ignore[attr-defined]
        if isinstance(item, ErrorbarContainer) and item.get_label() == label
    )
    line, _, (bars,) = container.lines
    segments = np.array(bars.get_segments())
    return np.asarray(line.get_xdata()), segments[:, 0, 0], segments[:, 1, 0]


def line(axes: object, label: str) -> np.ndarray:
    (found,) = (item for item in axes.lines if item.get_label() == label)  # type: ignore[attr-defined]
    return np.asarray(found.get_xdata())


# --- Each figure's numbers --------------------------------------------------------------------


def test_rules_shows_every_rule_and_the_largest_difference() -> None:
    table = accuracy_table(SHORT[:4], CATEGORIES[:5], RULES, ["dalle"])
    figure = rules(table.sample(frac=1, random_state=1), RULE)
    pooled = table[table["generator"] == "*"]
    primary = pooled[pooled["rule"] == RULE]
    means = primary[primary["category"] == "*"].sort_values("top1", ascending=False)
    best = means["model"].iloc[0]
    own = primary[(primary["model"] == best) & (primary["category"] != "*")]
    order = own.sort_values("top1", ascending=False)["category"].tolist()
    parts = (
        (figure.axes[:2], "model", means["model"].tolist(), pooled[pooled["category"] == "*"]),
        (figure.axes[2:], "category", order, pooled[pooled["model"] == best]),
    )
    for panels, by, rows, part in parts:
        assert row_labels(panels[0]) == rows
        for axes, metric in zip(panels, METRICS, strict=True):
            values = part.pivot_table(index=by, columns="rule", values=metric).loc[rows]
            for rule in RULES:
                np.testing.assert_array_equal(line(axes, rule), values[rule])
            assert column(axes, "points") == two(values.max(axis=1) - values.min(axis=1))
    assert best in words(figure)
    assert f"{RULE} (primary)" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_rules_with_one_rule_has_no_differences() -> None:
    assert "points" not in words(rules(accuracy_table(SHORT, CATEGORIES, [RULE], []), RULE))


def test_reference_shows_both_accuracies_and_the_drop_where_it_is_known() -> None:
    table = reference_table(SHORT[:5], unknown=("net_002",))
    figure = reference(table.sample(frac=1, random_state=1), RULE)
    (axes,) = figure.axes
    means = table[(table["generator"] == "*") & (table["rule"] == RULE)]
    means = means.sort_values("top1", ascending=False)
    known = means[means["source"].notna() & means["reference_top1"].notna()]
    assert row_labels(axes) == means["model"].tolist()
    for metric, label in (("top1", "top-1"), ("top5", "top-5")):
        value, low, high = spans(axes, label)
        np.testing.assert_allclose(value, means[metric])
        np.testing.assert_allclose(low, means[f"{metric}_low"])
        np.testing.assert_allclose(high, means[f"{metric}_high"])
        hollow = [
            item.get_xdata()[0]
            for item in axes.lines
            if item.get_label() == f"{label} of the reference"
        ]
        assert hollow == known[f"reference_{metric}"].tolist()
        drops = [number for number in column(axes, f"drop {label}") if number != "\N{EN DASH}"]
        assert drops == two(known[f"drop_{metric}"])
        for low_text, high_text in zip(
            two(known[f"drop_{metric}_low"]), two(known[f"drop_{metric}_high"]), strict=True
        ):
            assert f"({low_text}, {high_text})" in words(figure)
    assert "No reference is known for 1 model." in words(figure)
    assert "hollow" in words(figure)
    none = reference(table[table["model"] == "net_002"], RULE)
    assert "No reference is known." in words(none) and "hollow" not in words(none)


def test_generators_shows_means_and_differences() -> None:
    models, many = SHORT[:3], ["dalle", "midjourney", "sd"]
    accuracy = accuracy_table(models, CATEGORIES[:2], [RULE, "classes"], many)
    table = generators_table(models, many)
    figure = generators(accuracy, table.sample(frac=1, random_state=1), ["dalle"], RULE)
    assert "2 generators and real photographs" in words(figure)
    keys = [text.get_text() for text in figure.legends[0].get_texts()]
    assert keys == ["midjourney", "sd", "dalle (real)"]
    order = style.ranked(accuracy, RULE)["model"].tolist()
    means = accuracy[(accuracy["category"] == "*") & (accuracy["rule"] == RULE)]
    assert row_labels(figure.axes[0]) == order
    for axes, metric in zip(figure.axes[:2], METRICS, strict=True):
        for name in many:
            rows = means[means["generator"] == name].set_index("model").loc[order]
            value, low, high = spans(axes, name)
            np.testing.assert_allclose(value, rows[metric])
            np.testing.assert_allclose(low, rows[f"{metric}_low"])
            np.testing.assert_allclose(high, rows[f"{metric}_high"])
    blocks = itertools.product(itertools.combinations(many, 2), METRICS)
    for axes, ((a, b), metric) in zip(figure.axes[2:], blocks, strict=True):
        rows = table[(table["a"] == a) & (table["b"] == b) & (table["hit"] == metric)]
        rows = rows[rows["rule"] == RULE].set_index("model").loc[["*", *order]]
        head = f"{a} \N{MINUS SIGN} {b}"
        if a == "dalle":  # photographs are what is subtracted, whatever they are called
            head = f"{b} \N{MINUS SIGN} dalle (real)"
            rows = pd.DataFrame(
                {"difference": -rows["difference"], "low": -rows["high"], "high": -rows["low"]}
            )
        value, low, high = spans(axes, metric.replace("top", "top-"))
        np.testing.assert_allclose(value, rows["difference"])
        np.testing.assert_allclose(low, rows["low"])
        np.testing.assert_allclose(high, rows["high"])
        assert column(axes, "points") == two(rows["difference"])
        assert head in words(figure)
    assert row_labels(figure.axes[2]) == ["mean over the models", *order]


@pytest.mark.long
def test_generators_keeps_only_the_means_when_there_are_many() -> None:
    many = names("generator", 12)
    accuracy = accuracy_table(SHORT, CATEGORIES[:1], [RULE], many)
    table = generators_table(SHORT, many)
    figure = generators(accuracy, table, (), RULE)
    assert_legible(figure)
    rows = table[(table["model"] == "*") & (table["rule"] == RULE) & (table["hit"] == "top1")]
    value, _, _ = spans(figure.axes[2], "top-1")
    np.testing.assert_allclose(value, rows["difference"])


def test_generators_without_a_category_in_common_are_not_compared() -> None:
    many = ["dalle", "midjourney"]
    accuracy = accuracy_table(SHORT[:2], CATEGORIES[:2], [RULE], many)
    figure = generators(accuracy, generators_table(SHORT[:2], many).head(0), (), RULE)
    assert len(figure.axes) == 2
    assert "No two generators" in words(figure)
    assert_legible(figure)


def test_kappa_puts_models_that_agree_side_by_side_with_their_numbers() -> None:
    table = kappa_table(SHORT)
    table.loc[(table["a"] == "net_000") & (table["b"] == "net_001"), "kappa"] = np.nan
    assert set(table["generator"]) == {"*", "photographs"}
    figure = kappa(table.sample(frac=1, random_state=1), RULE)
    axes = figure.axes[0]
    rows = [text for text in figure.texts if text.get_text() in SHORT]
    order = [t.get_text() for t in sorted(rows, key=lambda text: -text.get_position()[1])]
    assert sorted(order) == SHORT
    assert len({int(name[-1]) % 2 for name in order[:5]}) == 1

    used = generated(table[(table["rule"] == RULE) & (table["hit"] == "top1")])
    expected = {frozenset(pair): value for *pair, value in used[["a", "b", "kappa"]].to_numpy()}
    (mesh,) = axes.collections
    matrix = np.ma.filled(mesh.get_array(), np.nan).reshape(10, 10)
    written = {
        (int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in axes.texts
    }
    for row, column_ in itertools.product(range(10), repeat=2):
        if row == column_:
            assert np.isnan(matrix[row, column_]) and (row, column_) not in written
            continue
        value = expected[frozenset((order[row], order[column_]))]
        np.testing.assert_equal(matrix[row, column_], value)
        text = "\N{EN DASH}" if np.isnan(value) else f"{value:.2f}"
        assert written[row, column_].replace("\N{MINUS SIGN}", "-") == text
    assert "undefined, 1 pair" in words(figure)
    # The tree's leaves are the rows.
    (tree,) = figure.axes[1].collections
    assert len(tree.get_segments()) == 9


def test_kappa_of_one_model_says_that_there_is_no_pair() -> None:
    assert "no pair" in words(kappa(kappa_table(["net"]), RULE))


def test_kappa_has_no_numbers_in_the_cells_of_many_models() -> None:
    assert not kappa(kappa_table(names("net", NUMBERED + 1)), RULE).axes[0].texts


def test_kappa_with_no_defined_pair_is_drawn() -> None:
    figure = kappa(kappa_table(SHORT[:3]).assign(kappa=np.nan), RULE)
    assert "undefined, 3 pairs" in words(figure)
    assert_legible(figure)


def test_difficulty_has_one_scale_a_metric_that_ends_at_a_number() -> None:
    table = difficulty_table(3, ["dalle", "sd"])
    used = (table["category"] == "*") & (table["rule"] == RULE)
    shares = {"top1": [0.1, 0.2, 0.27, 0.43], "top5": [0.0, 0.0, 0.05, 0.95]}
    for metric, values in shares.items():
        rows = table.index[used & (table["hit"] == metric)]
        table.loc[rows, "share"] = np.tile(values, len(rows) // 4)
    figure = difficulty(table, (), RULE)
    for axes, ends in zip(figure.axes, itertools.cycle(["45", "100"]), strict=False):
        written = [label.get_text() for label in axes.get_yticklabels()]
        assert written[-1] == ends and axes.get_ylim()[1] == axes.get_yticks()[-1]
    assert len({axes.get_position().height for axes in figure.axes}) == 1


def test_difficulty_shows_the_images_by_number_of_models() -> None:
    many = ["dalle", "midjourney"]
    table = difficulty_table(4, many)
    figure = difficulty(table.sample(frac=1, random_state=1), (), RULE)
    panels = itertools.product(["*", *many], METRICS)
    for axes, (generator, metric) in zip(figure.axes, panels, strict=True):
        rows = table[
            (table["generator"] == generator)
            & (table["category"] == "*")
            & (table["rule"] == RULE)
            & (table["hit"] == metric)
        ]
        np.testing.assert_allclose([bar.get_height() for bar in axes.patches], rows["share"])
        assert [text.get_text() for text in axes.texts] == [f"{n:,}" for n in rows["n"]]
        assert [label.get_text() for label in axes.get_xticklabels()] == list("01234")
        assert f"{rows['n'].sum():,} images" in words(figure)
    # One generator is all there is.
    assert len(difficulty(difficulty_table(4, ["dalle"]), (), RULE).axes) == 2
    # Photographs are no generator, and not among the generated images.
    beside = difficulty(table, ["midjourney"], RULE)
    assert len(beside.axes) == 4
    assert "all generated images" in words(beside)
    assert "midjourney (real photographs)" in words(beside)


def test_ranking_shows_the_shares_in_the_order_of_the_means() -> None:
    table = ranking_table(SHORT[:4])
    rows = generated(table[(table["rule"] == RULE) & (table["hit"] == "top1")])
    # A rank never held may have no row.
    figure = ranking(table[table["share"] > 0].sample(frac=1, random_state=1), RULE)
    axes = figure.axes[0]
    means = rows.drop_duplicates("model").sort_values("mean", ascending=False)
    order = means["model"].tolist()
    assert row_labels(axes) == order
    wide = rows.pivot_table(index="model", columns="rank", values="share").loc[order].to_numpy()
    (mesh,) = (item for item in axes.collections if item.get_array() is not None)
    np.testing.assert_allclose(np.ma.filled(mesh.get_array(), 0.0).reshape(4, 4), wide)
    assert column(axes, "mean (%)") == two(means["mean"])
    cells = {
        (round(t.get_position()[1]), round(t.get_position()[0]) - 1): t.get_text()
        for t in axes.texts
        if t.get_ha() == "center"
    }
    for (row, rank), share in np.ndenumerate(wide):
        if share == 0:
            assert (row, rank) not in cells
        elif share < 0.005:
            assert cells[row, rank] == "<1"
        else:
            assert cells[row, rank] in (f"{100 * share:.0f}", ">99")


def test_confusions_shows_the_three_most_frequent_of_each_category() -> None:
    table = confusions_table(CATEGORIES[:3], names("class", 6))
    figure = confusions(table.sample(frac=1, random_state=1), RULE)
    used = generated(table[(table["model"] == "*") & (table["rule"] == RULE)])
    most = used.sort_values("share", ascending=False).groupby("category").head(3)
    order = most.drop_duplicates("category")["category"].tolist()
    written = [text.get_text() for text in figure.texts]
    assert [text for text in written if text in CATEGORIES] == order
    bars = [patch for patch in figure.axes[0].patches if patch.get_label() in CATEGORIES]
    longest = max(bar.get_width() for bar in bars) / most["share"].max()
    keys = zip(figure.legends[0].get_patches(), figure.legends[0].get_texts(), strict=True)
    said = {patch.get_facecolor(): text.get_text() for patch, text in keys}
    assert said[bars[0].get_facecolor()] == "the most frequent wrong class"
    assert said[bars[1].get_facecolor()] == said[bars[2].get_facecolor()] == "the next ones"
    for number, category in enumerate(order):
        rows = most[most["category"] == category]
        start = written.index(category)
        pairs = zip(rows["predicted"], [f"{100 * x:.1f}" for x in rows["share"]], strict=True)
        assert written[start + 1 : start + 7] == list(itertools.chain.from_iterable(pairs))
        widths = [bar.get_width() for bar in bars[3 * number : 3 * number + 3]]
        np.testing.assert_allclose(widths, rows["share"] * longest)


def test_confusions_without_mistakes_says_so() -> None:
    figure = confusions(confusions_table(["kite"], ["a"]), "restricted")
    assert "No first prediction is wrong" in words(figure)


def test_gallery_chooses_by_models_and_lets_categories_take_turns() -> None:
    table = images_table(4, ["ant", "bee"], each=40)
    table = table[table["rule"] == RULE].reset_index(drop=True)
    hardest, easiest = choose(table)
    assert len(hardest) == len(easiest) == SHOWN
    assert hardest["top1"].tolist() == sorted(table["top1"])[:SHOWN]
    assert easiest["top1"].tolist() == sorted(table["top1"], reverse=True)[:SHOWN]
    assert hardest["category"].value_counts().tolist() == [6, 6]
    # Of a category's equals the one that fewest models get within five comes first.
    equal = table[(table["top1"] == 0) & (table["category"] == "ant")]
    chosen = hardest[(hardest["top1"] == 0) & (hardest["category"] == "ant")]
    assert chosen["top5"].tolist() == sorted(equal["top5"])[: len(chosen)]
    again = choose(table.sample(frac=1, random_state=1))
    assert [part["image"].tolist() for part in again] == [
        part["image"].tolist() for part in (hardest, easiest)
    ]


def test_gallery_shows_no_image_twice_and_its_number_of_models() -> None:
    table = images_table(4, ["ant", "bee"], each=5)
    asked: list[str] = []

    def read(image: str) -> Image.Image:
        asked.append(image)
        return picture(image)

    figure = gallery(table, RULE, read)
    assert len(asked) == len(set(asked)) == 10
    used = table[table["rule"] == RULE].set_index("image")
    written = [text.get_text() for text in figure.texts]
    counts = [text for text in written if text.endswith("of 4 models")]
    assert counts == [f"{used.loc[image, 'top1']} of 4 models" for image in asked]
    assert [text for text in written if text in used.index] == asked
    assert [text for text in written if text in ("ant", "bee")] == used.loc[
        asked, "category"
    ].tolist()


def test_drops_has_the_best_model_s_categories_by_drop() -> None:
    table = drops_table(SHORT[:3], CATEGORIES)
    figure = drops(table, RULE)
    rows = table[(table["kind"] == "measured") & (table["rule"] == RULE)]
    rows = rows[rows["generator"] == "*"]
    means = rows[rows["category"] == "*"]
    best = means.loc[means["top1"].idxmax(), "model"]
    assert best in words(figure)
    cells = rows[(rows["model"] == best) & (rows["category"] != "*")]
    order = cells.sort_values(["drop_top1", "category"], ascending=[False, True])["category"]
    (axes,) = [each for each in figure.axes if each.get_yticklabels()]
    assert [label.get_text() for label in axes.get_yticklabels()] == order.tolist()


def test_drops_are_of_no_model_that_was_trained_on_the_images() -> None:
    table = drops_table(SHORT[:3], CATEGORIES)
    means = table[(table["kind"] == "measured") & (table["rule"] == RULE)]
    means = means[(means["generator"] == "*") & (means["category"] == "*")]
    first, second, _ = means.sort_values("top1", ascending=False)["model"]
    assert f"{first}, the best model by" in words(drops(table, RULE))
    said = words(drops(table, RULE, adapted=[first]))
    assert f"{second}, the best model that was not trained on such images by" in said
    # Where all were trained on them, the best of them is shown.
    assert f"{first}, the best model by" in words(drops(table, RULE, adapted=SHORT[:3]))


def test_drops_says_that_there_is_nothing_where_no_category_has_photographs() -> None:
    table = drops_table(SHORT[:2], CATEGORIES)
    assert "nothing to show" in words(drops(table[table["kind"] == "published"], RULE))


def test_gallery_leaves_real_photographs_out_and_says_so() -> None:
    table = images_table(4, ["ant", "bee"], each=5)
    real = set(table["image"].unique()[::3])
    asked: list[str] = []

    def read(image: str) -> Image.Image:
        asked.append(image)
        return picture(image)

    figure = gallery(table.assign(real=table["image"].isin(real)), RULE, read)
    assert set(asked) == set(table["image"]) - real
    assert "hardest and the easiest generated images" in words(figure)


def test_a_line_that_does_not_rise_is_said_to_explain_nothing() -> None:
    table, means = robustness_tables(SHORT[:5], ["dalle"])
    assert "Above the line a model does better" in words(robustness(table, means, RULE))
    for slope, said in ((-0.1, "The line falls"), (0.0, "The line is level")):
        figure = robustness(table.assign(slope=slope), means, RULE)
        said += ": here accuracy on photographs says nothing"
        assert said in words(figure).replace("\n", " ")
        assert "Above the line" not in words(figure)


def test_models_trained_on_the_images_are_said_to_have_no_part() -> None:
    table, means = robustness_tables(SHORT[:5], ["dalle"])
    for figure, done in (
        (robustness(table, means, RULE, adapted=["own"]), "counted"),
        (ranking(ranking_table(SHORT[:5]), RULE, adapted=["own"]), "ranked"),
    ):
        said = f"One model that was trained on such images is not {done}."
        assert said in words(figure).replace("\n", " ")
    # Without others they are compared with each other.
    assert "is not" not in words(ranking(ranking_table(SHORT[:1]), RULE, adapted=SHORT[:1]))


def test_axes_of_probits_show_round_percentages() -> None:
    assert ticks_of((-0.3, 1.26), 1.25, 0.32) == [50, 80]
    assert ticks_of((-0.3, 1.26), 1.35, 0.32) == [50, 65, 80]
    assert ticks_of((float(ndtri(0.612)), float(ndtri(0.648))), 1.0, 0.3) == [62, 64]


def test_a_name_without_room_beside_its_point_has_a_line_to_it() -> None:
    points = [(1.0, 1.0), *((1.0 + x / 8, 1.0 + y / 8) for x in (-1, 0, 1) for y in (-1, 1))]
    points += [(0.85, 1.0), (1.15, 1.0)]
    room = (0.0, 0.0, 2.0, 2.0)
    widths = [0.5] * len(points)
    assert 0 not in place(points, widths, [0], 0.1, room)
    ((left, bottom),) = place(points, widths, [0], 0.1, room, further=True).values()
    box = (left, bottom, left + 0.5, bottom + 0.1)
    end = leader(points[0], box)
    assert end is not None
    steps = np.linspace(0, 1, 50)[:, None]
    along = np.array(points[0]) + steps * (np.array(end) - points[0])
    for x, y in points[1:]:
        assert not (box[0] < x < box[2] and box[1] < y < box[3])
        assert np.hypot(*(along - (x, y)).T).min() > 0.03
    # Right beside a point no line is needed.
    assert leader((1.0, 1.0), (1.045, 0.95, 1.5, 1.05)) is None


def test_robustness_shows_both_accuracies_and_every_distance_from_the_line() -> None:
    models = SHORT[:8]
    table, means = robustness_tables(models, ["dalle", "sd"])
    figure = robustness(table.sample(frac=1, random_state=1), means, RULE)
    line_ = table[(table["rule"] == RULE) & (table["hit"] == "top1")]
    points, distances, *panels = figure.axes
    order = line_.sort_values("residual", ascending=False)
    assert row_labels(distances) == order["model"].tolist()
    assert column(distances, "points") == two(order["residual"])
    assert f"({two(order['low'])[0]}, {two(order['high'])[0]})" in words(figure)
    for axes, name in zip([points, *panels], ["*", "dalle", "sd"], strict=True):
        own = means[(means["generator"] == name) & (means["kind"] == "measured")]
        own = own[(own["category"] == "*") & (own["rule"] == RULE)]
        x = (own["reference_top1"] * own["n_reference"] + 0.5) / (own["n_reference"] + 1)
        y = (own["top1"] * own["n"] + 0.5) / (own["n"] + 1)
        drawn = [item.lines[0].get_xydata() for item in axes.containers]
        np.testing.assert_allclose(
            sorted(map(tuple, np.vstack(drawn))),
            sorted(zip(ndtri(x), ndtri(y), strict=True)),
        )
        (fitted,) = (item for item in axes.lines if item.get_label() == "line over the models")
        ends = fitted.get_xydata()
        slope, intercept = line_[["slope", "intercept"]].iloc[0]
        np.testing.assert_allclose(ends[:, 1], intercept + slope * ends[:, 0])
    sides = {item.get_label(): len(item.lines[0].get_xdata()) for item in points.containers}
    assert sides.get("above the line", 0) == (line_["low"] > 0).sum()
    assert sides.get("below the line", 0) == (line_["high"] < 0).sum()
    # The axes are of percentages, in their places.
    for tick, label in zip(points.get_xticks(), points.get_xticklabels(), strict=True):
        assert tick == pytest.approx(ndtri(float(label.get_text()) / 100))


@pytest.mark.parametrize("number", [5, NAMED + 1, 100])
def test_robustness_names_models_where_there_is_room(number: int) -> None:
    models = names("net", number)
    table, means = robustness_tables(models, [])
    figure = robustness(table, means, RULE)
    assert_legible(figure)
    line_ = table[(table["rule"] == RULE) & (table["hit"] == "top1")].set_index("model")
    named = {text.get_text() for text in figure.axes[0].texts}
    off = set(line_.index[(line_["low"] > 0) | (line_["high"] < 0)])
    assert named <= (set(models) if number <= NAMED else off)
    assert len(named) >= min(5, len(off))
    assert set(row_labels(figure.axes[1])) == set(models)


def test_robustness_without_a_common_category_says_so() -> None:
    table, means = robustness_tables(SHORT[:5], [])
    assert "nothing to show" in words(robustness(table.head(0), means, RULE))


def test_names_cover_neither_points_nor_each_other() -> None:
    points = [(0.05 * (number % 7), 0.08 * (number % 5)) for number in range(30)]
    found = place(points, [0.2] * 30, range(30), 0.1, (0, 0, 1, 1))
    assert 0 < len(found) < 30
    boxes = [(x, y, x + 0.2, y + 0.1) for x, y in found.values()]
    for left, bottom, right, top in boxes:
        assert 0 <= left < right <= 1 and 0 <= bottom < top <= 1
        assert not any(left < x < right and bottom < y < top for x, y in points)
    for a, b in itertools.combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    # The first in the order have the choice.
    assert place([(0, 0), (0, 0)], [0.2] * 2, [1, 0], 0.1, (0, 0, 0.3, 0.1)).keys() <= {1}


def test_gallery_shows_nothing_hard_that_all_get_and_nothing_easy_that_none_gets() -> None:
    table = images_table(2, ["ant"], each=6)
    every = words(gallery(table.assign(top1=2, top5=2), RULE, picture)).replace("\n", " ")
    assert "Hardest" not in every and "No image is missed." in every
    none = words(gallery(table.assign(top1=0), RULE, picture)).replace("\n", " ")
    assert "Easiest" not in none and "No image is got." in none


def test_kappa_s_colours_end_at_1() -> None:
    table = kappa_table(SHORT[:3]).assign(kappa=1.0)
    bar = kappa(table, RULE).axes[-1]
    assert bar.get_xlim() == pytest.approx((0.8, 1))


# --- Scripts ----------------------------------------------------------------------------------

CALLS: dict[str, Callable[[str], Figure]] = {
    "rules": lambda rule: rules(accuracy_table(SHORT[:2], CATEGORIES[:2], RULES, []), rule),
    "reference": lambda rule: reference(reference_table(SHORT[:2]), rule),
    "drops": lambda rule: drops(drops_table(SHORT[:2], CATEGORIES[:2]), rule),
    "generators": lambda rule: generators(
        accuracy_table(SHORT[:2], ["kite"], [RULE], ["a", "b"]),
        generators_table(SHORT[:2], ["a", "b"]),
        (),
        rule,
    ),
    "robustness": lambda rule: robustness(*robustness_tables(SHORT[:5], []), rule),
    "kappa": lambda rule: kappa(kappa_table(SHORT[:3]), rule),
    "difficulty": lambda rule: difficulty(difficulty_table(2, []), (), rule),
    "ranking": lambda rule: ranking(ranking_table(SHORT[:2]), rule),
    "gallery": lambda rule: gallery(images_table(2, ["kite"], 2), rule, picture),
}
TABLES: dict[str, dict[str, Callable[[], pd.DataFrame]]] = {
    "rules": {"accuracy": lambda: accuracy_table(SHORT, CATEGORIES, RULES, [])},
    "reference": {"reference": lambda: reference_table(SHORT)},
    "drops": {"reference": lambda: drops_table(SHORT[:2], CATEGORIES)},
    "generators": {
        "accuracy": lambda: accuracy_table(SHORT[:2], ["kite"], [RULE], ["a", "b"]),
        "generators": lambda: generators_table(SHORT[:2], ["a", "b"]),
        "photographs": lambda: sources_table("b"),
    },
    "kappa": {"kappa": lambda: kappa_table(SHORT)},
    "difficulty": {
        "difficulty": lambda: difficulty_table(4, ["a", "b"]),
        "photographs": lambda: sources_table("b"),
    },
    "robustness": {
        "robustness": lambda: robustness_tables(SHORT, ["a"])[0],
        "reference": lambda: robustness_tables(SHORT, ["a"])[1],
    },
    "ranking": {"ranking": lambda: ranking_table(SHORT)},
    "confusions": {"confusions": lambda: confusions_table(CATEGORIES, SHORT)},
    "gallery": {"images": lambda: images_table(3, ["kite"], each=2)},
}


@pytest.mark.long
@pytest.mark.parametrize("name", FIGURES)
def test_script_writes_both_files(name: str, tmp_path: Path) -> None:
    (row,) = (row for row in figures.FIGURES if row.name == name)
    inputs = {}
    for parameter, table in row.inputs.items():
        inputs[parameter] = tmp_path / f"{table}.parquet"
        TABLES[name][table]().to_parquet(inputs[parameter])
    root = tmp_path / "root" if name == "gallery" else ""
    if root:
        (tmp_path / "root" / "dalle" / "kite").mkdir(parents=True)
        for image in ("dalle/kite/0.png", "dalle/kite/1.png"):
            picture(image).save(tmp_path / "root" / image)
    spec = {} if row.spec is None else {"rule": RULE}
    if row.spec is specs.rule_and_level:
        spec["level"] = 0.95
    done = plot(name, tmp_path / "out", spec, root, **inputs)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["figure.pdf", "figure.png"]
    with Image.open(out / "figure.png") as image:
        assert image.width == 1440

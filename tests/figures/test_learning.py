"""The figures of what is learned from images show their tables, and stay legible at any size."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from synthsight.figures.distances import distances
from synthsight.figures.transfer import MOST_SOURCES, transfer
from synthsight.figures.transfer_curves import transfer_curves
from synthsight.statistics.columns import DISTANCES, TRANSFER
from synthsight.statistics.trained import best_first, of_generated, photographs, sources
from tests.figures.test_classifiers import (
    HOSTILE,
    LONG_MODELS,
    RULE,
    assert_legible,
    make_accuracy,
    names,
    words,
)

TWO = ["crayon", "poster"]
LONG_NAMES = [f"a_generator_with_a_very_long_name_{i}_version_{i}" for i in range(11)]


def measure(train: str, test: str, real: str | None) -> str:
    """What a pair of sources is."""
    if train == test:
        return "real" if train == real else "within"
    return "GAN-train" if test == real else "GAN-test" if train == real else "across"


def transfer_table(
    models: Sequence[str],
    generators: Sequence[str] = TWO,
    real: str | None = "photo",
    numbers: Sequence[int] = (5, 9),
) -> pd.DataFrame:
    """Random accuracies with bounds at unequal distances, so that mixing them up shows."""
    random = np.random.default_rng(0)
    every = [*generators, *(["*"] if len(generators) > 1 else []), *([real] if real else [])]
    rows = []
    for model, number, train, test in itertools.product(models, numbers, every, every):
        top1 = random.uniform(0.15, 0.9)
        row = dict.fromkeys(TRANSFER, 0.0) | {"top1": top1, "low": top1 - 0.05, "high": top1 + 0.08}
        row |= {"model": model, "train": train, "test": test, "per_category": number}
        row |= {"measure": measure(train, test, real), "categories": 17, "chance": 1 / 17}
        rows.append(row)
    return pd.DataFrame(rows)[list(TRANSFER)].astype(TRANSFER)


def distance_table(
    models: Sequence[str], generators: Sequence[str] = TWO, real: str = "photo"
) -> pd.DataFrame:
    random = np.random.default_rng(1)
    rows = []
    for model, generator in itertools.product(models, [*generators, real]):
        row: dict[str, Any] = dict.fromkeys(DISTANCES)
        for name in [name for name in DISTANCES if not name.endswith(("_low", "_high"))]:
            value = random.uniform(0.1, 0.9)
            row |= {name: value, f"{name}_low": value - 0.06, f"{name}_high": value + 0.05}
        row |= {"model": model, "generator": generator, "reference": real, "n": 102}
        row |= {"categories": 17, "kid_low": row["kid"] - 0.02, "kid_high": row["kid"] + 0.03}
        rows.append(row)
    return pd.DataFrame(rows)[list(DISTANCES)].astype(DISTANCES)


def accuracy_table(generators: Sequence[str]) -> pd.DataFrame:
    """The accuracy table of two models, with a mean for each of some generators."""
    table = make_accuracy(["better", "worse"], ["kite"])
    means = table[(table["category"] == "*") & (table["generator"] == "*")]
    parts = [means.assign(generator=name) for name in generators]
    for number, part in enumerate(parts):
        part["top1"] = np.linspace(0.3, 0.9, len(parts))[number]
        part["top1_low"], part["top1_high"] = part["top1"] - 0.04, part["top1"] + 0.07
    return pd.concat([table, *parts], ignore_index=True)


def errorbars(figure: Figure) -> list[ErrorbarContainer]:
    return [
        item
        for axes in figure.axes
        for item in axes.containers
        if isinstance(item, ErrorbarContainer)
    ]


# --- The order of sources and models ---------------------------------------------------------


def test_generators_come_before_all_of_them_and_photographs_last() -> None:
    table = transfer_table(["m"], ["zebra", "apple"], "a_photo")
    assert sources(table) == ["apple", "zebra", "*", "a_photo"]
    assert photographs(table) == "a_photo" and of_generated(table) == "*"
    alone = transfer_table(["m"], ["zebra"], None)
    assert sources(alone) == ["zebra"] and photographs(alone) is None
    assert of_generated(alone) == "zebra"


def test_models_come_in_the_order_of_photographs_to_photographs_at_the_largest_number() -> None:
    table = transfer_table(["a", "b", "c"])
    real = (table["measure"] == "real") & (table["per_category"] == 9)
    table.loc[real, "top1"] = [0.5, 0.7, 0.5]
    table.loc[(table["measure"] == "real") & (table["per_category"] == 5), "top1"] = [0.9, 0.1, 0.9]
    assert best_first(table) == ["b", "a", "c"]


# --- The matrix ------------------------------------------------------------------------------


def test_the_matrix_has_each_accuracy_with_its_interval_at_the_largest_number() -> None:
    table = transfer_table(["only"])
    figure = transfer(table)
    written = words(figure)
    for row in table.to_dict("records"):
        there = row["per_category"] == 9
        assert (f"{100 * row['top1']:.1f}" in written) == there
        bounds = f"{100 * row['low']:.0f}\N{EN DASH}{100 * row['high']:.0f}"
        assert not there or bounds in written
    assert "trained on 9 images of each of 17 categories" in written
    assert "chance, 5.9%" in written


def test_rows_are_trained_on_and_columns_tested_on() -> None:
    table = transfer_table(["only"], numbers=[9])
    here = (table["train"] == "crayon") & (table["test"] == "photo")
    table.loc[here, ["top1", "low", "high"]] = [0.123, 0.1, 0.2]
    places = {t.get_text(): t.get_position() for axes in transfer(table).axes for t in axes.texts}
    assert abs(places["12.3"][1] - places["crayon"][1]) < 0.2
    assert places["12.3"][0] > max(
        at[0] for text, at in places.items() if text in ("crayon", "poster", "all")
    )


def test_shades_begin_at_chance_and_cells_on_one_source_are_framed() -> None:
    table = transfer_table(["only"], numbers=[9])
    table.loc[0, "top1"] = 1 / 17
    table.loc[1, "top1"] = 0.01
    patches = transfer(table).axes[-1].patches
    assert len(patches) == 16
    assert patches[0].get_facecolor() == patches[1].get_facecolor()
    framed = [patch.get_linewidth() > 1 for patch in patches]
    assert [number for number, each in enumerate(framed) if each] == [0, 5, 10, 15]


@pytest.mark.slow
def test_of_many_models_the_matrix_says_which_are_shown() -> None:
    table = transfer_table(LONG_MODELS, numbers=[9])
    written = words(transfer(table)).replace("\n", " ")
    assert "of 100 models, those with which photographs tell most of photographs." in written


@pytest.mark.long
def test_of_many_sources_the_matrix_keeps_the_photographs_and_says_so() -> None:
    table = transfer_table(["m"], names("g", 40), numbers=[9])
    written = words(transfer(table)).replace("\n", " ")
    assert f"{MOST_SOURCES} of 42 sources are shown." in written
    assert "photo (real)" in written and "all generated" in written


def test_a_pair_that_was_not_measured_stays_empty() -> None:
    table = transfer_table(["m"], numbers=[9])
    table.loc[3, ["top1", "low", "high"]] = np.nan
    assert len(transfer(table.drop(index=0)).axes[-1].patches) == 14


@pytest.mark.slow
@pytest.mark.parametrize(
    ("models", "generators", "real"),
    [
        (["m"], TWO, "photo"),
        (["m"], ["midjourney"], None),
        pytest.param(
            *(names("m", 4), LONG_NAMES, "a_folder_of_photographs + another_folder_of_photographs"),
            marks=pytest.mark.long,
        ),
        pytest.param(HOSTILE, HOSTILE, "photo", marks=pytest.mark.long),
        pytest.param(LONG_MODELS, TWO, "photo", marks=pytest.mark.long),
        pytest.param(["m"], names("g", 60), "photo", marks=pytest.mark.long),
    ],
)
def test_the_matrix_is_legible(models: list[str], generators: list[str], real: str | None) -> None:
    assert_legible(transfer(transfer_table(models, generators, real, [9])))


# --- Learning curves -------------------------------------------------------------------------


def test_curves_have_the_accuracy_on_photographs_and_bands_its_interval() -> None:
    table = transfer_table(["only"], numbers=[5, 10, 50])
    axes = transfer_curves(table).axes[0]
    curves = [line for line in axes.lines if line.get_label() != "chance"]
    on_photographs = table[table["test"] == "photo"]
    for name, curve in zip(["crayon", "poster", "*", "photo"], curves, strict=True):
        rows = on_photographs[on_photographs["train"] == name]
        assert np.asarray(curve.get_xdata()).tolist() == [5, 10, 50]
        assert np.asarray(curve.get_ydata()).tolist() == rows["top1"].tolist()
    assert len(axes.collections) == 4
    (chance,) = (line for line in axes.lines if line.get_label() == "chance")
    assert chance.get_ydata()[0] == pytest.approx(1 / 17)  # type: ignore[index]
    assert axes.get_xscale() == "log"


def test_with_one_number_there_are_marks_beside_each_other_and_no_lines() -> None:
    table = transfer_table(["only"], numbers=[9])
    figure = transfer_curves(table)
    found = errorbars(figure)
    assert len(found) == 4
    across = [float(bar.lines[0].get_xdata()[0]) for bar in found]
    assert across == sorted(across) and len(set(across)) == 4
    value = [float(bar.lines[0].get_ydata()[0]) for bar in found]
    assert value == table.loc[table["test"] == "photo", "top1"].tolist()


def test_without_photographs_curves_are_about_all_generated_images() -> None:
    written = words(transfer_curves(transfer_table(["m"], real=None)))
    assert "about generated images" in written and "photograph" not in written


def test_curves_of_many_sources_have_their_intervals_at_the_largest_number() -> None:
    table = transfer_table(["m"], LONG_NAMES)
    figure = transfer_curves(table)
    ends = [float(bar.lines[0].get_ydata()[0]) for bar in errorbars(figure)]
    largest = table[(table["test"] == "photo") & (table["per_category"] == 9)]
    by_name = largest.set_index("train")["top1"]
    assert ends == by_name.reindex([*sorted(LONG_NAMES), "*", "photo"]).tolist()
    limit = figure.axes[0].get_xlim()[1]
    assert all(9 < bar.lines[0].get_xdata()[0] < limit for bar in errorbars(figure))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("models", "generators", "real", "numbers"),
    [
        (["m"], TWO, "photo", [5, 9]),
        (["m"], ["midjourney"], None, [1]),
        pytest.param(
            *(names("m", 4), LONG_NAMES, "photo", [5, 10, 20, 50, 51]), marks=pytest.mark.long
        ),
        pytest.param(HOSTILE, HOSTILE, "photo", [5, 1300], marks=pytest.mark.long),
        pytest.param(LONG_MODELS, TWO, "photo", [5, 10, 20, 50, 1300], marks=pytest.mark.long),
    ],
)
def test_curves_are_legible(
    models: list[str], generators: list[str], real: str | None, numbers: list[int]
) -> None:
    assert_legible(transfer_curves(transfer_table(models, generators, real, numbers)))


# --- Distances -------------------------------------------------------------------------------


def test_accuracy_of_the_best_model_stands_over_coverage() -> None:
    table = distance_table(["dino"])
    figure = distances(table, accuracy_table([*TWO, "photo"]), RULE)
    generated, halves = errorbars(figure)[:2]
    assert generated.lines[0].get_xdata().tolist() == table["coverage"].tolist()[:2]
    assert generated.lines[0].get_ydata().tolist() == pytest.approx([0.3, 0.6])
    assert halves.lines[0].get_xdata().tolist() == table["coverage"].tolist()[2:]
    assert halves.lines[0].get_ydata().tolist() == pytest.approx([0.9])
    assert "top-1 of " in words(figure)


def test_distances_are_drawn_with_the_photographs_halves_last() -> None:
    table = distance_table(["dino"])
    figure = distances(table, accuracy_table([*TWO, "photo"]), RULE)
    kid = next(bar for bar in errorbars(figure) if bar.get_label() == "KID")
    assert kid.lines[0].get_xdata().tolist() == table["kid"].tolist()
    labels = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert labels == ["crayon", "poster", "photo (real, halves)"]


def test_measures_of_neighbourhoods_have_their_intervals() -> None:
    table = distance_table(["dino"])
    figure = distances(table, accuracy_table([*TWO, "photo"]), RULE)
    for name in ("precision", "recall", "coverage"):
        bar = next(bar for bar in errorbars(figure) if bar.get_label() == name)
        ends = np.array([segment[:, 0] for segment in bar.lines[2][0].get_segments()])
        np.testing.assert_allclose(ends, table[[f"{name}_low", f"{name}_high"]])
    across = errorbars(figure)[0].lines[2][0].get_segments()
    np.testing.assert_allclose(across[0][:, 0], table[["coverage_low", "coverage_high"]].iloc[0])


def test_photographs_without_an_accuracy_of_their_own_are_a_line_alone() -> None:
    """As where several folders of photographs are one source."""
    figure = distances(distance_table(["dino"], real="a + b"), accuracy_table(TWO), RULE)
    assert len([bar for bar in errorbars(figure) if bar.lines[0].axes is figure.axes[0]]) == 1
    assert_legible(figure)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("models", "generators"),
    [
        (["m"], TWO),
        pytest.param(names("m", 4), LONG_NAMES, marks=pytest.mark.long),
        pytest.param(HOSTILE, HOSTILE, marks=pytest.mark.long),
        pytest.param(LONG_MODELS, names("g", 40), marks=pytest.mark.long),
    ],
)
def test_distances_are_legible(models: list[str], generators: list[str]) -> None:
    accuracy = accuracy_table([*generators, "photo"])
    assert_legible(distances(distance_table(models, generators), accuracy, RULE))


@pytest.mark.slow
def test_of_many_models_the_figure_of_distances_says_which_are_shown() -> None:
    figure = distances(distance_table(names("m", 30)), accuracy_table(TWO), RULE)
    assert "The features of 6 of 30 models, the first by name." in words(figure).replace("\n", " ")

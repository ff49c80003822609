"""The figure of calibration shows the numbers of its tables, and stays legible at any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from synthsight.figures import style
from synthsight.figures.calibration import MOST, calibration
from synthsight.figures.look import Look, looking
from synthsight.statistics.calibration import LEAST
from synthsight.statistics.columns import CALIBRATION, CALIBRATION_BINS
from tests.figures.test_classifiers import HOSTILE, LONG_MODELS, RULE, assert_legible, texts, words


def tables(models: list[str], sources: tuple[str, ...] = ("*",)) -> list[pd.DataFrame]:
    random = np.random.default_rng(0)
    rows, bins = [], []
    for model in models:
        for source in sources:
            named = {"model": model, "rule": RULE, "generator": source}
            rows.append({**named, "n": 100, "bins": 10, "ece": random.uniform(0.02, 0.2)})
            rows[-1] |= {"top1": random.uniform(), "over": -0.04, "confidence": 0.5}
            rows[-1] |= {"ece_low": 0.01, "ece_high": 0.3, "chance": 0.05}
            for number in range(10):
                middle = (number + random.uniform(0.2, 0.8)) / 10
                bins.append({**named, "bin": number + 1, "n": LEAST, "confidence": middle})
                bins[-1] |= {"top1": middle * 0.9, "low": middle * 0.7, "high": middle}
    summary = pd.DataFrame(rows).reindex(columns=list(CALIBRATION))
    return [summary, pd.DataFrame(bins).reindex(columns=list(CALIBRATION_BINS))]


def drawn(figure: Figure, panel: int, label: str) -> list[list[float]]:
    (container,) = (
        item
        for item in figure.axes[panel].containers
        if isinstance(item, ErrorbarContainer) and item.get_label() == label
    )
    points, _, (bars,) = container.lines
    pairs = zip(points.get_xdata(), points.get_ydata(), bars.get_segments(), strict=True)
    return [[x, y, line[0, 1], line[1, 1]] for x, y, line in pairs]


def test_every_model_has_a_panel_the_most_accurate_first_with_both_sources() -> None:
    summary, bins = tables(["b", "a", "c"], ("*", "photo"))
    others = bins.assign(rule="classes", top1=0.0)
    figure = calibration(summary, pd.concat([others, bins.sample(frac=1)]), RULE, 0.9)
    own = summary[summary["generator"] == "*"].sort_values("top1", ascending=False)
    assert len(figure.axes) == 3
    for panel, model in enumerate(own["model"]):
        for source, label in (("*", "generated images"), ("photo", "real photographs")):
            part = bins[(bins["model"] == model) & (bins["generator"] == source)]
            expected = part[["confidence", "top1", "low", "high"]].to_numpy()
            np.testing.assert_allclose(drawn(figure, panel, label), expected)
    said = words(figure)
    for row in summary.to_dict("records"):
        assert f"ECE {row['ece']:.3f} (0.010 to 0.300)" in said
    assert "over \N{MINUS SIGN}0.040" in said
    assert "90% intervals" in said
    assert_legible(figure)


def test_models_without_probabilities_are_named_and_of_many_the_best_are_shown() -> None:
    summary, bins = tables([f"m{number}" for number in range(MOST + 2)])
    summary.loc[summary["model"] == "m1", ["ece", "over", "confidence"]] = np.nan
    figure = calibration(summary, bins, RULE, 0.95)
    assert len(figure.axes) == MOST
    assert f"The {MOST} most accurate of {MOST + 1} models are shown." in words(figure)
    assert "Without probabilities: m1." in words(figure)
    without = calibration(summary[summary["ece"].isna()], bins, RULE, 0.95)
    assert "No model's probabilities are known." in words(without)
    assert not without.axes


def test_a_rule_of_choice_is_said_to_have_no_confidence() -> None:
    figure = calibration(*tables(["a"]), "restricted", 0.95)
    assert "Under restricted it is not known how sure" in words(figure)
    assert not figure.axes


@pytest.mark.long
@pytest.mark.parametrize("models", [LONG_MODELS[:1], LONG_MODELS[:9], HOSTILE])
def test_it_is_legible_in_one_column_of_a_page(models: list[str]) -> None:
    with looking(Look(width=3.3)):
        figure = calibration(*tables(models, ("*", "photo")), RULE, 0.95)
        assert_legible(figure)


@pytest.mark.long
@pytest.mark.parametrize("models", [LONG_MODELS[:1], LONG_MODELS[:9], LONG_MODELS, HOSTILE])
def test_it_is_legible_and_its_bytes_are_the_same(models: list[str], tmp_path: Path) -> None:
    for time in ("1", "2"):
        figure = calibration(*tables(models, ("*", "photo")), RULE, 0.95)
        style.save(figure, tmp_path / f"{time}.pdf", tmp_path / f"{time}.png")
    for suffix in ("pdf", "png"):
        assert (tmp_path / f"1.{suffix}").read_bytes() == (tmp_path / f"2.{suffix}").read_bytes()
    assert_legible(figure)
    assert not any(text.get_parse_math() for text in texts(figure))

"""The figure of people shows the numbers of its tables, and stays legible at any size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from synthsight.figures import style
from synthsight.figures.people import people
from synthsight.statistics.columns import PEOPLE, PEOPLE_GROUPS
from tests.figures.test_classifiers import (
    HOSTILE,
    LONG_MODELS,
    RULE,
    assert_legible,
    names,
    row_labels,
    texts,
    words,
)
from tests.figures.test_statistics import column, two


def tables(
    models: list[str], raters: int, generators: list[str], source: str = "*"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(0)
    rows = []
    for generator in [*([source] if source == "*" else []), *generators]:
        for category in ("*", "kite"):
            kinds = [("rater", f"r{number}") for number in range(raters)]
            kinds += [("mean", None), ("majority", None)]
            kinds += [("ceiling", None)] if raters > 1 else []
            for kind, name in kinds:
                rows.append((kind, name, None, category, generator))
            for rule in (RULE, "classes"):
                rows += [("model", model, rule, category, generator) for model in models]
    table = pd.DataFrame(rows, columns=list(PEOPLE)[:5])
    table["accuracy"] = random.uniform(0.1, 0.95, len(table))
    table["low"], table["high"] = table["accuracy"] - 0.08, table["accuracy"] + 0.05
    of_models = table["kind"] == "model"
    table["difference"] = np.where(of_models, table["accuracy"] - 0.7, np.nan)
    table["difference_low"] = table["difference"] - 0.1
    table["difference_high"] = table["difference"] + 0.2
    table = table.assign(categories=3, n=120, raters=raters, other=0.1, cannot_tell=0.05)
    counts = pd.DataFrame(
        [
            (category, generator, RULE, 120, 60 + n, 30, 20 - n, 10)
            for n, generator in enumerate(table["generator"].unique())
            for category in ("*", "kite")
        ],
        columns=list(PEOPLE_GROUPS),
    )
    return table[list(PEOPLE)], counts


def draw(models: list[str], raters: int, generators: list[str]) -> Figure:
    return people(*tables(models, raters, generators), generators[:1], RULE)


def drawn(axes: Any, label: str) -> list[list[float]]:
    """Value and bounds of each mark with a label, from the top row down."""
    (container,) = (
        item
        for item in axes.containers
        if isinstance(item, ErrorbarContainer) and item.get_label() == label
    )
    points, _, (bars,) = container.lines
    values = [value for value in points.get_xdata() if not np.isnan(value)]
    lines = [segment for segment in bars.get_segments() if len(segment)]
    return [[value, line[0, 0], line[1, 0]] for value, line in zip(values, lines, strict=True)]


def test_people_come_first_and_models_follow_from_the_best() -> None:
    table, counts = tables(names("net", 4), 3, ["photo", "sd"])
    figure = people(table.sample(frac=1, random_state=1), counts, ["photo"], RULE)
    swarm, axes, bars = figure.axes
    found = table[(table["category"] == "*") & (table["generator"] == "*")]
    of_people = found.set_index("kind").loc[["mean", "majority", "ceiling"]]
    models = found[(found["kind"] == "model") & (found["rule"] == RULE)]
    models = models.sort_values("accuracy", ascending=False)
    assert set(row_labels(axes)[:3]) == {"mean of raters", "majority of raters", "ceiling"}
    assert row_labels(axes)[3:] == models["name"].tolist()
    raters = found[found["kind"] == "rater"]["accuracy"]
    assert sorted(swarm.lines[0].get_xdata()) == sorted(raters)
    np.testing.assert_allclose(drawn(axes, "models"), models[["accuracy", "low", "high"]])
    np.testing.assert_allclose(
        sorted(drawn(axes, "people")),
        sorted(of_people[["accuracy", "low", "high"]].to_numpy().tolist()),
    )
    written = [text for text in column(axes, "difference") if text]
    assert written == two(models["difference"])
    bounds = zip(two(models["difference_low"]), two(models["difference_high"]), strict=True)
    assert [text for text in column(axes, "interval") if text] == [
        f"({low}, {high})" for low, high in bounds
    ]
    assert row_labels(bars) == ["all generated", "sd", "photo (real)"]
    assert [text.get_text() for text in bars.texts] == [
        *("60", "30", "20", "10"),
        *("62", "30", "18", "10"),
        *("61", "30", "19", "10"),
    ]
    assert "120 generated images that 3 people rated" in words(figure)


def test_one_rater_is_no_majority() -> None:
    figure = people(*tables(["net"], 1, []), (), RULE)
    axes, _ = figure.axes
    assert row_labels(axes) == ["the rater", "net"]
    assert "1 person rated" in words(figure) and "other raters" not in words(figure)


def test_photographs_are_shown_if_nothing_else_was_rated() -> None:
    figure = people(*tables(["net"], 2, ["photo"], source="photo"), ["photo"], RULE)
    assert "images of photo that 2 people rated" in words(figure)
    assert row_labels(figure.axes[-1]) == ["photo (real)"]


def test_people_are_drawn_without_any_model() -> None:
    table, counts = tables([], 3, [])
    figure = people(table, counts.head(0), (), RULE)
    assert len(row_labels(figure.axes[1])) == 3
    assert_legible(figure)


@pytest.mark.long
@pytest.mark.parametrize(("models", "raters"), [(1, 1), (10, 3), (100, 40)])
def test_it_is_legible_from_one_rater_and_model_to_many(models: int, raters: int) -> None:
    many = [*LONG_MODELS, *names("net", 100)][:models]
    assert_legible(draw(many, raters, names("a_long_generator", 3)))


@pytest.mark.slow
def test_hostile_names_are_plain_text(tmp_path: Path) -> None:
    figure = draw(HOSTILE, 2, HOSTILE[:3])
    style.save(figure, tmp_path / "a.pdf", tmp_path / "a.png")
    assert_legible(figure)
    assert not any(text.get_parse_math() for text in texts(figure))
    assert not any("\n" in text.get_text() for text in texts(figure))

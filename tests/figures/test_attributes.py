"""The figure of attributes shows the numbers of its table, and stays legible at any size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from synthsight.figures import style
from synthsight.figures.attributes import MOST, attributes
from synthsight.figures.look import Look, looking
from synthsight.statistics.columns import ATTRIBUTES
from tests.figures.test_classifiers import (
    HOSTILE,
    RULE,
    assert_legible,
    names,
    row_labels,
    texts,
    words,
)
from tests.figures.test_statistics import column, two


def table_of(**values: list[str]) -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = [
        {"generator": source, "attribute": name, "kind": "value", "place": place, "value": value}
        | {"model": model, "rule": rule, "hit": hit, "n": 10 * place, "common": 3}
        for name, of in values.items()
        for place, value in enumerate(of, start=1)
        for source in ("*", "photo")
        for model in ("*", "net")
        for rule in (RULE, "classes")
        for hit in ("top1", "top5")
    ]
    table = pd.DataFrame(rows).reindex(columns=list(ATTRIBUTES))
    table["mean"] = random.uniform(0.2, 0.9, len(table))
    table["mean_low"], table["mean_high"] = table["mean"] - 0.1, table["mean"] + 0.05
    table["difference"] = random.uniform(-0.3, 0.3, len(table))
    table["low"], table["high"] = table["difference"] - 0.1, table["difference"] + 0.2
    return table


def drawn(axes: Any) -> list[list[float]]:
    (container,) = (item for item in axes.containers if isinstance(item, ErrorbarContainer))
    points, _, (bars,) = container.lines
    pairs = zip(points.get_xdata(), bars.get_segments(), strict=True)
    return [[value, line[0, 0], line[1, 0]] for value, line in pairs]


def draw(values: list[str], many: int = 2) -> Figure:
    return attributes(table_of(**{f"attribute_{n}": values for n in range(many)}), RULE, 0.95)


def test_the_mean_over_models_and_the_difference_of_each_value_are_shown() -> None:
    table = table_of(style=["ink", "oil", "pen"], steps=["9", "10"])
    table.loc[table["attribute"] == "steps", "kind"] = "number"
    figure = attributes(table.sample(frac=1, random_state=1), RULE, 0.9)
    own = table[(table["model"] == "*") & (table["generator"] == "*") & (table["rule"] == RULE)]
    own = own[own["hit"] == "top1"]
    order = ["style", "steps"] if "style" in words(figure).split("steps")[0] else ["steps", "style"]
    for place, name in enumerate(order):
        part = own[own["attribute"] == name].sort_values("place")
        left, right = figure.axes[2 * place : 2 * place + 2]
        labels = [f"{v} ({n})" for v, n in zip(part["value"], part["n"], strict=True)]
        assert row_labels(left) == labels
        np.testing.assert_allclose(drawn(left), part[["mean", "mean_low", "mean_high"]])
        np.testing.assert_allclose(drawn(right), part[["difference", "low", "high"]])
        assert column(right, "points") == two(part["difference"])
    assert "steps, in four parts" in words(figure)
    assert "90% intervals" in words(figure)
    assert_legible(figure)


def test_of_many_values_whole_attributes_are_shown() -> None:
    figure = draw(names("value", 20), 5)
    assert len(figure.axes) == 2 * (MOST // 20)
    assert "3 of 5 attributes are shown." in words(figure)


def test_nothing_to_compare_is_said() -> None:
    figure = attributes(table_of(style=["ink", "oil"]), "restricted", 0.95)
    assert "Under restricted there is nothing to compare" in words(figure)
    assert not figure.axes


@pytest.mark.long
@pytest.mark.parametrize("values", [["one"], names("a_long_value_of_an_attribute", 20), HOSTILE])
def test_it_is_legible_in_one_column_of_a_page(values: list[str]) -> None:
    with looking(Look(width=3.3)):
        assert_legible(draw(values))


@pytest.mark.long
@pytest.mark.parametrize("values", [["one"], names("a_long_value_of_an_attribute", 20), HOSTILE])
def test_it_is_legible_and_its_bytes_are_the_same(values: list[str], tmp_path: Path) -> None:
    for time in ("1", "2"):
        figure = draw(values)
        style.save(figure, tmp_path / f"{time}.pdf", tmp_path / f"{time}.png")
    for suffix in ("pdf", "png"):
        assert (tmp_path / f"1.{suffix}").read_bytes() == (tmp_path / f"2.{suffix}").read_bytes()
    assert_legible(figure)
    assert not any(text.get_parse_math() for text in texts(figure))

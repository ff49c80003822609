"""The figure of adapted models shows the numbers of its table, and stays legible at any size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from synthsight.figures.adaptation import MOST, adaptation
from synthsight.figures.confusions import confusions
from synthsight.figures.counted import uncounted
from synthsight.figures.difficulty import difficulty
from synthsight.statistics.columns import ADAPTATION
from tests.figures.test_classifiers import HOSTILE, assert_legible, texts


def said(figure: Figure) -> list[str]:
    return [text.get_text() for text in texts(figure)]


def table(models: list[str], sources: tuple[str, ...] = ("*", "dream", "photo")) -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = [
        {"model": model, "base": model[:5], "method": "linear", "generator": source}
        | {"category": category, "n": 20, "folds": 5, "only_after": 3, "only_before": 1}
        | {"trained": "none" if source == "photo" else "all"}
        for model in models
        for source in sources
        for category in ("*", "kite")
    ]
    found = pd.DataFrame(rows)
    found["before"] = random.uniform(0.2, 0.8, len(found))
    found["gain"] = random.uniform(-0.15, 0.15, len(found))
    found["after"] = found["before"] + found["gain"]
    found["after_low"], found["after_high"] = found["after"] - 0.04, found["after"] + 0.03
    found["low"], found["high"] = found["gain"] - 0.05, found["gain"] + 0.05
    found["sd"] = 0.031
    found["named"] = 1
    for each in ("gain", "low", "high"):
        found[f"named_{each}"] = found[each]
    return found[list(ADAPTATION)]


@pytest.mark.slow
def test_marks_and_numbers_are_those_of_the_table() -> None:
    made = table(["one", "two", "six"])
    figure = adaptation(made, {"photo"}, 0.95)
    assert [text for text in said(figure) if text.startswith(("All", "Real"))] == [
        *("All generated images", "Real photographs: photo")
    ]
    for axes, source in zip(figure.axes, ("*", "photo"), strict=True):
        rows = made[(made["generator"] == source) & (made["category"] == "*")].set_index("model")
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert {*labels} == {"one", "two", "six"}
        drawn = {
            str(each.get_label()): each.lines[0].get_xdata()
            for each in axes.containers
            if isinstance(each, ErrorbarContainer)
        }
        wanted = (
            "after, not trained on such images"
            if source == "photo"
            else "after, trained on such images"
        )
        np.testing.assert_allclose(drawn["before"], rows.loc[labels, "before"])
        np.testing.assert_allclose(drawn[wanted], rows.loc[labels, "after"])
        shown = [text.get_text() for text in axes.texts]
        assert all(
            f"{100 * rows.loc[m, 'gain']:.1f}".replace("-", "\N{MINUS SIGN}") in shown
            for m in labels
        )
        assert shown.count("±3.1") == 3
    gains = made[(made["generator"] == "*") & (made["category"] == "*")].set_index("model")["gain"]
    order = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert gains[order].is_monotonic_decreasing


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 30, MOST + 3])
def test_one_model_and_many_can_be_read(count: int) -> None:
    models = [f"some_rather_long_name_of_a_network_{n:02d}+finetune" for n in range(count)]
    figure = adaptation(table(models), {"photo"}, 0.95)
    assert_legible(figure)
    assert len(figure.axes[0].get_yticklabels()) == min(count, MOST)
    assert any(f"The {MOST} of {count}" in text for text in said(figure)) == (count > MOST)


@pytest.mark.slow
def test_what_is_not_known_from_before_is_left_out() -> None:
    made = table(["sees+linear", *HOSTILE[:2]], ("*",))
    made.loc[:, ["before", "gain", "low", "high", "sd"]] = np.nan
    figure = adaptation(made, set(), 0.95)
    assert_legible(figure)
    assert "before" not in said(figure) and len(figure.axes) == 1


def test_it_is_said_that_models_trained_on_such_images_are_not_counted() -> None:
    assert uncounted([]) == ""
    assert uncounted(["a", "b"]).endswith(
        " 2 models that were trained on such images are not counted."
    )
    row = {"generator": "*", "model": "*", "category": "kite", "rule": "classes", "n": 3}
    mistakes = pd.DataFrame([{**row, "predicted": "parachute", "share": 0.3}])
    counts = pd.DataFrame(
        [
            {**row, "hit": hit, "models": number, "share": 0.5, "category": category}
            for hit in ("top1", "top5")
            for number in range(2)
            for category in ("*", "kite")
        ]
    )
    words = "One model that was trained on such images is not counted."
    for figure, plain in (
        (confusions(mistakes, "classes", ["a"]), confusions(mistakes, "classes")),
        (difficulty(counts, (), "classes", ["a"]), difficulty(counts, (), "classes")),
    ):
        assert words in " ".join(said(figure)) and words not in " ".join(said(plain))
        assert_legible(figure)


def test_it_is_said_where_a_model_had_no_class_of_a_category() -> None:
    made = table(["one", "two"])
    words = "none of the categories of which it has no class"
    assert words not in " ".join(said(adaptation(made, {"photo"}, 0.95)))
    made.loc[(made["model"] == "two") & (made["category"] == "kite"), "named"] = 0
    figure = adaptation(made, {"photo"}, 0.95)
    assert words in " ".join(said(figure))
    assert_legible(figure)

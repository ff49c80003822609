"""Figures where hits are not known: nothing is drawn there, and the reader is told."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from synthsight.figures.difficulty import difficulty
from synthsight.figures.failures import failures
from synthsight.figures.gallery import gallery
from synthsight.figures.generators import generators
from synthsight.figures.kappa import kappa
from synthsight.figures.models import models
from synthsight.figures.overview import overview
from synthsight.figures.reference import reference
from synthsight.figures.rules import rules
from synthsight.figures.unknown import NotKnownError
from synthsight.statistics.columns import GENERATORS, REFERENCE
from tests.figures.test_classifiers import (
    RULE,
    assert_legible,
    make_accuracy,
    make_agreement,
    make_manifest,
    make_reference,
    make_scores,
    picture,
    words,
)

MODELS = ["net", "told", "other"]
KINDS = ["kite", "vase", "clock"]
UNKNOWN = {"told": "Top-5 is not known of told.", "*": "Top-5 is not known of 3 models."}


def accuracy_of(who: str) -> pd.DataFrame:
    table = make_accuracy(MODELS, KINDS)
    of = table["model"].isin(MODELS if who == "*" else [who])
    table.loc[of, [name for name in table if name.startswith("top5")]] = np.nan
    return table


def reference_of(who: str) -> pd.DataFrame:
    table = make_reference(dict.fromkeys(MODELS, (0.9, 0.95))).reindex(columns=list(REFERENCE))
    of = table["model"].isin(MODELS if who == "*" else [who])
    table["top1"], table["top5"] = 0.5, np.where(of, np.nan, 0.8)
    for hit in ("top1", "top5"):
        for name, by in ((f"{hit}_low", -0.1), (f"{hit}_high", 0.1)):
            table[name] = table[hit] + by
        table[f"drop_{hit}"] = table[f"reference_{hit}"] - table[hit]
    return table


def draw_overview(who: str) -> Figure:
    agreement = make_agreement(KINDS)
    if who == "*":
        agreement[["all_top5", "none_top5"]] = np.nan
    manifest = make_manifest(KINDS, ["dalle"])
    return overview(accuracy_of(who), agreement, manifest, reference_of(who), (), RULE)


def draw_generators(who: str) -> Figure:
    return generators(
        accuracy_of(who), pd.DataFrame(columns=list(GENERATORS)).astype(GENERATORS), (), RULE
    )


FIGURES: dict[str, Callable[[str], Figure]] = {
    "overview": draw_overview,
    "models": lambda who: models(accuracy_of(who), RULE, 1, 5),
    "reference": lambda who: reference(reference_of(who), RULE),
    "rules": lambda who: rules(accuracy_of(who), RULE),
    "generators": draw_generators,
}


@pytest.mark.long
@pytest.mark.parametrize("who", ["told", "*"])
@pytest.mark.parametrize("name", FIGURES)
def test_figures_say_of_whom_top_5_is_not_known(name: str, who: str) -> None:
    figure = FIGURES[name](who)
    assert_legible(figure)
    said = words(figure)
    assert UNKNOWN[who] in said
    assert "nan" not in said


def test_no_mark_stands_where_nothing_is_known() -> None:
    figure = draw_overview("told")
    (drawn,) = (
        item
        for item in figure.axes[0].containers
        if isinstance(item, ErrorbarContainer) and item.get_label() == "top-5"
    )
    values = np.asarray(drawn.lines[0].get_xdata(), float)
    order = sorted(MODELS, key=lambda m: -float(_mean("told", m)["top1"]))
    assert [m for m, value in zip(order, values, strict=True) if np.isnan(value)] == ["told"]
    hollow = [line for line in figure.axes[0].lines if "reference" in str(line.get_label())]
    assert sum("top-5" in str(line.get_label()) for line in hollow) == 2
    assert sum("top-1" in str(line.get_label()) for line in hollow) == 3


def _mean(who: str, model: str) -> pd.Series:
    table = accuracy_of(who)
    of = (table["model"] == model) & (table["category"] == "*") & (table["rule"] == RULE)
    return table[of].iloc[0]


def test_the_rules_that_predictions_leave_open_are_named() -> None:
    table = accuracy_of("told")
    of = (table["model"] == "told") & (table["rule"] == "words/lemmas")
    table.loc[of, ["top1", "top1_low", "top1_high"]] = np.nan
    assert "Under words/lemmas nothing is known of 1 model." in words(rules(table, RULE))


def test_where_no_hits_are_known_under_the_primary_rule_it_is_said_what_to_do() -> None:
    table = accuracy_of("*")
    table.loc[table["rule"] == RULE, "top1"] = np.nan
    with pytest.raises(NotKnownError, match=r"choose another `matching.primary`"):
        rules(table, RULE)


@pytest.mark.parametrize(("five", "said"), [(1, "Top-5 is known of 1 of them."), (0, "not known")])
def test_difficulty_counts_the_models_that_are_known(five: int, said: str) -> None:
    rows = [
        ("*", "*", RULE, hit, number, 6, 1 / (last + 1))
        for hit, last in (("top1", 2), ("top5", five))
        for number in range(last + 1)
        if last
    ]
    columns = ["generator", "category", "rule", "hit", "models", "n", "share"]
    figure = difficulty(pd.DataFrame(rows, columns=columns), (), RULE)
    assert said in words(figure)
    assert len(figure.axes) == (2 if five else 1)
    assert [len(axes.patches) for axes in figure.axes] == [3, 2][: len(figure.axes)]


def test_failures_without_five_predictions_are_those_of_the_first() -> None:
    scores = make_scores(3, 3)
    scores["top1_hit"] = [number >= 4 for number in range(6)]
    scores["top5_hit"] = None
    scores["predicted"] = scores["predicted"].str[:1]
    scores["probability"] = [np.array([np.nan], "float32") for _ in range(6)]
    figure = failures(scores, [f"class {n}" for n in range(8)], "told", "kite", RULE, picture)
    said = words(figure)
    assert "missed with the first guess in 4 of 6 generated images" in said
    assert "their probabilities are not known. Top-5 is not known." in said
    assert "nan" not in said and "0.00" not in said


def test_the_gallery_needs_no_top_5_and_kappa_says_that_there_is_no_pair() -> None:
    images = pd.DataFrame(
        {
            "image": [f"{n}.png" for n in range(8)],
            "category": "kite",
            "generator": None,
            "real": False,
            "rule": RULE,
            "top1": range(8),
            "top5": pd.array([pd.NA] * 8, "Int32"),
            "models": 8,
        }
    )
    assert "nan" not in words(gallery(images, RULE, picture)).lower()
    pair = {"generator": "*", "rule": RULE, "hit": "top5", "a": "a", "b": "b", "kappa": 0.5}
    assert "There is no pair of models to compare" in words(kappa(pd.DataFrame([pair]), RULE))

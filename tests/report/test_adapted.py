"""What the page says of adapted models."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from synthsight.report.adapted import adapted_answers, of_adapted
from tests.figures.test_adaptation import table


def test_a_model_that_chooses_among_the_categories_is_said_to() -> None:
    note = {"name": "net+linear", "adapted": {"categories": 17, "base": "net"}}
    (said,) = of_adapted(note)
    assert said.startswith("net+linear chooses among the run's 17 categories under every rule")
    assert of_adapted({"name": "net", "architecture": {}}) == []


def test_networks_that_learned_nothing_are_counted() -> None:
    """Their loss is that of guessing, or more; by their accuracy alone it might be the images."""
    about = {"categories": 8, "base": "net", "losses": [0.4, 2.0, 2.1, 55.0]}
    assert math.log(8) > 2.07
    said = of_adapted({"name": "net+finetune", "adapted": about})
    assert len(said) == 2 and said[1].startswith("2 of 4 networks of net+finetune did no better")
    assert len(of_adapted({"name": "n", "adapted": {**about, "losses": [0.4, 2.0]}})) == 1


def test_each_model_has_a_sentence_with_its_gain() -> None:
    made = table(["net+linear"])
    row = (made["generator"] == "*") & (made["category"] == "*")
    made.loc[row, ["after", "gain", "low", "high"]] = [0.8, 0.2, 0.15, 0.25]
    assert adapted_answers(made) == [
        "net+linear, trained on other images from the same sources, gets 80.0% of the generated "
        "images right under restricted, 20.0 points more than net+l (a gain of 15.0 to 25.0)."
    ]
    made.loc[row, ["gain", "low", "high"]] = [-0.01, -0.05, 0.03]
    assert "1.0 points less than" in adapted_answers(made)[0]
    assert adapted_answers(made)[0].endswith(": no more than chance may do.")
    made.loc[row, ["gain", "low", "high"]] = np.nan
    assert "nothing is known from before" in adapted_answers(made)[0]
    assert adapted_answers(None) == [] == adapted_answers(made.iloc[:0])


def test_a_gain_over_categories_that_the_base_has_a_class_of_is_said_where_these_are_not_all() -> (
    None
):
    made = table(["net+linear"])
    more = made[made["category"] == "kite"].assign(category="vase", named=0)
    made = pd.concat([made, more], ignore_index=True)
    row = (made["generator"] == "*") & (made["category"] == "*")
    made.loc[row, ["after", "gain", "low", "high"]] = [0.9996, 0.4, 0.3, 0.5]
    made.loc[row, ["named", "named_gain", "named_low", "named_high"]] = [1, -0.0001, -0.05, 0.05]
    (said,) = adapted_answers(made)
    assert said.endswith(
        "gets 99.96% of the generated images right under restricted, 40.0 points more than net+l "
        "(a gain of 30.0 to 50.0); net+l has classes for only 1 of the 2 categories, and gets "
        "nothing right in the others: over that one the gain is 0.0 points (-5.0 to 5.0)."
    )
    made.loc[row, "named"] = 0
    assert adapted_answers(made)[0].endswith(
        "50.0); net+l has classes for none of the categories, and so gets nothing right."
    )


def test_of_many_models_some_have_a_sentence() -> None:
    said = adapted_answers(table([f"net{n}" for n in range(12)]))
    assert len(said) == 9 and said[-1] == "The table has 4 more."

"""What the page says of adapted models."""

from __future__ import annotations

import numpy as np

from synthsight.report.adapted import adapted_answers, of_adapted
from tests.figures.test_adaptation import table


def test_a_model_that_chooses_among_the_categories_is_said_to() -> None:
    note = {"name": "net+linear", "adapted": {"categories": 17, "base": "net"}}
    (said,) = of_adapted(note)
    assert said.startswith("net+linear chooses among the run's 17 categories under every rule")
    assert of_adapted({"name": "net", "architecture": {}}) == []


def test_each_model_has_a_sentence_with_its_gain() -> None:
    made = table(["net+linear"])
    row = (made["generator"] == "*") & (made["category"] == "*")
    made.loc[row, ["after", "gain", "low", "high"]] = [0.8, 0.2, 0.15, 0.25]
    assert adapted_answers(made) == [
        "net+linear, trained on others of them, gets 80.0% of the generated images right under "
        "restricted, 20.0 "
        "points more than net+l (a gain of 15.0 to 25.0)."
    ]
    made.loc[row, ["gain", "low", "high"]] = [-0.01, -0.05, 0.03]
    assert "1.0 points less than" in adapted_answers(made)[0]
    assert adapted_answers(made)[0].endswith(": no more than chance may do.")
    made.loc[row, ["gain", "low", "high"]] = np.nan
    assert "nothing is known from before" in adapted_answers(made)[0]
    assert adapted_answers(None) == [] == adapted_answers(made.iloc[:0])


def test_of_many_models_some_have_a_sentence() -> None:
    said = adapted_answers(table([f"net{n}" for n in range(12)]))
    assert len(said) == 9 and said[-1] == "The table has 4 more."

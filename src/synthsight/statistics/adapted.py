"""Which models were trained on the run's own images, as the table of accuracies knows it.

They are models like any other in every table, and are compared with others pair by pair. But none
of them is the best model of a run, and none is counted in what is said of all models together,
which is about models that have not seen such images.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

#: The name under which the table holds them: among its attributes, which Parquet keeps.
_NAME = "adapted"


def marked(accuracy: pd.DataFrame, models: Iterable[str]) -> pd.DataFrame:
    """The table of accuracies, with the names of the models that were trained on the images."""
    found = accuracy.copy(deep=False)
    if names := sorted(models):
        found.attrs[_NAME] = names
    return found


def uncounted(accuracy: pd.DataFrame) -> list[str]:
    """The models that were trained on the images; none if there are no others."""
    others = {*of_others(accuracy)["model"]}
    return [model for model in accuracy.attrs.get(_NAME, []) if model not in others]


def of_others(accuracy: pd.DataFrame) -> pd.DataFrame:
    """The rows of the models that were not trained on the images; all rows if there is no such."""
    others = accuracy[~accuracy["model"].isin(accuracy.attrs.get(_NAME, []))]
    return accuracy if others.empty else others

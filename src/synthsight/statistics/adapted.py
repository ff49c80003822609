"""Which models were trained on the run's own images, as the table of accuracies knows it.

They are models like any other in every table, but none of them is the best model of a run, which
says how well models do that have not seen such images.
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


def of_others(accuracy: pd.DataFrame) -> pd.DataFrame:
    """The rows of the models that were not trained on the images; all rows if there is no such."""
    others = accuracy[~accuracy["model"].isin(accuracy.attrs.get(_NAME, []))]
    return accuracy if others.empty else others

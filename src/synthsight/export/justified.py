"""Which model is better than all others by more than chance, and so may be printed bold."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd


def clearly_best(pairs: pd.DataFrame, models: Collection[str], level: float) -> str | None:
    """The model that beats each of the others, or None.

    It does where the interval of the paired difference is all on its side, and the test that is
    corrected for all pairs (Holm) says so, too, at the same level.

    Args:
        pairs: rows about pairs of models, ``a``, ``b``, ``low``, ``high`` (of a minus b) and
            ``p_holm``; a row for each pair of the models.
        models: those among which one may be the best; two at least.
        level: confidence level, such as 0.95.
    """
    wins = dict.fromkeys(models, 0)
    for row in pairs[pairs["p_holm"] < 1 - level].to_dict("records"):
        a, b = str(row["a"]), str(row["b"])
        if a not in wins or b not in wins:
            continue
        if row["low"] > 0:
            wins[a] += 1
        elif row["high"] < 0:
            wins[b] += 1
    others = len(wins) - 1
    return next((model for model, won in wins.items() if others and won == others), None)

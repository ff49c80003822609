"""How much of an accuracy is seeing: with the image, against a grey picture in its place."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthsight.statistics.answers import Answers
from synthsight.statistics.columns import SEEING
from synthsight.statistics.intervals import share_interval
from synthsight.statistics.moments import Codes, Sample
from synthsight.statistics.pairs import compare_pairs


def seeing(answers: Answers, rows: Codes, level: float) -> pd.DataFrame:
    """What each model gets without seeing the images, and what it gains by seeing them.

    Args:
        answers: the answers of all models.
        rows: which questions.
        level: confidence level, such as 0.95.

    Returns:
        The columns :data:`SEEING`, one row per model in the order of ``answers.models``: ``blind``,
        the accuracy without seeing, and ``gain``, the accuracy with less that without, with the
        paired interval, clustered as that of the accuracy. Null of models that nobody asked blind,
        as those whose answers were made elsewhere.
    """
    table = pd.DataFrame(np.nan, range(len(answers.models)), SEEING)
    asked = np.flatnonzero(answers.asked_blind)
    if answers.blind is None or not len(asked):
        return table
    sample = Sample(np.zeros(len(rows), np.int64), answers.units[rows])
    blind = answers.blind[rows][:, asked].astype(bool)
    spread = sample.moments(blind).mean()
    low, high = share_interval(spread, level)
    found = {"blind": spread.mean, "blind_low": low, "blind_high": high}
    pairs = [
        compare_pairs(("seeing", "blind"), np.column_stack(both), sample, level).iloc[0]
        for both in zip(answers.correct[rows][:, asked].T, blind.T, strict=True)
    ]
    for column, of_pair in (("gain", "difference"), ("gain_low", "low"), ("gain_high", "high")):
        found[column] = np.array([float(pair[of_pair]) for pair in pairs])
    table.loc[asked] = pd.DataFrame(found, asked)[SEEING]
    return table

"""How much more, or less, of their questions the same models get right in one run than another."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthsight.comparing.differences import (
    EVERY,
    PAIRED,
    SHARED,
    TWO,
    Columns,
    Numbers,
    paired,
    two_samples,
    values,
)
from synthsight.comparing.same import match, together
from synthsight.statistics.answers import Answers
from synthsight.statistics.moments import Sample

#: The columns of the table of differences in answers, with their types.
QUESTIONS = {
    "model": "str",
    "method": "str",
    "over": "str",
    "n_a": "int64",
    "n_b": "int64",
    "same": "int64",
    "value_a": "float64",
    "value_b": "float64",
    "difference": "float64",
    "low": "float64",
    "high": "float64",
    "only_a": "Int64",
    "only_b": "Int64",
    "note": "str",
}

#: What tells a question: its picture, its words, and what is right.
_KEY = ["sha256", "question", "answer"]


def compare_answers(a: Answers | None, b: Answers | None, level: float) -> pd.DataFrame:
    """Compare the accuracies of the models that answered questions in both runs.

    Questions are the same if the image's content, the words and the right answer are. Those that a
    model of their run did not answer count in no model's accuracy, as in the runs' own tables, and
    are none here. Where all are the same, differences are paired; where none is, they are of two
    samples; where some are, there are two rows a model.

    Args:
        a: the answers of the first run; None if it asked nothing.
        b: likewise, of the second.
        level: confidence level, such as 0.95.

    Returns:
        The columns :data:`QUESTIONS`, without ``note``; see
        :func:`synthsight.comparing.differences.compare_hits`.
    """
    names = [name for name in QUESTIONS if name != "note"]
    types = {name: QUESTIONS[name] for name in names}
    common = sorted({*a.models} & {*b.models}) if a is not None and b is not None else []
    if a is None or b is None or not common:
        return pd.DataFrame(columns=names).astype(types)
    pairs = match(a.questions, b.questions, _KEY)
    sizes, same = (len(a.questions), len(b.questions)), len(pairs.a)
    hits = _columns(a, common), _columns(b, common)
    tables = []
    if same:
        units = together(a.units[pairs.a], b.units[pairs.b])
        sample = Sample(np.zeros(same, np.int64), units)
        _, numbers = paired(hits[0][pairs.a], hits[1][pairs.b], sample, level)
        over = EVERY if sizes == (same, same) else SHARED
        tables.append(_table(common, numbers).assign(method=PAIRED, over=over, n_a=same, n_b=same))
    if sizes != (same, same):
        _, numbers = two_samples(hits[0], hits[1], _sample(a), _sample(b), level)
        sized = {"n_a": sizes[0], "n_b": sizes[1]}
        tables.append(_table(common, numbers).assign(method=TWO, over=EVERY, **sized))
    found = pd.concat(tables).assign(same=same)
    return found[names].astype(types).sort_values(["model", "method"], ignore_index=True)


def _sample(side: Answers) -> Sample:
    return Sample(np.zeros(len(side.units), np.int64), side.units)


def _columns(side: Answers, models: list[str]) -> Columns:
    return side.correct[:, [side.models.index(model) for model in models]]


def _table(models: list[str], numbers: Numbers) -> pd.DataFrame:
    return pd.DataFrame({"model": models, **values(numbers)})

"""What a model says to questions, and the file that keeps it. Imports no network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthsight.tables import write_parquet
from synthsight.vqa.shards import ShardRow

_SCHEMA = pa.schema(
    [
        *(("image", pa.string()), ("question", pa.string()), ("p_yes", pa.float64())),
        *(("mass", pa.float64()), ("reason", pa.string())),
    ]
)

#: Columns of answers that may be words alone.
_IN_WORDS = ("predicted", "said")

#: Maximum number of characters of what was said that are kept.
_SAID = 200


@dataclass(frozen=True)
class Answers:
    """What a model says to questions, in their order.

    Attributes:
        p_yes: float64 (n,), P(yes); NaN where the model cannot take the question or its image, and
            where only words are known.
        mass: float64 (n,), the probability of yes and no together; NaN also where the family has
            none, since its models choose between answers.
        reasons: why there is no answer, in words; None where there is one.
        predicted: ``yes`` or ``no`` where that is all that is known; None of a model all of whose
            answers have a P(yes).
        said: the text of each answer, of any length; None of a model that says no text.
    """

    p_yes: npt.NDArray[np.float64]
    mass: npt.NDArray[np.float64]
    reasons: list[str | None]
    predicted: list[str | None] | None = None
    said: list[str | None] | None = None


def write_answers(
    output: str | os.PathLike[str],
    rows: Sequence[ShardRow],
    answers: Answers,
    metadata: str,
) -> None:
    """Write answers as Parquet, atomically: image, question, p_yes, mass, reason.

    Of ``p_yes`` and ``reason`` (why there is no answer) each row has one; but of a model that says
    texts there are two more columns, ``predicted``, which may stand in the place of ``p_yes``, and
    ``said``, of which the beginning is kept.

    Args:
        output: the file.
        rows: the questions.
        answers: to each of them.
        metadata: JSON for the schema's metadata: model, weights and settings.
    """
    columns = [
        *([row.image for row in rows], [row.question for row in rows]),
        *(pa.array(each, from_pandas=True) for each in (answers.p_yes, answers.mass)),
        pa.array(answers.reasons, pa.string()),
    ]
    schema = _SCHEMA
    if answers.predicted is not None and answers.said is not None:
        said = [None if text is None else beginning(text) for text in answers.said]
        columns += [pa.array(each, pa.string()) for each in (answers.predicted, said)]
        schema = pa.schema([*schema, *((name, pa.string()) for name in _IN_WORDS)])
    table = pa.table(columns, schema=schema.with_metadata({"synthsight": metadata}))
    write_parquet(output, table, compression="zstd")


def beginning(text: str) -> str:
    """The beginning of what was said, with ``...`` if there is more."""
    return text if len(text) <= _SAID else f"{text[:_SAID]}..."

"""From P(yes) to answers: which yes/no questions a model gets right."""

from __future__ import annotations

import json
import os
from collections.abc import Container, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from synthsight.errors import SynthsightError
from synthsight.files import MAKE_AGAIN
from synthsight.tables import read_parquet, read_schema, write_parquet
from synthsight.vqa.kinds import first_word, kind
from synthsight.vqa.questions import GROUPS
from synthsight.vqa.repeats import repeats_about_copies

#: Schema of the file with one row per question. Its metadata hold ``model``. Where the model says
#: texts there is :data:`SAID`, too; where groups of images are known a column ``group``, null for
#: an image that is the only one of its group; where the model was also asked without seeing the
#: images, :data:`BLIND`.
SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("number", pa.int32()),
        ("question", pa.string()),
        ("answer", pa.string()),
        ("generator", pa.string()),
        ("first_word", pa.string()),
        ("kind", pa.string()),
        ("p_yes", pa.float64()),
        ("mass", pa.float64()),
        ("predicted", pa.string()),
        ("correct", pa.bool_()),
        ("reason", pa.string()),
        ("sha256", pa.string()),
    ]
)

#: The text of the answer as it came, cut if it is long; null where there is none.
SAID = pa.field("said", pa.string())

#: What is known of answers without seeing the images: P(yes), and whether the answer is right.
BLIND = [pa.field("p_yes_blind", pa.float64()), pa.field("correct_blind", pa.bool_())]

_KEY = ["image", "question"]

#: What answers are made of, and which of it files need not have: models with P(yes) have no words.
_OF_ANSWERS, _WORDS = ("p_yes", "reason", "predicted"), ["predicted"]

Objects = npt.NDArray[np.object_]


class ScoreVqaError(SynthsightError):
    """Answers that do not match the questions."""


def score_vqa(
    questions: Sequence[str | os.PathLike[str]],
    answers: Sequence[str | os.PathLike[str]],
    model: str,
    output: str | os.PathLike[str],
    groups: Mapping[str, str | None] | None = None,
    blind: Sequence[str | os.PathLike[str]] = (),
) -> None:
    """Score one model: one row per usable question, sorted by image and number.

    The prediction is ``yes`` if P(yes) is above 0.5; at exactly 0.5 it is ``no``, so that an
    undecided model is not credited with the answer that most questions have. Where P(yes) is not
    known, it is what was answered. A question without an answer that counts has a reason, no
    P(yes), no prediction, and is neither correct nor wrong; if something was said to it, that is
    kept.
    The sha256 is that of the image: of pictures that are the same under several names, it is one,
    and what is asked about several of them is scored once, or never if the answers differ (see
    :mod:`synthsight.vqa.repeats`).

    Args:
        questions: Parquet shards of questions: ``number, image, question, answer, generator,
            sha256, status``; rows whose status is not ``ok`` are left out.
        answers: Parquet shards of answers: ``image, question, p_yes, mass, reason``, one row for
            each usable question, and perhaps ``predicted`` and ``said``. ``mass`` is null of models
            that choose between answers.
        model: its name.
        output: the Parquet file, :data:`SCHEMA`, written atomically.
        groups: by image, what it has in common with others of one prompt, seed or scene; None if
            nothing is known of any.
        blind: like ``answers``, those given without seeing the images; none if nobody asked.

    Raises:
        ScoreVqaError: no usable question, a repeated question, a question without an answer or an
            answer without a question, another model's answers, a truth or prediction that is
            neither ``yes`` nor ``no``, a P(yes) that is not a probability, or a row with neither an
            answer nor a reason.
    """
    asked = _read(
        questions, ["number", *_KEY, "answer", "generator", "sha256", "status"], "question"
    )
    asked = asked[asked["status"] == "ok"].drop(columns="status")
    if asked.empty:
        raise ScoreVqaError("there is no usable question")
    for path in (*answers, *blind):
        about = (read_schema(path).metadata or {}).get(b"synthsight")
        found = json.loads(about or b"{}").get("model", model)
        if found != model:
            raise ScoreVqaError(f"{path} holds answers of {found!r}, not {model!r}; {MAKE_AGAIN}")
    given = _read(answers, [*_KEY, "p_yes", "mass", "reason"], "answer", [*_WORDS, "said"])
    if blind:
        unseen = _read(blind, [*_KEY, "p_yes", "reason"], "answer", _WORDS)
        unseen = unseen.rename(columns={each: f"{each}_blind" for each in _OF_ANSWERS})
        if sorted(zip(*(unseen[key] for key in _KEY), strict=True)) != sorted(
            zip(*(given[key] for key in _KEY), strict=True)
        ):
            raise ScoreVqaError(
                "the answers without seeing the images are not to the same questions as those "
                f"with; {MAKE_AGAIN}"
            )
        given = given.merge(unseen, on=_KEY)
    for table, what in ((asked, "asked"), (given, "answered")):
        twice = table[table.duplicated(_KEY)]
        if len(twice):
            raise ScoreVqaError(f"{_name(twice)} is {what} twice")
    named = asked.dropna(subset="sha256")
    copies = repeats_about_copies(
        zip(*(named[name] for name in (*_KEY, "answer", "sha256")), strict=True)
    )
    asked, given = (_without(table, copies) for table in (asked, given))
    if asked.empty:
        raise ScoreVqaError("there is no usable question: copies of pictures contradict each other")
    rows = asked.merge(given, on=_KEY, how="outer", indicator="found")
    for side, what in (
        ("left_only", "has no answer"),
        ("right_only", "has an answer but is not among the questions"),
    ):
        lost = rows[rows["found"] == side]
        if len(lost):
            raise ScoreVqaError(f"{_name(lost)} {what} ({len(lost)} of {len(rows)} such)")
    wrong = rows[~rows["answer"].isin(["yes", "no"])]
    if len(wrong):
        raise ScoreVqaError(f"{_name(wrong)}: the truth is {wrong['answer'].iloc[0]!r}")
    predicted, correct = _judged(rows)
    rows = rows.assign(
        first_word=rows["question"].map(first_word),
        kind=rows["question"].map(kind),
        predicted=predicted,
        correct=correct,
    ).sort_values(["image", "number"])
    schema = SCHEMA.append(SAID) if rows["said"].notna().any() else SCHEMA
    if groups is not None:
        rows, schema = rows.assign(group=rows["image"].map(groups)), schema.append(GROUPS.field(1))
    if blind:
        rows = rows.assign(correct_blind=_judged(rows, "_blind")[1])
        schema = pa.schema([*schema, *BLIND])
    table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False)
    write_parquet(output, table.replace_schema_metadata({"model": model}))


def _judged(rows: pd.DataFrame, ending: str = "") -> tuple[Objects, Objects]:
    """Predictions, and whether they are right; None of both where there is no answer.

    Args:
        rows: the columns :data:`_OF_ANSWERS`, with an ending, and ``answer``.
        ending: of the columns of answers, if they are not those with the image.

    Raises:
        ScoreVqaError: see :func:`score_vqa`.
    """
    p_yes, reason, given = (rows[f"{name}{ending}"] for name in _OF_ANSWERS)
    p_yes = p_yes.astype(np.float64)
    wrong = rows[p_yes.notna() & ~p_yes.between(0, 1)]
    if len(wrong):
        raise ScoreVqaError(f"{_name(wrong)}: P(yes) is {p_yes[wrong.index[0]]}")
    wrong = rows[given.notna() & ~given.isin(["yes", "no"])]
    if len(wrong):
        raise ScoreVqaError(f"{_name(wrong)}: the prediction is {given[wrong.index[0]]!r}")
    wrong = rows[p_yes.isna() & given.isna() & reason.isna()]
    if len(wrong):
        raise ScoreVqaError(
            f"{_name(wrong)} has no P(yes), no prediction, and no reason why it has none"
        )
    decided = np.where(p_yes > 0.5, "yes", "no").astype(object)
    predicted = np.where(p_yes.notna(), decided, given.astype(object))
    correct = (predicted == rows["answer"].to_numpy()).astype(object)
    none = (p_yes.isna() & given.isna()).to_numpy()
    predicted[none] = correct[none] = None
    return predicted, correct


def _read(
    paths: Sequence[str | os.PathLike[str]],
    columns: list[str],
    what: str,
    optional: Sequence[str] = (),
) -> pd.DataFrame:
    """Read shards; optional columns that they do not have are null."""
    if not paths:
        raise ScoreVqaError(f"no {what}s to score")
    parts = []
    for path in paths:
        there = [name for name in optional if name in read_schema(path).names]
        parts.append(read_parquet(path, [*columns, *there]))
    # A column may be all null in one shard.
    table: pd.DataFrame = pa.concat_tables(parts, promote_options="permissive").to_pandas()
    return table.reindex(columns=[*columns, *optional])


def _without(rows: pd.DataFrame, left_out: Container[tuple[str, str]]) -> pd.DataFrame:
    pairs = zip(rows["image"], rows["question"], strict=True)
    return rows[np.array([pair not in left_out for pair in pairs], np.bool_)]


def _name(rows: pd.DataFrame) -> str:
    """The first of the rows, for a message."""
    return f"{rows['question'].iloc[0]!r} about {rows['image'].iloc[0]!r}"

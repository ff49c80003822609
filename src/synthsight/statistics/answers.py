"""The answers of all VQA models side by side, the starting point of all statistics about them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from synthsight.errors import SynthsightError
from synthsight.tables import metadata_of, read_parquet, read_schema

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.intp]

#: What says whether an answer without seeing the image is right, in files of models asked so.
_BLIND = "correct_blind"

#: What was said, in files of models that say a text.
_SAID = "said"

#: Models that a message names.
_NAMED = 5


class AggregateVqaError(SynthsightError):
    """Answers of different models to different questions, or a model without a note."""


@dataclass(frozen=True)
class Asked:
    """What became of all questions, those that are left out with them.

    Attributes:
        questions: how many were put.
        unanswered: (models,), to how many a model has no answer that counts, with its image or, if
            it was also asked without seeing it, without.
        unparsed: (models,), to how many of these it said something that is neither yes nor no.
        silent: (models,), to how many it has no answer with the image.
        right: (models,), how many it gets.
    """

    questions: int
    unanswered: Counts
    unparsed: Counts
    silent: Counts
    right: Counts

    @property
    def all_wrong(self) -> Floats:
        """Each model's accuracy if what it has no answer to were all wrong, (models,)."""
        share: Floats = self.right / self.questions
        return share

    @property
    def all_right(self) -> Floats:
        """The same if it were all right, (models,)."""
        share: Floats = (self.right + self.silent) / self.questions
        return share


@dataclass(frozen=True)
class Answers:
    """The answers of all models to the questions that each of them answered.

    Attributes:
        models: sorted.
        questions: one row per question, sorted by image and number: ``image, number, question,
            answer, generator, first_word, kind, sha256``, and ``group`` where any is known.
        p_yes: (questions, models); NaN where a model's answer is a word and nothing more.
        mass: likewise, the probability of yes and no together; NaN of models that choose between
            answers.
        correct: likewise.
        asked: what became of all questions. One without an answer of some model is left out for
            all: it is wrong for none, and all are compared on the same questions.
        blind: (questions, models), 1 where the answer without seeing the image is correct, 0 where
            it is not, and NaN of models that were not asked so; None if none was.
    """

    models: tuple[str, ...]
    questions: pd.DataFrame
    p_yes: Floats
    mass: Floats
    correct: Flags
    asked: Asked
    blind: Floats | None = None

    @property
    def asked_blind(self) -> Flags:
        """Whether each model was asked without seeing the images, too, (models,)."""
        if self.blind is None:
            return np.zeros(len(self.models), bool)
        return np.logical_not(np.isnan(self.blind).any(axis=0))

    @property
    def has_p_yes(self) -> Flags:
        """Whether each model's P(yes) is known of all questions, (models,)."""
        return np.logical_not(np.isnan(self.p_yes).any(axis=0))

    @property
    def yes(self) -> Flags:
        """Whether the right answer is yes, (questions,)."""
        return (self.questions["answer"] == "yes").to_numpy()

    @property
    def images(self) -> npt.NDArray[np.intp]:
        """The number of each question's image, (questions,); copies of a picture are one image."""
        return pd.factorize(pictures(self.questions), sort=True)[0]

    @property
    def units(self) -> npt.NDArray[np.intp]:
        """The number of each question's unit of chance, (questions,).

        It is the group of the question's image, or the image where no group is known. Groups that
        have a picture in common, as copies may, are one.
        """
        images = self.images
        if "group" not in self.questions:
            return images
        groups = pd.factorize(self.questions["group"])[0]
        known, count = groups >= 0, images.max() + 1
        size = count + groups.max() + 1
        ends = images[known], count + groups[known]
        edges = coo_array((np.ones(known.sum()), ends), shape=(size, size))
        units: npt.NDArray[np.intp] = connected_components(edges, directed=False)[1][images]
        return units


def pictures(questions: pd.DataFrame) -> pd.Series:
    """What tells the picture of each question: the first name of those with the same sha256."""
    names = questions["image"]
    first = names.groupby(questions["sha256"]).transform("min")
    return first.fillna(names)


def read_answers(paths: Sequence[str | os.PathLike[str]]) -> Answers:
    """Read the answers of all models.

    Args:
        paths: Parquet files from :func:`synthsight.vqa.score.score_vqa`, one per model.

    Raises:
        AggregateVqaError: no files, two of one model, files that differ in their questions, or no
            question that every model answered.
    """
    described = [
        *("image", "number", "question", "answer", "generator", "first_word", "kind", "sha256")
    ]
    results = ["p_yes", "mass", "correct"]
    tables: dict[str, pd.DataFrame] = {}
    origin: dict[str, str | os.PathLike[str]] = {}
    for path in paths:
        there = read_schema(path).names
        further = [name for name in ("group", _SAID, _BLIND) if name in there]
        file = read_parquet(path, [*described, *results, *further])
        model = metadata_of(file.schema, "model", path)
        if model in tables:
            raise AggregateVqaError(f"{origin[model]} and {path} are both of {model!r}")
        tables[model], origin[model] = file.to_pandas(), path
    if not tables:
        raise AggregateVqaError("no answers")
    models = sorted(tables)
    results += [_SAID, _BLIND]
    questions = tables[models[0]].drop(columns=results, errors="ignore")
    for model in models[1:]:
        if not tables[model].drop(columns=results, errors="ignore").equals(questions):
            raise AggregateVqaError(
                f"{origin[model]} is not about the same questions as {origin[models[0]]}"
            )

    def columns(name: str) -> Floats:
        """A column of all models, (questions, models); NaN where it is null or not there."""
        none = pd.Series(np.nan, questions.index)
        each = [tables[model].get(name, none).to_numpy(np.float64) for model in models]
        return np.column_stack(each)

    correct, blind = columns("correct"), columns(_BLIND)
    blind_known = np.array([_BLIND in tables[model] for model in models])
    silent = np.isnan(correct)
    lost = silent | (np.isnan(blind) & blind_known)
    asked = Asked(
        len(questions),
        lost.sum(axis=0),
        np.array([_unparsed(tables[model]) for model in models]),
        silent.sum(axis=0),
        np.nansum(correct, axis=0).astype(np.intp),
    )
    kept = ~lost.any(axis=1)
    if not kept.any():
        raise AggregateVqaError(
            f"no question was answered by every model ({_losses(models, asked)}); leave out the "
            "model that answers few of them"
        )
    return Answers(
        tuple(models),
        questions[kept].reset_index(drop=True),
        p_yes=columns("p_yes")[kept],
        mass=columns("mass")[kept],
        correct=correct[kept].astype(bool),
        asked=asked,
        blind=blind[kept] if blind_known.any() else None,
    )


def _unparsed(table: pd.DataFrame) -> int:
    """How many of a model's answers are texts that are neither yes nor no."""
    if _SAID not in table:
        return 0
    return int((table["correct"].isna() & table[_SAID].notna()).sum())


def _losses(models: Sequence[str], asked: Asked) -> str:
    """Which models have how many questions without an answer, the most first, for a message."""
    counts = sorted(zip(-asked.unanswered, models, strict=True))
    named = [f"{model}: {-count:,}" for count, model in counts if count][:_NAMED]
    return f"unanswered of {asked.questions:,}: {', '.join(named)}"

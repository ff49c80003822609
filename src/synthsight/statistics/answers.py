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


#: Columns of answers without seeing the images.
_BLIND = ("p_yes_blind", "correct_blind")


class AggregateVqaError(SynthsightError):
    """Answers of different models to different questions, or a model without a note."""


@dataclass(frozen=True)
class Answers:
    """The answers of all models to the questions that each of them answered.

    Attributes:
        models: sorted.
        questions: one row per question, sorted by image and number: ``image, number, question,
            answer, generator, first_word, kind, sha256``, and ``group`` where any is known.
        p_yes: (questions, models).
        mass: likewise, the probability of yes and no together; NaN of models that choose between
            answers.
        correct: likewise.
        unanswered: (models,), how many of all questions a model could not take. What one of them
            could not take is left out for all: it is wrong for none, and all are compared on the
            same questions.
        blind: (questions, models), whether the answer without seeing the image is correct; None if
            nobody asked.
    """

    models: tuple[str, ...]
    questions: pd.DataFrame
    p_yes: Floats
    mass: Floats
    correct: Flags
    unanswered: npt.NDArray[np.intp]
    blind: Flags | None = None

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
    tables: dict[str, pd.DataFrame] = {}
    origin: dict[str, str | os.PathLike[str]] = {}
    for path in paths:
        further = [name for name in ("group", *_BLIND) if name in read_schema(path).names]
        file = read_parquet(path, [*described, *further, "p_yes", "mass", "correct"])
        model = metadata_of(file.schema, "model", path)
        if model in tables:
            raise AggregateVqaError(f"{origin[model]} and {path} are both of {model!r}")
        tables[model], origin[model] = file.to_pandas(), path
    if not tables:
        raise AggregateVqaError("no answers")
    models = sorted(tables)
    blind = _BLIND[0] in tables[models[0]]
    results = ["p_yes", "mass", "correct", *(_BLIND if blind else ())]
    questions = tables[models[0]].drop(columns=results)
    for model in models[1:]:
        if not tables[model].drop(columns=results, errors="ignore").equals(questions):
            raise AggregateVqaError(
                f"{origin[model]} is not about the same questions as {origin[models[0]]}"
            )
    p_yes, mass = (
        np.column_stack([tables[model][each].to_numpy(np.float64) for model in models])
        for each in ("p_yes", "mass")
    )
    correct = np.column_stack([tables[model]["correct"].to_numpy(bool) for model in models])
    unseen = correct_unseen = None
    if blind:
        unseen = np.column_stack([tables[model][_BLIND[0]].to_numpy(float) for model in models])
        correct_unseen = np.column_stack([tables[m][_BLIND[1]].to_numpy(bool) for m in models])
    lost = np.isnan(p_yes) | (False if unseen is None else np.isnan(unseen))
    kept, unanswered = ~lost.any(axis=1), lost.sum(axis=0)
    if not kept.any():
        each = ", ".join(f"{m}: {n}" for m, n in zip(models, unanswered, strict=True) if n)
        raise AggregateVqaError(
            f"no question was answered by every model (unanswered of {len(lost)}: {each}); leave "
            "out the model that can take few of them"
        )
    return Answers(
        tuple(models),
        questions[kept].reset_index(drop=True),
        p_yes=p_yes[kept],
        mass=mass[kept],
        correct=correct[kept],
        unanswered=unanswered,
        blind=None if correct_unseen is None else correct_unseen[kept],
    )

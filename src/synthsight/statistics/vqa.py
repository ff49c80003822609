"""From answers to yes/no questions to accuracies, calibration and comparisons, with intervals."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.files import read_json
from synthsight.statistics.answers import (
    AggregateVqaError,
    Answers,
    Flags,
    pictures,
    read_answers,
)
from synthsight.statistics.columns import (
    VQA,
    VQA_CALIBRATION,
    VQA_COMPARISONS,
    VQA_GROUPS,
    VQA_QUESTIONS,
)
from synthsight.statistics.intervals import share_interval
from synthsight.statistics.moments import Codes, Sample, Spread
from synthsight.statistics.pairs import compare_pairs, mcnemar_test
from synthsight.statistics.seeing import seeing
from synthsight.tables import ALL, Outputs

#: What questions are grouped by: columns of their file, and the names used in the table.
GROUPS = {"first_word": "first word", "kind": "kind", "generator": "generator"}

#: Number of bins for the reliability of P(yes): 0 to 0.1, 0.1 to 0.2 and so on.
BINS = 10


@dataclass(frozen=True)
class VqaTables:
    """The tables about yes/no questions; accuracies, shares and bounds are fractions.

    Attributes:
        models: see :func:`summarise`.
        groups: see :func:`group`.
        questions: see :func:`describe`.
        calibration: see :func:`calibrate`.
        comparisons: see :func:`compare_models`.
    """

    models: pd.DataFrame
    groups: pd.DataFrame
    questions: pd.DataFrame
    calibration: pd.DataFrame
    comparisons: pd.DataFrame


def aggregate_vqa(
    answers: Sequence[str | os.PathLike[str]],
    notes: Sequence[str | os.PathLike[str]],
    level: float,
) -> VqaTables:
    """Make all tables about the answers to yes/no questions.

    Intervals take the image as the sampling unit (see :mod:`synthsight.statistics.intervals`), and
    files of the same bytes as one image. The order of the files does not matter.

    Args:
        answers: Parquet files from :func:`synthsight.vqa.score.score_vqa`, one per model.
        notes: JSON files about the models' weights, each with ``name`` and ``reference``: null, or
            the published accuracies on VQA-v2 ``yes_no`` and ``overall`` (fractions or null) with
            their ``source``.
        level: confidence level, such as 0.95.

    Raises:
        AggregateVqaError: no answers, two files of one model, different questions, or a model
            without a note.
    """
    found = read_answers(answers)
    references = {}
    for path in notes:
        note = read_json(path, ["name", "reference"])
        references[note["name"]] = note["reference"] or {}
    missing = sorted(set(found.models) - set(references))
    if missing:
        raise AggregateVqaError(f"no note about the weights of {', '.join(missing)}")
    calibration = calibrate(found, level)
    return VqaTables(
        summarise(found, calibration, references, level),
        group(found, level),
        describe(found.questions),
        calibration,
        compare_models(found, level),
    )


def accuracy_of(correct: Flags, units: Codes) -> Spread:
    """The accuracy of each column of ``correct`` (questions, models).

    Args:
        correct: (questions, models), of at least one question.
        units: (questions,), the number of each question's unit of chance: its image, or group.
    """
    return Sample(np.zeros(len(units), np.int64), units).moments(correct).mean()


def balanced_accuracy(correct: Flags, yes: Flags, units: Codes) -> Spread | None:
    """The mean of the accuracies on questions whose answer is yes and on those whose answer is no.

    It is the exact expectation of ShuffleAcc (Borji 2023), understood as the accuracy on questions
    drawn at random such that half of the answers are yes, each question of a side being equally
    likely.

    Args:
        correct: (questions, models).
        yes: (questions,), whether the right answer is yes.
        units: (questions,), the number of each question's unit of chance: its image, or group.

    Returns:
        (models,); None where all questions have the same answer.
    """
    if yes.all() or not yes.any():
        return None
    return Sample(yes.astype(np.int64), units).moments(correct).mean()


def summarise(
    answers: Answers,
    calibration: pd.DataFrame,
    references: dict[str, dict[str, Any]],
    level: float,
) -> pd.DataFrame:
    """Summarise each model over all questions.

    Args:
        answers: the answers of all models.
        calibration: from :func:`calibrate`.
        references: published accuracies on VQA-v2 by model.
        level: confidence level, such as 0.95.

    Returns:
        The columns :data:`VQA`, one row per model, sorted. ``always_yes`` is the accuracy of
        always answering yes. ``yes_no`` counts the questions whose answer is yes but that the model
        answers no, and so on: truth first. ``unanswered`` counts those to which it has no answer
        that counts, which are not among the ``n`` (see :class:`Answers`), and ``unparsed`` those of
        them to which it said something that is neither yes nor no. ``all_wrong`` and ``all_right``
        are its accuracy over all questions, if those without an answer were all wrong, or all
        right; these are more than ``n``, so ``accuracy`` may be outside. ``mass`` is the mean
        probability of yes and no together, null of models that choose between answers. For
        ``blind`` and ``gain`` see :func:`synthsight.statistics.seeing.seeing`. ``ece`` is the
        expected calibration error of P(yes), the mean over questions of
        ``|mean_p_yes - share_yes|`` of their bin; ``brier`` is the mean of (P(yes) - truth)^2; both
        are null of a model that has P(yes) of some questions or of none. ``drop`` =
        reference_yes_no - accuracy, positive where the model does worse here, with bounds from
        those of the accuracy; null
        without a reference.
    """
    yes, images, units = answers.yes, answers.images, answers.units
    correct = answers.correct
    accuracy = accuracy_of(correct, units)
    low, high = share_interval(accuracy, level)
    balanced = balanced_accuracy(correct, yes, units)
    balanced_low, balanced_high = (
        share_interval(balanced, level) if balanced is not None else (np.nan, np.nan)
    )
    right_yes, right_no = correct[yes].sum(axis=0), correct[~yes].sum(axis=0)
    gap = (calibration["mean_p_yes"] - calibration["share_yes"]).abs() * calibration["n"]
    ece = gap.groupby(calibration["model"]).sum().reindex(list(answers.models)) / len(yes)
    table = pd.DataFrame(
        {
            "model": answers.models,
            "n": len(yes),
            "n_yes": int(yes.sum()),
            "n_no": int((~yes).sum()),
            "images": len(np.unique(images)),
            "accuracy": accuracy.mean,
            "low": low,
            "high": high,
            "always_yes": yes.mean(),
            "balanced_accuracy": np.nan if balanced is None else balanced.mean,
            "balanced_low": balanced_low,
            "balanced_high": balanced_high,
            "yes_yes": right_yes,
            "yes_no": yes.sum() - right_yes,
            "no_yes": (~yes).sum() - right_no,
            "no_no": right_no,
            "unanswered": answers.asked.unanswered,
            "unparsed": answers.asked.unparsed,
            "all_wrong": answers.asked.all_wrong,
            "all_right": answers.asked.all_right,
            "mass": answers.mass.mean(axis=0),
            **seeing(answers, np.arange(len(yes)), level),
            "ece": ece.to_numpy(),
            "brier": ((answers.p_yes - yes[:, None]) ** 2).mean(axis=0),
        }
    )
    stated = [references[model] for model in answers.models]
    table["source"] = pd.array([about.get("source") for about in stated], dtype="str")
    for name in ("yes_no", "overall"):
        table[f"reference_{name}"] = pd.Series([about.get(name) for about in stated], dtype=float)
    table["drop"] = table["reference_yes_no"] - table["accuracy"]
    table["drop_low"] = table["reference_yes_no"] - table["high"]
    table["drop_high"] = table["reference_yes_no"] - table["low"]
    return table[VQA]


def group(answers: Answers, level: float) -> pd.DataFrame:
    """Each model's accuracy on questions grouped by first word, by kind and by generator.

    Returns:
        The columns :data:`VQA_GROUPS`, sorted by model, ``by`` (see :data:`GROUPS`) and ``value``;
        ``balanced_accuracy`` is null where all questions have the same answer. Questions without a
        generator are in no generator group.
    """
    yes, images, units = answers.yes, answers.images, answers.units
    tables = []
    for by, value, rows in _groups(answers.questions):
        correct = answers.correct[rows]
        accuracy = accuracy_of(correct, units[rows])
        low, high = share_interval(accuracy, level)
        balanced = balanced_accuracy(correct, yes[rows], units[rows])
        tables.append(
            pd.DataFrame(
                {
                    "model": answers.models,
                    "by": by,
                    "value": value,
                    "n": len(correct),
                    "n_yes": int(yes[rows].sum()),
                    "images": len(np.unique(images[rows])),
                    "accuracy": accuracy.mean,
                    "low": low,
                    "high": high,
                    "always_yes": yes[rows].mean(),
                    "balanced_accuracy": np.nan if balanced is None else balanced.mean,
                    **seeing(answers, rows, level),
                }
            )
        )
    table = pd.concat(tables).sort_values(["model", "by", "value"], ignore_index=True)
    return table[VQA_GROUPS]


def _groups(questions: pd.DataFrame) -> Iterator[tuple[str, str, npt.NDArray[np.intp]]]:
    """Yield what the questions are grouped by, the group's value, and its questions' indices."""
    for column, by in GROUPS.items():
        codes, values = pd.factorize(questions[column], sort=True)  # -1 where there is none
        for code, value in enumerate(values):
            yield by, str(value), np.flatnonzero(codes == code)


def describe(questions: pd.DataFrame) -> pd.DataFrame:
    """The statistics that the paper reports about its questions (Borji 2022, section 3).

    Args:
        questions: one row per question: ``image, question, answer, generator, sha256``.

    Returns:
        The columns :data:`VQA_QUESTIONS`, generator ``*`` (all questions) first.
        Copies of a picture are one image, as in all tables. ``questions_per_image`` and
        ``words_per_question`` are means; words are separated by whitespace.
    """
    columns = pd.DataFrame(
        {
            "generator": questions["generator"],
            "image": pictures(questions),
            "yes": questions["answer"] == "yes",
            "words": [len(question.split()) for question in questions["question"]],
        }
    )
    both = pd.concat([columns.assign(generator=ALL), columns.dropna(subset=["generator"])])
    table = both.groupby("generator", as_index=False).agg(
        questions=("yes", "size"),
        images=("image", "nunique"),
        yes=("yes", "sum"),
        share_yes=("yes", "mean"),
        words_per_question=("words", "mean"),
    )
    table["no"] = table["questions"] - table["yes"]
    table["questions_per_image"] = table["questions"] / table["images"]
    # A generator's name may sort before "*".
    first = table["generator"] == ALL
    return pd.concat([table[first], table[~first]], ignore_index=True)[VQA_QUESTIONS]


def calibrate(answers: Answers, level: float) -> pd.DataFrame:
    """The reliability of P(yes): how often the answer is yes, given a model's P(yes).

    Returns:
        The columns :data:`VQA_CALIBRATION`, sorted by model and bin; :data:`BINS` bins of equal
        width, each including its lower edge, the last one also 1. ``share_yes`` is the share of the
        bin's questions whose answer is yes, with bounds; like ``mean_p_yes``, it is null for an
        empty bin. A model that has P(yes) of some questions or of none has no rows.
    """
    yes, images, units = answers.yes[:, None], answers.images, answers.units
    rows = []
    known = [each for each in enumerate(answers.models) if answers.has_p_yes[each[0]]]
    for (m, model), number in itertools.product(known, range(BINS)):
        p_yes = answers.p_yes[:, m]
        inside = np.minimum((p_yes * BINS).astype(int), BINS - 1) == number
        row: dict[str, object] = {
            "model": model,
            "bin": number + 1,
            "low_edge": number / BINS,
            "high_edge": (number + 1) / BINS,
            "n": int(inside.sum()),
            "images": len(np.unique(images[inside])),
        }
        if inside.any():
            share = accuracy_of(yes[inside], units[inside])
            low, high = share_interval(share, level)
            row |= {"mean_p_yes": p_yes[inside].mean(), "share_yes": share.mean[0]}
            row |= {"low": low[0], "high": high[0]}
        rows.append(row)
    return pd.DataFrame(rows, columns=list(VQA_CALIBRATION)).astype(VQA_CALIBRATION)


def compare_models(answers: Answers, level: float) -> pd.DataFrame:
    """The difference in accuracy of each pair of models on the same questions.

    The interval is paired and clustered by image, or group of images. McNemar's exact test asks
    whether the questions that only one of the two gets split evenly. It takes questions as
    independent, which several questions about the same image are not, so its p is then too small:
    where test and interval disagree, trust the interval.

    Returns:
        The columns :data:`VQA_COMPARISONS`, sorted by ``a`` and ``b``, a < b; ``difference`` =
        a_accuracy - b_accuracy; ``only_a`` counts questions that a gets and b does not; ``p_holm``
        is corrected for all pairs. Empty if there is only one model.
    """
    sample = Sample(np.zeros(len(answers.units), np.int64), answers.units)
    pairs = compare_pairs(answers.models, answers.correct, sample, level).rename(
        columns={"a_mean": "a_accuracy", "b_mean": "b_accuracy"}
    )
    table = mcnemar_test(pairs).assign(images=len(np.unique(answers.images)))
    return table[list(VQA_COMPARISONS)].astype(VQA_COMPARISONS)


def tabulate(outputs: Outputs, answers: Sequence[str], notes: Sequence[str], level: float) -> None:
    """Write the tables about questions: see :func:`aggregate_vqa`."""
    tables = aggregate_vqa(answers, notes, level)
    outputs.write("vqa", tables.models)
    outputs.write("vqa_groups", tables.groups)
    outputs.write("vqa_questions", tables.questions)
    outputs.write("vqa_calibration", tables.calibration)
    outputs.write("vqa_comparisons", tables.comparisons)

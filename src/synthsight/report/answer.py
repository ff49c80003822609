"""The run's answer in sentences of numbers, from its tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from synthsight.tables import ALL


def answers(tables: Mapping[str, pd.DataFrame], rule: str, level: float) -> list[str]:
    """The answer of a run, a sentence or two for each of its parts.

    Args:
        tables: by name: ``accuracy``, ``reference``, ``images`` and, if questions were asked,
            ``vqa``.
        rule: the matching rule.
        level: of the intervals.
    """
    said = [
        images_answer(tables["accuracy"], tables["reference"], rule, level),
        agreement_answer(tables["images"], rule),
    ]
    if "vqa" in tables:
        said.append(questions_answer(tables["vqa"], level))
    return [each for each in said if each is not None]


def percent(fraction: float) -> str:
    """A fraction as a percentage with one digit behind the point."""
    return f"{100 * fraction:.1f}%"


def _points(difference: float) -> str:
    return f"{100 * difference:.1f} points"


def _interval(low: float, high: float, level: float) -> str:
    return f"({100 * level:g}% interval {100 * low:.1f} to {percent(high)})"


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def best_model(accuracy: pd.DataFrame, rule: str) -> str:
    """The model with the highest mean top-1 under a rule, ties by name."""
    return str(means(accuracy, rule).iloc[0]["model"])


def means(accuracy: pd.DataFrame, rule: str) -> pd.DataFrame:
    """The rows of the accuracy table with the means over categories, best model first."""
    chosen = (accuracy[["category", "generator"]] == ALL).all(axis=1) & (accuracy["rule"] == rule)
    return accuracy[chosen].sort_values(["top1", "model"], ascending=[False, True])


def images_answer(accuracy: pd.DataFrame, reference: pd.DataFrame, rule: str, level: float) -> str:
    """How well the best classifier does, against its reference, mostly real photographs.

    Args:
        accuracy: of :func:`synthsight.statistics.accuracy.aggregate`.
        reference: of :func:`synthsight.statistics.reference.reference`.
        rule: the matching rule.
        level: of the intervals.
    """
    ranked = means(accuracy, rule)
    best = ranked.iloc[0]
    of_best = accuracy[(accuracy["model"] == best["model"]) & (accuracy["rule"] == rule)]
    categories = of_best.loc[of_best["category"] != ALL, "category"].nunique()
    said = (
        f"Shown {_count(int(best['n']), 'generated image')} of "
        f"{_count(categories, 'category', 'categories')}, "
    )
    if len(ranked) > 1:
        said += f"{best['model']}, the best of {len(ranked)} models, "
    else:
        said += f"{best['model']} "
    said += (
        f"is right with its first guess on {percent(best['top1'])} "
        f"{_interval(best['top1_low'], best['top1_high'], level)} and within five on "
        f"{percent(best['top5'])} {_interval(best['top5_low'], best['top5_high'], level)}"
    )
    row = reference[
        (reference["model"] == best["model"])
        & (reference["rule"] == rule)
        & (reference["generator"] == ALL)
    ].iloc[0]
    if pd.notna(row["drop_top1"]):
        drop = row["drop_top1"]
        low, high = row["drop_top1_low"], row["drop_top1_high"]
        if drop < 0:
            drop, low, high = -drop, -high, -low
        said += (
            f"; on its reference ({row['source']}) it is stated to get "
            f"{percent(row['reference_top1'])}, "
            f"{_points(drop)} {'more' if row['drop_top1'] >= 0 else 'less'} "
            f"({100 * low:.1f} to {100 * high:.1f})"
        )
    return said + "."


def agreement_answer(images: pd.DataFrame, rule: str) -> str | None:
    """How many images all models get and none gets; None for a single model.

    Args:
        images: the table of images, of :mod:`synthsight.statistics.agreement`.
        rule: the matching rule.
    """
    chosen = images[images["rule"] == rule]
    models = int(chosen["models"].iloc[0])
    if models < 2:
        return None
    every = int((chosen["top1"] == models).sum())
    none = int((chosen["top1"] == 0).sum())
    total = len(chosen)
    return (
        f"All {models} models get {every:,} of the {total:,} images ({percent(every / total)}) "
        f"with their first guess, none gets {none:,} ({percent(none / total)})."
    )


def questions_answer(vqa: pd.DataFrame, level: float) -> str:
    """How well the best VQA model answers, against saying always yes and its reference.

    Args:
        vqa: the table of VQA models, of :mod:`synthsight.statistics.vqa`.
        level: of the intervals.
    """
    best = best_vqa(vqa)
    who = f"{best['model']}, the best of {len(vqa)} models," if len(vqa) > 1 else best["model"]
    said = (
        f"Of {_count(int(best['n']), 'yes/no question')} about "
        f"{_count(int(best['images']), 'image')}, {who} answers {percent(best['accuracy'])} right "
        f"{_interval(best['low'], best['high'], level)}; always saying yes would get "
        f"{percent(best['always_yes'])}"
    )
    stated = best["reference_yes_no"]
    if pd.notna(stated):
        said += f", and on its reference ({best['source']}) it is stated to get {percent(stated)}"
    return said + "."


def best_vqa(vqa: pd.DataFrame) -> Any:
    """The row of the VQA model with the highest accuracy, ties by name."""
    return vqa.sort_values(["accuracy", "model"], ascending=[False, True]).iloc[0]

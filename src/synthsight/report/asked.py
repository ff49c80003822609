"""How well models answer yes/no questions, in a sentence: see :mod:`synthsight.report.answer`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from synthsight.report.phrases import count, interval, percent, points, signed


def questions_answer(
    vqa: pd.DataFrame, level: float, comparisons: pd.DataFrame | None = None
) -> str:
    """How well the best VQA model answers, compared with always saying yes and its reference.

    Args:
        vqa: the table of VQA models, from :mod:`synthsight.statistics.vqa`.
        level: confidence level of the intervals.
        comparisons: the table ``vqa_comparisons``, which says how surely the best one is.
    """
    best = best_vqa(vqa)
    who = str(best["model"])
    if len(vqa) > 1:
        who += f", {_place_of_questions(vqa, comparisons)},"
    sentence = (
        f"Of {count(int(best['n']), 'yes/no question')} about "
        f"{count(int(best['images']), 'image')}, {who} answers {percent(best['accuracy'])} right "
        f"{interval(best['low'], best['high'], level)}; always saying yes would get "
        f"{percent(best['always_yes'])}"
    )
    stated = best["reference_yes_no"]
    if pd.notna(stated):
        reference = f"its reference ({best['source']})"
        sentence += f", and on {reference} it is stated to get {percent(stated)}"
    further = count(int(best["unanswered"]), "further question")
    blind = pd.notna(best["gain"])
    if best["all_right"] > best["all_wrong"]:
        sentence += (
            f". To {further} it gave no answer that counts{', with the image or without' * blind}: "
            f"over all it gets {percent(best['all_wrong'])} if "
            f"{'those with the image' if blind else 'these'} are wrong and "
            f"{percent(best['all_right'])} if they are right"
        )
    elif best["unanswered"]:
        sentence += f". To {further} it gave no answer that counts without seeing the image"
    if pd.notna(best["gain"]):
        sentence += (
            f". With a grey picture in the place of each image it gets {percent(best['blind'])}: "
            f"seeing adds {points(best['gain'])} ({signed(best['gain_low'])} to "
            f"{signed(best['gain_high'])})"
        )
    return sentence + "."


def _place_of_questions(vqa: pd.DataFrame, comparisons: pd.DataFrame | None) -> str:
    """Whether the best VQA model is the only one, and more than chance, as an apposition."""
    ranked = vqa.sort_values(["accuracy", "model"], ascending=[False, True])
    best, second = ranked.iloc[0], ranked.iloc[1]
    tied = int((ranked["accuracy"] == best["accuracy"]).sum())
    if tied > 1:
        return f"one of {tied} models that share the first place of {len(vqa)}"
    said = f"the best of {len(vqa)} models"
    if comparisons is None:
        return said
    pair = comparisons[
        comparisons["a"].isin([best["model"], second["model"]])
        & comparisons["b"].isin([best["model"], second["model"]])
    ]
    if pair.empty or pair["low"].iloc[0] > 0 or pair["high"].iloc[0] < 0:
        return said
    row = pair.iloc[0]
    by, low, high = row["difference"], row["low"], row["high"]
    if row["b"] == best["model"]:
        by, low, high = -by, -high, -low
    return f"{said} here, by {points(by)} ({signed(low)} to {signed(high)}), which may be chance"


def best_vqa(vqa: pd.DataFrame) -> Any:
    """The row of the VQA model with the highest accuracy, ties by name."""
    return vqa.sort_values(["accuracy", "model"], ascending=[False, True]).iloc[0]

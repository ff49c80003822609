"""Which models are off the line over all of them, in sentences: effective robustness."""

from __future__ import annotations

import pandas as pd


def robustness_answer(table: pd.DataFrame | None, rule: str) -> str | None:
    """Which models do better, or worse, on generated images than photographs let expect, top-1.

    Args:
        table: from :func:`synthsight.statistics.robustness.robustness`, None without one.
        rule: the matching rule.

    Returns:
        None where there is no line to be above or below.
    """
    if table is None or table.empty:
        return None
    found = table[(table["rule"] == rule) & (table["hit"] == "top1")]
    if found.empty:
        return None  # no model's hits are known under the rule
    if not rises(found):
        return (
            f"The accuracies of the {len(found)} models on photographs do not go with those on "
            f"generated images: the line over all of them has a slope of "
            f"{_slope(found['slope'].iloc[0])}, so that no accuracy is to be expected of one on "
            "photographs."
        )
    by_distance = found.sort_values(["residual", "model"], ascending=[False, True])
    above = by_distance.loc[by_distance["low"] > 0, "model"].tolist()
    below = by_distance.loc[by_distance["high"] < 0, "model"].tolist()[::-1]
    if not above and not below:
        return (
            f"None of the {len(found)} models does better or worse on generated images than the "
            "line over all of them lets expect of its accuracy on photographs, beyond chance."
        )
    said = [
        f"{_few(names)} {'does' if len(names) == 1 else 'do'} {how}"
        for names, how in ((above, "better"), (below, "worse"))
        if names
    ]
    return (
        f"{' and '.join(said)} on generated images than the line over all {len(found)} models lets "
        "expect of the accuracy on photographs, beyond chance."
    )


def rises(found: pd.DataFrame) -> bool:
    """Whether models that do better on photographs do better on generated images, as a rule.

    Args:
        found: the rows of the table ``robustness`` about one rule and one kind of hit.
    """
    return bool(found["slope"].iloc[0] > 0)


def line_caption(table: pd.DataFrame | None, rule: str) -> str:
    """What the caption of the chart says of the line, top-1; empty without one.

    Args:
        table: as in :func:`robustness_answer`.
        rule: the matching rule.
    """
    if table is None or table.empty:
        return ""
    found = table[(table["rule"] == rule) & (table["hit"] == "top1")]
    if found.empty:
        return ""
    slope = f"Under {rule}, with the first guess, the line has a slope of "
    slope += _slope(found["slope"].iloc[0])
    if rises(found):
        return (
            f"{slope}: above it a model does better on generated images than its accuracy on "
            "photographs lets expect."
        )
    return (
        f"{slope} and does not rise: how far a model is from it then says nothing of how robust "
        "it is."
    )


def _slope(slope: float) -> str:
    return f"{round(slope, 2) + 0.0:.2f}"


def _few(names: list[str]) -> str:
    """Names as an enumeration, the first three if there are more than four."""
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more models"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

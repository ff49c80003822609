"""Where models agree: the images that all of them get, and those that none gets (Figure 2)."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd
import pyarrow.parquet as pq

COLUMNS = ["category", "rule", "n", "all_top1", "none_top1", "all_top5", "none_top5"]


class AgreementError(RuntimeError):
    """Scores of different models that are not about the same images."""


def agreement(scores: Sequence[str | os.PathLike[str]]) -> pd.DataFrame:
    """The fractions of images that every model gets and that no model gets.

    Args:
        scores: Parquet files of :func:`synthsight.score.score`, one for each model; all are about
            the same images and rules, in the same order.

    Returns:
        The columns :data:`COLUMNS`, a row per category and rule; fractions in 0..1.

    Raises:
        AgreementError: the files differ in images or rules.
    """
    # One model's hits are added to the sums at a time, which bounds memory.
    keys = ["image", "category", "rule"]
    sums: pd.DataFrame | None = None
    for path in scores:
        table = pq.read_table(path, columns=[*keys, "top1_hit", "top5_hit"]).to_pandas()
        hits = table.rename(columns={"top1_hit": "top1", "top5_hit": "top5"})
        hits = hits.astype({"top1": "int32", "top5": "int32"})
        if sums is None:
            sums = hits
        elif not sums[keys].equals(hits[keys]):
            raise AgreementError(f"{path} is not about the same images as {scores[0]}")
        else:
            sums[["top1", "top5"]] += hits[["top1", "top5"]]
    if sums is None:
        raise AgreementError("no scores")
    models = len(scores)
    images = sums.assign(
        **{
            f"{name}_{hit}": sums[hit] == wanted
            for hit in ("top1", "top5")
            for name, wanted in (("all", models), ("none", 0))
        }
    )
    groups = images.groupby(["category", "rule"], as_index=False)
    fractions = groups[["all_top1", "none_top1", "all_top5", "none_top5"]].mean()
    return fractions.merge(groups.size().rename(columns={"size": "n"}))[COLUMNS]

"""The charts' numbers as short tables, for those who open the page without JavaScript."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from synthsight.report.phrases import percent
from synthsight.tables import ALL
from synthsight.vqa.kinds import KINDS

#: At most so many models, the best ones, and rows that a table has: the rest is in the CSV files.
MOST_MODELS, MOST_ROWS = 12, 400


@dataclass(frozen=True)
class PlainTable:
    """A table as text.

    Attributes:
        caption: what it shows.
        columns: the heads of its columns, that of the rows' names first.
        rows: the name of each row, then its cells.
        left_out: what of all it has, in words, if it lacks anything.
    """

    caption: str
    columns: list[str]
    rows: list[list[str]]
    left_out: str = ""


def plain_tables(
    tables: Mapping[str, pd.DataFrame], rule: str, ranked: list[str]
) -> list[PlainTable]:
    """Accuracy by category, rule and generator, agreement, and questions by kind.

    Args:
        tables: those of the run, by name.
        rule: the primary matching rule.
        ranked: the classifiers, best first.

    Returns:
        The tables that the run has rows for. All but that of rules are under the primary rule,
        with the first guess.
    """
    accuracy = tables["accuracy"]
    of_rule = accuracy[accuracy["rule"] == rule]
    overall = of_rule["generator"] == ALL
    means = of_rule["category"] == ALL
    every = accuracy[(accuracy["category"] == ALL) & (accuracy["generator"] == ALL)]
    agreement = tables["agreement"]
    agreement = agreement[(agreement["rule"] == rule) & (agreement["generator"] == ALL)]
    found = [
        _pivot("Top-1 accuracy by category", of_rule[overall & ~means], "category", ranked),
        _pivot("Top-1 accuracy by matching rule", every, "rule", ranked),
        _pivot("Top-1 accuracy by generator", of_rule[means & ~overall], "generator", ranked),
        _agreement(agreement),
    ]
    groups = tables.get("vqa_groups")
    if groups is not None:
        kinds = groups[groups["by"] == "kind"].rename(columns={"value": "kind", "accuracy": "top1"})
        kinds = kinds.sort_values("kind", key=lambda kind: kind == KINDS[-1], kind="stable")
        answering = tables["vqa"].sort_values("accuracy", ascending=False)["model"].tolist()
        found.append(_pivot("Right answers by kind of question", kinds, "kind", answering))
    return [table for table in found if table.rows]


def _pivot(caption: str, table: pd.DataFrame, by: str, models: list[str]) -> PlainTable:
    """Models in columns; each row is a value of ``by``, in the order of the table."""
    shown = models[:MOST_MODELS]
    cells = {(row[by], row["model"]): row["top1"] for row in table.to_dict("records")}
    names = list(dict.fromkeys(table[by]))
    rows = [
        [str(name), *(_percent(cells.get((name, model))) for model in shown)]
        for name in names[:MOST_ROWS]
    ]
    return PlainTable(caption, [by, *shown], rows, _left_out(len(models), len(names)))


def _agreement(table: pd.DataFrame) -> PlainTable:
    columns = ["category", "all models get", "no model gets", "images"]
    rows = [
        [row["category"], _percent(row["all_top1"]), _percent(row["none_top1"]), f"{row['n']:,}"]
        for row in table.head(MOST_ROWS).to_dict("records")
    ]
    left_out = _left_out(0, len(table))
    return PlainTable("Images that all models get, or none", columns, rows, left_out)


def _percent(share: float | None) -> str:
    return "not known" if share is None or math.isnan(share) else percent(share)


def _left_out(models: int, rows: int) -> str:
    parts = []
    if models > MOST_MODELS:
        parts.append(f"the best {MOST_MODELS} of {models:,} models")
    if rows > MOST_ROWS:
        parts.append(f"the first {MOST_ROWS} of {rows:,} rows")
    return f"{' and '.join(parts)}; the rest is in the folder tables/" if parts else ""

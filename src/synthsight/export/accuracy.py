"""The main table of a paper: every model's accuracy on generated images, and on photographs."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from synthsight.export.justified import clearly_best
from synthsight.export.latex import Table, escape, with_interval
from synthsight.statistics.reference import MEASURED, of_models
from synthsight.tables import ALL

#: The metrics, by their column in the tables.
METRICS = {"top1": "Top-1", "top5": "Top-5"}


def accuracy(
    accuracy: pd.DataFrame,
    reference: pd.DataFrame,
    comparisons: pd.DataFrame,
    excluded: pd.DataFrame,
    rule: str,
    level: float,
    adapted: Collection[str] = (),
) -> str:
    """Models by top-1, best first, with intervals, reference and drop.

    Args:
        accuracy: the accuracy table.
        reference: the reference table.
        comparisons: the table of pairs, which decides what is bold.
        excluded: the table of files that are left out.
        rule: the matching rule.
        level: confidence level of the intervals.
        adapted: models that were trained on the run's images, which are marked and never bold.
    """
    of_rule = accuracy[(accuracy["rule"] == rule) & (accuracy["generator"] == ALL)]
    means = of_rule[of_rule["category"] == ALL].sort_values(
        ["top1", "model"], ascending=[False, True], ignore_index=True
    )
    categories = of_rule.loc[of_rule["category"] != ALL, "category"].nunique()
    references = of_models(reference, rule).set_index("model").reindex(means["model"])
    known = bool(references["reference_top1"].notna().any())
    pairs = comparisons[(comparisons["kind"] == "model") & (comparisons["generator"] == ALL)]
    pairs = pairs[pairs["rule"] == rule]
    best = {
        metric: clearly_best(
            pairs[pairs["hit"] == metric],
            means.loc[means[metric].notna() & ~means["model"].isin(adapted), "model"],
            level,
        )
        for metric in METRICS
    }
    rows = []
    for row in means.to_dict("records"):
        name, of = str(row["model"]), references.loc[row["model"]]
        cells = [escape(name) + (r"\textsuperscript{a}" if name in adapted else "")]
        for metric in METRICS:
            ends = (float(row[f"{metric}{end}"]) for end in ("", "_low", "_high"))
            cells.append(with_interval(*ends, bold=best[metric] == name))
        if known:
            for column in ("reference_top1", "drop_top1"):
                cells.append(
                    with_interval(*(float(of[f"{column}{end}"]) for end in ("", "_low", "_high")))
                )
        rows.append(cells)
    marked = bool(means["model"].isin(adapted).any())
    measured = bool((references["kind"] == MEASURED).any())
    images = int(means["n"].max()) if len(means) else 0
    notes = [
        f"Accuracy on generated images in per cent: models by mean top-1 over {categories} "
        f"categories, {images:,} images.",
        f"Rule: {rule}. In brackets: {100 * level:g}% intervals.",
        f"Files left out: {len(excluded):,}.",
        *([_reference(references, measured)] if known else []),
        _bold(best),
        *(["Models with an a are never bold."] if marked else []),
    ]
    heads = ["Model", *METRICS.values()]
    heads += ["Reference top-1", "Drop"] if known else []
    return Table(notes, heads, rows, below=_below(known) if marked else ()).text


def _below(known: bool) -> list[str]:
    """What the mark of adapted models means, whether or not references are known."""
    said = [r"\textsuperscript{a}Trained on such images; chooses among the run's categories."]
    return said + ["Its drop is between two such choices."] * known


def _reference(references: pd.DataFrame, measured: bool) -> str:
    if measured:
        return (
            "Reference: mean top-1 over the run's real photographs of the same categories; drop: "
            "the reference minus top-1."
        )
    found = sorted(set(references["source"].dropna()))
    return (
        "Reference: the accuracy stated for the weights, over all of their classes "
        f"({'; '.join(map(str, found))}); drop: the reference minus top-1."
    )


def _bold(best: dict[str, str | None]) -> str:
    if any(best.values()):
        return (
            "Bold: better than each of the other models, by the paired interval and by McNemar's "
            "test with Holm's correction."
        )
    return "Nothing is bold: no model is better than each of the others by more than chance."

"""Generated images versus real photographs: how far each model's accuracy drops."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from synthsight.errors import SynthsightError
from synthsight.files import read_json
from synthsight.statistics.accuracy import (
    by_source,
    columns,
    counts_of,
    known_hits,
    moments_of_counts,
)
from synthsight.statistics.columns import ACCURACY, REFERENCE
from synthsight.statistics.hits import HITS, name_of_real
from synthsight.statistics.intervals import unpaired_interval
from synthsight.tables import ALL, Outputs, metadata_of, read_frame, read_schema

#: The two kinds of reference: the run's own photographs, and an accuracy that a library states.
MEASURED, PUBLISHED = "measured", "published"


class NotesError(SynthsightError):
    """A model with an accuracy but without a note about its weights."""


def reference(
    accuracy: str | os.PathLike[str],
    notes: Sequence[str | os.PathLike[str]],
    scores: Sequence[str | os.PathLike[str]] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare each model's accuracy on generated images with that on real photographs.

    The drop is reference - generated: positive where the model does worse on generated images.

    A ``measured`` reference is the model's accuracy on the run's own photographs, by the same rule
    and on the same categories: means count the categories that both have. Its drop is a difference
    of two samples (:func:`synthsight.statistics.intervals.unpaired_interval`). A ``published`` one
    is what the source of the weights states, which is by index over all classes of its label space;
    it is taken as exact, since no interval is stated (on ImageNet's 50,000 images it would be about
    0.004 to either side).

    Args:
        accuracy: Parquet file from :func:`synthsight.statistics.accuracy.aggregate`; its rows with
            category ``*`` are compared with published accuracies.
        notes: JSON files from :func:`synthsight.classifiers.weights.fetch_weights`, one per model.
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model.
        level: confidence level, such as 0.95.

    Returns:
        The columns :data:`REFERENCE`, sorted; accuracies and drops are fractions. Rows of kind
        ``published`` are for means over categories, and have neither a number of photographs nor
        bounds of the reference; without a stated accuracy, source, reference and drop are null.
        Rows of kind ``measured`` are for each category that both have and for the mean over
        these (``categories`` of them); there are none without photographs.

    Raises:
        NotesError: a model has no note.
    """
    stated = {}
    for path in notes:
        note = read_json(path, ["name", "reference"])
        stated[note["name"]] = note["reference"] or {}
    everything = read_frame(accuracy, ACCURACY)
    measured: list[pd.DataFrame] = []
    for path in scores:
        counts = counts_of(path)
        photographs = counts.loc[counts["real"], "generator"]
        everything = everything[~everything["generator"].isin(photographs)]
        measured += _measured(metadata_of(read_schema(path), "model", path), counts, level)
    table = pd.concat([_published(everything, stated), *measured])
    order = ["kind", "model", "rule", "category", "generator"]
    return table.sort_values(order, ignore_index=True)


def _published(accuracy: pd.DataFrame, stated: dict[str, dict[str, Any]]) -> pd.DataFrame:
    mean = accuracy["category"] == ALL
    keys = ["model", "generator", "rule"]
    sizes = accuracy[~mean].groupby(keys, as_index=False).size()
    table = accuracy[mean].merge(sizes.rename(columns={"size": "categories"}), "left", keys)
    models = table["model"].tolist()
    missing = sorted(set(models) - set(stated))
    if missing:
        raise NotesError(f"no note about the weights of {', '.join(missing)}")
    table["kind"] = PUBLISHED
    table["source"] = pd.array([stated[model].get("source") for model in models], dtype="str")
    for hit in HITS:
        real = pd.Series([stated[model].get(hit) for model in models], table.index, dtype=float)
        table[f"reference_{hit}"] = real
        table[f"drop_{hit}"] = real - table[hit]
        table[f"drop_{hit}_low"] = real - table[f"{hit}_high"]
        table[f"drop_{hit}_high"] = real - table[f"{hit}_low"]
    return table.reindex(columns=list(REFERENCE)).astype(REFERENCE)


def _measured(model: str, counts: pd.DataFrame, level: float) -> Iterator[pd.DataFrame]:
    """Tables of a model by rule and generator: its categories, and the mean over them."""
    photographs = counts[counts["real"]]
    for rule, generator, images in by_source(counts[~counts["real"]]):
        real = photographs[photographs["rule"] == rule]
        common = set(real["category"]) & set(images["category"])
        if not common:
            continue
        categories, of_real = moments_of_counts(real[real["category"].isin(common)])
        generated = moments_of_counts(images[images["category"].isin(common)])[1]
        n_real, n = of_real.items[:, 0], generated.items[:, 0]
        for names, sizes, sides, number in (
            (categories, (n_real, n), (of_real.cells(), generated.cells()), 1),
            ([ALL], (n_real.sum(), n.sum()), (of_real.mean(), generated.mean()), len(common)),
        ):
            table = pd.DataFrame({"category": names})
            table["model"], table["generator"], table["rule"] = model, generator, rule
            table["kind"], table["source"] = MEASURED, name_of_real(real["generator"])
            table["categories"] = number
            table["n_reference"], table["n"] = sizes
            known = known_hits(images)
            table = table.join(
                [
                    columns(sides[0], level, "reference_", known),
                    columns(sides[1], level, known=known),
                ]
            )
            for hit in HITS:
                a, b = f"reference_{hit}", hit
                table[f"drop_{hit}"] = table[a] - table[b]
                table[f"drop_{hit}_low"], table[f"drop_{hit}_high"] = unpaired_interval(
                    table[a].to_numpy(),
                    (table[f"{a}_low"].to_numpy(), table[f"{a}_high"].to_numpy()),
                    table[b].to_numpy(),
                    (table[f"{b}_low"].to_numpy(), table[f"{b}_high"].to_numpy()),
                )
            yield table[list(REFERENCE)].astype(REFERENCE)


def of_models(table: pd.DataFrame, rule: str) -> pd.DataFrame:
    """The references that all generated images together are compared with, a row for each model.

    Args:
        table: from :func:`reference`.
        rule: the matching rule.

    Returns:
        The rows about means over categories: measured ones if the run has photographs, else
        published ones, of which the reference may be unknown.
    """
    rows = table[(table[["category", "generator"]] == ALL).all(axis=1) & (table["rule"] == rule)]
    measured = rows[rows["kind"] == MEASURED]
    return measured if len(measured) else rows[rows["kind"] == PUBLISHED]


def tabulate(
    outputs: Outputs, accuracy: str, notes: Sequence[str], scores: Sequence[str], level: float
) -> None:
    """Write the table ``reference``: see :func:`reference`."""
    outputs.write("reference", reference(accuracy, notes, scores, level))

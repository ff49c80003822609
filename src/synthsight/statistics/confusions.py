"""What a category is mistaken for: the wrong classes that models predict most often."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthsight.statistics.columns import CONFUSIONS
from synthsight.statistics.hits import name_of_real
from synthsight.tables import ALL, Outputs, metadata_of, read_batches, read_schema

#: Wrong classes kept for each model, category and rule.
MOST = 10

#: Rows read at a time: the bound on memory.
_ROWS = 65536

_KEYS = ["generator", "model", "category", "rule"]


def confusions(
    scores: Sequence[str | os.PathLike[str]], adapted: Collection[str] = ()
) -> pd.DataFrame:
    """The classes that each category is most often mistaken for.

    A mistake is a best class that is not a hit under the rule. Under ``restricted`` it is the best
    class of the chosen category, so the names say what was chosen instead; an image without a
    category to choose counts for no class. Classes are identified by their simple name: models with
    different label spaces are pooled by it, and two classes of the same name count as one.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model, at
            least one.
        adapted: models that were trained on the images, which have no part in model ``*``, unless
            there are no others.

    Returns:
        The columns :data:`CONFUSIONS`; for each source (generator ``*``, all generated images, or
        the real photographs), model, category and rule at most :data:`MOST` rows, the most
        frequent class first, ties by name. ``n`` images are mistaken for ``predicted``;
        ``share`` is their fraction of all images of the category, correct ones included. Model
        ``*`` is all models together: ``n`` and share over images times models.
    """
    counted = [_count(path) for path in scores]
    models = {str(table["model"].iloc[0]) for _, table in counted if len(table)}
    together = models - {*adapted} or models
    wrong = _pool([table for table, _ in counted], [*_KEYS, "predicted"], together)
    images = _pool([table for _, table in counted], _KEYS, together).rename(columns={"n": "images"})
    order = [*_KEYS, "n", "predicted"]
    most = (
        wrong.sort_values(order, ascending=[True, True, True, True, False, True])
        .groupby(_KEYS)
        .head(MOST)
        .merge(images, on=_KEYS, how="left", validate="many_to_one")
    )
    return most.assign(share=most["n"] / most["images"])[CONFUSIONS]


def _pool(
    tables: Sequence[pd.DataFrame], keys: list[str], together: Collection[str]
) -> pd.DataFrame:
    """Counts ``n`` of each model, and their sums over those counted together as model ``*``."""
    single = pd.concat(tables)
    both = pd.concat([single, single[single["model"].isin(together)].assign(model=ALL)])
    return both.groupby(keys)["n"].sum().reset_index()


def _count(path: str | os.PathLike[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A model's mistakes by source, category, rule and class, and images by the first three."""
    schema = read_schema(path)
    model = metadata_of(schema, "model", path)
    names = np.array(json.loads(metadata_of(schema, "class_names", path)))
    cells = ["real", "category", "rule"]
    wrong, images = [], []
    photographs: set[str] = set()
    for batch in read_batches(path, [*cells, "generator", "top1_hit", "predicted"], _ROWS):
        part = pa.table(batch)
        photographs.update(part.filter(part["real"])["generator"].unique().to_pylist())
        part = part.filter(part["top1_hit"].is_valid())  # else the rule leaves open what is chosen
        images.append(part.group_by(cells).aggregate([([], "count_all")]))
        named = pc.greater(pc.list_value_length(part["predicted"]), 0)
        part = part.filter(pc.and_(pc.invert(part["top1_hit"]), named))
        best = pc.list_element(part["predicted"], 0)
        part = part.select(cells).append_column("class", best)
        wrong.append(part.group_by([*cells, "class"]).aggregate([([], "count_all")]))
    mistakes = _sum(wrong, [*cells, "class"])
    named_mistakes = pd.Series(names[mistakes.pop("class").to_numpy()], dtype="str")
    sources = {False: ALL, True: name_of_real(photographs)}
    tables = (mistakes.assign(predicted=named_mistakes), _sum(images, cells))
    wrong_of, images_of = (
        table.assign(model=model, generator=table["real"].map(sources)) for table in tables
    )
    return wrong_of, images_of


def _sum(parts: Sequence[pa.Table], keys: list[str]) -> pd.DataFrame:
    """Add up the counts of a file's parts as ``n``."""
    summed = pa.concat_tables(parts).group_by(keys).aggregate([("count_all", "sum")])
    table: pd.DataFrame = summed.to_pandas()
    return table.rename(columns={"count_all_sum": "n"})


def tabulate(outputs: Outputs, scores: Sequence[str], adapted: Sequence[str] = ()) -> None:
    """Write the table ``confusions``: see :func:`confusions`."""
    outputs.write("confusions", confusions(scores, adapted))

"""Reading the table ``transfer``: which sources it has, and which models come first."""

from __future__ import annotations

import pandas as pd

from synthsight.tables import ALL


def photographs(table: pd.DataFrame) -> str | None:
    """The name of the source of real photographs in the table ``transfer``; None without one."""
    for measure, side in (("real", "train"), ("GAN-train", "test"), ("GAN-test", "train")):
        found = table.loc[table["measure"] == measure, side]
        if len(found):
            return str(found.iloc[0])
    return None


def sources(table: pd.DataFrame) -> list[str]:
    """The sources of the table ``transfer`` in the order in which they are shown.

    The generators by name, then all generated images, then the photographs.
    """
    real = photographs(table)
    names = {*map(str, table["train"]), *map(str, table["test"])}
    return sorted(names, key=lambda name: (name == real, name == ALL, name))


def at_most(table: pd.DataFrame) -> pd.DataFrame:
    """The rows about the largest number of images of each category, model by model."""
    most = table.groupby("model")["per_category"].transform("max")
    return table[table["per_category"] == most]


def best_first(table: pd.DataFrame) -> list[str]:
    """The models of the table ``transfer``: those whose features tell most come first.

    What counts is the accuracy of classifiers that are trained and tested on photographs, at the
    largest number of images; without photographs the mean over the sources that are trained and
    tested on images of their own. Ties are in the order of names, models without a number last.
    """
    largest = at_most(table)
    own = largest[largest["measure"] == ("within" if photographs(table) is None else "real")]
    means = own.groupby("model")["top1"].mean().reindex(sorted(set(map(str, table["model"]))))
    return [str(name) for name in means.sort_values(ascending=False, kind="stable").index]


def of_generated(table: pd.DataFrame) -> str | None:
    """The source that stands for the generated images: all of them, or the only generator."""
    real = photographs(table)
    names = [name for name in sources(table) if name != real]
    return ALL if ALL in names else names[0] if names else None

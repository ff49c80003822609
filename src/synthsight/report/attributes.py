"""What the page says of images besides what they show: prompts, seeds, settings of generators."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthsight.errors import SynthsightError
from synthsight.files import MAKE_AGAIN
from synthsight.tables import read_parquet


def attribute_data(path: str | os.PathLike[str], images: Sequence[str]) -> dict[str, Any]:
    """The attributes of the images on the page.

    Args:
        path: Parquet file from :func:`synthsight.images.attributes.find_attributes`.
        images: those on the page, in its order.

    Returns:
        ``names`` of the attributes, and for each of them in ``values`` a list of texts by image,
        null where nothing is known.

    Raises:
        SynthsightError: the file is not about one of the images.
    """
    table = read_parquet(path, ["image"], others=True)
    places = pc.index_in(pa.array(images, pa.string()), table["image"])
    if places.null_count:
        lacking = images[places.to_pylist().index(None)]
        raise SynthsightError(f"{path} is not about {lacking!r}; {MAKE_AGAIN}")
    chosen = table.drop_columns(["image"]).take(places)
    return {
        "names": chosen.column_names,
        "values": [column.to_pylist() for column in chosen.columns],
    }


def uncompared(explorer: Mapping[str, Any], table: pd.DataFrame | None) -> list[str]:
    """The attributes by which nothing is compared, although they are shown.

    Args:
        explorer: the data of the image explorer.
        table: the table ``attributes``, or None.
    """
    if table is None:
        return []
    compared = set(table["attribute"])
    return [name for name in explorer["attributes"]["names"] if name not in compared]


def ranges(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The values, or ranges of values, by which images are compared, each once.

    Args:
        table: the table ``attributes``.

    Returns:
        ``attribute``, ``kind`` and ``value`` as in the table, with its edges, ``low`` and ``high``
        (null of values): both belong to the range.
    """
    columns = ["attribute", "kind", "value", "low_edge", "high_edge"]
    rows = table[columns].drop_duplicates(["attribute", "value"])
    rows = rows.rename(columns={"low_edge": "low", "high_edge": "high"})
    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()}
        for row in rows.to_dict("records")
    ]

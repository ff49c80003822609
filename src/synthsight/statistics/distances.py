"""The table ``distances``."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd

from synthsight.statistics.columns import DISTANCES
from synthsight.tables import Outputs, read_frame


def distances(measured: Sequence[str | os.PathLike[str]]) -> pd.DataFrame:
    """How far each generator is from the photographs, in the features of each model.

    Args:
        measured: a file of each model, as ``workflow/scripts/measure_distances.py`` writes it.

    Returns:
        The columns :data:`synthsight.statistics.columns.DISTANCES`, sorted by model and generator.

    Raises:
        synthsight.files.FileError: a file is damaged, or lacks a column.
    """
    table = pd.concat([read_frame(path, DISTANCES) for path in measured], ignore_index=True)
    return table.astype(DISTANCES).sort_values(["model", "generator"], ignore_index=True)


def tabulate(outputs: Outputs, measured: Sequence[str]) -> None:
    """Write the table of :func:`distances`."""
    outputs.write("distances", distances(measured))

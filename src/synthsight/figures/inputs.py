"""Readers for the inputs of figures, one for each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthsight.files import read_json
from synthsight.statistics.columns import BY_TABLE
from synthsight.tables import read_frame, read_parquet

#: Columns that figures need from manifests and from scored answers.
MANIFEST = ("image", "category", "generator", "status")
ANSWERS = ("image", "number", "question", "answer", "p_yes", "predicted", "correct")


def _table(paths: Sequence[str]) -> pd.DataFrame:
    (path,) = paths
    return read_frame(path, BY_TABLE[Path(path).stem])


def _answers(paths: Sequence[str]) -> pa.Table:
    """Scored answers, without the questions that the model could not take."""
    (path,) = paths
    table = read_parquet(path, ANSWERS)
    return table.filter(pc.is_valid(table["p_yes"]))


def _manifests(paths: Sequence[str]) -> pd.DataFrame:
    return pd.concat([read_frame(path, MANIFEST) for path in paths], ignore_index=True)


def _references(paths: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The accuracy on real photographs of each model that has one, from notes about weights."""
    notes = [read_json(path, ["name"]) for path in paths]
    return {note["name"]: note["reference"] for note in notes if note.get("reference")}


def _paths(paths: Sequence[str]) -> list[str]:
    return list(paths)


#: Readers by kind: a table; scored answers with their metadata; the manifests of all categories,
#: concatenated; references by model; paths of files of which the figure itself reads only a few.
READERS: dict[str, Callable[[Sequence[str]], Any]] = {
    "table": _table,
    "answers": _answers,
    "manifests": _manifests,
    "references": _references,
    "paths": _paths,
}

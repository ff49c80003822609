"""What figures read, each kind in one way."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def _table(paths: Sequence[str]) -> pd.DataFrame:
    (path,) = paths
    return pd.read_parquet(path)


def _arrow(paths: Sequence[str]) -> pa.Table:
    (path,) = paths
    return pq.read_table(path)


def _manifests(paths: Sequence[str]) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def _references(paths: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of each model with one, its accuracy on real photographs, from the notes on its weights."""
    notes = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    return {note["name"]: note["reference"] for note in notes if note.get("reference")}


def _paths(paths: Sequence[str]) -> list[str]:
    return list(paths)


#: Readers by kind: a table; a table with its metadata; the manifests of all categories, one after
#: the other; references by model; files that the figure reads itself, since it needs few of them.
READERS: dict[str, Callable[[Sequence[str]], Any]] = {
    "table": _table,
    "arrow": _arrow,
    "manifests": _manifests,
    "references": _references,
    "paths": _paths,
}

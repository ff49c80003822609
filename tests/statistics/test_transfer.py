"""The tables of transfer: all models', sorted, with the types of their columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.statistics.columns import TRANSFER, TRANSFER_CATEGORIES
from tests.support import tabulate

_FILLS = {"str": "x", "int64": 3, "float64": 0.5}


def write(path: Path, columns: dict[str, str], rows: list[dict[str, object]]) -> Path:
    filled = [{name: _FILLS[kind] for name, kind in columns.items()} | row for row in rows]
    # As the program has them: the model last.
    table = pd.DataFrame(filled)[[*(name for name in columns if name != "model"), "model"]]
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path)
    return path


def test_rows_of_all_models_are_sorted_and_nulls_keep_the_type(tmp_path: Path) -> None:
    nothing = {"real_to_real": None, "difference": None, "taken_for": None, "taken_share": None}
    paths: dict[str, list[Path]] = {"pairs": [], "categories": []}
    tables = {"pairs": TRANSFER, "categories": TRANSFER_CATEGORIES}
    for model in ("b", "a"):
        for key, columns in tables.items():
            null = {name: None for name in nothing if name in columns}
            rows = [{"model": model, "per_category": n, "train": t} for n in (10, 5) for t in "yx"]
            rows = [row | (null if model == "b" else {}) for row in rows]
            paths[key].append(write(tmp_path / f"{key}{model}.parquet", columns, rows))
    tabulate("transfer", tmp_path, {}, **paths).check_returncode()
    for name, columns in (("transfer", TRANSFER), ("transfer_categories", TRANSFER_CATEGORIES)):
        table = pd.read_parquet(tmp_path / f"{name}.parquet")
        assert {key: str(kind) for key, kind in table.dtypes.items()} == columns
        assert list(table.columns) == list(columns)
        found = list(zip(table["model"], table["per_category"], table["train"], strict=True))
        assert found == [(m, n, t) for m in "ab" for n in (5, 10) for t in "xy"]
        text = pd.read_csv(tmp_path / f"{name}.csv")
        assert len(text) == len(table)

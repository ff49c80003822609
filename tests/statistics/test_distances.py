"""The table ``distances``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from synthsight.files import FileError
from synthsight.statistics.columns import DISTANCES
from synthsight.statistics.distances import distances
from synthsight.tables import write_parquet


def written(path: Path, model: str, *generators: str) -> Path:
    row = {name: {"str": "photo", "int64": 3}.get(kind, 0.5) for name, kind in DISTANCES.items()}
    rows = [{**row, "model": model, "generator": generator} for generator in generators]
    write_parquet(path, pa.Table.from_pandas(pd.DataFrame(rows).astype(DISTANCES)))
    return path


def test_the_models_rows_are_one_table_in_one_order(tmp_path: Path) -> None:
    paths = [
        written(tmp_path / "b.parquet", "b", "photo", "a"),
        written(tmp_path / "a.parquet", "a", "photo", "*"),
    ]
    table = distances(paths)
    assert table[["model", "generator"]].to_numpy().tolist() == [
        *(["a", "*"], ["a", "photo"]),
        *(["b", "a"], ["b", "photo"]),
    ]
    assert table.dtypes.astype(str).to_dict() == DISTANCES
    pd.testing.assert_frame_equal(distances(paths[::-1]), table)


def test_a_file_without_a_column_is_refused(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", pa.table({"model": ["a"]}))
    with pytest.raises(FileError, match=r"a\.parquet"):
        distances([tmp_path / "a.parquet"])

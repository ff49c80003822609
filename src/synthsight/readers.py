"""Readers for the inputs of figures and exports, one for each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthsight.files import MAKE_AGAIN, FileError
from synthsight.statistics.columns import BY_TABLE
from synthsight.tables import read_excluded, read_frame, read_parquet

#: Columns that figures need from manifests and from scored answers.
MANIFEST = ("image", "category", "generator", "status")
ANSWERS = ("image", "number", "question", "answer", "p_yes", "predicted", "correct")


def _table(paths: Sequence[str]) -> pd.DataFrame:
    (path,) = paths
    return read_frame(path, BY_TABLE[Path(path).stem])


def _answers(paths: Sequence[str]) -> pa.Table:
    """Scored answers, without the questions to which the model has no answer that counts."""
    (path,) = paths
    table = read_parquet(path, ANSWERS)
    return table.filter(pc.is_valid(table["predicted"]))


def _manifests(paths: Sequence[str]) -> pd.DataFrame:
    return pd.concat([read_frame(path, MANIFEST) for path in paths], ignore_index=True)


def _without_duplicates(paths: Sequence[str]) -> pd.DataFrame:
    """Manifests in which duplicates are excluded, too; the first file is the table ``excluded``."""
    excluded = read_excluded(paths[:1])
    found = _manifests(paths[1:])
    return found.assign(status=found["status"].mask(found["image"].isin(excluded), "excluded"))


def _photographs(paths: Sequence[str]) -> frozenset[str]:
    """The sources whose images are real photographs, which none of a generator's numbers count."""
    (path,) = paths
    table = read_parquet(path, ["generator", "real"], filters=[("real", "=", True)])
    return frozenset(table["generator"].unique().to_pylist())


def _checksums(paths: Sequence[str]) -> Callable[[str], str]:
    """The sha256 of an image's bytes, from where they were checked: manifests, shards of questions.

    The columns stay as they are stored, since few of what may be a million images are shown.
    """
    table = pa.concat_tables(read_parquet(path, ["image", "sha256"]) for path in paths)

    def checksum(image: str) -> str:
        row = pc.index(table["image"], image).as_py()
        if row < 0:
            raise FileError(f"{image} is not in {', '.join(paths[:3])}; {MAKE_AGAIN}")
        return str(table["sha256"][row])

    return checksum


def _paths(paths: Sequence[str]) -> list[str]:
    return list(paths)


#: Readers by kind: a table; scored answers with their metadata; the manifests of all categories,
#: concatenated; the same without duplicates; the sources of real photographs, by name; the sha256
#: of images, by name; paths of files of which the figure itself reads only a few.
READERS: dict[str, Callable[[Sequence[str]], Any]] = {
    "table": _table,
    "answers": _answers,
    "manifests": _manifests,
    "without_duplicates": _without_duplicates,
    "photographs": _photographs,
    "checksums": _checksums,
    "paths": _paths,
}

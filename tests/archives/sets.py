"""Sets with a row an image, as the libraries `datasets` and `webdataset` write them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def class_label(*names: str) -> dict[str, Any]:
    return {"names": list(names), "_type": "ClassLabel"}


def parquet(
    path: Path,
    rows: list[dict[str, Any]],
    types: Mapping[str, pa.DataType],
    features: Mapping[str, Any] | None = None,
    **more: Any,
) -> Path:
    """A Parquet file; ``features`` go where `datasets` puts them, in the schema's metadata."""
    schema = pa.schema(list(types.items()))
    if features is not None:
        about = json.dumps({"info": {"features": dict(features)}})
        schema = schema.with_metadata({"huggingface": about})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, **more)
    return path


def webdataset(path: Path, members: Iterable[tuple[str, Any]], mode: str = "w") -> Path:
    """A tar of these members, in this order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as handle:  # type: ignore[call-overload]
        for name, content in members:
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            handle.addfile(member, io.BytesIO(data))
    return path

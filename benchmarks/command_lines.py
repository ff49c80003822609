"""What benchmarks share: the command line of ``tabulate.py`` for a rule that makes tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthsight.inputs import describe
from synthsight.plan.kinds import KINDS
from synthsight.plan.tables import STATISTICS


def tabulate_arguments(
    rule: str, folder: Path, spec: Mapping[str, Any], **inputs: Sequence[str | Path]
) -> tuple[list[str], dict[str, Path]]:
    """The arguments of ``tabulate.py``, and where it writes each table that other stages read.

    Args:
        rule: a row of :data:`synthsight.plan.tables.STATISTICS`.
        folder: where the tables go.
        spec: what the row's function takes besides inputs.
        inputs: files, by the function's parameters.
    """
    (row,) = (row for row in STATISTICS if row.rule == rule)
    assert row.function is not None and set(inputs) == set(row.inputs)
    kinds = {parameter: KINDS.get(row.inputs[parameter], "table") for parameter in inputs}
    files = [str(file) for each in inputs.values() for file in each]
    outputs = [
        folder / f"{table.name}.{ending}"
        for table in row.tables
        for ending in (("csv", "parquet") if table.csv else ("parquet",))
    ]
    words = [
        *("--function", row.function),
        *("--inputs", *describe((name, kinds[name], len(inputs[name])) for name in inputs)),
        *("--files", *files),
        *("--spec", json.dumps(dict(spec))),
        *("--tables", *map(str, outputs)),
    ]
    return words, {path.stem: path for path in outputs if path.suffix == ".parquet"}

"""Writing what is exported, with a word on how it was made, the same bytes every time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthsight import origin
from synthsight.export.latex import plain
from synthsight.files import atomic


def write(
    path: str | os.PathLike[str],
    content: str | Mapping[str, Any] | list[Mapping[str, Any]],
    left_out: Sequence[Mapping[str, str]] = (),
) -> None:
    """Write a file, atomically: LaTeX as it is, a mapping as JSON, a list as JSON lines.

    How it was made, and without which models, is in comments above a table, beside a mapping's
    entries, or in each record's ``eval_library``.

    Args:
        path: the file.
        content: what is written.
        left_out: the models that failed, each a ``model`` with the ``rule`` that did and ``why``.
    """
    mark = origin.mark(path)
    names = ", ".join(each["model"] for each in left_out)
    if isinstance(content, str):
        without = f"% Without {plain(names)}, which failed.\n" if names else ""
        text = (f"% {mark}\n" if mark else "") + without + content
    elif isinstance(content, Mapping):
        failed = {"left_out": list(left_out)} if left_out else {}
        made = {**content, **failed, **origin.entry(path)}
        text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
    else:
        text = "".join(
            json.dumps(_marked(each, mark, names), ensure_ascii=False) + "\n" for each in content
        )
    with atomic(path) as place:
        Path(place).write_text(text, encoding="utf-8")


def _marked(record: Mapping[str, Any], mark: str | None, names: str) -> Mapping[str, Any]:
    """A record with what stands beside it; the schema has room for texts by name."""
    details = {key: text for key, text in (("made", mark), ("left_out", names)) if text}
    if not details:
        return record
    return {**record, "eval_library": {**record["eval_library"], "additional_details": details}}

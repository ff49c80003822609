"""Writing what is exported, with a word on how it was made, the same bytes every time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthsight import origin
from synthsight.files import atomic


def write(
    path: str | os.PathLike[str], content: str | Mapping[str, Any] | list[Mapping[str, Any]]
) -> None:
    """Write a file, atomically: LaTeX as it is, a mapping as JSON, a list as JSON lines.

    How it was made is in a comment's first line, beside a mapping's entries, or in each record's
    ``eval_library``.
    """
    mark = origin.mark(path)
    if isinstance(content, str):
        text = (f"% {mark}\n" if mark else "") + content
    elif isinstance(content, Mapping):
        made = {**content, **origin.entry(path)}
        text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
    else:
        text = "".join(
            json.dumps(_marked(each, mark), ensure_ascii=False) + "\n" for each in content
        )
    with atomic(path) as place:
        Path(place).write_text(text, encoding="utf-8")


def _marked(record: Mapping[str, Any], mark: str | None) -> Mapping[str, Any]:
    if mark is None:
        return record
    library = {**record["eval_library"], "additional_details": {"made": mark}}
    return {**record, "eval_library": library}

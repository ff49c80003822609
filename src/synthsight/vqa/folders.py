"""The content of a published model's folder: weights, in one file or several, and small files.

Can be imported without torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from synthsight.contents import another_kind
from synthsight.errors import SynthsightError

#: Weight files in order of preference: a single file, or the index of several.
WEIGHTS = (
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
)

#: Extensions of the files of configurations, tokenizers and processors. None of them is code.
SMALL = (".json", ".txt", ".model", ".jinja", ".tiktoken", ".bpe", ".vocab")

#: The one subfolder of a model's folder that a processor also reads.
TEMPLATES = "additional_chat_templates"


class WeightsError(SynthsightError):
    """Files of weights that are missing or cannot be read."""


def weight_files(folder: Path) -> list[Path]:
    """The files of a model's weights, sorted by name.

    Raises:
        WeightsError: there are none, the index cannot be read, or a file that it names is missing.
    """
    for single, index in WEIGHTS:
        if (folder / single).is_file():
            return [folder / single]
        if (folder / index).is_file():
            files = [folder / name for name in files_in(folder / index)]
            missing = [file.name for file in files if not file.is_file()]
            if missing:
                raise WeightsError(
                    f"{folder} lacks {', '.join(missing[:6])} ({len(missing)} of the {len(files)} "
                    f"files that {index} names): download the whole folder"
                )
            return files
    raise WeightsError(
        f"{folder} has no weights: expected {' or '.join(single for single, _ in WEIGHTS)}, or "
        "several files and their .index.json. To use another file, name the file itself"
    )


def files_in(index: Path) -> list[str]:
    """The names of the files that an index of weights lists, sorted.

    Raises:
        WeightsError: it is not an index, or names files outside its folder or of another kind.
    """
    try:
        content: Any = json.loads(index.read_text(encoding="utf-8"))
        names = sorted(set(content["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        kind = another_kind(index, "json", "text")
        raise WeightsError(
            f"{index} is not an index of weights: expected a JSON mapping with the names of files "
            f"under weight_map{f'; it is {kind}' if kind else ''}"
        ) from error
    ending = Path(index.name.removesuffix(".index.json")).suffix
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(ending):
            raise WeightsError(
                f"{index} names {str(name)[:200]!r}: only {ending} files in the same folder are "
                "read"
            )
    if not names:
        raise WeightsError(f"{index} names no files")
    return names


def small_files(folder: Path) -> list[Path]:
    """The files of tokenizers and processors: paths below a model's folder, sorted.

    Indices of weights are left out, since the weights are stored in one file.
    """
    indices = {index for _, index in WEIGHTS}
    found = [*folder.iterdir(), *(folder / TEMPLATES).glob("*.jinja")]
    return sorted(
        path.relative_to(folder)
        for path in found
        if path.is_file() and path.suffix in SMALL and path.name not in indices
    )

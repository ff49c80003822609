"""What a published model's folder holds: weights, in one file or several, and small files.

Can be imported without torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from synthsight.errors import SynthsightError

#: Files of weights in the order of preference: all in one, or the index of several.
WEIGHTS = (
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
)

#: Endings of what configurations, tokenizers and processors are read from. None of them is code.
SMALL = (".json", ".txt", ".model", ".jinja", ".tiktoken", ".bpe", ".vocab")

#: The one folder within a model's folder from which a processor reads, too.
TEMPLATES = "additional_chat_templates"


class WeightsError(SynthsightError):
    """Files of weights that are missing or cannot be read."""


def weight_files(folder: Path) -> list[Path]:
    """The files of a model's weights, in the order of their names.

    Raises:
        WeightsError: there are none, an index cannot be read, or a file that it names is missing.
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
                    f"files that {index} names): bring the whole folder"
                )
            return files
    raise WeightsError(
        f"{folder} holds no weights: {' or '.join(single for single, _ in WEIGHTS)} was expected, "
        "or several files and their .index.json. For another file, name the file itself"
    )


def files_in(index: Path) -> list[str]:
    """The names of the files that an index of weights leads to, sorted.

    Raises:
        WeightsError: it is no index, or it leads out of its folder or to files of another kind.
    """
    try:
        content: Any = json.loads(index.read_text(encoding="utf-8"))
        names = sorted(set(content["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(
            f"{index} is no index of weights: a JSON mapping was expected with the names of files "
            "under weight_map"
        ) from error
    ending = Path(index.name.removesuffix(".index.json")).suffix
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(ending):
            raise WeightsError(
                f"{index} names {str(name)[:200]!r}: only files beside it that end in {ending} "
                "are read"
            )
    if not names:
        raise WeightsError(f"{index} names no files")
    return names


def small_files(folder: Path) -> list[Path]:
    """What tokenizers and processors are read from: paths below a model's folder, sorted.

    Indices of weights are not among them, since weights are stored in one file.
    """
    indices = {index for _, index in WEIGHTS}
    found = [*folder.iterdir(), *(folder / TEMPLATES).glob("*.jinja")]
    return sorted(
        path.relative_to(folder)
        for path in found
        if path.is_file() and path.suffix in SMALL and path.name not in indices
    )

"""The content of a model's folder: weights, in one file or several, and small files.

As people and the hub have it, and as it is once the model has been fetched. Can be imported without
torch.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from synthsight.contents import another_kind
from synthsight.errors import SynthsightError
from synthsight.files import FileError, is_file, is_folder, sha256_of
from synthsight.junk import is_ignored

#: Weight files in order of preference: a single file, or the index of several.
WEIGHTS = (
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
)

#: Extensions of the files of configurations, tokenizers and processors. None of them is code.
SMALL = (".json", ".txt", ".model", ".jinja", ".tiktoken", ".bpe", ".vocab")

#: What is read beside a checkpoint that is a single file, fairseq's OFA: a vocabulary, in either of
#: two forms, and a configuration.
VOCABULARIES = (("vocab.json", "merges.txt"), ("dict.txt", "encoder.json", "vocab.bpe"))
CONFIG = "config.json"

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


def local_files(checkpoint: str | None, tokenizer: str | None) -> list[str]:
    """The local files that a model may be made of, sorted; none if all of it is on a hub.

    Args:
        checkpoint: a folder, of which all files count, or a single file, with what is read beside
            it.
        tokenizer: the folder of a vocabulary that takes the place of its own.
    """
    found: set[Path] = set()
    for path in (Path(each) for each in (checkpoint, tokenizer) if each is not None):
        if is_folder(path):
            found |= {*path.iterdir(), *path.glob(f"{TEMPLATES}/*")}
        else:
            beside = [CONFIG] if tokenizer else [CONFIG, *sum(VOCABULARIES, ())]
            found |= {path, *(path.parent / name for name in beside)}
    return sorted(str(path) for path in found if is_file(path))


def digest_of(files: Iterable[str], sha256: Callable[[str], str] = sha256_of) -> str:
    """A digest of the names and the contents of files.

    Args:
        files: their paths.
        sha256: gives the sha256 of a file.

    Raises:
        OSError: one of them cannot be read.
    """
    lines = [f"{sha256(file)}  {file}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def check_local_files(checkpoint: str | None, tokenizer: str | None, planned: str) -> None:
    """Check that a model's local files are those that the run was planned with.

    Args:
        checkpoint: see :func:`local_files`.
        tokenizer: likewise.
        planned: what :func:`digest_of` gave for them.

    Raises:
        FileError: they are not.
    """
    if digest_of(local_files(checkpoint, tokenizer)) != planned:
        raise FileError("its local files have changed since the run began; run the workflow again")


def contents(folder: str | os.PathLike[str]) -> dict[str, str]:
    """The sha256 of each file of a fetched model, by its path below the model's folder.

    Hidden files, of which Snakemake leaves one, and what systems leave are no part of a model: no
    library reads them.
    """
    found = (path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file())
    return {
        path.as_posix(): sha256_of(Path(folder) / path)
        for path in sorted(found)
        if not any(map(is_ignored, path.parts))
    }


def check_contents(
    folder: str | os.PathLike[str], stated: Mapping[str, str], by: str | os.PathLike[str]
) -> None:
    """Check that a fetched model's folder holds what it held, before it is used.

    Args:
        folder: the folder.
        stated: what :func:`contents` gave when the model was fetched.
        by: the note that states it.

    Raises:
        FileError: a file is another, is missing, or was not there.
    """
    found = contents(folder)
    again = f"delete {folder} and run the workflow again: it makes what is missing"
    for name in sorted({*stated, *found}):
        if name not in found:
            raise FileError(f"{folder} lacks {name}, which {by} lists; {again}")
        if name not in stated:
            raise FileError(
                f"{Path(folder) / name} was put there later, {by} does not list it, and the model "
                "may read it: move it elsewhere"
            )
        if found[name] != stated[name]:
            raise FileError(
                f"{Path(folder) / name} is not the file that {by} describes (its sha256 differs): "
                f"it was damaged or exchanged; {again}"
            )

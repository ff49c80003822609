"""The state dicts of VQA models, in one file or several, and storing them without copies.

Files are memory-mapped, so what has been read need not stay in memory. What is stored is one
safetensors file, or, of large models, one that names its :data:`PARTS` and files beside it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from synthsight.inference.checkpoints import PARTS, CheckpointError, read_file
from synthsight.inference.folders import WeightsError

StateDict = dict[str, Tensor]


def read_state(files: Iterable[Path]) -> StateDict:
    """The tensors of one state dict stored in one or more files, in their original dtypes.

    Raises:
        WeightsError: a file cannot be read or holds something else, or two have a name in common.
    """
    state: StateDict = {}
    for file in files:
        try:
            content = read_file(file)
        except CheckpointError as error:
            raise WeightsError(f"{file}: {error}") from error
        if not isinstance(content, dict) or not all(
            isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
        ):
            raise WeightsError(f"{file} is not a state dict: expected tensors by name")
        twice = sorted(state.keys() & content.keys())
        if twice:
            raise WeightsError(f"{file}: {twice[0]} is also in another of the files")
        state.update(content)
    return state


def store(state: Mapping[str, Tensor], path: str | os.PathLike[str]) -> None:
    """Write tensors as one safetensors file.

    Only tensors that are not contiguous or that share memory with another are copied, since they
    cannot be stored as they are.
    """
    stored = {name: tensor.detach().contiguous() for name, tensor in state.items()}
    end = 0
    for name, tensor in sorted(stored.items(), key=lambda item: item[1].data_ptr()):
        if tensor.data_ptr() < end:
            stored[name] = tensor.clone()
        end = max(end, tensor.data_ptr() + tensor.nbytes)
    save_file(stored, path)


def store_files(
    files: Mapping[Path, str], path: str | os.PathLike[str], folder: str | os.PathLike[str]
) -> bool:
    """Store safetensors files as they are.

    They are linked, so that they take no more space, or copied to another file system.

    Args:
        files: one, or several, each with its sha256.
        path: the file to write: the only one, or one without tensors that names the others, with
            their sha256, so that two models' are never alike.
        folder: receives the others, under their names.

    Returns:
        Whether all are linked.
    """
    if len(files) == 1:
        return _link(next(iter(files)), path)
    save_file({}, path, {PARTS: json.dumps({file.name: sha256 for file, sha256 in files.items()})})
    linked = [_link(file, Path(folder) / file.name) for file in files]
    return all(linked)


def _link(source: Path, target: str | os.PathLike[str]) -> bool:
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
        return False
    return True


def in_float32(state: Mapping[str, Tensor]) -> StateDict:
    """The same tensors, floating-point ones in float32; those already in it are not copied."""
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }

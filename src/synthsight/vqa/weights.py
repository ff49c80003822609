"""Reading and storing the weights of VQA models without copies in memory.

Files are memory-mapped, so what has been read need not stay in memory. Pickles are read with
``weights_only``: besides tensors, the only type allowed is ``argparse.Namespace``, in which fairseq
keeps its settings.
"""

from __future__ import annotations

import argparse
import os
import pickle
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from synthsight.vqa.folders import WeightsError
from synthsight.wording import one_line

StateDict = dict[str, Tensor]


def read_file(file: Path) -> Any:
    """The content of a weight file: tensors by name for safetensors, anything for a pickle.

    Raises:
        WeightsError: it is damaged, or reading it would run code; the message leaves out its name.
    """
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        with torch.serialization.safe_globals([argparse.Namespace]):
            # Training checkpoints are several times larger than their weights; with mmap the rest
            # of the file is not read. The format before torch 1.6 cannot be mapped.
            return torch.load(
                file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file)
            )
    except pickle.UnpicklingError as error:
        raise WeightsError(
            "refused: it is damaged, or reading it would run code or needs types other than "
            "tensors. Save the state dict alone: torch.save(model.state_dict(), ...)"
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged file can raise nearly anything
        raise WeightsError(
            f"cannot be read as a checkpoint: {one_line(error, 300) or type(error).__name__}"
        ) from error


def read_state(files: Iterable[Path]) -> StateDict:
    """The tensors of one state dict stored in one or more files, in their original dtypes.

    Raises:
        WeightsError: a file cannot be read or holds something else, or two have a name in common.
    """
    state: StateDict = {}
    for file in files:
        try:
            content = read_file(file)
        except WeightsError as error:
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


def in_float32(state: Mapping[str, Tensor]) -> StateDict:
    """The same tensors, floating-point ones in float32; those already in it are not copied."""
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }

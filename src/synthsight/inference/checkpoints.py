"""Reading files of weights, whatever they are called, without running any code in them.

What a file is, its first bytes tell. Pickles are read by torch's ``weights_only`` reader, which
builds tensors, containers, numbers and texts; besides these a few classes are allowed that training
scripts keep their settings in, and that hold values and do nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import pickle
import re
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from synthsight.contents import PICKLES, SCRIPT, UNKNOWN, ZIPS, kind_of_file
from synthsight.errors import SynthsightError
from synthsight.files import MAKE_AGAIN, FileError
from synthsight.wording import one_line

#: The metadata of stored weights that are in several files: the sha256 of each by its name, as
#: JSON. They are in the folder that is called like the file without its extension.
PARTS = "synthsight_parts"

_SAVE = "Save the state dict alone: torch.save(model.state_dict(), ...)"

_CUT = "it ends too early: the copy or download broke off; get it again"

_scalar: Any = np.float64(0).__reduce__()[0]

#: What may stand in a pickle besides what torch allows, and the names it has had there.
_HARMLESS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    argparse.Namespace,
    types.SimpleNamespace,
    *(
        (path, f"{module}.{name}")
        for module in ("pathlib", "pathlib._local")
        for path, name in (
            (pathlib.PurePosixPath, "PosixPath"),
            (pathlib.PurePosixPath, "PurePosixPath"),
            (pathlib.PureWindowsPath, "WindowsPath"),
            (pathlib.PureWindowsPath, "PureWindowsPath"),
        )
    ),
    # Single numbers of NumPy, as an accuracy that has been computed with it.
    np.dtype,
    *((_scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    *(type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "bool")),
]


class CheckpointError(SynthsightError):
    """A file that cannot be read as weights; the message leaves out its name."""


def read_file(file: Path) -> Any:
    """The content of a file of weights: tensors by name for safetensors, anything for a pickle.

    Files are memory-mapped where they can be, so what is not used is not read.

    Raises:
        CheckpointError: it is damaged or something else, or reading it would run code.
    """
    try:
        kind = kind_of_file(file)
        if kind.name == "safetensors":
            return load_file(file)
        if kind is SCRIPT or (kind.name not in PICKLES | ZIPS and kind is not UNKNOWN):
            raise CheckpointError(f"it is {kind}")
        if file.suffix == ".safetensors" and kind is UNKNOWN:
            raise CheckpointError("cannot be read as safetensors: its first bytes are damaged")
        # The format before torch 1.6 cannot be mapped; by name torch would take a pickle for
        # safetensors.
        mapped = zipfile.is_zipfile(file) and file.suffix != ".safetensors"
        with torch.serialization.safe_globals(_HARMLESS), open(file, "rb") as handle:
            # An archive's list of what is in it is at its end.
            if not mapped and handle.read(2) == b"PK" and not zipfile.is_zipfile(file):
                raise CheckpointError(_CUT)
            handle.seek(0)
            return torch.load(
                file if mapped else handle, map_location="cpu", weights_only=True, mmap=mapped
            )
    except (CheckpointError, MemoryError):
        raise
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+) was not an allowed global", str(error))
        needs = f" (it needs {named[1]})" if named else ""
        if kind is UNKNOWN and not named:
            raise CheckpointError(
                "it is no file of weights, neither of safetensors nor of torch.save: it is "
                "damaged, or another file"
            ) from error
        raise CheckpointError(
            "refused: it is damaged, or reading it would run code or needs types other than "
            f"tensors{needs}. {_SAVE}"
        ) from error
    except Exception as error:  # a damaged file can raise nearly anything
        if "TorchScript" in str(error):
            kind = SCRIPT
        if kind.name in ZIPS - PICKLES:
            raise CheckpointError(f"it is {kind}") from error
        if "unexpected EOF" in str(error) or isinstance(error, EOFError):
            raise CheckpointError(_CUT) from error
        said = one_line(error, 300) or type(error).__name__
        raise CheckpointError(f"cannot be read as a checkpoint: {said}") from error


def read_stored(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The weights that a fetching stage has stored as safetensors, in one file or in :data:`PARTS`.

    Raises:
        FileError: they are damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            parts = (file.metadata() or {}).get(PARTS)
        if parts is None:
            return load_file(path)
        folder = Path(path).with_suffix("")
        files = [folder / Path(name).name for name in json.loads(parts)]
        return {name: value for file in files for name, value in load_file(file).items()}
    except (SafetensorError, FileNotFoundError) as error:
        raise FileError(
            f"{path} is damaged and cannot be read as safetensors ({error}); {MAKE_AGAIN}"
        ) from error

"""Reading local checkpoints without running any code in them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from synthsight.classifiers.library import Fetched, WeightsError
from synthsight.files import sha256_of
from synthsight.inference.hub import stated_by
from synthsight.wording import one_line

if TYPE_CHECKING:
    from synthsight.classifiers.library import StateDict


def read_checkpoint(path: Path) -> Fetched:
    """The weights in a local file, with its licence and reference accuracy if it states them.

    Args:
        path: ``.safetensors``, or a pickle of a state dict or of a training checkpoint with one.

    Raises:
        WeightsError: it cannot be read, or holds something else.
    """
    state = read_state(path)
    try:
        license_, reference = stated_by(path, ("top1", "top5"))
    except ValueError as error:
        raise WeightsError(str(error)) from error
    return Fetched(state, str(path), sha256_of(path), "none stated", reference, license_)


def read_state(path: Path) -> StateDict:
    """A state dict from a local file; half precision is widened to float32.

    Raises:
        WeightsError: it cannot be read, or holds something else.
    """
    if not path.is_file():
        raise WeightsError(f"no file {path}")
    try:
        if path.suffix == ".safetensors":
            content: Any = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} is refused: reading it would run code or needs types other than tensors. "
            "Save the state dict alone: torch.save(model.state_dict(), ...)"
        ) from error
    except Exception as error:  # the readers raise nearly anything on damaged files
        raise WeightsError(
            f"{path} cannot be read as a checkpoint: {one_line(error, 300)}"
        ) from error
    state = _unwrap(content)
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path} holds no state dict: expected tensors by name")
    return {
        key.removeprefix("module."): tensor.float() if tensor.is_floating_point() else tensor
        for key, tensor in state.items()
    }


def _unwrap(content: Any) -> StateDict:
    """The state dict in a training checkpoint; averaged weights (EMA) come first, as in timm."""
    if isinstance(content, dict):
        for key in ("state_dict_ema", "model_ema", "state_dict", "model"):
            if isinstance(content.get(key), dict):
                return dict(content[key])
        return dict(content)
    return {}

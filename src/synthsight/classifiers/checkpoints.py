"""Local checkpoints: finding the state dict in what training scripts save."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from synthsight.classifiers.library import Fetched, WeightsError
from synthsight.files import sha256_of
from synthsight.inference.checkpoints import CheckpointError, read_file
from synthsight.inference.hub import stated_by

if TYPE_CHECKING:
    from synthsight.classifiers.library import StateDict

#: Where checkpoints keep the state dict. Averaged weights (EMA) come first, as in timm.
_KEYS = (
    *("state_dict_ema", "model_ema", "ema_state_dict", "model_ema_state_dict", "params_ema"),
    *("state_dict", "model", "model_state_dict", "model_state", "module", "net", "network"),
    *("weights", "params"),
)

#: What wrappers add to names: compiled, sharded and checkpointed modules anywhere; parallel and
#: averaged ones, and the attributes in which frameworks hold the network, before all names. No
#: network of timm or torchvision has such a prefix of its own (some have ``encoder.``).
_ANYWHERE = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
_BEFORE_ALL = (
    *("module.", "_forward_module.", "model.", "backbone.", "net.", "network."),
    *("ema_model.", "base_model.", "model_ema."),
)

#: The count that ``torch.optim.swa_utils.AveragedModel`` keeps beside the weights.
_COUNT = "n_averaged"


def read_checkpoint(path: Path) -> Fetched:
    """The weights in a local file, with its licence and reference accuracy if it states them.

    Args:
        path: safetensors, or a pickle of a state dict or of a training checkpoint with one,
            whatever its name ends in.

    Raises:
        WeightsError: it cannot be read, or holds something else.
    """
    state = read_state(path)
    try:
        license_, reference = stated_by(path, ("top1", "top5"))
    except ValueError as error:
        raise WeightsError(str(error)) from error
    top1, top5 = (reference[key] if reference else None for key in ("top1", "top5"))
    if top1 is not None and top5 is not None and top1 > top5:
        raise WeightsError(
            f"{path}: the `reference` in its metadata has a top1 ({top1:g}) above its top5 "
            f"({top5:g}), which no model can reach. Are they exchanged?"
        )
    return Fetched(state, str(path), sha256_of(path), "none stated", reference, license_)


def read_state(path: Path) -> StateDict:
    """A state dict from a local file; half precision is widened to float32.

    Raises:
        WeightsError: it cannot be read, or holds something else.
    """
    if not path.is_file():
        raise WeightsError(f"no file {path}")
    try:
        content = read_file(path)
    except CheckpointError as error:
        raise WeightsError(f"{path}: {error}") from error
    state = _unwrap(content)
    if not isinstance(state, Mapping) or not state:
        found = "nothing" if isinstance(state, Mapping) else f"a {type(state).__name__}"
        raise WeightsError(f"{path} holds no state dict: expected tensors by name, found {found}")
    others = [str(key) for key, value in state.items() if not isinstance(value, Tensor)]
    if others or not all(isinstance(key, str) for key in state):
        shown = ", ".join(repr(key)[:80] for key in list(state)[:8])
        more = f" and {len(state) - 8} more" if len(state) > 8 else ""
        raise WeightsError(
            f"{path} holds no state dict: expected tensors by name, also within {', '.join(_KEYS)}"
            f"; found {shown}{more}. Save the state dict alone: torch.save(model.state_dict(), ...)"
        )
    return {
        key: tensor.float() if tensor.is_floating_point() else tensor
        for key, tensor in plain_names(state).items()
    }


def _unwrap(content: Any) -> Any:
    """The state dict in a training checkpoint, perhaps in several layers."""
    while isinstance(content, Mapping):
        inner = next((content[key] for key in _KEYS if _is_state(content.get(key))), None)
        if inner is None:
            return content
        content = inner
    return content


def _is_state(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) > 0


def plain_names(state: Mapping[str, Tensor]) -> StateDict:
    """The names that a network's own weights have, without what wrappers put before them.

    A prefix is only taken off if all names have it: otherwise it may mean something.

    Args:
        state: a state dict, perhaps of a wrapped network.
    """
    anywhere = "|".join(re.escape(part) for part in _ANYWHERE)
    names = {re.sub(rf"(^|(?<=\.))({anywhere})", "", key): key for key in state}
    if len(names) < len(state):  # two would be the same
        return dict(state)
    rest = [name for name in names if name != _COUNT]
    if rest and _COUNT in names and all(name.startswith("module.") for name in rest):
        del names[_COUNT]
    while prefix := next((p for p in _BEFORE_ALL if all(n.startswith(p) for n in names)), None):
        names = {name.removeprefix(prefix): key for name, key in names.items()}
    return {name: state[key] for name, key in names.items()}

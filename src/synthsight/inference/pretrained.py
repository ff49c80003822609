"""Models of the transformers library, built with given weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from synthsight.inference.folders import WeightsError
from synthsight.wording import one_line


def fit(
    architecture: str,
    folder: Path,
    state: Mapping[str, Tensor],
    dtype: torch.dtype,
    config: Any = None,
) -> Any:
    """Build a transformers model with given weights, on the CPU, in evaluation mode.

    Weights that already have the dtype are not copied.

    Args:
        architecture: the name of its class.
        folder: has its config.json; what messages name.
        state: the weights, under any names that transformers knows for them.
        dtype: dtype of its floating-point weights.
        config: its configuration, if it is not to be read from the folder.

    Raises:
        WeightsError: a weight is missing, unexpected or of another shape, or config.json is not a
            configuration of this class.
    """
    import transformers

    builder = getattr(transformers, architecture)
    try:
        if config is None:
            config = builder.config_class.from_pretrained(folder, local_files_only=True)
        model, loaded = builder.from_pretrained(
            None, config=config, state_dict=dict(state), output_loading_info=True, dtype=dtype
        )
    except Exception as error:  # a damaged folder makes transformers raise nearly anything
        raise WeightsError(f"{folder} cannot be read: {one_line(error, 600)}") from error
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        # Old checkpoints hold the positions 0, 1, 2, ..., which are not weights.
        found = [key for key in loaded.get(kind) or () if not str(key).endswith("position_ids")]
        if found:
            some = ", ".join(sorted(map(str, found))[:6])
            raise WeightsError(f"{folder} does not fit {architecture}: {kind}: {some}")
    return model.eval()


def usual_dtype(state: Mapping[str, Tensor]) -> torch.dtype:
    """The dtype of most floating-point weights; of several that are as frequent, the widest."""
    sizes: dict[torch.dtype, int] = {}
    for tensor in state.values():
        if tensor.is_floating_point():
            sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.numel()
    return max(sizes, key=lambda dtype: (sizes[dtype], dtype.itemsize), default=torch.float32)


def dtype_of(state: Mapping[str, Tensor]) -> torch.dtype:
    """The dtype of the floating-point weights; if there are several, one that holds them all."""
    found = {tensor.dtype for tensor in state.values() if tensor.is_floating_point()}
    return reduce(torch.promote_types, found) if found else torch.float32

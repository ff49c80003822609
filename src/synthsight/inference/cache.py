"""A cache of loaded models with a bound on their memory. Can be imported without torch."""

from __future__ import annotations

import gc
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch
    from torch import nn

Model = TypeVar("Model", bound="nn.Module")

#: The share of a device's memory that idle models may fill: half is left for running them. Main
#: memory has other uses, too.
_SHARE = {"cuda": 0.5, "cpu": 0.25}


class ModelCache:
    """The models that a process has loaded; the least recently used are evicted first.

    Args:
        share: this process's part of the bound, if it is one of several.
        bound: in bytes; None for a fraction of the device's memory.
    """

    def __init__(self, share: float = 1.0, bound: int | None = None) -> None:
        self._share = share
        self._bound = bound
        self._models: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._models)

    def get(self, key: Hashable, load: Callable[[], Model], device: torch.device) -> Model:
        """The model for a key, loaded on a cache miss; others are evicted to make room.

        Args:
            key: everything that the loaded model depends on; see :func:`file_identity`.
            load: loads it on the device.
            device: where the model runs.
        """
        if key in self._models:
            self._models.move_to_end(key)
            kept: Model = self._models[key][0]
            return kept
        model = self._loaded(load)
        if model is None:
            model = load()
        self._models[key] = model, _bytes_of(model)
        bound = _bound_of(device, self._share) if self._bound is None else self._bound
        while len(self._models) > 1 and sum(size for _, size in self._models.values()) > bound:
            self._models.popitem(last=False)
        return model

    def _loaded(self, load: Callable[[], Model]) -> Model | None:
        """The model; None if memory ran out, others were released, and it is worth another try.

        By the time that this has returned, nothing holds what was loaded in vain.
        """
        from synthsight.inference.batches import is_out_of_memory  # imports torch, loaded by now

        try:
            return load()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or not self.release():
                raise
        return None

    def spare(self) -> None:
        """Give memory of a shared device back that is kept for reuse: others may run out of it."""
        torch = sys.modules.get("torch")
        if self._share < 1 and torch is not None and torch.cuda.is_initialized():
            torch.cuda.empty_cache()

    def release(self, keep: nn.Module | None = None) -> bool:
        """Drop all models but one; returns whether there were others."""
        import torch

        others = [key for key, (model, _) in self._models.items() if model is not keep]
        for key in others:
            del self._models[key]
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return bool(others)


def file_identity(path: str | os.PathLike[str]) -> tuple[object, ...]:
    """What distinguishes a file from a later one of the same name."""
    status = os.stat(path)
    return (
        os.path.realpath(path),
        *(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns),
    )


def _bytes_of(model: nn.Module) -> int:
    tensors: list[Any] = [*model.parameters(), *model.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _bound_of(device: torch.device, share: float) -> int:
    if device.type == "cuda":
        import torch

        total: int = torch.cuda.mem_get_info(device)[1]
    else:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(total * _SHARE[device.type] * share)

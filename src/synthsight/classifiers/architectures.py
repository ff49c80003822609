"""Classifiers of any library: what they are, how they are built, what they expect.

Each library's own part is its file, which is imported when one of its models is asked for (see
:mod:`synthsight.classifiers.registry`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from synthsight.classifiers.library import Architecture, ModelError, Published
from synthsight.classifiers.registry import LIBRARIES

if TYPE_CHECKING:
    from synthsight.classifiers.library import StateDict


def parse_model(model: str, local: bool) -> Architecture:
    """Which architecture a configuration's ``model`` names.

    Args:
        model: ``LIBRARY/NAME``, such as ``timm/resnet50.a1_in1k``.
        local: whether the weights are a local checkpoint, so that none need be published.

    Raises:
        ModelError: no such architecture or weights; the message has close names.
        UnknownNameError: no such library; likewise.
    """
    library, slash, name = model.partition("/")
    if not slash:
        raise ModelError(
            "names no library: write LIBRARY/NAME, e.g. timm/resnet50.a1_in1k; "
            f"libraries: {', '.join(LIBRARIES)}"
        )
    return LIBRARIES.load(library).parse(name, local)


def published(architecture: Architecture) -> Published:
    """What the library publishes for an architecture: transform, accuracy, licence.

    Without named weights it is what is usual for the architecture.
    """
    return LIBRARIES.load(architecture.library).published(architecture)


def build(architecture: Architecture, state: StateDict | None) -> nn.Module:
    """Build a network in evaluation mode and give it its weights.

    The network takes the tensors of the state dict themselves: mapped from a file, they are read
    when they are used, once for all processes. Nothing is spent on initial values.

    Args:
        architecture: which one.
        state: its state dict, of which every entry must find its place; None leaves the weights
            as they are initialised.

    Raises:
        ModelError: the builder refuses the arguments, or the state dict is of another architecture.
        UnknownNameError: no library has this name.
    """
    library = LIBRARIES.load(architecture.library)
    try:
        with ExitStack() as stack:
            if state is not None:
                stack.enter_context(_Uninitialised())
                stack.enter_context(
                    mock.patch.object(nn.Module, "load_state_dict", _load_by_assignment)
                )
            model = library.build(architecture, state)
    except (TypeError, ValueError, RuntimeError, KeyError, AssertionError) as error:
        message = _shorten(str(error))
        raise ModelError(f"{architecture.library}/{architecture.name}: {message}") from error
    return model.eval()


class _Uninitialised(TorchFunctionMode):
    """Leaves out what fills parameters with initial values, which weights are about to replace.

    Unlike a network built on the meta device, this one has its other tensors: buffers that are in
    no state dict are computed by the constructor alone.
    """

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        target = args[0] if args else kwargs.get("tensor")  # torch.nn.init names it
        changes = name.endswith("_") and not name.endswith("__") and name not in _OTHERS
        if changes and isinstance(target, nn.Parameter):
            return target
        return func(*args, **kwargs)


#: Methods whose names end like those that change values.
_OTHERS = ("requires_grad_", "detach_")


_load_by_copy = nn.Module.load_state_dict


def _load_by_assignment(
    module: nn.Module, state: Mapping[str, Any], strict: bool = True, assign: bool = True
) -> Any:
    return _load_by_copy(module, state, strict=strict, assign=True)


def _shorten(message: str, keep: int = 6) -> str:
    """The start of an error of ``load_state_dict``, which can list hundreds of keys."""
    lines = [line.strip() for line in re.split(r"\n|, (?=\")", message) if line.strip()]
    more = f" ... and {len(lines) - keep} more" if len(lines) > keep else ""
    return "; ".join(lines[:keep]) + more


def probe(architecture: Architecture, crop: tuple[int, int] | None) -> int:
    """Try an architecture without weights or memory, on PyTorch's meta device.

    Args:
        architecture: which one.
        crop: ``(height, width)`` of the images it will get, tried too; None if they vary.

    Returns:
        The number of its outputs.

    Raises:
        ModelError: it cannot be built, takes no such images, or is no classifier.
    """
    size = crop or (256, 256)
    with torch.inference_mode():
        model = _build_without_memory(architecture)
        try:
            with torch.device("meta"):
                logits = model(torch.empty(1, 3, *size))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise ModelError(
                f"{architecture.name} takes no images of {size[0]} x {size[1]} pixels: "
                f"{_shorten(str(error))}"
            ) from error
    if not isinstance(logits, Tensor) or logits.ndim != 2 or logits.shape[1] < 2:
        raise ModelError(f"{architecture.library}/{architecture.name} is no classifier")
    return int(logits.shape[1])


def _build_without_memory(architecture: Architecture) -> nn.Module:
    """A network on the meta device, whose tensors have shapes but no values.

    Some constructors read values: torchvision's RegNets compute their widths with tensors. What
    fails on the meta device is built again in main memory. Its parameters are never filled, so
    their pages are never touched, and they take address space only.
    """
    try:
        with torch.device("meta"):
            return build(architecture, None)
    except ModelError:
        with _Uninitialised():
            return build(architecture, None).to("meta")

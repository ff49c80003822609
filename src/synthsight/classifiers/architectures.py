"""Classifiers of any library: finding, building and probing their architectures.

Each library has a module of its own, which is imported when one of its models is asked for (see
:mod:`synthsight.classifiers.registry`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from synthsight.classifiers.library import Architecture, Files, ModelError, Published
from synthsight.classifiers.registry import LIBRARIES, library_of
from synthsight.wording import one_line

if TYPE_CHECKING:
    from synthsight.classifiers.library import StateDict


#: Extensions of files of weights.
_WEIGHTS = (".pth", ".pt", ".bin", ".safetensors", ".ckpt", ".tar", ".npz", ".onnx")


def parse_model(model: str, local: bool, files: Files | None = None) -> Architecture:
    """The architecture that a configuration's ``model`` names.

    Args:
        model: ``LIBRARY/NAME``, such as ``timm/resnet50.a1_in1k``.
        local: whether the weights are a local checkpoint, so that none need be published.
        files: what the model's repository says, if it is one.

    Raises:
        ModelError: there is no such architecture or weights; the message has close names.
        UnknownNameError: there is no such library; likewise.
    """
    library, name = _checked(model)
    return LIBRARIES.load(library).parse(name, local, files or {})


def parse_encoder(
    model: str, local: bool, files: Files | None, arguments: Mapping[str, Any]
) -> tuple[Architecture, bool]:
    """The architecture of a model that is asked for features alone.

    Args:
        model: as :func:`parse_model` takes it.
        local: likewise.
        files: likewise.
        arguments: as a configuration gives them for the library's builder.

    Returns:
        The architecture, and whether its outputs are classes, so that features enter a layer of it.

    Raises:
        ModelError: there is no such architecture or weights, or it is of a library without such
            models.
        UnknownNameError: there is no such library.
    """
    library, name = _checked(model)
    encoder = LIBRARIES.load(library).encoder
    if encoder is None:
        having = [each for each in ("timm", "torchvision", "transformers") if each != library]
        raise ModelError(
            f"is of {library}, whose models are asked for classes; for features write "
            f"{' or '.join(f'{each}/...' for each in having)}, or `features: true` below `models`"
        )
    return encoder(name, local, files or {}, arguments)


def _checked(model: str) -> tuple[str, str]:
    """The library and the name that a configuration's ``model`` is made of.

    Raises:
        ModelError: it is not of that form.
    """
    library, name = library_of(model)
    if library not in LIBRARIES and re.match(r"[A-Za-z][A-Za-z0-9+._-]*:", model):
        raise ModelError(
            "is an address: write LIBRARY/NAME, e.g. timm/resnet50.a1_in1k; for weights of your "
            "own, the path of their file belongs in `checkpoint`"
        )
    if model.startswith((".", "/", "~")) or Path(model).suffix in _WEIGHTS:
        raise ModelError(
            "is a path: write the architecture as LIBRARY/NAME, e.g. timm/resnet50, and the path "
            "in `checkpoint`"
        )
    if "/" not in model:
        raise ModelError(
            "names no library: write LIBRARY/NAME, e.g. timm/resnet50.a1_in1k; "
            f"libraries: {', '.join(LIBRARIES)}"
        )
    return library, name


def published(architecture: Architecture, files: Files | None = None) -> Published:
    """What the library publishes for an architecture: transform, accuracy, licence.

    If the architecture names no weights, this is what is usual for it.
    """
    return LIBRARIES.load(architecture.library).published(architecture, files or {})


def build(architecture: Architecture, state: StateDict | None) -> nn.Module:
    """Build a network in evaluation mode and give it its weights.

    The network takes over the tensors of the state dict without copying: mapped from a file, they
    are read on first use, once for all processes. No time is spent on initial values.

    Args:
        architecture: which one.
        state: its state dict, every entry of which must be used; None leaves the weights as they
            are initialised.

    Raises:
        ModelError: the builder refuses the arguments, or the state dict is for another
            architecture.
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
        message = explain(str(error))
        raise ModelError(f"{architecture.library}/{architecture.name}: {message}") from error
    return model.eval()


class _Uninitialised(TorchFunctionMode):
    """Skips the calls that initialise parameters, which the weights are about to replace.

    Unlike the meta device, it leaves other tensors alone: buffers that are not in the state dict
    are computed only by the constructor.
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
        target = args[0] if args else kwargs.get("tensor")  # as torch.nn.init calls it
        changes = name.endswith("_") and not name.endswith("__") and name not in _OTHERS
        if changes and isinstance(target, nn.Parameter):
            return target
        return func(*args, **kwargs)


#: Methods that end in an underscore but do not change values.
_OTHERS = ("requires_grad_", "detach_")


_load_by_copy = nn.Module.load_state_dict


def _load_by_assignment(
    module: nn.Module, state: Mapping[str, Any], strict: bool = True, assign: bool = True
) -> Any:
    return _load_by_copy(module, state, strict=strict, assign=True)


#: A line of ``load_state_dict``'s error about one tensor.
_MISMATCH = re.compile(
    r"size mismatch for \S+: copying a param with shape torch\.Size\(\[(\d+)(.*?)\]\) from "
    r"checkpoint, the shape in current model is torch\.Size\(\[(\d+)(.*?)\]\)"
)


def explain(message: str, keep: int = 3) -> str:
    """An error of ``load_state_dict`` in short: it can list hundreds of keys.

    The first of the missing, of the unexpected and of the mismatched are kept, so that all three
    are seen. Where nothing but the number of classes differs, that is said.
    """
    lines = [one_line(line) for line in message.split("\n") if line.strip()]
    heads, mismatched = [], []
    for line in lines:
        if "size mismatch for " in line:
            mismatched.append(line)
            continue
        keys = re.split(r', (?=")', line)
        more = f" and {len(keys) - keep} more" if len(keys) > keep else ""
        heads.append((", ".join(keys[:keep]).rstrip(".") + more).strip())
    more = f" ... and {len(mismatched) - keep} more" if len(mismatched) > keep else ""
    text = "; ".join([*heads[: 2 * keep], *mismatched[:keep]]) + more
    return one_line(text, 1200) + _other_classes(mismatched, "key(s) in state_dict" in message)


def _other_classes(mismatched: Sequence[str], other_keys: bool) -> str:
    """What to do if the checkpoint's classifier alone differs, in its number of outputs."""
    found = [_MISMATCH.search(line) for line in mismatched]
    counts = {(each[1], each[3]) for each in found if each and each[2] == each[4]}
    if other_keys or len(counts) != 1 or not all(each and each[2] == each[4] for each in found):
        return ""
    theirs, ours = map(int, next(iter(counts)))
    extra = (
        " (one more is usually a class for the background, in front)" if theirs - ours == 1 else ""
    )
    return (
        f". The checkpoint has {theirs:,} classes{extra}, but the model's `labels` name {ours:,}: "
        "name a label space or file with the checkpoint's classes, or for an encoder write "
        f"`arguments: {{num_classes: {theirs}}}`"
    )


def probe(architecture: Architecture, crop: tuple[int, int] | None) -> int:
    """Try an architecture on PyTorch's meta device, without weights or memory.

    Args:
        architecture: which one.
        crop: ``(height, width)`` of the images that it will get; None if they vary.

    Returns:
        The number of its outputs.

    Raises:
        ModelError: it cannot be built, does not accept such images, or is not a classifier.
    """
    size = crop or (256, 256)
    with torch.inference_mode():
        model = build_without_memory(architecture)
        try:
            logits = run_without_memory(model, size)
        except (RuntimeError, AssertionError, ValueError) as error:
            raise ModelError(
                f"{architecture.name} does not accept images of {size[0]} x {size[1]} pixels: "
                f"{explain(str(error))}"
            ) from error
    if not isinstance(logits, Tensor) or logits.ndim != 2 or logits.shape[1] < 2:
        raise ModelError(f"{architecture.library}/{architecture.name} is not a classifier")
    return int(logits.shape[1])


def run_without_memory(model: nn.Module, size: tuple[int, int], images: int = 1) -> Any:
    """The outputs of a network on the meta device, for some images of ``(height, width)``.

    What networks keep for all of their kind, as BEiT does positions, must not be made there, or
    later ones in this process would compute with nothing. So new tensors are made there only if the
    network cannot do otherwise.
    """
    batch = torch.empty(images, 3, *size, device="meta")
    try:
        return model(batch)
    except (RuntimeError, AssertionError, ValueError):
        with torch.device("meta"):
            return model(batch)


def build_without_memory(architecture: Architecture) -> nn.Module:
    """A network on the meta device, whose tensors have shapes but no values.

    Some constructors read values: torchvision's RegNets compute their widths with tensors. A
    network that fails on the meta device is built again in main memory. Its parameters are never
    filled, so their pages are never touched and take only address space.
    """
    with _Uninitialised():
        try:
            with torch.device("meta"):
                return build(architecture, None)
        except ModelError:
            return build(architecture, None).to("meta")

"""Classifiers of torchvision and timm: what they are, how they are built, what they expect.

The model that is built here is the one that the library's own builder gives with its pretrained
weights. That needs care: torchvision's googlenet and inception_v3, for one, set ``transform_input``
and drop their auxiliary heads only when built with weights.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import timm
import timm.models
import torch
import torchvision
from timm.data.config import resolve_data_config
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torchvision.models import WeightsEnum

from synthsight.images.geometry import INTERPOLATIONS, Geometry

StateDict = dict[str, Tensor]


class ModelError(ValueError):
    """A model that does not exist or cannot be built or used; the message is for a person."""


@dataclass(frozen=True)
class Architecture:
    """Which network to build, without its weights.

    Attributes:
        library: ``torchvision`` or ``timm``.
        name: the library's name of the architecture, timm's tag of the weights included
            (``deit_base_patch16_224.fb_in1k``).
        weights: the name of torchvision's weights (``IMAGENET1K_V1``) whose builder is imitated;
            None with timm, and for a local checkpoint that is not built like the published one.
        arguments: keyword arguments for the library's builder.
        num_classes: outputs of the classifier; None for the library's own number.
    """

    library: str
    name: str
    weights: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    num_classes: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON; ``Architecture(**...)`` is the way back."""
        return {
            "library": self.library,
            "name": self.name,
            "weights": self.weights,
            "arguments": dict(self.arguments),
            "num_classes": self.num_classes,
        }


@dataclass(frozen=True)
class Published:
    """What a library publishes about a model, apart from its weights.

    Attributes:
        geometry: of its evaluation transform; None if it is one that :class:`Geometry` has not
            (non-square without squashing, padded to a square).
        mean: of its normalisation, a value a channel, for pixels in 0..1.
        std: likewise.
        fixed_size: ``(height, width)`` if the network takes no other size, else None.
        num_classes: outputs; 0 if there is no classifier.
        reference: ``{"top1", "top5", "source"}`` on ImageNet-1k as fractions, or None.
        license: as stated by the library, or None.
        source: where the weights come from.
    """

    geometry: Geometry | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fixed_size: tuple[int, int] | None
    num_classes: int
    reference: dict[str, Any] | None
    license: str | None
    source: str | None


def parse_model(model: str, local: bool) -> Architecture:
    """Which architecture a configuration's ``model`` names.

    Args:
        model: ``timm/NAME``, ``torchvision/NAME`` or ``torchvision/NAME.WEIGHTS``.
        local: whether the weights are a local checkpoint, so that none need be published.

    Raises:
        ModelError: no such library, architecture or weights; the message has close names.
    """
    library, _, name = model.partition("/")
    if library == "timm":
        return _parse_timm(name, local)
    if library == "torchvision":
        return _parse_torchvision(name, local)
    raise ModelError(
        f"unknown model source {library!r}: write timm/NAME or torchvision/NAME, "
        "e.g. timm/resnet50.a1_in1k"
    )


def _parse_timm(name: str, local: bool) -> Architecture:
    base, _, tag = name.partition(".")
    if not timm.is_model(base):
        raise ModelError(f"timm has no model {base!r}" + _close(base, timm.list_models()))
    tags = [model for model in timm.list_models(pretrained=True) if model.split(".")[0] == base]
    if tag and name not in tags:
        raise ModelError(f"timm has no weights {name!r}" + _close(name, tags))
    if not local and not tags:
        raise ModelError(f"timm has no pretrained weights for {base!r}: give a `checkpoint`")
    return Architecture("timm", name)


def _parse_torchvision(name: str, local: bool) -> Architecture:
    base, _, tag = name.partition(".")
    classifiers = torchvision.models.list_models(module=torchvision.models)
    if base not in classifiers:
        raise ModelError(f"torchvision has no classifier {base!r}" + _close(base, classifiers))
    weights = torchvision.models.get_model_weights(base)
    names = list(weights.__members__)
    if tag:
        if tag not in names:
            raise ModelError(f"torchvision has no weights {tag!r} for {base}; it has: {names}")
        return Architecture("torchvision", base, tag)
    return Architecture("torchvision", base, None if local else weights["DEFAULT"].name)


def _close(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def published(architecture: Architecture) -> Published:
    """What the library publishes for an architecture: transform, accuracy, licence.

    For torchvision without named weights the first ImageNet weights tell the transform.
    """
    if architecture.library == "timm":
        return _published_timm(architecture)
    return _published_torchvision(architecture)


def _published_torchvision(architecture: Architecture) -> Published:
    weights = _torchvision_weights(architecture)
    if weights is None:
        weights = next(iter(torchvision.models.get_model_weights(architecture.name)))
    preset = weights.transforms()
    (resize,), (crop,) = preset.resize_size, preset.crop_size
    metrics = weights.meta.get("_metrics", {}).get("ImageNet-1K")
    reference = metrics and {
        "top1": round(metrics["acc@1"] / 100, 6),
        "top5": round(metrics["acc@5"] / 100, 6),
        "source": f"torchvision's metadata of {weights}",
    }
    # Transformers add position embeddings of a fixed number.
    fixed = architecture.name.startswith(("vit_", "maxvit"))
    return Published(
        geometry=Geometry(resize, (crop, crop), preset.interpolation.value),
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        fixed_size=(crop, crop) if fixed else None,
        num_classes=len(weights.meta["categories"] or ()),
        reference=reference,
        license=None,
        source=weights.url,
    )


def _published_timm(architecture: Architecture) -> Published:
    config = timm.models.get_pretrained_cfg(architecture.name)
    cfg = config.to_dict() if config else {}
    data = resolve_data_config({}, pretrained_cfg=cfg)
    _, height, width = data["input_size"]
    # As timm's own evaluation transform computes it (transforms_imagenet_eval).
    scaled = tuple(int(side / data["crop_pct"]) for side in (height, width))
    crop = (height, width)
    geometry = None
    if data["interpolation"] in INTERPOLATIONS:
        if data["crop_mode"] == "squash":
            geometry = Geometry((scaled[0], scaled[1]), crop, data["interpolation"])
        elif data["crop_mode"] == "center" and height == width:
            geometry = Geometry(scaled[0], crop, data["interpolation"])
    hub = cfg.get("hf_hub_id")
    return Published(
        geometry=geometry,
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
        fixed_size=crop if cfg.get("fixed_input_size") else None,
        num_classes=cfg.get("num_classes", 0),
        reference=None,
        license=cfg.get("license"),
        source=f"hf-hub:{hub}" if hub else cfg.get("url") or None,
    )


def _torchvision_weights(architecture: Architecture) -> WeightsEnum | None:
    if architecture.weights is None:
        return None
    return torchvision.models.get_model_weights(architecture.name)[architecture.weights]


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
    """
    try:
        with ExitStack() as stack:
            if state is not None:
                stack.enter_context(_Uninitialised())
                stack.enter_context(
                    mock.patch.object(nn.Module, "load_state_dict", _load_by_assignment)
                )
            model = _build(architecture, state)
    except ModelError:
        raise
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


def _build(architecture: Architecture, state: StateDict | None) -> nn.Module:
    arguments = dict(architecture.arguments)
    if architecture.num_classes is not None:
        arguments["num_classes"] = architecture.num_classes
    if architecture.library == "timm":
        model: nn.Module = timm.create_model(architecture.name, pretrained=False, **arguments)
    else:
        weights = _torchvision_weights(architecture)
        if weights is not None:
            return _build_as_pretrained(architecture.name, weights, arguments, state)
        if architecture.name in _AUXILIARY_HEADS:
            heads = state is not None and any(key.startswith("aux") for key in state)
            # As with published weights, from which a local checkpoint most likely descends.
            defaults = {"transform_input": True, "aux_logits": heads, "init_weights": False}
            arguments = defaults | arguments
        model = torchvision.models.get_model(architecture.name, weights=None, **arguments)
    if state is not None:
        model.load_state_dict(state)
    return model


def _build_as_pretrained(
    name: str, weights: WeightsEnum, arguments: dict[str, Any], state: StateDict | None
) -> nn.Module:
    """The builder of torchvision with all that it does for pretrained models.

    Only the download is replaced, by the weights at hand; without any, loading is left out.
    """
    given = dict(state or {})  # a copy, since some builders rename its keys
    with ExitStack() as patches:
        patches.enter_context(
            mock.patch.object(type(weights), "get_state_dict", lambda *_, **__: given)
        )
        if state is None:
            patches.enter_context(
                mock.patch.object(nn.Module, "load_state_dict", lambda *_, **__: None)
            )
        model: nn.Module = torchvision.models.get_model(name, weights=weights, **arguments)
        return model


#: torchvision's classifiers with auxiliary heads, which their published weights contain or not.
_AUXILIARY_HEADS = ("googlenet", "inception_v3")


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
    with torch.device("meta"), torch.inference_mode():
        model = build(architecture, None)
        try:
            logits = model(torch.empty(1, 3, *size))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise ModelError(
                f"{architecture.name} takes no images of {size[0]} x {size[1]} pixels: "
                f"{_shorten(str(error))}"
            ) from error
    if not isinstance(logits, Tensor) or logits.ndim != 2 or logits.shape[1] < 2:
        raise ModelError(f"{architecture.library}/{architecture.name} is no classifier")
    return int(logits.shape[1])

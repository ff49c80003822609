"""The classifiers of timm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import huggingface_hub
import timm
import timm.models
from timm.data.config import resolve_data_config
from torch import nn

from synthsight.classifiers.checkpoints import read_checkpoint
from synthsight.classifiers.image_sides import (
    FEATURES_ALONE,
    REPOSITORY_OF_BOTH,
    WITHOUT_TEXTS,
    is_image_side,
    with_text_side,
)
from synthsight.classifiers.library import (
    Architecture,
    Fetched,
    Files,
    Library,
    ModelError,
    Published,
    Wanted,
    WeightsError,
)
from synthsight.images.geometry import INTERPOLATIONS, Geometry
from synthsight.inference.hub import cached_by_torch, check_cached, check_named
from synthsight.wording import did_you_mean

if TYPE_CHECKING:
    from synthsight.classifiers.library import StateDict

#: The file names that timm tries for weights in a hub repository, in its order.
_HUB_FILES = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth")


#: Names that timm has given up, and what it calls these models, with their weights, today.
_RENAMED: dict[str, str | None] = timm.models._registry._deprecated_models


def _parse(name: str, local: bool, files: Files) -> Architecture:
    del files  # what there is to know is in the package
    architecture = _named(name, local)
    found = timm.models.get_pretrained_cfg(architecture.name)
    base = architecture.name.partition(".")[0]
    if not local and found and is_image_side(base, found.tag or "", found.num_classes):
        whole = with_text_side(architecture.name) or REPOSITORY_OF_BOTH
        raise ModelError(f"{WITHOUT_TEXTS}{whole}{FEATURES_ALONE}")
    return architecture


def _encoder(
    name: str, local: bool, files: Files, arguments: Mapping[str, Any]
) -> tuple[Architecture, bool]:
    """A model as published; of a local checkpoint without a classifier, unless arguments say so."""
    del files
    architecture = _named(name, local)
    found = timm.models.get_pretrained_cfg(architecture.name)
    published = 0 if local or not found else found.num_classes
    outputs = arguments.get("num_classes", published)
    if local and "num_classes" not in arguments:
        architecture = replace(architecture, num_classes=0)
    base, _, tag = architecture.name.partition(".")
    return architecture, bool(outputs) and not is_image_side(base, tag, outputs)


def _named(name: str, local: bool) -> Architecture:
    """The architecture of a name that timm knows."""
    base, _, tag = name.partition(".")
    if base in _RENAMED:
        current = _RENAMED[base]
        if current is None:
            raise ModelError(f"timm has no model {base!r} any more")
        if tag:
            raise ModelError(f"timm has no model {base!r} any more: it is now {current!r}")
        name, (base, _, tag) = current, current.partition(".")
    if not timm.is_model(base):
        close = did_you_mean(base, timm.list_models(), most=3, cutoff=0.5)
        raise ModelError(f"timm has no model {base!r}{close}")
    tags = [model for model in timm.list_models(pretrained=True) if model.split(".")[0] == base]
    if tag and name not in tags:
        close = did_you_mean(name, tags, most=3, cutoff=0.5)
        raise ModelError(f"timm has no weights {name!r}{close}")
    if not local and not tags:
        raise ModelError(f"timm has no pretrained weights for {base!r}: set `checkpoint`")
    return Architecture("timm", name)


def _published(architecture: Architecture, files: Files) -> Published:
    del files
    config = timm.models.get_pretrained_cfg(architecture.name)
    return described(config.to_dict() if config else {})


def described(cfg: Mapping[str, Any]) -> Published:
    """What timm's description of pretrained weights, by the names of its fields, says of them."""
    data = resolve_data_config({}, pretrained_cfg=dict(cfg))
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


def _build(architecture: Architecture, state: StateDict | None) -> nn.Module:
    model: nn.Module = timm.create_model(
        architecture.name, pretrained=False, **_arguments(architecture)
    )
    if state is not None:
        model.load_state_dict(state)
    return model


def _fetch(wanted: Wanted) -> Fetched:
    architecture = wanted.architecture
    if wanted.checkpoint is not None:
        read = read_checkpoint(wanted.checkpoint)
        # timm's own loading of a file, with its conversions of foreign formats.
        overlay: dict[str, Any] = {"state_dict": read.state, "custom_load": False}
        # Told another number than the network has, timm leaves the classifier random.
        classes = _arguments(architecture).get("num_classes")
        if classes == 0:
            _check_without_classes(architecture, wanted.checkpoint, read.state)
        if classes is not None:
            overlay["num_classes"] = classes
        model = timm.create_model(
            architecture.name,
            pretrained=True,
            pretrained_cfg_overlay=overlay,
            **_arguments(architecture),
        )
        return replace(read, state=dict(model.state_dict()))
    source = str(_published(architecture, {}).source)
    model = timm.create_model(architecture.name, pretrained=True, **dict(architecture.arguments))
    digest, checksum = None, "none stated"
    if source.startswith("hf-hub:"):
        digest, checksum = _hub_digest(source.removeprefix("hf-hub:"))
    elif (cached := cached_by_torch(source)).is_file():
        digest, checksum = check_named(cached)
    return Fetched(dict(model.state_dict()), source, digest, checksum)


def _arguments(architecture: Architecture) -> dict[str, Any]:
    arguments = dict(architecture.arguments)
    if architecture.num_classes is not None:
        arguments["num_classes"] = architecture.num_classes
    return arguments


def _check_without_classes(architecture: Architecture, file: Path, state: StateDict) -> None:
    """Refuse a checkpoint with a classifier, or a projection, for a network that has none.

    Raises:
        WeightsError: it has one; left out, the features would be others than the checkpoint's.
    """
    found = timm.models.get_pretrained_cfg(architecture.name)
    named = (found.classifier if found else None) or ()
    layers = (named,) if isinstance(named, str) else tuple(named)
    for key in (f"{layer}.weight" for layer in layers):
        if key in state:
            raise WeightsError(
                f"{file} has outputs of its own ({key}, {len(state[key]):,} of them): write "
                f"`arguments: {{num_classes: {len(state[key])}}}`. Of classes the features are "
                "then what enters that layer, of a CLIP model what it gives"
            )


def _hub_digest(repository: str) -> tuple[str | None, str]:
    """The sha256 of a hub file in the cache, and how it compares with the stated one."""
    for name in _HUB_FILES:
        cached = huggingface_hub.try_to_load_from_cache(repository, name)
        if isinstance(cached, str):
            return check_cached(Path(cached))
    return None, "none stated"


#: For ``timm/NAME``, with the tag of the weights: ``timm/resnet50.a1_in1k``.
TIMM = Library(_parse, _published, _build, _fetch, ("timm",), _encoder)

"""The classifiers of timm."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

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

#: Arguments of timm's builder that name other weights, which no spec would know of.
_OF_WEIGHTS = ("checkpoint_path", "pretrained", "pretrained_cfg", "pretrained_cfg_overlay")

#: Models that were published without the last norm, which timm then leaves as it begins: no scale.
_WITHOUT_NORM = re.compile(r"convnext\w*\.fcmae.*|davit_\w+_fl(\..+)?")


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
    base, _, tag = architecture.name.partition(".")
    found = timm.models.get_pretrained_cfg(architecture.name)
    published = found.num_classes if found and not local else None
    outputs = arguments.get("num_classes", published or 0)
    if type(outputs) is not int or outputs < 0:
        raise ModelError(f"cannot have {outputs!r} for `num_classes`: write a number")
    if published is not None and outputs not in (0, published):
        raise ModelError(
            f"has {published or 'no'} outputs, and no weights for {outputs:,}: leave `num_classes` "
            "out of its `arguments`"
        )
    if local and "num_classes" not in arguments:
        architecture = replace(architecture, num_classes=0)
    tags = [tag] if tag else [] if local else [found.tag or "" if found else ""]
    return architecture, bool(outputs) and not projects(base, outputs, tags)


def projects(base: str, outputs: int, tags: Sequence[str] = ()) -> bool:
    """Whether so many outputs are the projection of a model's half that sees images.

    Others are classes that such a half was trained to tell apart afterwards.

    Args:
        base: the architecture.
        outputs: how many.
        tags: what its weights may be called; none for whatever is published.
    """
    pairs = [(c.tag or "", c.num_classes) for c in _published_as(base)]
    known = [tag for tag, count in pairs if count == outputs and is_image_side(base, tag, count)]
    return bool(known) and (not tags or any(is_image_side(base, tag, outputs) for tag in tags))


def _published_as(base: str) -> list[Any]:
    """All descriptions of weights that timm has published for an architecture."""
    names = [name for name in timm.list_models(pretrained=True) if name.split(".")[0] == base]
    return [timm.models.get_pretrained_cfg(name) for name in names]


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
    arguments = _arguments(architecture)
    check_arguments(arguments)
    model: nn.Module = timm.create_model(architecture.name, pretrained=False, **arguments)
    if state is not None:
        model.load_state_dict(state)
    return model


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse what would load other weights than those that are noted.

    Raises:
        ModelError: it says so.
    """
    if taken := sorted(arguments.keys() & set(_OF_WEIGHTS)):
        raise ModelError(
            f"has no argument {taken[0]!r} (below `arguments`, or in its config.json) that could "
            "be set: weights of your own belong in `checkpoint`"
        )


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
        model = loaded(
            architecture.name,
            str(wanted.checkpoint),
            pretrained_cfg_overlay=overlay,
            **_arguments(architecture),
        )
        return replace(read, state=dict(model.state_dict()))
    source = str(_published(architecture, {}).source)
    model = loaded(architecture.name, source, **dict(architecture.arguments))
    digest, checksum = None, "none stated"
    if source.startswith("hf-hub:"):
        digest, checksum = _hub_digest(source.removeprefix("hf-hub:"))
    elif (cached := cached_by_torch(source)).is_file():
        digest, checksum = check_named(cached)
    return Fetched(dict(model.state_dict()), source, digest, checksum)


def loaded(name: str, source: str, **arguments: Any) -> nn.Module:
    """A model with its weights, as timm loads them, of which every one must be there.

    Of some models, and where `num_classes` is not as published, timm loads what fits and leaves the
    rest as it is drawn at random.

    Args:
        name: timm's, of the architecture or of weights.
        source: where the weights come from, for the message.
        arguments: of timm's builder.

    Raises:
        WeightsError: there are none of a layer.
    """
    lacking: list[str] = []

    def load(model: nn.Module, *given: Any, **how: Any) -> Any:
        result = _load_state_dict(model, *given, **how)
        lacking.extend(result.missing_keys)
        return result

    with mock.patch.object(nn.Module, "load_state_dict", load):
        model: nn.Module = timm.create_model(name, pretrained=True, **arguments)
    if _WITHOUT_NORM.fullmatch(name):
        lacking = [key for key in lacking if not key.startswith("head.norm.")]
    if lacking:
        more = f" and {len(lacking) - 3:,} more" if len(lacking) > 3 else ""
        raise WeightsError(
            f"{source} does not fit timm/{name}: it has no {', '.join(lacking[:3])}{more}. They "
            "would be random: leave out what changes the network below `arguments`, or name the "
            "architecture that the weights are of"
        )
    return model


_load_state_dict = nn.Module.load_state_dict


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

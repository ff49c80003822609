"""The classifiers of torchvision.

The network built here is the one that torchvision's own builder returns with pretrained weights.
That needs care: googlenet and inception_v3, for example, set ``transform_input`` and drop their
auxiliary heads only when built with weights.
"""

from __future__ import annotations

import pickle
import urllib.error
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest import mock

import torchvision
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential
from torch import nn
from torchvision.models import WeightsEnum

from synthsight.classifiers.checkpoints import read_checkpoint
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
from synthsight.images.geometry import Geometry
from synthsight.inference.hub import cached_by_torch, check_named
from synthsight.wording import did_you_mean

if TYPE_CHECKING:
    from synthsight.classifiers.library import StateDict

#: Errors of a download that may succeed the next time.
_UNREACHABLE = (urllib.error.URLError, TimeoutError, ConnectionError)

#: Classifiers with auxiliary heads, which a checkpoint may or may not contain.
_AUXILIARY_HEADS = ("googlenet", "inception_v3")


def _parse(name: str, local: bool, files: Files) -> Architecture:
    del files  # what there is to know is in the package
    base, _, tag = name.partition(".")
    classifiers = torchvision.models.list_models(module=torchvision.models)
    if base not in classifiers:
        close = did_you_mean(base, classifiers, most=3, cutoff=0.5)
        raise ModelError(f"torchvision has no classifier {base!r}{close}")
    weights = torchvision.models.get_model_weights(base)
    names = list(weights.__members__)
    if tag:
        if tag not in names:
            raise ModelError(f"torchvision has no weights {tag!r} for {base}; it has: {names}")
        return Architecture("torchvision", base, tag)
    return Architecture("torchvision", base, None if local else weights["DEFAULT"].name)


def _encoder(
    name: str, local: bool, files: Files, arguments: Mapping[str, Any]
) -> tuple[Architecture, bool]:
    """All of torchvision's classify."""
    del arguments
    return _parse(name, local, files), True


def _published(architecture: Architecture, files: Files) -> Published:
    """What is published; without named weights, the first ImageNet weights give the transform."""
    del files
    weights = _weights(architecture)
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
    # Transformers have a fixed number of position embeddings.
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


def _weights(architecture: Architecture) -> WeightsEnum | None:
    if architecture.weights is None:
        return None
    return torchvision.models.get_model_weights(architecture.name)[architecture.weights]


def _build(architecture: Architecture, state: StateDict | None) -> nn.Module:
    arguments = dict(architecture.arguments)
    if architecture.num_classes is not None:
        arguments["num_classes"] = architecture.num_classes
    weights = _weights(architecture)
    if weights is not None:
        return _build_as_pretrained(architecture.name, weights, arguments, state)
    if architecture.name in _AUXILIARY_HEADS:
        heads = state is not None and any(key.startswith("aux") for key in state)
        # As with published weights, from which a local checkpoint most likely descends.
        defaults = {"transform_input": True, "aux_logits": heads, "init_weights": False}
        arguments = defaults | arguments
    model: nn.Module = torchvision.models.get_model(architecture.name, weights=None, **arguments)
    if state is not None:
        model.load_state_dict(state)
    return model


def _build_as_pretrained(
    name: str, weights: WeightsEnum, arguments: dict[str, Any], state: StateDict | None
) -> nn.Module:
    """Call torchvision's builder with all that it does for pretrained models.

    Only the download is replaced, by the weights at hand; without any, loading is skipped.
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


def _fetch(wanted: Wanted) -> Fetched:
    if wanted.checkpoint is not None:
        return read_checkpoint(wanted.checkpoint)
    architecture = wanted.architecture
    weights = torchvision.models.get_model_weights(architecture.name)[architecture.weights]
    cached = cached_by_torch(weights.url)
    try:
        # The hub's client, which timm uses, retries by itself; torch's download does not.
        for attempt in Retrying(
            retry=retry_if_exception_type(_UNREACHABLE),
            stop=stop_after_attempt(3),
            wait=wait_exponential(),
            reraise=True,
        ):
            with attempt:
                state = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except _UNREACHABLE as error:
        raise WeightsError(
            f"{weights.url} could not be downloaded ({error}). On a machine without internet "
            f"access, download it elsewhere and copy it to {cached}, or name a local file in the "
            "model's `checkpoint`"
        ) from error
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        raise WeightsError(
            f"{weights.url}: {error}. If {cached} exists, it may be an incomplete download: "
            "delete it and run again"
        ) from error
    return Fetched(dict(state), weights.url, *check_named(cached))


#: For ``torchvision/NAME`` or, with the name of the weights, ``torchvision/NAME.WEIGHTS``.
TORCHVISION = Library(_parse, _published, _build, _fetch, ("torchvision",), _encoder)

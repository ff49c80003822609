"""Bringing a model's weights to one place and one format: safetensors, with a note of the source.

The one stage that may use the network. Pickles are read with ``weights_only``, so no code in a
checkpoint is ever run.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import urllib.error
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huggingface_hub
import timm
import timm.models
import torch
import torchvision
from safetensors.torch import load_file, save_file
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential
from torch import Tensor

from synthsight.classifiers.architectures import (
    Architecture,
    ModelError,
    StateDict,
    build,
    published,
)
from synthsight.errors import SynthsightError
from synthsight.files import atomic, sha256_of
from synthsight.inference.hub import check_cached, not_brought, stated_by

#: The names under which timm looks for weights in a hub's repository, in its order.
_HUB_FILES = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth")


#: What a download that may go through the next time raises.
_UNREACHABLE = (urllib.error.URLError, TimeoutError, ConnectionError)


class WeightsError(SynthsightError):
    """Weights that cannot be brought or used; the message says what to do."""


@dataclass(frozen=True)
class Fetched:
    """Weights in memory and where they came from.

    Attributes:
        state: the state dict for :func:`synthsight.classifiers.architectures.build`.
        source: URL, hub repository or file.
        sha256: of the source file, in hex; None where the library hides it.
        checksum: ``verified`` against the sum that the source states, ``differs`` from it (a file
            put into the cache by hand), or ``none stated``.
        reference: ``{"top1", "top5", "source"}`` that a local file carries about itself, or None.
        license: as the file states it, or None.
    """

    state: StateDict
    source: str
    sha256: str | None
    checksum: str
    reference: dict[str, Any] | None = None
    license: str | None = None


def fetch_weights(
    name: str,
    architecture: Architecture,
    checkpoint: Path | None,
    output: str | os.PathLike[str],
    note: str | os.PathLike[str],
    reference: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Bring the weights of a model and write them as safetensors, with a JSON note.

    Before anything is written the model is built with them once, so that a wrong checkpoint ends
    here.

    Args:
        name: what the model is called, for the note.
        architecture: which network they are for.
        checkpoint: a local file (``.safetensors``, or a pickle of a state dict); None for the
            library's published weights.
        output: the safetensors file.
        note: the JSON file: architecture, source, sha256, checksum, licence, reference accuracy.
        reference: the model's accuracy on real photographs if the user states it; it goes before
            what the file or the library states.

    Returns:
        What the note holds.

    Raises:
        WeightsError: they cannot be brought, are refused, or are of another architecture.
    """
    if checkpoint is not None:
        fetched = _from_checkpoint(architecture, checkpoint)
    elif architecture.library == "timm":
        fetched = _from_timm(architecture)
    else:
        fetched = _from_torchvision(architecture)
    for key, tensor in fetched.state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise WeightsError(f"{fetched.source}: {key} holds NaN or infinite values")
    try:
        model = build(architecture, fetched.state)
    except ModelError as error:
        raise WeightsError(f"{fetched.source} does not fit: {error}") from error
    about = published(architecture) if checkpoint is None else None
    # Clones, since tensors that share memory cannot be stored.
    state = {key: tensor.detach().clone().contiguous() for key, tensor in fetched.state.items()}
    with atomic(output) as temporary:
        save_file(state, temporary)
        digest = sha256_of(temporary)
    record = {
        "name": name,
        "architecture": architecture.as_dict(),
        "source": fetched.source,
        "sha256": fetched.sha256,
        "checksum": fetched.checksum,
        "safetensors_sha256": digest,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "license": fetched.license or (about and about.license),
        "reference": reference or fetched.reference or (about and about.reference),
    }
    with atomic(note) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return record


def _from_checkpoint(architecture: Architecture, path: Path) -> Fetched:
    try:
        state = _read_state(path)
        if architecture.library == "timm":
            # timm's own loading of a file, with its conversions of foreign formats.
            classes = architecture.num_classes
            overlay: dict[str, Any] = {"state_dict": state, "custom_load": False}
            arguments = dict(architecture.arguments)
            if classes is not None:
                overlay["num_classes"] = arguments["num_classes"] = classes
            model = timm.create_model(
                architecture.name, pretrained=True, pretrained_cfg_overlay=overlay, **arguments
            )
            state = dict(model.state_dict())
    except (RuntimeError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, WeightsError):
            raise
        name = f"{architecture.library}/{architecture.name}"
        lines = " ".join(str(error).split())
        raise WeightsError(f"{path} does not fit {name}: {lines[:600]}") from error
    try:
        license_, reference = stated_by(path, ("top1", "top5"))
    except ValueError as error:
        raise WeightsError(str(error)) from error
    return Fetched(state, str(path), sha256_of(path), "none stated", reference, license_)


def _read_state(path: Path) -> StateDict:
    """A state dict from a local file; half precision is widened to float32."""
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
        lines = " ".join(str(error).split())
        raise WeightsError(f"{path} cannot be read as a checkpoint: {lines[:300]}") from error
    state = _unwrap(content)
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path} holds no state dict: names with tensors were expected")
    return {
        key.removeprefix("module."): tensor.float() if tensor.is_floating_point() else tensor
        for key, tensor in state.items()
    }


def _unwrap(content: Any) -> StateDict:
    """The state dict inside a training checkpoint, averaged weights (EMA) preferred, as in timm."""
    if isinstance(content, dict):
        for key in ("state_dict_ema", "model_ema", "state_dict", "model"):
            if isinstance(content.get(key), dict):
                return dict(content[key])
        return dict(content)
    return {}


def _from_torchvision(architecture: Architecture) -> Fetched:
    weights = torchvision.models.get_model_weights(architecture.name)[architecture.weights]
    cached = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rpartition("/")[2]
    try:
        # The hub's client, which timm uses, tries again by itself; torch's download does not.
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
            f"{weights.url} could not be downloaded ({error}). On a machine without internet, "
            f"fetch it elsewhere and put it at {cached}, or name a local file in the model's "
            "`checkpoint`"
        ) from error
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        raise WeightsError(
            f"{weights.url}: {error}. If {cached} exists, it may be an incomplete download: "
            "delete it and run again"
        ) from error
    digest = sha256_of(cached)
    stated = re.search(r"-([0-9a-f]{8,})\.", cached.name)
    checksum = "none stated"
    if stated:
        checksum = "verified" if digest.startswith(stated[1]) else "differs"
    return Fetched(dict(state), weights.url, digest, checksum)


def _from_timm(architecture: Architecture) -> Fetched:
    about = published(architecture)
    source = str(about.source)
    try:
        model = timm.create_model(
            architecture.name, pretrained=True, **dict(architecture.arguments)
        )
    except Exception as error:
        # The hub's client wraps what went wrong in many types of several libraries.
        raise WeightsError(not_brought(source, error, "a local file")) from error
    digest, checksum = None, "none stated"
    if source.startswith("hf-hub:"):
        digest, checksum = _hub_digest(source.removeprefix("hf-hub:"))
    return Fetched(dict(model.state_dict()), source, digest, checksum)


def _hub_digest(repository: str) -> tuple[str | None, str]:
    """The sha256 of a hub's file in the cache, and how it compares with the stated one."""
    for name in _HUB_FILES:
        cached = huggingface_hub.try_to_load_from_cache(repository, name)
        if isinstance(cached, str):
            return check_cached(Path(cached))
    return None, "none stated"

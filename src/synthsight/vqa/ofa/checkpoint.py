"""Reading published checkpoints of OFA, whichever project wrote them.

Four kinds are supported, and all yield the same result: a configuration and a state dict with the
names of :class:`synthsight.vqa.ofa.model.OFA`.

- folders of the model hub: ``config.json`` with ``model.safetensors`` or ``pytorch_model.bin``, or
  several such files and their index;
- fairseq's ``.pt``, from which the averaged weights (EMA) are taken if there are any;
- mmpretrain's ``.pth``;
- plain state dicts that use the names of one of these.

Reading never runs code (see :mod:`synthsight.inference.checkpoints`). Nothing is silently ignored:
missing or unexpected weights, copies of the embedding that differ, or other position buckets raise
an error.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from synthsight.contents import another_kind
from synthsight.inference.checkpoints import CheckpointError, read_file
from synthsight.inference.folders import WeightsError, weight_files
from synthsight.inference.weights import in_float32, read_state
from synthsight.vqa.ofa.config import OFAConfig, OFAError, infer_config, refuse_entangled
from synthsight.vqa.ofa.model import EMBEDDING, EMBEDDING_COPIES, OFA
from synthsight.vqa.ofa.positions import image_buckets, token_buckets
from synthsight.wording import one_line

StateDict = dict[str, Tensor]

#: Parts of dotted names in fairseq, and their names here.
_FAIRSEQ = {
    "attn_ln": "self_attn_mid_layer_norm",
    "self_attn_ln": "self_attn_mid_layer_norm",
    "cross_attn_ln": "cross_attn_mid_layer_norm",
    "encoder_attn": "cross_attn",
    "encoder_attn_layer_norm": "cross_attn_layer_norm",
    "ffn_layernorm": "ffn_layer_norm",
}

#: Likewise in mmpretrain. Beware: ``attn_ln`` is another norm there than in fairseq.
_MMPRETRAIN = {
    "embed_type": "type_embedding",
    "embedding_ln": "layernorm_embedding",
    "image_embedding_ln": "patch_layernorm_embedding",
    "code_embedding_ln": "code_layernorm_embedding",
    "final_ln": "layer_norm",
    "attn": "self_attn",
    "attn_ln": "self_attn_layer_norm",
    "attn_mid_ln": "self_attn_mid_layer_norm",
    "self_attn_ln": "self_attn_layer_norm",
    "self_attn_mid_ln": "self_attn_mid_layer_norm",
    "cross_attn_ln": "cross_attn_layer_norm",
    "cross_attn_mid_ln": "cross_attn_mid_layer_norm",
    "ffn_ln": "final_layer_norm",
    "ffn_mid_ln": "ffn_layer_norm",
}

#: Last parts of names that hold no weights: versions of fairseq's modules, and a table for image
#: generation.
_DROPPED = ("version", "_float_tensor", "image_position_idx")

#: Tables of position buckets, which some checkpoints include.
BUCKETS = tuple(
    f"{stack}.{kind}_rp_bucket" for stack in ("encoder", "decoder") for kind in ("token", "image")
)


def load_checkpoint(
    path: str | os.PathLike[str], dtype: torch.dtype | None = torch.float32
) -> tuple[OFAConfig, StateDict]:
    """Read a checkpoint.

    The configuration is ``config.json`` in the folder or next to the file. Without one, the sizes
    are inferred from the weights, and the rest is taken from the settings stored by fairseq.

    Args:
        path: a folder of the hub, or a file.
        dtype: dtype of floating-point weights: float32, or None to keep their own.

    Returns:
        ``(config, state)`` for :func:`synthsight.vqa.ofa.model.build`, with a single copy of the
        token embedding and without position buckets.

    Raises:
        OFAError: there is no checkpoint, reading it would run code, or it is not of an OFA model
            that is implemented here.
    """
    path = Path(path)
    if not path.exists():
        raise OFAError(f"no file or folder {path}")
    try:
        files = weight_files(path) if path.is_dir() else [path]
    except WeightsError as error:
        raise OFAError(str(error)) from error
    read = files[0] if len(files) == 1 else path
    described = _config_file(files[0].parent / "config.json", alone=path.is_file())
    try:
        content = read_file(read) if read.is_file() else read_state(files)
        weights, settings = _unwrap(content)
        state = _canonical(rename(weights))
        if dtype is not None:
            state = in_float32(state)
        config = described or infer_config(state, **settings)
        return config, _checked(state, config)
    except (CheckpointError, OFAError, WeightsError) as error:
        raise OFAError(f"{read}: {error}") from error


def _config_file(file: Path, alone: bool) -> OFAConfig | None:
    """The configuration beside weights, None if there is none.

    Args:
        file: where it would be.
        alone: whether the weights can be used without one.
    """
    if not file.is_file():
        return None
    try:
        mapping = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(mapping, dict):
            raise OFAError("it is not a JSON mapping")
        return OFAConfig.from_dict(mapping)
    except (OFAError, OSError, ValueError, RecursionError) as error:
        kind = another_kind(file, "json", "text")
        what = f"it is {kind}" if kind else one_line(error)
        away = ", or none: without one the sizes are read off the weights" if alone else ""
        raise OFAError(
            f"{file}: {what}. Put the config.json there that was published with the weights{away}"
        ) from error


def _unwrap(content: Any) -> tuple[StateDict, dict[str, Any]]:
    """The weights within a checkpoint, and the settings that shapes cannot reveal."""
    settings: dict[str, Any] = {}
    if isinstance(content, dict) and isinstance(content.get("model"), dict):
        settings = _fairseq_settings(content)
        extra = content.get("extra_state")
        average = extra.get("ema") if isinstance(extra, dict) else None
        content = average if isinstance(average, dict) and average else content["model"]
    elif isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not content:
        raise OFAError("not a state dict: expected tensors by name")
    wrong = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if wrong:
        raise OFAError(f"not a state dict: {_some(wrong)} are not tensors")
    return dict(content), settings


def _fairseq_settings(content: Mapping[str, Any]) -> dict[str, Any]:
    """Those of fairseq's settings that belong in a configuration."""
    cfg = content.get("cfg")
    groups = [cfg.get("model"), cfg.get("task")] if isinstance(cfg, dict) else []
    known: dict[str, Any] = {}
    for group in (*groups, content.get("args")):
        values = vars(group) if isinstance(group, argparse.Namespace) else group
        if isinstance(values, dict):
            known = {**values, **known}
    refuse_entangled(known.get("entangle_position_embedding"), known.get("disable_entangle"))
    wanted = (
        "interpolate_position",
        "orig_patch_image_size",
        "patch_image_size",
        "prompt_type",
    )
    return {name: known[name] for name in wanted if known.get(name) is not None}


def rename(weights: Mapping[str, Tensor]) -> StateDict:
    """Translate names of fairseq and mmpretrain to those used here, which stay as they are.

    Args:
        weights: a state dict. Entries that are not weights are dropped.

    Raises:
        OFAError: two names become the same.
    """
    names = _FAIRSEQ
    if any(".embed_type." in name for name in weights):
        names = _MMPRETRAIN
        weights = {name.removeprefix("model."): value for name, value in weights.items()}
    state: StateDict = {}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[-1] in _DROPPED:
            continue
        # Whole parts only: one name can be the end of another.
        new = ".".join(names.get(part, part) for part in parts)
        if new in state:
            raise OFAError(f"two weights have the name {new}")
        state[new] = value
    return state


def _canonical(state: StateDict) -> StateDict:
    """The state dict with a single copy of the token embedding."""
    copies = {name: state.pop(name) for name in (EMBEDDING, *EMBEDDING_COPIES) if name in state}
    if not copies:
        raise OFAError(f"there is no {EMBEDDING}: it is not a checkpoint of OFA")
    first, embedding = next(iter(copies.items()))
    for name, value in copies.items():
        if not torch.equal(value, embedding):
            raise OFAError(
                f"{name} differs from {first}: encoder, decoder and output share one embedding in "
                "OFA, so the checkpoint is damaged or of another model"
            )
    return {EMBEDDING: embedding, **state}


def _checked(state: StateDict, config: OFAConfig) -> StateDict:
    """The weights alone, once names, shapes and buckets have been compared with a model's."""
    for name in BUCKETS:
        if name in state and not torch.equal(state.pop(name), _bucket_table(name, config)):
            raise OFAError(
                f"{name} has other buckets than the configuration's `token_bucket_size`, "
                "`image_bucket_size` and `max_position_embeddings` imply"
            )
    expected = expected_shapes(config)
    problems = []
    if missing := [name for name in expected if name not in state]:
        problems.append(f"missing: {_some(missing)}")
    if unexpected := [name for name in state if name not in expected]:
        problems.append(f"unexpected: {_some(unexpected)}")
    if other := [
        f"{name} {tuple(state[name].shape)} instead of {shape}"
        for name, shape in expected.items()
        if name in state and tuple(state[name].shape) != shape
    ]:
        problems.append(f"of another shape: {_some(other)}")
    if problems:
        raise OFAError(
            "the weights do not fit the configuration (" + "; ".join(problems) + "). Is the "
            "config.json that of this checkpoint, and the checkpoint that of an OFA model?"
        )
    return state


def _bucket_table(name: str, config: OFAConfig) -> Tensor:
    if "token" in name:
        steps = torch.arange(config.max_position_embeddings)
        return token_buckets(steps, steps, config.token_bucket_size, config.max_position_embeddings)
    ids = torch.arange(config.image_bucket_size**2 + 1)
    return image_buckets(ids, ids, config.image_bucket_size)


def expected_shapes(config: OFAConfig) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all weights that a checkpoint must have, the token embedding once."""
    with torch.device("meta"):
        state = OFA(config).state_dict()
    return {
        name: tuple(value.shape) for name, value in state.items() if name not in EMBEDDING_COPIES
    }


def _some(names: Iterable[str], keep: int = 6) -> str:
    """The first of some names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - keep} more" if len(names) > keep else ""
    return ", ".join(names[:keep]) + more

"""The configuration of an OFA model: the settings of its ``config.json``, the published sizes.

Names are those of the published configuration files, so that a file can be read as it is and a
field can be looked up in the paper: section 3.1 (architecture) and Table 1 (sizes).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from torch import Tensor

from synthsight.errors import SynthsightError


class OFAError(SynthsightError):
    """A model, checkpoint, vocabulary or question that cannot be used.

    The message names the file or setting, what is wrong and what to do.
    """


#: Ids of ``<s>`` (with which the decoder also starts), ``<pad>`` and ``</s>``.
BOS, PAD, EOS = 0, 1, 2

#: Blocks of ``layer1`` to ``layer3`` of the image stem; all of them are bottleneck blocks.
RESNET_BLOCKS = {
    "resnet18": (2, 2, 2),
    "resnet50": (3, 4, 6),
    "resnet101": (3, 4, 23),
    "resnet152": (3, 8, 36),
}

#: What the decoder is given before the answer: only ``<s>`` (pretrained checkpoints), or the
#: question once more (all checkpoints finetuned for VQA).
PROMPT_TYPES = ("none", "prev_output")

#: Settings that have the same value in every release. Others would change the network in ways that
#: are not implemented here, so they are refused rather than ignored.
_FIXED: dict[str, Any] = {
    "model_type": "ofa",
    "is_encoder_decoder": True,
    "encoder_normalize_before": True,
    "decoder_normalize_before": True,
    "normformer": True,
    "layernorm_embedding": True,
    "patch_layernorm_embedding": True,
    "code_layernorm_embedding": True,
    "add_type_embedding": True,
    "share_decoder_input_output_embed": True,
    "scale_embedding": False,
    "activation_function": "gelu",
    "attn_scale_factor": 2.0,
    "bos_token_id": BOS,
    "pad_token_id": PAD,
    "eos_token_id": EOS,
    "decoder_start_token_id": BOS,
}

#: The largest values of settings by whose square, or by whose number of layers, a damaged file
#: could fill the memory; of the others it is 2**20.
_MOST = {
    "encoder_layers": 1000,
    "decoder_layers": 1000,
    "image_bucket_size": 1000,
    "max_position_embeddings": 2**14,
}

#: Fields that a configuration may leave open.
_OPTIONAL = ("patch_image_size", "prompt_type")


@dataclass(frozen=True)
class OFAConfig:
    """The architecture of an OFA model, without its weights.

    Attributes:
        vocab_size: rows of the token embedding: text, image codes and location bins.
        max_position_embeddings: the longest text, in tokens; two more rows are stored.
        d_model: width of both stacks.
        encoder_layers: layers of the encoder.
        decoder_layers: layers of the decoder.
        encoder_ffn_dim: inner width of the encoder's feed-forward blocks.
        decoder_ffn_dim: likewise in the decoder.
        encoder_attention_heads: number of heads, which must divide ``d_model``.
        decoder_attention_heads: likewise.
        resnet_type: depth of the image stem, a key of :data:`RESNET_BLOCKS`.
        resnet_width: channels of its first convolution; 64 in every release. Smaller ones are an
            extension for small models. The stem gives ``16 * resnet_width`` channels.
        token_bucket_size: bound of the relative positions of text (511 buckets from 256).
        image_bucket_size: side of the largest grid of image patches.
        interpolate_position: whether the image positions of a grid larger than that of
            ``orig_patch_image_size`` are interpolated from that grid's.
        orig_patch_image_size: side in pixels of the images of the first training stage; read only
            with ``interpolate_position``.
        patch_image_size: side in pixels of the images that the checkpoint expects; None if unknown.
        prompt_type: one of :data:`PROMPT_TYPES`; None if unknown.

    Raises:
        OFAError: a field has an invalid value.
    """

    vocab_size: int = 59457
    max_position_embeddings: int = 1024
    d_model: int = 512
    encoder_layers: int = 4
    decoder_layers: int = 4
    encoder_ffn_dim: int = 2048
    decoder_ffn_dim: int = 2048
    encoder_attention_heads: int = 8
    decoder_attention_heads: int = 8
    resnet_type: str = "resnet101"
    resnet_width: int = 64
    token_bucket_size: int = 256
    image_bucket_size: int = 42
    interpolate_position: bool = False
    orig_patch_image_size: int = 256
    patch_image_size: int | None = None
    prompt_type: str | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name in _OPTIONAL:
                continue
            wanted = {bool: bool, str: str}.get(type(field.default), int)
            wanted = str if field.name == "prompt_type" else wanted
            if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
                raise OFAError(f"`{field.name}` is {value!r}; it must be of type {wanted.__name__}")
            if isinstance(value, int) and not isinstance(value, bool) and value < 1:
                raise OFAError(f"`{field.name}` is {value}; it must be positive")
            most = _MOST.get(field.name, 2**20)
            if isinstance(value, int) and value > most:
                raise OFAError(f"`{field.name}` is {value}; no OFA has more than {most}")
        for stack in ("encoder", "decoder"):
            heads = getattr(self, f"{stack}_attention_heads")
            if self.d_model % heads:
                raise OFAError(
                    f"`{stack}_attention_heads` ({heads}) must divide `d_model` ({self.d_model})"
                )
        if self.resnet_type not in RESNET_BLOCKS:
            raise OFAError(
                f"`resnet_type` is {self.resnet_type!r}; choose among {', '.join(RESNET_BLOCKS)}"
            )
        if self.prompt_type is not None and self.prompt_type not in PROMPT_TYPES:
            raise OFAError(
                f"`prompt_type` is {self.prompt_type!r}; choose among {', '.join(PROMPT_TYPES)}"
            )
        if self.token_bucket_size < 2:
            raise OFAError(f"`token_bucket_size` is {self.token_bucket_size}; 2 is the least")

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> OFAConfig:
        """Read the content of a ``config.json``.

        Keys that matter only in training (dropout, initialisation) are ignored.

        Args:
            mapping: the parsed JSON object.

        Raises:
            OFAError: a setting asks for a network that is not implemented here.
        """
        for key, value in _FIXED.items():
            if mapping.get(key, value) != value:
                raise OFAError(
                    f"`{key}` is {mapping[key]!r}; only {value!r}, as in every published OFA, is "
                    "implemented"
                )
        refuse_entangled(
            mapping.get("entangle_position_embedding"), mapping.get("disable_entangle")
        )
        names = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in mapping.items() if key in names})

    def as_dict(self) -> dict[str, Any]:
        """The content of ``config.json``, with ``model_type``; the inverse of :meth:`from_dict`."""
        settings = asdict(self)
        given = {key: value for key, value in settings.items() if value is not None}
        return {"model_type": "ofa", **given}

    @property
    def grid_channels(self) -> int:
        """Channels of the stem's feature map."""
        return 16 * self.resnet_width

    @property
    def image_side(self) -> int:
        """Side in pixels of the images to give to the model.

        As stated in the configuration, else as the published model of this size was pretrained.
        (Checkpoints finetuned for VQA expect 480.)

        Raises:
            OFAError: neither is known.
        """
        if self.patch_image_size is not None:
            return self.patch_image_size
        for size in SIZES.values():
            if (size.d_model, size.encoder_layers) == (self.d_model, self.encoder_layers):
                assert size.patch_image_size is not None
                return size.patch_image_size
        raise OFAError(
            "the side of the input images is unknown: set `patch_image_size` in the model's "
            "config.json"
        )


def refuse_entangled(entangle: Any, disabled: Any) -> None:
    """Refuse models that add position embeddings to the token embeddings.

    OFA as published keeps content and positions apart ("disable_entangle").

    Args:
        entangle: the setting ``entangle_position_embedding``.
        disabled: the setting ``disable_entangle``, which takes precedence.

    Raises:
        OFAError: positions are added.
    """
    if entangle and not disabled:
        raise OFAError(
            "`entangle_position_embedding` is true without `disable_entangle`: positions would be "
            "added to the embeddings, which no published OFA does and which is not implemented"
        )


def _size(
    d_model: int, encoder: int, decoder: int, heads: int, resnet: int, side: int
) -> OFAConfig:
    return OFAConfig(
        d_model=d_model,
        encoder_layers=encoder,
        decoder_layers=decoder,
        encoder_ffn_dim=4 * d_model,
        decoder_ffn_dim=4 * d_model,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        resnet_type=f"resnet{resnet}",
        patch_image_size=side,
    )


#: The published sizes (section 3.5, Table 1), with the image side used in pretraining.
SIZES = {
    "tiny": _size(256, 4, 4, 4, 50, 256),
    "medium": _size(512, 4, 4, 8, 101, 256),
    "base": _size(768, 6, 6, 12, 101, 384),
    "large": _size(1024, 12, 12, 16, 152, 480),
    "huge": _size(1280, 24, 12, 16, 152, 480),
}


def infer_config(state: Mapping[str, Tensor], **settings: Any) -> OFAConfig:
    """Infer a model's sizes from the shapes in its state dict, for files without ``config.json``.

    Args:
        state: tensors by their names in :class:`synthsight.vqa.ofa.model.OFA`.
        **settings: fields that shapes cannot reveal (``patch_image_size``, ``prompt_type``,
            ``interpolate_position``, ...).

    Raises:
        OFAError: the state dict is not that of an OFA model.
    """
    try:
        vocab_size, d_model = state["encoder.embed_tokens.weight"].shape
        grid = math.isqrt(len(state["encoder.embed_image_positions.weight"]))
        stem = "encoder.embed_images"
        blocks = tuple(
            _count(state, f"{stem}.layer{number}", "conv1.weight") for number in (1, 2, 3)
        )
        sizes: dict[str, Any] = {
            "vocab_size": vocab_size,
            "d_model": d_model,
            "max_position_embeddings": len(state["encoder.embed_positions.weight"]) - 2,
            "token_bucket_size": (len(state["encoder.token_rel_pos_table_list.0.weight"]) + 1) // 2,
            "image_bucket_size": grid,
            "resnet_width": len(state[f"{stem}.conv1.weight"]),
        }
        for stack in ("encoder", "decoder"):
            sizes[f"{stack}_layers"] = _count(state, f"{stack}.layers", "fc1.weight")
            sizes[f"{stack}_ffn_dim"] = len(state[f"{stack}.layers.0.fc1.weight"])
            sizes[f"{stack}_attention_heads"] = len(state[f"{stack}.layers.0.self_attn.c_attn"])
    except (KeyError, ValueError, TypeError) as error:
        raise OFAError(f"not an OFA model: its sizes cannot be inferred without {error}") from error
    for name, known in RESNET_BLOCKS.items():
        if known == blocks:
            return OFAConfig(**{**sizes, "resnet_type": name, **settings})
    raise OFAError(
        f"the image stem has {blocks} blocks; known are "
        + ", ".join(f"{known} ({name})" for name, known in RESNET_BLOCKS.items())
    )


def _count(state: Mapping[str, Tensor], stem: str, leaf: str) -> int:
    """The number of numbered modules below a name."""
    count = 0
    while f"{stem}.{count}.{leaf}" in state:
        count += 1
    return count

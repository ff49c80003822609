"""Image encoders of transformers: models that classify nothing, and which output is the embedding.

A model of images and texts is used without what belongs to texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from synthsight.classifiers.library import ModelError

#: What only belongs to texts, or is in a zero-shot classifier's head.
NOT_OF_IMAGES = ("text_model", "text_projection", "logit_scale", "logit_bias", "temperature")

#: Outputs that are embeddings. ``pooler_output``: what the model itself makes of all places (of
#: DINOv2 and DINOv3 the normalised class token or mean). ``class_token``: the last layer's first
#: token, normalised, where a pooler is not trained. ``image_embeds``: the projection into the space
#: that images and texts share, not normalised to length one.
_POOLED, _CLASS_TOKEN, _SHARED = "pooler_output", "class_token", "image_embeds"

#: By the name of the class in transformers, what its embedding is.
KINDS = {
    "Dinov2Model": _POOLED,
    "Dinov2WithRegistersModel": _POOLED,
    "DINOv3ViTModel": _POOLED,
    "DINOv3ConvNextModel": _POOLED,
    "ViTModel": _CLASS_TOKEN,
    "CLIPModel": _SHARED,
    "CLIPVisionModel": _POOLED,
    "CLIPVisionModelWithProjection": _SHARED,
    "MetaClip2Model": _SHARED,
    "MetaClip2VisionModel": _POOLED,
    "MetaClip2VisionModelWithProjection": _SHARED,
    "SiglipModel": _SHARED,
    "SiglipVisionModel": _POOLED,
    "AltCLIPModel": _SHARED,
    "ChineseCLIPModel": _SHARED,
    "AlignModel": _SHARED,
}

#: What a config.json without `architectures` is taken for, by its model_type.
_USUAL = {
    "dinov2": "Dinov2Model",
    "dinov2_with_registers": "Dinov2WithRegistersModel",
    "dinov3_vit": "DINOv3ViTModel",
    "dinov3_convnext": "DINOv3ConvNextModel",
    "vit": "ViTModel",
    "clip": "CLIPModel",
    "clip_vision_model": "CLIPVisionModel",
    "metaclip_2": "MetaClip2Model",
    "siglip": "SiglipModel",
    "siglip_vision_model": "SiglipVisionModel",
    "altclip": "AltCLIPModel",
    "chinese_clip": "ChineseCLIPModel",
    "align": "AlignModel",
}


class Encoder(nn.Module):
    """A model of transformers as a function from images to embeddings."""

    def __init__(self, model: nn.Module, output: str) -> None:
        super().__init__()
        self.model = without_texts(model)
        self._output = output

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (n, length) of normalised images (n, 3, height, width)."""
        model: Any = self.model
        if self._output == _SHARED and hasattr(model, "get_image_features"):
            return embedding_of(model.get_image_features(pixel_values=images))
        found = model(pixel_values=images)
        if self._output == _CLASS_TOKEN:
            tokens: Tensor = found.last_hidden_state
            return tokens[:, 0]
        pooled: Tensor = getattr(found, self._output)
        return pooled.flatten(1)


def without_texts(model: nn.Module) -> nn.Module:
    """A model of images and texts, without what belongs to texts."""
    for name in NOT_OF_IMAGES:
        if hasattr(model, name):
            delattr(model, name)
    return model


def embedding_of(output: Any) -> Tensor:
    """The embedding in what a model of images and texts gives for either."""
    found = output if isinstance(output, Tensor) else output.pooler_output
    assert isinstance(found, torch.Tensor)
    return found


def encoder_of(config: Mapping[str, Any]) -> dict[str, str]:
    """The class that a config.json is for, and the output of it that is the embedding.

    Returns:
        ``class`` and ``output``, an architecture's argument ``encoder``.

    Raises:
        ModelError: it is none of those that are known.
    """
    kind = str(config.get("model_type"))
    stated = [name for name in config.get("architectures") or () if isinstance(name, str)]
    names = stated or [_USUAL.get(kind, "")]
    found = next((name for name in names if name in KINDS), None)
    if found is None:
        holds = f"holds a {', '.join(stated)}" if stated else f"has the model_type {kind!r}"
        raise ModelError(
            f"{holds}, whose embedding is not known; known are: {', '.join(KINDS)}, and what "
            "classifies images"
        )
    return {"class": found, "output": KINDS[found]}


def arguments_of(encoder: Mapping[str, str]) -> dict[str, Any]:
    """What the class is built with besides its configuration."""
    return {"add_pooling_layer": False} if encoder["output"] == _CLASS_TOKEN else {}


def is_pooler(name: str) -> bool:
    """Whether a weight of a checkpoint, by its name there, is of a pooler that is not used."""
    return "pooler" in name.split(".")[:2]

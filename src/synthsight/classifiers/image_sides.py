"""Which of timm's models are one half of a CLIP or SigLIP model, and where the whole is published.

timm has the halves that see images. What its names mean is known from how they are made; which
repositories of the hub hold both halves in the form of transformers, from the makers' model cards.
"""

from __future__ import annotations

import re

#: What else there is to do with such a half.
FEATURES_ALONE = "; for its features alone, name it below `encoders`"

#: Endings of the tags of weights that were trained on classes after all.
_FINETUNED = re.compile(r"_ft_in(1k|12k|22k)")

_CLIP = re.compile(r"vit_(\w+?)_patch(\d+)_clip_(?:quickgelu_)?(\d+)\.(\w+)")
_SIGLIP = re.compile(r"vit_(\w+?)_patch(\d+)_siglip_(?:gap_)?(\d+)\.(\w+)")

#: By size of the network and of its patches, side of the images, and tag of the weights.
_CLIPS = {
    ("base", "32", "224", "openai"): "openai/clip-vit-base-patch32",
    ("base", "16", "224", "openai"): "openai/clip-vit-base-patch16",
    ("large", "14", "224", "openai"): "openai/clip-vit-large-patch14",
    ("large", "14", "336", "openai"): "openai/clip-vit-large-patch14-336",
    ("base", "32", "224", "laion2b"): "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    ("base", "16", "224", "laion2b"): "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
    ("large", "14", "224", "laion2b"): "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
    ("huge", "14", "224", "laion2b"): "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    ("gigantic", "14", "224", "laion2b"): "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k",
    ("base", "32", "224", "datacompxl"): "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
    ("base", "16", "224", "datacompxl"): "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
    ("large", "14", "224", "datacompxl"): "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
    ("base", "32", "224", "metaclip_400m"): "facebook/metaclip-b32-400m",
    ("base", "16", "224", "metaclip_400m"): "facebook/metaclip-b16-400m",
    ("large", "14", "224", "metaclip_400m"): "facebook/metaclip-l14-400m",
    ("base", "32", "224", "metaclip_2pt5b"): "facebook/metaclip-b32-fullcc2.5b",
    ("base", "16", "224", "metaclip_2pt5b"): "facebook/metaclip-b16-fullcc2.5b",
    ("large", "14", "224", "metaclip_2pt5b"): "facebook/metaclip-l14-fullcc2.5b",
    ("huge", "14", "224", "metaclip_2pt5b"): "facebook/metaclip-h14-fullcc2.5b",
}

#: Names of SigLIP's series, by the tag of the weights.
_SERIES = {"webli": "siglip", "v2_webli": "siglip2"}


#: What is said of such a half, before the repository of the whole.
WITHOUT_TEXTS = (
    "is the half of a CLIP or SigLIP model that sees images, which has no classes without the half "
    "that reads their names: write zeroshot/"
)

#: The same, where that is not known.
REPOSITORY_OF_BOTH = "OWNER/NAME with the repository of both"

#: What the networks and weights of such halves are called, in one way or another.
_TOLD = re.compile(r"(?<![a-z])(clip|siglip|mclip2?|pe[ ]core)(?![a-z])")

#: Numbers of outputs that are ImageNet's classes.
_CLASSES = (1000, 11821, 21841, 21843)


def is_image_side(base: str, tag: str, outputs: int | None) -> bool:
    """Whether a model of timm is the half of such a model that sees images.

    Args:
        base: the architecture.
        tag: what its weights are called.
        outputs: the number of its outputs, as described; None if that is not said.
    """
    told = _TOLD.search(f"{base} {tag}".replace("_", " "))
    return told is not None and _FINETUNED.search(tag) is None and outputs not in (*_CLASSES, None)


def with_text_side(name: str) -> str | None:
    """The repository, OWNER/NAME, that holds both halves; None if it is not known.

    Args:
        name: timm's name of the weights, ``ARCHITECTURE.TAG``.
    """
    if clip := _CLIP.fullmatch(name):
        return _CLIPS.get(clip.groups())  # type: ignore[arg-type]
    if (siglip := _SIGLIP.fullmatch(name)) and siglip[4] in _SERIES:
        size = "giant-opt" if siglip[1] == "giantopt" else siglip[1]
        side = "384" if siglip[3] == "378" else siglip[3]
        return f"google/{_SERIES[siglip[4]]}-{size}-patch{siglip[2]}-{side}"
    return None

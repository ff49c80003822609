"""What the questions about one image have in common, computed once for all of them.

A decoder in which no token sees a later one computes the same for an image's tokens whatever
question follows. They are then kept (their keys and values) and only the questions are computed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

#: The kinds of model for which a test shows that answers are the same to 1e-5 in float32. PaliGemma
#: is none: there the image's tokens see the question.
KINDS = (
    *("gemma3", "idefics3", "internvl", "llava", "llava_next", "llava_onevision"),
    *("qwen2_5_vl", "qwen2_vl", "qwen3_vl", "smolvlm"),
)

#: What a model takes of a question with its image, each of one row.
Inputs = Mapping[str, Tensor]


def prefix_length(inputs: Sequence[Inputs], image_token: int) -> int:
    """With how many tokens all texts begin, if the image is among these; else 0.

    Args:
        inputs: what a model takes, of at least one text about one image.
        image_token: the id of the tokens that stand for the image.
    """
    texts = [each["input_ids"][0] for each in inputs]
    shortest = min(map(len, texts)) - 1  # something must be left of each text
    same = torch.stack([text[:shortest] == texts[0][:shortest] for text in texts]).all(dim=0)
    length = int(same.long().cumprod(0).sum())
    if any(bool((text[length:] == image_token).any()) for text in texts):
        return 0
    return length


def last_logits(
    model: Any, inputs: Sequence[Inputs], length: int, last: Mapping[str, int]
) -> Tensor:
    """The logits of the token that follows each text.

    Args:
        model: the network; it and the inputs are on one device.
        inputs: as for :func:`prefix_length`.
        length: what that gave, above 0.
        last: what tells the network to compute the last logits only.

    Returns:
        float32 (texts, vocabulary).
    """
    shape = inputs[0]["input_ids"].shape
    begun = {  # of what goes by tokens, those of the prefix
        name: value[:, :length] if value.shape[:2] == shape else value
        for name, value in inputs[0].items()
    }
    cache = model(**begun, **last, use_cache=True).past_key_values
    rests = [each["input_ids"][:, length:] for each in inputs]
    found: list[Tensor] = [torch.empty(0)] * len(rests)
    for size in sorted({rest.shape[1] for rest in rests}):  # without padding
        alike = [place for place, rest in enumerate(rests) if rest.shape[1] == size]
        kept = copy.deepcopy(cache)
        kept.batch_repeat_interleave(len(alike))
        ids = torch.cat([rests[place] for place in alike])
        logits = model(input_ids=ids, past_key_values=kept, **last, use_cache=True).logits[:, -1]
        for place, each in zip(alike, logits.float(), strict=True):
            found[place] = each
    return torch.stack(found)


def kept_once(preprocess: Callable[..., Any]) -> Callable[..., Any]:
    """An image processor's ``preprocess`` that keeps what it made of the last picture.

    The processor of a model takes an image together with each question anew.
    """
    last: list[tuple[Any, Any]] = []

    def run(images: Any, *args: Any, **settings: Any) -> Any:
        picture = images
        while isinstance(picture, list | tuple) and len(picture) == 1:
            picture = picture[0]
        if not isinstance(picture, Image.Image):
            return preprocess(images, *args, **settings)
        key = (picture.mode, picture.size, picture.tobytes(), repr((args, settings)))
        if not last or last[0][0] != key:
            last[:] = [(key, preprocess(images, *args, **settings))]
        found = last[0][1]
        return type(found)(data=dict(found))  # who takes something out of it keeps the rest here

    return run

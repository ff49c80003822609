"""From a question and an image to the model's inputs, as in OFA's evaluation on VQA v2.

The text of the question, the decoder's prompt and the pixels all follow the published code to the
letter: the model has seen no other form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from synthsight.inference.normalise import normalise
from synthsight.vqa.ofa.config import BOS, EOS, PAD, PROMPT_TYPES, OFAError
from synthsight.vqa.ofa.tokenizer import OFATokenizer

#: Maximum number of words of a question.
MAX_WORDS = 80

#: Maximum number of objects that are named to the model.
MAX_OBJECTS = 30


def clean_question(question: str, max_words: int = MAX_WORDS) -> str:
    """A question in the form of the training data.

    Lower case, no leading punctuation, spaces for hyphens and slashes, runs of whitespace reduced
    to one space, at most ``max_words`` words, and a question mark at the end. The published order
    of the steps is kept, with its oddities: a leading space protects the punctuation after it, and
    a single tab stays.
    """
    text = " ".join(_words(question)[:max_words])
    return text if text.endswith("?") else text + "?"


def count_words(question: str) -> int:
    """The number of words of a question as :func:`clean_question` counts them."""
    return len(_words(question))


def count_objects(objects: str) -> int:
    """The number of objects as :func:`source` counts them."""
    return len(objects.strip().split("&&"))


def _words(question: str) -> list[str]:
    text = question.lower().lstrip(",.!?*#:;~").replace("-", " ").replace("/", " ")
    return re.sub(r"\s{2,}", " ", text).rstrip("\n").strip(" ").split(" ")


def source(
    tokenizer: OFATokenizer,
    question: str,
    objects: str | None = None,
    max_words: int = MAX_WORDS,
) -> list[int]:
    """The encoder's input for a question: ``<s>``, the cleaned question, objects, ``</s>``.

    Args:
        tokenizer: the model's.
        question: as a person writes it.
        objects: names of objects that a detector found in the image, separated by ``&&``; the
            published checkpoints finetuned for VQA were given such names. None for none. Only the
            first :data:`MAX_OBJECTS` count.
        max_words: bound on the question's length.
    """
    ids = [BOS, *tokenizer.encode(" " + clean_question(question, max_words))]
    if objects is not None:
        names = " ".join(objects.strip().split("&&")[:MAX_OBJECTS])
        ids += tokenizer.encode(" object: " + names)
    return [*ids, EOS]


def decoder_prompt(source_ids: Sequence[int], prompt_type: str) -> list[int]:
    """The decoder's input before the answer.

    Args:
        source_ids: from :func:`source`.
        prompt_type: ``none`` for ``<s>`` alone, ``prev_output`` for the source without its
            ``</s>``.

    Raises:
        OFAError: there is no such type.
    """
    if prompt_type == "none":
        return [BOS]
    if prompt_type == "prev_output":
        return list(source_ids[:-1])
    raise OFAError(f"`prompt_type` is {prompt_type!r}; choose among {', '.join(PROMPT_TYPES)}")


def pad(rows: Sequence[Sequence[int]], device: torch.device | None = None) -> Tensor:
    """Token ids of several texts as one tensor, int64 (texts, longest), padded on the right."""
    longest = max(len(row) for row in rows)
    full = [[*row, *[PAD] * (longest - len(row))] for row in rows]
    return torch.tensor(full, dtype=torch.int64, device=device)


def prepare_image(image: Image.Image, side: int) -> npt.NDArray[np.uint8]:
    """The pixels of an image, squashed to a square.

    Nothing is cropped, and the aspect ratio is not kept. Pillow does the bicubic resize, as in the
    published code; tensor libraries round differently.

    Args:
        image: in mode RGB; other modes are converted by Pillow.
        side: side of the square in pixels.

    Returns:
        uint8 (side, side, 3).
    """
    squeezed = image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    return np.array(squeezed)


def pixel_values(pixels: Tensor) -> Tensor:
    """The model's image input from stored pixels, on their device.

    Args:
        pixels: uint8 (n, side, side, 3), from :func:`prepare_image`.

    Returns:
        float32 (n, 3, side, side) in -1..1.
    """
    return normalise(pixels, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

"""VQA models that answer yes or no: OFA, ViLT and BLIP behind one interface.

Each turns an image into features once, for all questions about it, and gives for a question the
logit of "yes" less that of "no": its sigmoid is P(yes), the probability of "yes" when these are the
only answers. ViLT and BLIP are transformers' own; OFA is :mod:`synthsight.vqa.ofa`.
"""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from synthsight.vqa.ofa import processing
from synthsight.vqa.ofa.answers import yes_no_logits
from synthsight.vqa.ofa.config import OFAConfig
from synthsight.vqa.ofa.encoder import ImageFeatures
from synthsight.vqa.ofa.model import build as build_ofa
from synthsight.vqa.ofa.resnet import STRIDE
from synthsight.vqa.ofa.tokenizer import OFATokenizer

StateDict = Mapping[str, Tensor]

#: What OFA's vocabulary has for the answers: words behind a blank.
OFA_ANSWERS = (" yes", " no")


class VqaModel(nn.Module, ABC):
    """What is asked of a model, in the order of use.

    Attributes:
        device: where it runs.
    """

    device: torch.device

    @abstractmethod
    def prepare(self, picture: Image.Image) -> Tensor:
        """An RGB image as the model takes it, on the CPU."""

    @abstractmethod
    def see(self, pixels: Tensor) -> Tensor:
        """Features of images: (n, ...) of what ``prepare`` gave, alike in shape, to (n, ...)."""

    @abstractmethod
    def read(self, question: str, objects: str | None) -> list[int]:
        """A question as token ids; ``objects`` are names of what is in the image."""

    @abstractmethod
    def margins(
        self, features: Tensor, images: Sequence[int], texts: Sequence[list[int]]
    ) -> Tensor:
        """Logits of "yes" less "no", float32 (questions,).

        Args:
            features: of some images, from ``see``.
            images: which of them each question is about.
            texts: the questions, from ``read``.
        """


def load_vqa(
    family: str,
    folder: str | os.PathLike[str],
    state: StateDict,
    settings: Mapping[str, Any],
    device: torch.device,
) -> VqaModel:
    """Build a VQA model, in evaluation mode.

    Args:
        family: ``ofa``, ``vilt`` or ``blip``.
        folder: config.json and what belongs to the tokenizer and the image processor.
        state: the weights; every one must find its place.
        settings: for OFA ``image_size``, ``prompt`` (see :class:`Ofa`) and
            ``interpolate_position``.
        device: where it shall run.

    Raises:
        synthsight.vqa.ofa.config.OFAError, RuntimeError: the weights do not fit.
    """
    if family == "ofa":
        return Ofa(Path(folder), state, settings, device)
    if family == "vilt":
        return Vilt(Path(folder), state, device)
    return Blip(Path(folder), state, device)


def read_config(folder: Path) -> dict[str, Any]:
    """What a model's ``config.json`` holds."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


class Ofa(VqaModel):
    """OFA: scored in one pass of the encoder and one of the decoder.

    The settings' ``prompt`` is what the decoder begins with: ``question`` for checkpoints that were
    finetuned on VQA, ``none`` for pretrained ones.
    """

    def __init__(
        self, folder: Path, state: StateDict, settings: Mapping[str, Any], device: torch.device
    ) -> None:
        super().__init__()
        self.device = device
        config = OFAConfig.from_dict(
            {
                **read_config(folder),
                "interpolate_position": settings["interpolate_position"],
                "patch_image_size": settings["image_size"],
            }
        )
        self.side = settings["image_size"]
        self.prompt_type = {"question": "prev_output", "none": "none"}[settings["prompt"]]
        self.tokenizer = OFATokenizer.from_folder(folder)
        self.tokenizer.check(config)
        self.yes, self.no = map(self.tokenizer.single, OFA_ANSWERS)
        self.model = build_ofa(config, state).to(device)

    def prepare(self, picture: Image.Image) -> Tensor:
        """uint8 (side, side, 3)."""
        return torch.from_numpy(processing.prepare_image(picture, self.side))

    def see(self, pixels: Tensor) -> Tensor:
        """(n, patches, d_model)."""
        values = processing.pixel_values(pixels.to(device=self.device, non_blocking=True))
        return self.model.embed_images(values).patches

    def read(self, question: str, objects: str | None) -> list[int]:
        """The source: ``<s>``, question, objects, ``</s>``."""
        return processing.source(self.tokenizer, question, objects)

    def margins(
        self, features: Tensor, images: Sequence[int], texts: Sequence[list[int]]
    ) -> Tensor:
        """See :func:`synthsight.vqa.ofa.answers.yes_no_logits`."""
        rows = self.side // STRIDE
        seen = ImageFeatures(features, (rows, rows))
        return yes_no_logits(
            self.model, seen, images, texts, self.yes, self.no, self.prompt_type
        ).float()


class _Transformers(VqaModel):
    """What ViLT and BLIP have in common: transformers' way of loading, and its tokenizer."""

    def __init__(self, name: str, folder: Path, state: StateDict, device: torch.device) -> None:
        super().__init__()
        import transformers  # more than a second, and OFA needs none of it

        builder = getattr(transformers, name)
        config = builder.config_class.from_pretrained(folder, local_files_only=True)
        self.model = builder(config)
        self.model.load_state_dict(dict(state))
        self.model.eval().to(device)
        self.device = device
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        # Pillow's arithmetic, with which the published accuracies were made.
        self.processor = transformers.AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            folder, local_files_only=True, backend="pil"
        )

    def prepare(self, picture: Image.Image) -> Tensor:
        """float32 (3, height, width), as the published image processor gives it."""
        values: Tensor = self.processor(picture, return_tensors="pt")["pixel_values"]
        return values[0]

    def read(self, question: str, objects: str | None) -> list[int]:
        """The question with the tokenizer's special tokens; objects are OFA's alone."""
        del objects
        limit = min(self.tokenizer.model_max_length, self._positions())
        ids: list[int] = self.tokenizer(question, truncation=True, max_length=limit)["input_ids"]
        return ids

    def _positions(self) -> int:
        config = self.model.config
        return int(getattr(config, "text_config", config).max_position_embeddings)


class Vilt(_Transformers):
    """ViLT: a classifier over a list of answers, of which "yes" and "no" are two."""

    def __init__(self, folder: Path, state: StateDict, device: torch.device) -> None:
        super().__init__("ViltForQuestionAnswering", folder, state, device)
        answers = self.model.config.label2id
        if not {"yes", "no"} <= set(answers):
            raise ValueError(f"{folder / 'config.json'}: no answers 'yes' and 'no' in label2id")
        self.answers = [int(answers["yes"]), int(answers["no"])]

    def see(self, pixels: Tensor) -> Tensor:
        """(n, patches + 1, hidden size)."""
        pixels = pixels.to(self.device)
        mask = torch.ones(len(pixels), *pixels.shape[2:], dtype=torch.int64, device=self.device)
        embeddings = self.model.vilt.embeddings
        # The patches are taken in a random order, which changes sums in the last digits.
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(0)
            seen: Tensor = embeddings.visual_embed(
                pixels, mask, max_image_length=self.model.config.max_image_length
            )[0]
        return seen

    def margins(
        self, features: Tensor, images: Sequence[int], texts: Sequence[list[int]]
    ) -> Tensor:
        """Of the classifier's logits."""
        padded = self.tokenizer.pad({"input_ids": list(texts)}, return_tensors="pt")
        seen = features[torch.tensor(images, device=self.device)]
        logits = self.model(
            **padded.to(self.device),
            image_embeds=seen,
            pixel_mask=torch.ones(seen.shape[:2], dtype=torch.int64, device=self.device),
        ).logits
        difference: Tensor = logits[:, self.answers[0]] - logits[:, self.answers[1]]
        return difference.float()


class Blip(_Transformers):
    """BLIP: a decoder that writes the answer, of which "yes" and "no" are the first tokens."""

    def __init__(self, folder: Path, state: StateDict, device: torch.device) -> None:
        super().__init__("BlipForQuestionAnswering", folder, state, device)
        self.answers = []
        for answer in ("yes", "no"):
            ids = self.tokenizer(answer, add_special_tokens=False)["input_ids"]
            if len(ids) != 1 or ids[0] == self.tokenizer.unk_token_id:
                raise ValueError(f"{folder}: {answer!r} is no single token of the vocabulary")
            self.answers += ids

    def see(self, pixels: Tensor) -> Tensor:
        """(n, patches + 1, hidden size)."""
        seen: Tensor = self.model.vision_model(pixels.to(self.device)).last_hidden_state
        return seen

    def margins(
        self, features: Tensor, images: Sequence[int], texts: Sequence[list[int]]
    ) -> Tensor:
        """Of the decoder's logits for the first token of the answer.

        Questions of one length go together, without padding: the decoder's attention to the
        question loses its mask on the way (transformers 5.23), so padding would change answers.
        """
        found = torch.empty(len(texts), device=self.device)
        for length in sorted({len(text) for text in texts}):
            alike = [index for index, text in enumerate(texts) if len(text) == length]
            ids = torch.tensor([texts[index] for index in alike], device=self.device)
            seen = features[torch.tensor([images[index] for index in alike], device=self.device)]
            question = self.model.text_encoder(input_ids=ids, encoder_hidden_states=seen)[0]
            start = torch.full((len(ids), 1), self.model.decoder_start_token_id, device=self.device)
            logits = self.model.text_decoder(
                input_ids=start, encoder_hidden_states=question
            ).logits[:, 0]
            found[alike] = (logits[:, self.answers[0]] - logits[:, self.answers[1]]).float()
        return found

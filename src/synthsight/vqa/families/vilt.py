"""ViLT: a classifier over a list of answers, of which "yes" and "no" are two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from synthsight.inference.folders import WeightsError
from synthsight.vqa.families.base import Published, StateDict
from synthsight.vqa.families.pretrained import Pretrained


class Vilt(Pretrained):
    """ViLT (Kim et al. 2021), as implemented in transformers."""

    architecture = "ViltForQuestionAnswering"
    published: ClassVar[Mapping[str, Published]] = {
        "dandelin/vilt-b32-finetuned-vqa": Published(
            reference={"yes_no": None, "overall": 0.7126, "source": "VQA-v2 test-dev, ViLT's paper"}
        )
    }

    def __init__(
        self, folder: Path, state: StateDict, settings: Mapping[str, Any], device: torch.device
    ) -> None:
        super().__init__(folder, state, settings, device)
        answers = self.model.config.label2id
        if not {"yes", "no"} <= set(answers):
            raise WeightsError(f"{folder / 'config.json'}: no answers 'yes' and 'no' in label2id")
        self.answers = [int(answers["yes"]), int(answers["no"])]

    def see(self, looks: list[Tensor]) -> Tensor:
        """The visual embeddings, (n, patches + 1, hidden size)."""
        pixels = torch.stack(looks).to(self.device)
        mask = torch.ones(len(pixels), *pixels.shape[2:], dtype=torch.int64, device=self.device)
        embeddings = self.model.vilt.embeddings
        # Patches are taken in random order, which changes the last digits of sums.
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(0)
            seen: Tensor = embeddings.visual_embed(
                pixels, mask, max_image_length=self.model.config.max_image_length
            )[0]
        return seen

    def margins(self, seen: Tensor, images: Sequence[int], texts: Sequence[list[int]]) -> Tensor:
        """Differences of the classifier's logits."""
        padded = self.tokenizer.pad({"input_ids": list(texts)}, return_tensors="pt")
        asked = seen[torch.tensor(images, device=self.device)]
        logits = self.model(
            **padded.to(self.device),
            image_embeds=asked,
            pixel_mask=torch.ones(asked.shape[:2], dtype=torch.int64, device=self.device),
        ).logits
        difference: Tensor = logits[:, self.answers[0]] - logits[:, self.answers[1]]
        return difference.float()

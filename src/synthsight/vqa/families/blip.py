"""BLIP: a decoder that generates the answer, scored by its first token, "yes" or "no"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from synthsight.inference.folders import WeightsError
from synthsight.vqa.families.base import Published, StateDict
from synthsight.vqa.families.pretrained import Pretrained


class Blip(Pretrained):
    """BLIP (Li et al. 2022), as implemented in transformers."""

    architecture = "BlipForQuestionAnswering"
    published: ClassVar[Mapping[str, Published]] = {
        "Salesforce/blip-vqa-base": Published(
            reference={"yes_no": None, "overall": 0.7825, "source": "VQA-v2 test-dev, BLIP's paper"}
        )
    }

    def __init__(
        self, folder: Path, state: StateDict, settings: Mapping[str, Any], device: torch.device
    ) -> None:
        super().__init__(folder, state, settings, device)
        self.answers = []
        for answer in ("yes", "no"):
            ids = self.tokenizer(answer, add_special_tokens=False)["input_ids"]
            if len(ids) != 1 or ids[0] == self.tokenizer.unk_token_id:
                raise WeightsError(f"{folder}: {answer!r} is not a single token of the vocabulary")
            self.answers += ids

    def see(self, looks: list[Tensor]) -> Tensor:
        """The vision model's features, (n, patches + 1, hidden size)."""
        pixels = torch.stack(looks).to(self.device)
        seen: Tensor = self.model.vision_model(pixels).last_hidden_state
        return seen

    def margins(self, seen: Tensor, images: Sequence[int], texts: Sequence[list[int]]) -> Tensor:
        """Differences of the decoder's logits for the first token of the answer.

        Questions of equal length are batched together, without padding: the mask does not reach
        the decoder's attention to the question (transformers 5.23), so padding would change
        answers.
        """
        found = torch.empty(len(texts), device=self.device)
        for length in sorted({len(text) for text in texts}):
            alike = [index for index, text in enumerate(texts) if len(text) == length]
            ids = torch.tensor([texts[index] for index in alike], device=self.device)
            asked = seen[torch.tensor([images[index] for index in alike], device=self.device)]
            question = self.model.text_encoder(input_ids=ids, encoder_hidden_states=asked)[0]
            start = torch.full((len(ids), 1), self.model.decoder_start_token_id, device=self.device)
            logits = self.model.text_decoder(
                input_ids=start, encoder_hidden_states=question
            ).logits[:, 0]
            found[alike] = (logits[:, self.answers[0]] - logits[:, self.answers[1]]).float()
        return found

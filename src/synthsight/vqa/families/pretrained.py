"""The common base of families from the transformers library: loading, images, tokens."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from PIL import Image
from torch import Tensor

from synthsight.inference.folders import small_files, weight_files
from synthsight.inference.pretrained import dtype_of, fit
from synthsight.inference.weights import read_state
from synthsight.vqa.families.base import Collected, Published, StateDict, UnansweredError, VqaModel
from synthsight.wording import one_line


class Pretrained(VqaModel[Tensor, Tensor, list[int]]):
    """A model whose class, tokenizer and image processor come from transformers.

    Attributes:
        architecture: the name of its class.
    """

    packages = ("torch", "pillow", "transformers")
    architecture: ClassVar[str]

    @classmethod
    def collect(
        cls, source: Path, settings: Mapping[str, Any], published: Published, folder: Path
    ) -> Collected:
        """Collect weights under the names that the class uses today; there are no settings."""
        del settings, published
        state = read_state(weight_files(source))
        model = fit(cls.architecture, source, state, dtype_of(state))
        for path in small_files(source):
            (folder / path).parent.mkdir(exist_ok=True)
            shutil.copyfile(source / path, folder / path)
        return Collected(model.state_dict(), {})

    def __init__(
        self, folder: Path, state: StateDict, settings: Mapping[str, Any], device: torch.device
    ) -> None:
        super().__init__(folder, state, settings, device)
        import transformers  # takes more than a second

        self.model = fit(self.architecture, folder, state, torch.float32).to(device)
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        # Pillow's resize, with which the published accuracies were computed.
        self.processor = transformers.AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            folder, local_files_only=True, backend="pil"
        )

    def prepare(self, picture: Image.Image) -> Tensor:
        """The published image processor's output, float32 (3, height, width)."""
        try:
            values: Tensor = self.processor(picture, return_tensors="pt")["pixel_values"]
        except (ValueError, ZeroDivisionError) as error:  # a strip may shrink to no pixel at all
            raise UnansweredError(
                f"the model's image processor takes no image of {picture.width} x "
                f"{picture.height} pixels ({one_line(error, 200)})"
            ) from error
        if 0 in values.shape:
            raise UnansweredError(
                f"the model's image processor leaves nothing of an image of {picture.width} x "
                f"{picture.height} pixels"
            )
        return values[0]

    def read(self, question: str, objects: str | None) -> list[int]:
        """The question's token ids, with special tokens; ``objects`` are for OFA only."""
        del objects
        limit = min(self.tokenizer.model_max_length, self._positions())
        ids: list[int] = self.tokenizer(question, verbose=False)["input_ids"]
        if len(ids) > limit:
            raise UnansweredError(f"the question has {len(ids)} tokens, the model takes {limit}")
        return ids

    def _positions(self) -> int:
        config = self.model.config
        return int(getattr(config, "text_config", config).max_position_embeddings)

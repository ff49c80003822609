"""The common base of families from the transformers library: loading, images, tokens."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any, ClassVar

import torch
from PIL import Image
from torch import Tensor

from synthsight.vqa.families.base import Collected, Published, StateDict, UnansweredError, VqaModel
from synthsight.vqa.folders import WeightsError, small_files, weight_files
from synthsight.vqa.weights import read_state
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
        model = fit(cls.architecture, source, state, _dtype_of(state))
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


def fit(architecture: str, folder: Path, state: StateDict, dtype: torch.dtype) -> Any:
    """Build a transformers model with given weights, on the CPU, in evaluation mode.

    Weights that already have the dtype are not copied.

    Args:
        architecture: the name of its class.
        folder: has its config.json.
        state: the weights, under any names that transformers knows for them.
        dtype: dtype of its floating-point weights.

    Raises:
        WeightsError: a weight is missing, unexpected or of another shape, or config.json is not a
            configuration of this class.
    """
    import transformers

    builder = getattr(transformers, architecture)
    try:
        config = builder.config_class.from_pretrained(folder, local_files_only=True)
        model, loaded = builder.from_pretrained(
            None, config=config, state_dict=dict(state), output_loading_info=True, dtype=dtype
        )
    except Exception as error:  # a damaged folder makes transformers raise nearly anything
        raise WeightsError(f"{folder} cannot be read: {one_line(error, 600)}") from error
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        # Old checkpoints hold the positions 0, 1, 2, ..., which are not weights.
        found = [key for key in loaded.get(kind) or () if not str(key).endswith("position_ids")]
        if found:
            some = ", ".join(sorted(map(str, found))[:6])
            raise WeightsError(f"{folder} does not fit {architecture}: {kind}: {some}")
    return model.eval()


def _dtype_of(state: StateDict) -> torch.dtype:
    """The dtype of the floating-point weights; if there are several, one that holds them all."""
    found = {tensor.dtype for tensor in state.values() if tensor.is_floating_point()}
    return reduce(torch.promote_types, found) if found else torch.float32

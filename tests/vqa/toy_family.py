"""A family of one weight, for tests: the redder an image is, the surer it says yes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from synthsight.inference.folders import small_files, weight_files
from synthsight.inference.weights import read_state
from synthsight.vqa.families.base import Collected, Published, StateDict, VqaModel


class Toy(VqaModel[Image.Image, list[Image.Image], str]):
    """It looks at pictures and questions as they are, as models do that take both together."""

    @classmethod
    def collect(
        cls, source: Path, settings: Mapping[str, Any], published: Published, folder: Path
    ) -> Collected:
        for path in small_files(source):
            shutil.copyfile(source / path, folder / path)
        return Collected(read_state(weight_files(source)), {"limit": 128})

    def __init__(
        self, folder: Path, state: StateDict, settings: Mapping[str, Any], device: torch.device
    ) -> None:
        super().__init__(folder, state, settings, device)
        self.scale = float(state["scale"])
        self.limit = settings["limit"]

    def prepare(self, picture: Image.Image) -> Image.Image:
        return picture

    def see(self, looks: list[Image.Image]) -> list[Image.Image]:
        return looks

    def read(self, question: str, objects: str | None) -> str:
        return question

    def margins(
        self, seen: list[Image.Image], images: Sequence[int], texts: Sequence[str]
    ) -> Tensor:
        red = [float(np.asarray(seen[image])[..., 0].mean()) for image in images]
        sign = [-1.0 if " not " in text else 1.0 for text in texts]
        return torch.tensor(sign) * self.scale * (torch.tensor(red) - self.limit)

"""What a VQA family is: how a checkpoint of it is brought, loaded and asked.

A family is a class in a file beside this one. Each turns an image into features once, for all
questions about it, and gives for a question the logit of "yes" less that of "no": its sigmoid is
P(yes), the probability of "yes" when these are the only answers.
"""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from PIL import Image
from torch import Tensor, nn

from synthsight.vqa.families.registry import FAMILIES

StateDict = Mapping[str, Tensor]

#: What an image becomes on the CPU, features of several images, and what a question becomes.
Look = TypeVar("Look", bound="Tensor | Image.Image")
Seen = TypeVar("Seen", bound="Tensor | list[Any]")
Text = TypeVar("Text", bound=Sized)


@dataclass(frozen=True)
class Published:
    """What is published about a checkpoint apart from its files.

    Attributes:
        settings: of the family, by name; those that are missing are not published.
        reference: accuracy on VQA-v2, ``{"yes_no", "overall", "source"}``.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Brought:
    """A checkpoint that has been read.

    Attributes:
        state: weights by name, as the family's class takes them, in the dtype they came in.
        settings: what else it takes, for JSON; everything that an answer depends on.
    """

    state: StateDict
    settings: Mapping[str, Any]


class VqaModel(nn.Module, ABC, Generic[Look, Seen, Text]):
    """A model that answers yes or no; what is asked of it, in the order of use.

    Attributes:
        published: what is known of repositories on the hub, by OWNER/NAME.
        device: where it runs.
    """

    published: ClassVar[Mapping[str, Published]] = {}
    device: torch.device

    @classmethod
    @abstractmethod
    def collect(
        cls, source: Path, settings: Mapping[str, Any], published: Published, folder: Path
    ) -> Brought:
        """Read a checkpoint, and bring along what the model needs besides weights.

        Args:
            source: a folder as on the hub, or the one file that a checkpoint is.
            settings: the user's, None where they leave it open; see
                :func:`synthsight.vqa.fetch.fetch_vqa`.
            published: what stands in for those.
            folder: an empty folder, for config.json and what tokenizer and processor are read from.

        Raises:
            synthsight.errors.SynthsightError: it cannot be read, or the weights do not fit.
        """

    @abstractmethod
    def __init__(
        self, folder: Path, state: StateDict, settings: Mapping[str, Any], device: torch.device
    ) -> None:
        """Build the model, in evaluation mode.

        Args:
            folder: what ``collect`` has put there.
            state: its weights; every one must find its place, and none may be missing.
            settings: its settings.
            device: where the model shall run.

        Raises:
            synthsight.errors.SynthsightError, RuntimeError, ValueError, OSError: something is
                missing, or does not fit.
        """
        super().__init__()
        self.device = device

    @abstractmethod
    def prepare(self, picture: Image.Image) -> Look:
        """An RGB image as the model takes it, on the CPU: a tensor, or still a picture.

        It runs in several threads at a time.
        """

    @abstractmethod
    def see(self, looks: list[Look]) -> Seen:
        """What of images does not depend on the question.

        Args:
            looks: of n images what ``prepare`` gave, of one shape or, pictures, of one size.

        Returns:
            A tensor with a row for each of them, or a list of n things; a model that looks at an
            image anew for each question gives the looks themselves.
        """

    @abstractmethod
    def read(self, question: str, objects: str | None) -> Text:
        """A question as the model takes it; ``objects`` are names of what is in the image.

        Questions of about the same length (``len``) go together.
        """

    @abstractmethod
    def margins(self, seen: Seen, images: Sequence[int], texts: Sequence[Text]) -> Tensor:
        """Logits of "yes" less "no", float32 (questions,).

        Args:
            seen: of some images, from ``see``.
            images: which of them each question is about.
            texts: the questions, from ``read``.
        """


def load_vqa(
    family: str,
    folder: str | os.PathLike[str],
    state: StateDict,
    settings: Mapping[str, Any],
    device: torch.device,
) -> VqaModel[Any, Any, Any]:
    """Build a VQA model; only the module of its family is imported.

    Args:
        family: its name in :data:`synthsight.vqa.families.registry.FAMILIES`.
        folder: config.json and what belongs to tokenizer and processor.
        state: the weights.
        settings: of the family, as :class:`Brought` has them.
        device: where it shall run.

    Raises:
        synthsight.doors.UnknownNameError: there is no such family.
        synthsight.errors.SynthsightError, RuntimeError, ValueError, OSError: see
            :class:`VqaModel`.
    """
    return FAMILIES.load(family)(Path(folder), state, settings, device)


def read_config(folder: Path) -> dict[str, Any]:
    """What a model's ``config.json`` holds."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config

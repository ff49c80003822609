"""The interface of a VQA family: how its checkpoints are collected, loaded and asked.

A family is a class in a file of its own in this package. It turns an image into features once, for
all questions about it, and answers a question with the logit of "yes" minus that of "no": its
sigmoid is P(yes), the probability of "yes" when these are the only answers.
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

from synthsight.errors import SynthsightError
from synthsight.vqa.families.registry import FAMILIES

StateDict = Mapping[str, Tensor]

#: A prepared image on the CPU, the features of several images, and a prepared question.
Look = TypeVar("Look", bound="Tensor | Image.Image")
Seen = TypeVar("Seen", bound="Tensor | list[Any]")
Text = TypeVar("Text", bound=Sized)


class UnansweredError(SynthsightError):
    """An image or a question that a model cannot take; the message is the reason, in words."""


@dataclass(frozen=True)
class Published:
    """Facts published about a checkpoint, apart from its files.

    Attributes:
        settings: the family's settings by name; missing ones are not published.
        reference: accuracy on VQA-v2, ``{"yes_no", "overall", "source"}``.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Collected:
    """A checkpoint that has been read.

    Attributes:
        state: weights by name, as the family's class takes them, in their original dtype.
        settings: everything else that an answer depends on, ready for JSON.
        files: safetensors files that hold exactly these weights, if some do.
    """

    state: StateDict
    settings: Mapping[str, Any]
    files: Sequence[Path] = ()


class VqaModel(nn.Module, ABC, Generic[Look, Seen, Text]):
    """A model that answers yes or no; its methods are listed in the order of use.

    Attributes:
        published: known facts about hub repositories, by OWNER/NAME.
        packages: the installed packages that its answers depend on.
        window: how many images are held at a time.
        by_image: whether ``margins`` gains from all questions about an image at once; if not, it
            gets questions of about the same length.
        device: where it runs.
    """

    packages: ClassVar[tuple[str, ...]] = ("torch", "pillow", "tokenizers")
    published: ClassVar[Mapping[str, Published]] = {}
    window: ClassVar[int] = 64
    by_image: ClassVar[bool] = False
    device: torch.device

    @classmethod
    @abstractmethod
    def collect(
        cls, source: Path, settings: Mapping[str, Any], published: Published, folder: Path
    ) -> Collected:
        """Read a checkpoint, and collect what the model needs besides weights.

        Args:
            source: a folder as on the hub, or a single-file checkpoint.
            settings: the user's settings, None where left open; see
                :func:`synthsight.vqa.fetch.fetch_vqa`.
            published: the values used for those left open.
            folder: an empty folder, to receive config.json and the tokenizer's and processor's
                files.

        Raises:
            synthsight.errors.SynthsightError: it cannot be read, or the weights do not fit.
        """

    @abstractmethod
    def __init__(
        self, folder: Path, state: StateDict, settings: Mapping[str, Any], device: torch.device
    ) -> None:
        """Build the model, in evaluation mode.

        Args:
            folder: the folder that ``collect`` has filled.
            state: its weights; none may be missing or unexpected.
            settings: its settings.
            device: where the model is to run.

        Raises:
            synthsight.errors.SynthsightError, RuntimeError, ValueError, OSError: something is
                missing, or does not fit.
        """
        super().__init__()
        self.device = device

    @abstractmethod
    def prepare(self, picture: Image.Image) -> Look:
        """Prepare an RGB image for the model, on the CPU: as a tensor, or still as an image.

        Called from several threads at a time.

        Raises:
            UnansweredError: the model does not take an image of this shape.
        """

    @abstractmethod
    def see(self, looks: list[Look]) -> Seen:
        """Compute the features of images that do not depend on the question.

        Args:
            looks: n images from ``prepare``: tensors of one shape, or images of one size.

        Returns:
            A tensor with one row per image, or a list of n items; a model that processes the image
            anew for each question returns ``looks`` themselves.
        """

    @abstractmethod
    def read(self, question: str, objects: str | None) -> Text:
        """Prepare a question for the model; ``objects`` names objects in the image.

        Questions of about the same length (``len``) are batched together, unless ``by_image``.

        Raises:
            UnansweredError: it is longer than the model takes. No part of it is left out.
        """

    @abstractmethod
    def margins(self, seen: Seen, images: Sequence[int], texts: Sequence[Text]) -> Tensor:
        """The logits of "yes" minus those of "no", float32 (questions,).

        Args:
            seen: features of some images, from ``see``.
            images: index of the image that each question is about.
            texts: the questions, from ``read``.

        Returns:
            The differences; or (questions, 2) with, beside them, the *mass*: the probability that
            the model gives to "yes" and "no" together, among all that it might begin to say.

        Raises:
            UnansweredError: one of the questions cannot be answered together with its image. They
                are then put one by one, so that the message is about one.
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
        folder: has config.json and the files of tokenizer and processor.
        state: the weights.
        settings: the family's settings, as in :class:`Collected`.
        device: where it is to run.

    Raises:
        synthsight.doors.UnknownNameError: there is no such family.
        synthsight.errors.SynthsightError, RuntimeError, ValueError, OSError: see
            :class:`VqaModel`.
    """
    return FAMILIES.load(family)(Path(folder), state, settings, device)


def read_config(folder: Path) -> dict[str, Any]:
    """Read a model's ``config.json``."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config

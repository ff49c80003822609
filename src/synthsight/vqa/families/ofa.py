"""OFA, scored in one pass of the encoder and one of the decoder; see :mod:`synthsight.vqa.ofa`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from PIL import Image
from torch import Tensor

from synthsight.inference.folders import CONFIG, VOCABULARIES
from synthsight.inference.weights import in_float32
from synthsight.vqa.families.base import (
    Collected,
    Published,
    StateDict,
    UnansweredError,
    VqaModel,
    read_config,
)
from synthsight.vqa.ofa import processing
from synthsight.vqa.ofa.answers import yes_no_logits
from synthsight.vqa.ofa.checkpoint import load_checkpoint
from synthsight.vqa.ofa.config import OFAConfig, OFAError
from synthsight.vqa.ofa.encoder import ImageFeatures
from synthsight.vqa.ofa.model import build
from synthsight.vqa.ofa.resnet import STRIDE
from synthsight.vqa.ofa.tokenizer import OFATokenizer

#: The answers as tokens of the vocabulary: words with a leading space.
ANSWERS = (" yes", " no")


class Ofa(VqaModel[Tensor, Tensor, list[int]]):
    """OFA in all sizes.

    Its settings are ``image_size`` in pixels, ``interpolate_position``, and ``prompt``, what the
    decoder begins with: ``question`` for checkpoints finetuned on VQA, ``none`` for pretrained
    ones.
    """

    # Training of OFA-huge continued at 480 pixels, with positions interpolated from those at the
    # initial 256.
    published: ClassVar[Mapping[str, Published]] = {
        "OFA-Sys/ofa-tiny": Published({"image_size": 256, "prompt": "none"}),
        "OFA-Sys/ofa-medium": Published({"image_size": 256, "prompt": "none"}),
        "OFA-Sys/ofa-base": Published({"image_size": 384, "prompt": "none"}),
        "OFA-Sys/ofa-large": Published({"image_size": 480, "prompt": "none"}),
        "OFA-Sys/ofa-huge": Published(
            {"image_size": 480, "prompt": "none", "interpolate_position": True}
        ),
        "OFA-Sys/ofa-huge-vqa": Published(
            {"image_size": 480, "prompt": "question", "interpolate_position": True},
            {"yes_no": 0.9466, "overall": 0.8198, "source": "VQA-v2 test-std, OFA-huge finetuned"},
        ),
    }

    @classmethod
    def collect(
        cls, source: Path, settings: Mapping[str, Any], published: Published, folder: Path
    ) -> Collected:
        """Collect weights (:mod:`synthsight.vqa.ofa.checkpoint`) and the vocabulary."""
        config, state = load_checkpoint(source, dtype=None)
        used = _settings(settings, published.settings, config)
        vocabulary = Path(settings["tokenizer"] or (source if source.is_dir() else source.parent))
        for name in _vocabulary_files(vocabulary):
            shutil.copyfile(vocabulary / name, folder / name)
        tokenizer = OFATokenizer.from_folder(folder)
        for answer in ANSWERS:
            tokenizer.single(answer)
        about = {"model_type": "ofa", **config.as_dict()}
        (folder / CONFIG).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        return Collected(state, used)

    def __init__(
        self, folder: Path, state: StateDict, settings: Mapping[str, Any], device: torch.device
    ) -> None:
        super().__init__(folder, state, settings, device)
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
        self.yes, self.no = map(self.tokenizer.single, ANSWERS)
        self.model = build(config, in_float32(state)).to(device)

    def prepare(self, picture: Image.Image) -> Tensor:
        """The resized pixels, uint8 (side, side, 3)."""
        return torch.from_numpy(processing.prepare_image(picture, self.side))

    def see(self, looks: list[Tensor]) -> Tensor:
        """The patch embeddings, (n, patches, d_model)."""
        pixels = torch.stack(looks).to(device=self.device, non_blocking=True)
        return self.model.embed_images(processing.pixel_values(pixels)).patches

    def read(self, question: str, objects: str | None) -> list[int]:
        """The encoder's input: ``<s>``, question, objects, ``</s>``."""
        words = processing.count_words(question)
        if words > processing.MAX_WORDS:
            raise UnansweredError(
                f"the question has {words} words, the model was trained with up to "
                f"{processing.MAX_WORDS}"
            )
        named = 0 if objects is None else processing.count_objects(objects)
        if named > processing.MAX_OBJECTS:
            raise UnansweredError(
                f"{named} objects are named, the model was trained with up to "
                f"{processing.MAX_OBJECTS}: name the surest of them"
            )
        ids = processing.source(self.tokenizer, question, objects)
        limit = self.model.config.max_position_embeddings
        if len(ids) > limit:
            with_objects = "" if objects is None else " and objects"
            raise UnansweredError(
                f"the question{with_objects} has {len(ids)} tokens, the model takes {limit}"
            )
        return ids

    def margins(self, seen: Tensor, images: Sequence[int], texts: Sequence[list[int]]) -> Tensor:
        """See :func:`synthsight.vqa.ofa.answers.yes_no_logits`."""
        rows = self.side // STRIDE
        features = ImageFeatures(seen, (rows, rows))
        return yes_no_logits(
            self.model, features, images, texts, self.yes, self.no, self.prompt_type
        ).float()


def _vocabulary_files(folder: Path) -> tuple[str, ...]:
    for names in VOCABULARIES:
        if all((folder / name).is_file() for name in names):
            return names
    raise OFAError(
        f"no vocabulary in {folder} ({' and '.join(VOCABULARIES[0])}, or "
        f"{', '.join(VOCABULARIES[1])}). Set the model's `tokenizer` to a folder that has it"
    )


def _settings(
    settings: Mapping[str, Any], published: Mapping[str, Any], config: OFAConfig
) -> dict[str, Any]:
    """The settings as given by the user, else as published, else as in the checkpoint."""
    stated = {None: None, "prev_output": "question", "none": "none"}.get(config.prompt_type)
    prompt = settings["prompt"] or published.get("prompt") or stated
    if prompt is None:
        raise OFAError(
            "it is unknown what its decoder begins with: set the model's `prompt` to question for "
            "a checkpoint finetuned on VQA, to none for a pretrained one"
        )
    if prompt not in ("question", "none"):
        raise OFAError(
            f"its `prompt` is {prompt!r}: of OFA this says what the decoder begins with, question "
            "or none"
        )
    interpolate = settings["interpolate_position"]
    return {
        "image_size": (settings["image_size"] or published.get("image_size") or config.image_side),
        "prompt": prompt,
        "interpolate_position": (
            published.get("interpolate_position", False) or config.interpolate_position
            if interpolate is None
            else interpolate
        ),
    }

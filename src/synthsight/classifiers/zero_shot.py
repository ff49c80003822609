"""Zero-shot classifiers: encoders of images and texts, as linear classifiers.

The text encoder runs once, when the weights are fetched. What is stored is the image encoder and a
head: a row for each class, the mean of its prompts' normalised embeddings (Radford et al. 2021,
section 3.1.4), normalised again and times the model's scale. So its logits are the model's own
``logits_per_image`` and nothing after fetching knows that they came from texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers
from torch import Tensor, nn
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING_NAMES,
)

from synthsight.canonical import canonical_json
from synthsight.classifiers.bringing import bring, check_name
from synthsight.classifiers.encoders import NOT_OF_IMAGES, embedding_of, without_texts
from synthsight.classifiers.library import (
    Architecture,
    Fetched,
    Files,
    Library,
    ModelError,
    Published,
    Wanted,
    WeightsError,
)
from synthsight.classifiers.transformers import (
    config_of,
    described,
    network_of,
)
from synthsight.inference.pretrained import fit
from synthsight.labels.prompts import digest_of_names, names_put
from synthsight.labels.spaces import load_labels
from synthsight.wording import did_you_mean, one_line

if TYPE_CHECKING:
    from synthsight.classifiers.library import StateDict

#: The kinds of models whose logits are a scaled product of normalised embeddings, and perhaps a
#: bias; checked for each model when it is fetched.
KINDS = ("align", "altclip", "chinese_clip", "clip", "metaclip_2", "siglip")

#: Prompts that the text encoder reads at a time. Fixed, so that the head is always the same.
_PROMPTS = 64

#: How far logits of the head may differ from the model's own, relative to the largest.
_TOLERANCE = 1e-4


class ZeroShot(nn.Module):
    """An image encoder and a linear head on its normalised embeddings."""

    def __init__(self, tower: Any, width: int, classes: int) -> None:
        super().__init__()
        self.tower = without_texts(tower)
        self.head = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, float32 (n, classes), of normalised images (n, 3, height, width)."""
        tower: Any = self.tower
        seen = embedding_of(tower.get_image_features(pixel_values=images))
        logits: Tensor = self.head(_normalised(seen))
        return logits


def _normalised(vectors: Tensor) -> Tensor:
    lengths: Tensor = vectors.norm(dim=-1, keepdim=True)
    return vectors / lengths


def _parse(name: str, local: bool, files: Files) -> Architecture:
    check_name("zeroshot/", name, local)
    config = network_of(files["config"])
    _class_of(config)
    text = files["text"]
    arguments = {"config": config, "text": text}
    return Architecture("zeroshot", name, files["revision"], arguments, text["classes"])


def _class_of(config: Mapping[str, Any]) -> str:
    """The name of the class that a configuration is for.

    Raises:
        ModelError: it is none that encodes images and texts alike.
    """
    kind = config.get("model_type")
    if kind == "siglip2":
        raise ModelError(
            "takes images of any shape (NaFlex), which is not supported: choose a SigLIP 2 of a "
            "fixed size, such as zeroshot/google/siglip2-base-patch16-224"
        )
    if kind not in KINDS:
        hint = did_you_mean(str(kind), KINDS) or f"; supported: {', '.join(KINDS)}"
        raise ModelError(f"has the model_type {kind!r}, which is no such encoder{hint}")
    found = MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING_NAMES[str(kind)]
    stated = config.get("architectures") or [found]
    if found not in stated:
        raise ModelError(
            f"holds a {', '.join(map(str, stated))}, not a {found} with encoders of images and "
            "texts both"
        )
    return str(found)


def _width(config: Any) -> int:
    """The length of the embeddings; SigLIP's are as wide as its image encoder."""
    return int(getattr(config, "projection_dim", None) or config.vision_config.hidden_size)


def _published(architecture: Architecture, files: Files) -> Published:
    vision = architecture.arguments["config"].get("vision_config") or {}
    side = vision.get("image_size") if isinstance(vision, Mapping) else None
    # ALIGN's image encoder alone is convolutional.
    fixed = side if architecture.arguments["config"]["model_type"] != "align" else None
    return described(architecture, files, int(architecture.num_classes or 0), fixed)


def _build(architecture: Architecture, state: StateDict | None) -> nn.Module:
    config = config_of(architecture.arguments)
    tower = getattr(transformers, _class_of(architecture.arguments["config"]))(config)
    model = ZeroShot(tower, _width(config), int(architecture.num_classes or 0))
    if state is not None:
        model.load_state_dict(state)
    return model


def _fetch(wanted: Wanted) -> Fetched:
    """Read the model, encode its prompts, and keep the image encoder and the head."""
    brought = bring(wanted)
    arguments = wanted.architecture.arguments
    text = arguments["text"]
    names = names_put(load_labels(text["labels"]), text["names"])
    if digest_of_names(names) != text["digest"]:
        raise WeightsError(
            f"the names of {text['labels']} have changed since the run began; run the workflow "
            "again"
        )
    config = config_of(arguments)
    model = fit(
        _class_of(arguments["config"]), brought.folder, brought.state, torch.float32, config
    )
    read = _Reader(model, brought.folder)
    with torch.inference_mode():
        read.read({each for those in names for each in _prompts(those, text)})
        rows = [
            _normalised(torch.stack([read.known[each] for each in _prompts(those, text)]).mean(0))
            for those in names
        ]
        scale, bias = _scale(model)
        weight, added = torch.stack(rows) * scale, torch.full([len(rows)], bias)
        _check(model, read, [_prompts(those, text)[0] for those in names[:3]], scale, bias)
    kept = {
        f"tower.{name}": tensor
        for name, tensor in model.state_dict().items()
        if name.partition(".")[0] not in NOT_OF_IMAGES
    }
    return Fetched(
        {**kept, "head.weight": weight.clone(), "head.bias": added.clone()},
        *(brought.source, brought.sha256, brought.checksum, brought.reference, brought.license),
        text={
            "labels": text["labels"],
            "names": text["names"],
            "names_sha256": text["digest"],
            "templates": text["templates"],
            "prompts": len(read.known),
            "cut_off": read.cut_off,
            "lowercase": read.lowercase,
            "tokenizer_sha256": read.sha256,
            "scale": scale,
            "bias": bias,
        },
    )


def _prompts(names: Sequence[str], text: Mapping[str, Any]) -> list[str]:
    """The prompts of a class: each of its names in each template."""
    return [template.replace("{}", name) for name in names for template in text["templates"]]


def _scale(model: Any) -> tuple[float, float]:
    """What products of embeddings are multiplied by, and what is added."""
    temperature = getattr(model, "temperature", None)
    scale = 1 / float(temperature) if temperature is not None else float(model.logit_scale.exp())
    bias = getattr(model, "logit_bias", None)
    return scale, 0.0 if bias is None else float(bias)


class _Reader:
    """The text half of a model: prompts to normalised embeddings.

    Attributes:
        known: the embeddings by prompt.
        cut_off: how many prompts were longer than the model reads.
        sha256: of what the tokenizer is.
        lowercase: whether it reads texts in lower case, as all SigLIPs were trained to: SigLIP 1's
            tokenizer sees to that itself, SigLIP 2's does not.
    """

    def __init__(self, model: Any, folder: Path) -> None:
        self.known: dict[str, Tensor] = {}
        self.cut_off = 0
        self._model = model
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        except Exception as error:  # by what is in the files, of nearly any type
            raise WeightsError(
                f"{folder} has no tokenizer that can be used: {one_line(error, 300)}"
            ) from error
        about = model.config.text_config
        positions = int(about.max_position_embeddings)
        if model.config.model_type == "altclip":  # RoBERTa counts from behind the padding's number
            positions -= int(about.pad_token_id) + 1
        self._limit = min(positions, int(self._tokenizer.model_max_length))
        # As published: trained on prompts that are filled up to the limit.
        self.lowercase = model.config.model_type == "siglip"
        self._padding = "max_length" if self.lowercase else True
        self.sha256 = _digest_of(self._tokenizer)

    def read(self, prompts: Collection[str]) -> None:
        """Read prompts, each once."""
        ordered = sorted(prompts)
        for start in range(0, len(ordered), _PROMPTS):
            part = ordered[start : start + _PROMPTS]
            lengths = map(len, self._tokenizer(self._put(part), verbose=False)["input_ids"])
            self.cut_off += sum(length > self._limit for length in lengths)
            seen = embedding_of(self._model.get_text_features(**self.tokens(part)))
            self.known.update(zip(part, _normalised(seen), strict=True))

    def _put(self, prompts: Sequence[str]) -> list[str]:
        """Prompts as the tokenizer gets them."""
        return [each.lower() if self.lowercase else each for each in prompts]

    def tokens(self, prompts: Sequence[str]) -> Mapping[str, Tensor]:
        """What the model reads of some prompts.

        Raises:
            WeightsError: the tokenizer is another model's.
        """
        tokens: Mapping[str, Tensor] = self._tokenizer(
            self._put(prompts),
            padding=self._padding,
            max_length=self._limit,
            truncation=True,
            return_tensors="pt",
        )
        self._check_tokens(tokens["input_ids"])
        return tokens

    def _check_tokens(self, ids: Tensor) -> None:
        about = self._model.config.text_config
        if int(ids.max()) >= about.vocab_size:
            raise WeightsError(
                f"the tokenizer has {int(ids.max()) + 1:,} tokens or more, the model "
                f"{about.vocab_size:,}: they do not belong together"
            )
        # CLIP reads the embedding at the token that ends a text; 2 stands for the highest number.
        end = about.eos_token_id
        pools_at_end = self._model.config.model_type in ("clip", "metaclip_2")
        if pools_at_end and end not in (None, 2) and not bool((ids == end).any(1).all()):
            raise WeightsError(
                f"the model looks for the token {end} at the end of a text, and its tokenizer puts "
                f"{self._tokenizer.eos_token_id} there: eos_token_id in config.json and the "
                "tokenizer do not belong together"
            )


def _digest_of(tokenizer: Any) -> str:
    """A sha256 of all that a tokenizer does or, of one without such a description, its tokens."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    said = canonical_json(tokenizer.get_vocab()) if backend is None else backend.to_str()
    return hashlib.sha256(said.encode()).hexdigest()


def _check(model: Any, read: _Reader, prompts: Sequence[str], scale: float, bias: float) -> None:
    """Compare what the head computes with the model's own logits, for some prompts and noise.

    Raises:
        WeightsError: they differ, so that the model is no product of embeddings.
    """
    prompts = list(dict.fromkeys(prompts))
    side = int(model.config.vision_config.image_size)
    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    theirs = model(pixel_values=images, **read.tokens(prompts)).logits_per_image
    seen = _normalised(embedding_of(model.get_image_features(pixel_values=images)))
    ours = seen @ torch.stack([read.known[each] for each in prompts]).T * scale + bias
    off = float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1))
    if not off <= _TOLERANCE:
        raise WeightsError(
            f"its logits are not those of a linear head (they differ by {off:.2g}): "
            f"{type(model).__name__} is not supported"
        )


#: For ``zeroshot/OWNER/NAME``, perhaps with ``@REVISION``; or any name, and in ``checkpoint`` a
#: folder as such repositories are.
ZERO_SHOT = Library(
    *(_parse, _published, _build, _fetch), ("transformers", "tokenizers", "sentencepiece")
)

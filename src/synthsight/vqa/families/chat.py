"""Models that continue a conversation about an image: LLaVA, Qwen-VL, SmolVLM, PaliGemma, ...

Whatever transformers' ``AutoModelForImageTextToText`` builds and decodes by itself. The question is
put as the model's chat template says, followed by a request for yes or no, and one forward pass
gives the logits of the first token of the answer.
"""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps
from torch import Tensor

from synthsight.inference.folders import WeightsError, small_files, weight_files
from synthsight.inference.pretrained import fit, usual_dtype
from synthsight.inference.weights import read_state
from synthsight.vqa.families.base import (
    Collected,
    Published,
    StateDict,
    UnansweredError,
    VqaModel,
    read_config,
)
from synthsight.vqa.families.prefix import KINDS, kept_once, last_logits, prefix_length
from synthsight.vqa.putting import PROMPT, spellings, text_for
from synthsight.wording import one_line

#: PaliGemma's form, which has no chat template: the task and its language, as it was trained.
_PREFIX_FORMS = {"paligemma": "answer en {question}"}

#: The variables by which templates switch thinking before an answer off; each knows one at most.
_THINKING = ("enable_thinking", "thinking")

#: How far the margin and the mass of a question that is put with another may be from those of it
#: alone: more than rounding in float32, and about as much in half precision.
_ROUNDING = {torch.float16: (0.1, 0.01), torch.bfloat16: (0.5, 0.05)}

#: What is asked when a model is fetched.
_TRIAL = ("Is it red?", "Is there a cat beside the dog?")

#: Where configurations keep the id of the tokens that stand for an image.
_IMAGE_TOKENS = ("image_token_id", "image_token_index")

#: The day that it is for templates that say what day it is: answers must not depend on that.
_DAY = datetime(2026, 1, 1)
_ASKED_DAY = re.compile(r"strftime_now\(\s*(['\"])(.*?)\1\s*\)")


class Chat(VqaModel[Image.Image, list[Image.Image], list[str]]):
    """A decoder that sees images, with its own processor and chat template.

    Its settings are ``prompt``, the text that is put, ``answers``, the tokens that count as yes and
    as no, ``dtype``, in which it runs, ``batched``, whether several questions can be put at once,
    and ``shared``, whether what those about an image have in common is computed once. Its answers
    have a ``mass``, the probability of yes and no together: of a model that begins its answer
    otherwise, it is small, and P(yes) says little.
    """

    packages = ("torch", "torchvision", "pillow", "transformers", "tokenizers")
    window = 16
    by_image = True

    @classmethod
    def collect(
        cls, source: Path, settings: Mapping[str, Any], published: Published, folder: Path
    ) -> Collected:
        """Collect weights, processor and template, and ask two questions about two pictures."""
        del published
        config = read_config(source)
        architecture = class_of(config, source)
        files = weight_files(source)
        state = read_state(files)
        dtype = usual_dtype(state)
        fit(architecture, source, state, dtype)  # says what does not fit, before anything else
        for path in small_files(source):
            (folder / path).parent.mkdir(exist_ok=True)
            shutil.copyfile(source / path, folder / path)
        processor = load_processor(folder)
        template = _template_of(processor)
        prefix = _PREFIX_FORMS.get(str(config.get("model_type")))
        if template is None and prefix is None:
            raise WeightsError(
                f"{source} has no chat template (chat_template.jinja, or in tokenizer_config.json):"
                " how questions are put to it is not known"
            )
        usual = PROMPT if template is not None else str(prefix)
        prompt: str = settings["prompt"] or usual
        if prompt.count("{question}") != 1:
            raise WeightsError(
                f"its `prompt` is {prompt!r}: write {{question}} once, where the question belongs"
            )
        found: dict[str, Any] = {
            "prompt": prompt,
            "answers": answer_tokens(processor, source),
            "dtype": str(dtype).removeprefix("torch."),
        }
        tried = {**found, "batched": True, "shared": config.get("model_type") in KINDS}
        batched, shared = _try(cls(folder, state, tried, torch.device("cpu")), source)
        stored = files if all(file.suffix == ".safetensors" for file in files) else ()
        return Collected(state, {**found, "batched": batched, "shared": shared}, stored)

    def __init__(
        self, folder: Path, state: StateDict, settings: Mapping[str, Any], device: torch.device
    ) -> None:
        super().__init__(folder, state, settings, device)
        config = read_config(folder)
        dtype = getattr(torch, settings["dtype"])
        self.model = fit(class_of(config, folder), folder, state, dtype).to(device)
        self.processor = load_processor(folder)
        images = self.processor.image_processor
        images.preprocess = kept_once(images.preprocess)
        self.template = _template_of(self.processor)
        self.prompt = settings["prompt"]
        vocabulary = self.processor.tokenizer.get_vocab()
        self.yes, self.no = (
            torch.tensor([vocabulary[token] for token in settings["answers"][word]], device=device)
            for word in ("yes", "no")
        )
        text = self.model.config.get_text_config()
        self.limit = int(getattr(text, "max_position_embeddings", None) or 2**30)
        self.batched = settings["batched"]
        self.shared = settings["shared"]
        known = (getattr(self.model.config, name, None) for name in _IMAGE_TOKENS)
        self.image_token = next((token for token in known if token is not None), None)
        keeps = "logits_to_keep" in inspect.signature(self.model.forward).parameters
        self.last = {"logits_to_keep": 1} if keeps else {}
        tokenizer = self.processor.tokenizer
        added = tokenizer.added_tokens_decoder.values()
        self.marks = {*tokenizer.all_special_tokens, *(str(each) for each in added if each.special)}

    def prepare(self, picture: Image.Image) -> Image.Image:
        """The image itself: the processor takes it together with a question."""
        return picture

    def see(self, looks: list[Image.Image]) -> list[Image.Image]:
        """The images themselves."""
        return looks

    def read(self, question: str, objects: str | None) -> list[str]:
        """The text that is put, word by word; ``objects`` are for OFA only.

        Raises:
            UnansweredError: the question holds a mark by which the model tells images and speakers.
        """
        del objects
        if found := sorted(mark for mark in self.marks if mark in question):
            raise UnansweredError(f"the question holds {found[0]!r}, which is a mark to the model")
        return text_for(self.prompt, question).split(" ")

    def margins(
        self, seen: list[Image.Image], images: Sequence[int], texts: Sequence[list[str]]
    ) -> Tensor:
        """Differences of log-probabilities and the mass, float32 (questions, 2).

        What is put at once has one length, and so no padding, on which answers might depend.

        Raises:
            UnansweredError: image and question together are longer than the model's context, or
                the processor does not take the image.
        """
        inputs = []
        for image, text in zip(images, texts, strict=True):
            inputs.append(self._inputs(seen[image], " ".join(text)))
            length = inputs[-1]["input_ids"].shape[1]
            if length > self.limit:
                raise UnansweredError(
                    f"image and question have {length} tokens, the model takes {self.limit}"
                )
        found = torch.empty(len(inputs), 2, device=self.device)
        alike: dict[Any, list[int]] = {}
        for image in dict.fromkeys(images):
            places = [place for place, other in enumerate(images) if other == image]
            if length := self._in_common([inputs[place] for place in places]):
                parts = [self._moved(inputs[place]) for place in places]
                found[places] = self._answers(last_logits(self.model, parts, length, self.last))
                continue
            for place in places:
                shapes = {key: tuple(value.shape) for key, value in inputs[place].items()}
                alike.setdefault(tuple(shapes.items()) if self.batched else place, []).append(place)
        for places in alike.values():
            parts = [inputs[place] for place in places]
            joined = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
            logits = self.model(**self._moved(joined), **self.last, use_cache=False).logits[:, -1]
            found[places] = self._answers(logits.float())
        return found

    def _in_common(self, inputs: list[dict[str, Tensor]]) -> int:
        """How many tokens are computed once for questions about an image; 0 if none are."""
        if not self.shared or self.image_token is None or len(inputs) < 2:
            return 0
        return prefix_length(inputs, self.image_token)

    def _inputs(self, picture: Image.Image, text: str) -> dict[str, Tensor]:
        """What the model takes for an image with a text, on the CPU."""
        try:
            if self.template is None:
                put = f"<image>{text}"
                found = self.processor(text=[put], images=[[picture]], return_tensors="pt")
            else:
                found = self.processor.apply_chat_template(
                    [_conversation(picture, text)],
                    chat_template=self.template,
                    **{"add_generation_prompt": True, "tokenize": True, "return_dict": True},
                    return_tensors="pt",
                    **{name: False for name in _THINKING if name in self.template},
                )
        except (ValueError, ZeroDivisionError) as error:
            raise UnansweredError(
                f"the model's processor takes no image of {picture.width} x {picture.height} "
                f"pixels ({one_line(error, 200)})"
            ) from error
        return {key: value for key, value in found.items() if key != "labels"}

    def _moved(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What :meth:`_inputs` gave, where the model runs and in its dtype."""
        return {
            key: value.to(self.device, self.model.dtype if value.is_floating_point() else None)
            for key, value in inputs.items()
        }

    def _answers(self, logits: Tensor) -> Tensor:
        """Margins and masses, float32 (questions, 2), from logits (questions, vocabulary)."""
        yes = logits[:, self.yes].logsumexp(1)
        no = logits[:, self.no].logsumexp(1)
        mass = torch.exp(torch.logaddexp(yes, no) - logits.logsumexp(1))
        return torch.stack([yes - no, mass], dim=1)


def _try(model: Chat, source: Path) -> tuple[bool, bool]:
    """Ask two questions about two pictures of one size, alone and at once.

    Returns:
        Whether several questions can be put at once, and whether what those about an image have in
        common can be computed once: each is then answered as it is alone.

    Raises:
        WeightsError: it cannot be answered.
    """
    grey = Image.new("RGB", (224, 224), (128, 128, 128))
    bright = ImageOps.expand(grey.crop((0, 0, 112, 112)), 56, (250, 240, 30))
    texts = [model.read(question, None) for question in _TRIAL]
    try:
        with torch.inference_mode():
            ids = model._inputs(grey, " ".join(texts[0]))["input_ids"][0]
            alone = torch.cat([model.margins([grey], [0], [text]) for text in texts])
            other = model.margins([bright], [0], texts[:1])
    except Exception as error:  # by what is in the files, of nearly any type
        raise WeightsError(
            f"{source} cannot be asked about an image: {one_line(error, 400)}"
        ) from error
    if not bool(torch.isfinite(torch.cat([alone, other])).all()):
        raise WeightsError(
            f"{source} answers {alone.tolist()} to {' and '.join(_TRIAL)} about two pictures"
        )
    if int(ids[-1]) == model.processor.tokenizer.eos_token_id:
        raise WeightsError(
            f"{source}: its tokenizer ends every text, so that no answer can follow the question; "
            "its template or tokenizer_config.json must be another"
        )
    rounding = torch.tensor(_ROUNDING.get(model.model.dtype, (1e-3, 1e-3)))

    def same(images: list[int], put: list[Any], expected: Tensor, otherwise: str) -> bool:
        """Whether questions are answered as alone when they are put at once."""
        try:
            with torch.inference_mode():
                found = model.margins([grey, bright], images, put)
        except Exception as error:  # likewise
            print(f"{otherwise}: {one_line(error, 200)}", flush=True)
            return False
        return bool(((found - expected).abs() <= rounding).all())

    each = torch.cat([alone[:1], other])
    batched = same([0, 1], [texts[0], texts[0]], each, "questions are put one by one")
    shared = model.shared and same([0, 0], texts, alone, "images are seen anew for each question")
    return batched, shared


def _conversation(picture: Image.Image, text: str) -> list[dict[str, Any]]:
    content = [{"type": "image", "image": picture}, {"type": "text", "text": text}]
    return [{"role": "user", "content": content}]


def class_of(config: Mapping[str, Any], source: Path) -> str:
    """The name of the class in transformers that a config.json is for.

    Raises:
        WeightsError: there is none that continues a text about an image by decoding alone.
    """
    from transformers.models.auto.modeling_auto import (  # takes more than a second
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as CLASSES,
    )

    kind = str(config.get("model_type"))
    if kind not in CLASSES or config.get("is_encoder_decoder"):
        raise WeightsError(
            f"{source} is a {kind}, which does not continue a conversation about an image"
        )
    return str(CLASSES[kind])


def load_processor(folder: Path) -> Any:
    """A model's processor, with Pillow's resize where there is that.

    Raises:
        WeightsError: it cannot be read, or has no tokenizer.
    """
    import transformers

    try:
        processor: Any = transformers.AutoProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # by what is in the files, of nearly any type
        raise WeightsError(
            f"{folder} has no processor that can be used: {one_line(error, 400)}"
        ) from error
    if not hasattr(processor, "tokenizer") or not hasattr(processor, "image_processor"):
        raise WeightsError(
            f"{folder} has no processor of images and texts (processor_config.json or "
            "preprocessor_config.json)"
        )
    try:
        processor.image_processor = transformers.AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            folder, local_files_only=True, backend="pil"
        )
    except Exception:  # a few kinds have no such version
        print("this model's images are resized by torchvision, not by Pillow", flush=True)
    return processor


def _template_of(processor: Any) -> str | None:
    """The template of a conversation, the processor's or the tokenizer's; None if there is none."""
    found = processor.chat_template or processor.tokenizer.chat_template
    found = found.get("default") if isinstance(found, dict) else found
    return found and _ASKED_DAY.sub(lambda match: repr(_DAY.strftime(match[2])), found)


def answer_tokens(processor: Any, source: Path) -> dict[str, list[str]]:
    """The tokens of a vocabulary that are "yes" and those that are "no", however written.

    Raises:
        WeightsError: one of the words is none.
    """
    vocabulary = processor.tokenizer.get_vocab()
    found = {}
    for word in ("yes", "no"):
        found[word] = sorted(spellings(word) & vocabulary.keys())
        if not found[word]:
            raise WeightsError(
                f"{source}: {word!r} is not a single token of the vocabulary, however written"
            )
    return found

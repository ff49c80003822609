"""Models that continue a conversation about an image: LLaVA, Qwen-VL, SmolVLM, PaliGemma, ...

Whatever transformers' ``AutoModelForImageTextToText`` builds and decodes by itself. The question is
put as the model's chat template says, followed by a request for yes or no, and one forward pass
gives the logits of the first token of the answer.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from synthsight.inference.folders import WeightsError, small_files, weight_files
from synthsight.inference.pretrained import dtype_of, fit
from synthsight.inference.weights import read_state
from synthsight.vqa.families.base import (
    Collected,
    Published,
    StateDict,
    UnansweredError,
    VqaModel,
    read_config,
)
from synthsight.wording import one_line

#: What is put unless the configuration says otherwise; ``{question}`` stands for the question.
PROMPT = "{question} Answer yes or no."

#: PaliGemma's form, which has no chat template: the task and its language, as it was trained.
_PREFIX_FORMS = {"paligemma": "answer en {question}"}

#: The variables by which templates switch thinking before an answer off; each knows one at most.
_THINKING = ("enable_thinking", "thinking")

#: How a word may be written as the first token of an answer, and what vocabularies write for the
#: blank before it.
_SPELLINGS = ("{}", " {}", "\u0120{}", "\u2581{}", "\u010a{}", "\n{}")

#: How far the logits of a question in a padded batch may be from those of the question alone, by
#: the dtype they are computed in, before batches are no longer padded.
_ROUNDING = {torch.float32: 1e-3, torch.float16: 0.1, torch.bfloat16: 0.5}


class Chat(VqaModel[Image.Image, list[Image.Image], list[str]]):
    """A decoder that sees images, with its own processor and chat template.

    Its settings are ``prompt``, the text that is put, and ``answers``, the tokens that count as yes
    and as no. It runs in the dtype in which its weights are published. Its answers have a ``mass``,
    the probability of yes and no together: of a model that begins its answer otherwise, it is
    small, and P(yes) says little.
    """

    packages = ("torch", "pillow", "transformers", "tokenizers")

    @classmethod
    def collect(
        cls, source: Path, settings: Mapping[str, Any], published: Published, folder: Path
    ) -> Collected:
        """Collect weights, processor and template; find the tokens for yes and no."""
        del published
        config = read_config(source)
        architecture = class_of(config, source)
        state = read_state(weight_files(source))
        model = fit(architecture, source, state, dtype_of(state))
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
        return Collected(
            model.state_dict(), {"prompt": prompt, "answers": answer_tokens(processor, source)}
        )

    def __init__(
        self, folder: Path, state: StateDict, settings: Mapping[str, Any], device: torch.device
    ) -> None:
        super().__init__(folder, state, settings, device)
        config = read_config(folder)
        dtype = dtype_of(state)
        self.model = fit(class_of(config, folder), folder, state, dtype).to(device)
        self.processor = load_processor(folder)
        self.template = _template_of(self.processor)
        self.prompt = settings["prompt"]
        vocabulary = self.processor.tokenizer.get_vocab()
        self.yes, self.no = (
            torch.tensor([vocabulary[token] for token in settings["answers"][word]], device=device)
            for word in ("yes", "no")
        )
        text = self.model.config.get_text_config()
        self.limit = int(getattr(text, "max_position_embeddings", None) or 2**30)
        self.tolerance = _ROUNDING[dtype]
        self.last_alone = "logits_to_keep" in inspect.signature(self.model.forward).parameters
        #: Whether batches of different lengths are padded; None until that has been tried.
        self.pads: bool | None = None

    def prepare(self, picture: Image.Image) -> Image.Image:
        """The image itself: the processor takes it together with a question."""
        return picture

    def see(self, looks: list[Image.Image]) -> list[Image.Image]:
        """The images themselves."""
        return looks

    def read(self, question: str, objects: str | None) -> list[str]:
        """The text that is put, word by word; ``objects`` are for OFA only."""
        del objects
        text: str = self.prompt.replace("{question}", question)
        return text.split(" ")

    def margins(
        self, seen: list[Image.Image], images: Sequence[int], texts: Sequence[list[str]]
    ) -> Tensor:
        """Differences of log-probabilities and the mass, float32 (questions, 2).

        Batches are padded in front, where the next token does not see it. At the first batch with
        padding a question is also asked alone: if the answers differ by more than rounding, then
        this model's batches hold questions of one length from there on.

        Raises:
            UnansweredError: image and question together are longer than the model's context, or
                the processor does not take the image.
        """
        asked = [(seen[image], " ".join(text)) for image, text in zip(images, texts, strict=True)]
        inputs = self._inputs(asked)
        lengths = inputs["attention_mask"].sum(1)
        if int(lengths.max()) > self.limit:
            raise UnansweredError(
                f"image and question have {int(lengths.max())} tokens, the model takes {self.limit}"
            )
        padded = bool((lengths != lengths[0]).any())
        if padded and self.pads is None:
            self._try_padding(inputs, asked, int(lengths.argmin()))
        if not padded or self.pads:
            return self._answers(inputs)
        found = torch.empty(len(asked), 2, device=self.device)
        for length in sorted(set(lengths.tolist())):
            alike = torch.nonzero(lengths == length)[:, 0].tolist()
            found[alike] = self._answers(self._inputs([asked[index] for index in alike]))
        return found

    def _try_padding(
        self, inputs: Mapping[str, Tensor], asked: Sequence[tuple[Image.Image, str]], shortest: int
    ) -> None:
        """Find out whether a question is answered alike alone and behind padding."""
        among = self._answers(inputs)[shortest]
        alone = self._answers(self._inputs([asked[shortest]]))[0]
        off = float((among - alone).abs().max())
        self.pads = off <= self.tolerance
        if not self.pads:
            print(f"padding changes answers (by {off:.2g}): batches hold one length", flush=True)

    def _inputs(self, asked: Sequence[tuple[Image.Image, str]]) -> dict[str, Tensor]:
        """What the model takes for images with their texts, padded in front, on the CPU."""
        try:
            if self.template is None:
                images = [[picture] for picture, _ in asked]
                texts = [f"<image>{text}" for _, text in asked]
                found = self.processor(text=texts, images=images, padding=True, return_tensors="pt")
            else:
                found = self.processor.apply_chat_template(
                    [_conversation(picture, text) for picture, text in asked],
                    **{"add_generation_prompt": True, "tokenize": True, "return_dict": True},
                    **{name: False for name in _THINKING if name in str(self.template)},
                    return_tensors="pt",
                    processor_kwargs={"padding": True},
                )
        except (ValueError, ZeroDivisionError) as error:
            sizes = sorted({f"{picture.width} x {picture.height}" for picture, _ in asked})
            raise UnansweredError(
                f"the model's processor takes no image of {', '.join(sizes)} pixels "
                f"({one_line(error, 200)})"
            ) from error
        return {key: value for key, value in found.items() if key != "labels"}

    def _answers(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Margins and masses, float32 (questions, 2), of what :meth:`_inputs` gave."""
        moved = {
            key: value.to(self.device, self.model.dtype if value.is_floating_point() else None)
            for key, value in inputs.items()
        }
        last = {"logits_to_keep": 1} if self.last_alone else {}
        logits = self.model(**moved, **last, use_cache=False).logits[:, -1].float()
        yes = logits[:, self.yes].logsumexp(1)
        no = logits[:, self.no].logsumexp(1)
        mass = torch.exp(torch.logaddexp(yes, no) - logits.logsumexp(1))
        return torch.stack([yes - no, mass], dim=1)


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
    """A model's processor, which pads in front, with Pillow's resize where there is that.

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
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return processor


def _template_of(processor: Any) -> Any:
    return processor.chat_template or processor.tokenizer.chat_template


def answer_tokens(processor: Any, source: Path) -> dict[str, list[str]]:
    """The tokens of a vocabulary that are "yes" and those that are "no", however written.

    Raises:
        WeightsError: one of the words is none.
    """
    vocabulary = processor.tokenizer.get_vocab()
    found = {}
    for word in ("yes", "no"):
        written = (word, word.capitalize(), word.upper())
        each = {form.format(text) for form in _SPELLINGS for text in written}
        found[word] = sorted(each & vocabulary.keys())
        if not found[word]:
            raise WeightsError(
                f"{source}: {word!r} is not a single token of the vocabulary, however written"
            )
    return found

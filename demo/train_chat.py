"""Train a small LLaVA on questions about pictures of the ``photo`` style, and measure it on others.

A chat model in small: a CLIP encoder of images, a projector, and a Llama that continues the text
in which the image stands. First the encoder learns to tell, for each patch, what has its middle
there, and to put it near the embedding of the word for it; then the decoder learns what the nouns
of questions stand for, and then all of it to answer, the simplest questions first. As for OFA,
small heads that are thrown away afterwards are asked for what the drawing knows; here also for the
answer, from a question's last word on.

One picture in twelve is plain grey while answers are learnt, and what is asked is asked of what was
drawn. So the model also learns what to say when there is nothing to see: that yes is as likely as
among the questions it has met.

Questions are put by the chat template that the model is published with, followed by the request
for yes or no that synthsight puts, and what it reaches is measured by the family ``chat`` itself.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tokenizers
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import models, normalizers, pre_tokenizers
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from demo.questions import KINDS as QUESTION_KINDS
from demo.questions import Question, ask
from demo.train_vqa import (
    GRID,
    HELD_OUT_SCENES,
    SIDE,
    YES_SHARE,
    Hints,
    Round,
    Split,
    draw_split,
    held_out_questions,
    measure,
    noun_loss,
    noun_targets,
    optimiser,
    patch_loss,
    patch_targets,
    questions_of_all_kinds,
    roughened,
    steps,
)
from demo.vqa_scenes import COLOURS, KINDS, Item
from demo.world import SEED, random_for
from synthsight.vqa.families.base import Published
from synthsight.vqa.families.chat import PROMPT, Chat
from synthsight.vqa.ofa.processing import pixel_values

SCENES, COPIES = 5000, 4
STEM_STEPS, STEM_BATCH, STEM_RATE = 1500, 64, 2e-3
EVERY = (*QUESTION_KINDS, "colour", "place", "size", "count", "place", "size")
#: What is asked about each picture of a batch. In the first round only the hints count: as long as
#: there is nothing to go by, the answers' losses teach that there is no telling. With every kind at
#: once answers would be learnt late, since what is shown is as often a reason for no as for yes.
ROUNDS = {
    "nouns": Round(600, 24, EVERY),
    "presence": Round(150, 16, ("presence",) * 12),
    "first words": Round(350, 16, ("presence", "negation", "colour", "count") * 3),
    "all kinds": Round(450, 16, EVERY),
    "second round": Round(800, 20, EVERY),
}
RATES = {
    "nouns": 2e-3,
    "presence": 1e-3,
    "first words": 1e-3,
    "all kinds": 1e-3,
    "second round": 1.5e-3,
}
GREY_SHARE = 1 / 12
SHIFT = 7  # pixels at the most
NOUNS, ENDS = 2, 3  # layers of the decoder before what hints are asked of: nouns, and last words
TAIL = 9  # tokens from a question's last word to where the answer begins
WIDTH, SIGHT = 96, 80

#: Of the tokenizer; every word of a question is a token, and any other word is unknown.
SPECIAL = ("<unk>", "<pad>", "<image>", "<|user|>", "<|assistant|>", "<|end|>")
UNKNOWN, PAD, IMAGE, USER, ASSISTANT, END = range(len(SPECIAL))

TEMPLATE = """\
{%- for turn in messages -%}
<|{{ turn['role'] }}|>
{%- for piece in turn['content'] -%}
{%- if piece['type'] == 'image' -%}<image>{%- else -%}{{ piece['text'] }}{%- endif -%}
{%- endfor -%}
<|end|>
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}
"""


# ---- words -----------------------------------------------------------------------------------


def make_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer that knows the words of the questions, in small letters."""
    normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    splitter = pre_tokenizers.Whitespace()
    texts = [*questions_of_all_kinds(), PROMPT.replace("{question}", " ")]
    words = sorted(
        {
            word
            for text in texts
            for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))
        }
    )
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *words])}
    inner = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL[UNKNOWN]))
    inner.normalizer = normalizer
    inner.pre_tokenizer = splitter
    marks = [tokenizers.AddedToken(mark, special=True, normalized=False) for mark in SPECIAL]
    inner.add_special_tokens(marks)
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        unk_token=SPECIAL[UNKNOWN],
        pad_token=SPECIAL[PAD],
        eos_token=SPECIAL[END],
        extra_special_tokens={"image_token": SPECIAL[IMAGE]},
        model_max_length=128,
    )


def turns(tokenizer: PreTrainedTokenizerFast, questions: Sequence[str]) -> list[list[int]]:
    """What follows the image, up to where the answer begins."""
    texts = [PROMPT.replace("{question}", question) for question in questions]
    words = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return [[*each, END, ASSISTANT] for each in words]


# ---- the model -------------------------------------------------------------------------------


class ChatHints(Hints):
    """Heads that are thrown away, with one that is asked for the answer before it is due."""

    def __init__(self) -> None:
        super().__init__(WIDTH)
        self.early = nn.ModuleList([nn.Linear(WIDTH, 2) for _ in range(TAIL)])


def configuration(words: int) -> LlavaConfig:
    """The architecture, as small as the task allows."""
    return LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=SIGHT,
            intermediate_size=2 * SIGHT,
            num_hidden_layers=3,
            num_attention_heads=4,
            image_size=SIDE,
            patch_size=SIDE // GRID,
            hidden_act="gelu",
        ),
        text_config=LlamaConfig(
            vocab_size=words,
            hidden_size=WIDTH,
            intermediate_size=128,
            num_hidden_layers=4,
            num_attention_heads=4,
            max_position_embeddings=128,
            # So slow that most of what attention compares is what things are, not where they stand.
            rope_parameters={"rope_type": "default", "rope_theta": 1e6},
            bos_token_id=None,
            eos_token_id=END,
            pad_token_id=PAD,
            tie_word_embeddings=False,
        ),
        image_token_index=IMAGE,
        image_seq_length=GRID * GRID,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=False,
    )


def ready(model: LlavaForConditionalGeneration) -> None:
    """Initial weights with which words attend to the patches that look like them.

    The published ones are for wider models, and would start with the same attention to everything.
    """
    for name, weight in model.model.vision_tower.named_parameters():
        if name.endswith("patch_embedding.weight"):
            nn.init.normal_(weight, std=0.03)
        elif "position_embedding" in name:
            nn.init.normal_(weight, std=0.1)
        elif weight.dim() == 2:
            nn.init.xavier_uniform_(weight)
    for weight in model.model.multi_modal_projector.parameters():
        if weight.dim() == 2:
            nn.init.xavier_uniform_(weight)
    decoder = model.model.language_model
    nn.init.normal_(decoder.embed_tokens.weight)
    for layer in decoder.layers:
        for part in (layer.self_attn.q_proj, layer.self_attn.v_proj, layer.self_attn.o_proj):
            nn.init.orthogonal_(part.weight)
        layer.self_attn.k_proj.weight.data.copy_(layer.self_attn.q_proj.weight)
        for part in (layer.mlp.gate_proj, layer.mlp.up_proj, layer.mlp.down_proj):
            nn.init.xavier_uniform_(part.weight)


def features(model: LlavaForConditionalGeneration, values: Tensor) -> Tensor:
    """What stands for images among the words: (images, patches, width)."""
    found = model.model.get_image_features(pixel_values=values, return_dict=True)
    return torch.stack(tuple(found.pooler_output))


def told(model: LlavaForConditionalGeneration, tokenizer: PreTrainedTokenizerFast) -> list[Tensor]:
    """What the patches shall be near: kinds in the singular and in the plural, and colours."""
    table = model.get_input_embeddings().weight / WIDTH**0.5
    groups = (KINDS, [f"{kind}s" for kind in KINDS], COLOURS)
    return [
        table[[tokenizer(word, add_special_tokens=False)["input_ids"][-1] for word in group]]
        for group in groups
    ]


# ---- pictures --------------------------------------------------------------------------------


def several(split: Split, copies: int) -> Split:
    """Some copies of each picture, each with its own exposure, colours, focus and noise."""
    generator = torch.Generator().manual_seed(SEED)
    parts = [
        ((roughened(part, generator) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).contiguous()
        for _ in range(copies)
        for part in split.pixels.split(200)
    ]
    return Split(torch.cat(parts), split.items * copies)


def varied(
    split: Split, chosen: Sequence[int], generator: torch.Generator
) -> tuple[Tensor, list[tuple[Item, ...]]]:
    """Pictures, half of them mirrored, all of them moved a little, with what they then show."""
    pixels, items = [], []
    for scene in chosen:
        mirrored, down, right = torch.randint(0, 2**20, (3,), generator=generator).tolist()
        down, right = (each % (2 * SHIFT + 1) - SHIFT for each in (down, right))
        rows, columns = ((torch.arange(SIDE) - by).clamp(0, SIDE - 1) for by in (down, right))
        view, shown = split.pixels[scene], split.items[scene]
        if mirrored % 2:
            view = view.flip(1)
            shown = tuple(replace(item, x=1 - item.x) for item in shown)
        pixels.append(view[rows][:, columns])
        items.append(
            tuple(replace(item, x=item.x + right / SIDE, y=item.y + down / SIDE) for item in shown)
        )
    return torch.stack(pixels), items


# ---- training --------------------------------------------------------------------------------


def fit_sight(
    model: LlavaForConditionalGeneration,
    hints: Hints,
    tokenizer: PreTrainedTokenizerFast,
    split: Split,
) -> None:
    """Let the patches tell what is there."""
    generator = torch.Generator().manual_seed(SEED)
    parts = [
        model.model.vision_tower,
        model.model.multi_modal_projector,
        model.get_input_embeddings(),
        hints.patch,
    ]
    model.train()
    mean = 0.0
    for number, down in steps(optimiser(parts, STEM_RATE), STEM_STEPS, parts):
        batch = torch.randint(len(split), (STEM_BATCH,), generator=generator).tolist()
        pixels, items = varied(split, batch, generator)
        targets = torch.from_numpy(np.stack([patch_targets(each) for each in items]))
        patches = features(model, pixel_values(pixels))
        loss = patch_loss(hints, patches.flatten(0, 1), told(model, tokenizer), targets)
        down(loss)
        mean += (loss.item() - mean) / min(number + 1, 50)
        if number % 100 == 99:
            print(f"sight, step {number + 1}: loss {mean:.3f}", flush=True)


def packed(questions: Sequence[Sequence[list[int]]]) -> tuple[Tensor, Tensor, Tensor]:
    """All questions about each image in one sequence, in which none of them sees another.

    Args:
        questions: for each image, the tokens of its questions with their answers.

    Returns:
        Tokens (images, length), the first of them the mark of the user and the image; positions,
        as if each question stood alone behind the image; and what may see what, (images, 1,
        length, length).
    """
    head = [USER, *[IMAGE] * GRID**2]
    length = len(head) + max(sum(map(len, each)) for each in questions)
    tokens = torch.full((len(questions), length), PAD)
    positions = torch.zeros(len(questions), length, dtype=torch.long)
    owner = torch.full((len(questions), length), -1)  # of each token: 0 the head, then its question
    for row, each in enumerate(questions):
        tokens[row, : len(head)] = torch.tensor(head)
        positions[row, : len(head)] = torch.arange(len(head))
        owner[row, : len(head)] = 0
        start = len(head)
        for number, ids in enumerate(each, start=1):
            part = slice(start, start + len(ids))
            tokens[row, part] = torch.tensor(ids)
            positions[row, part] = torch.arange(len(head), len(head) + len(ids))
            owner[row, part] = number
            start += len(ids)
    same = owner[:, :, None] == owner[:, None, :]
    sees = (same | (owner == 0)[:, None, :]) & torch.ones(length, length).tril().bool()
    return tokens, positions, sees[:, None]


@dataclass(frozen=True)
class Asked:
    """Questions about each picture of a batch.

    Attributes:
        tokens, positions, sees: from :func:`packed`, the questions followed by their answers.
        truth: bool (questions,), whether the answer is yes.
        begins: (questions, 2), the picture and the place of the token behind which the answer is.
        nouns: (n, 2), likewise of nouns whose picture is shown.
        known: (n, ...), what the pictures hold of these, from :func:`demo.train_vqa.noun_targets`.
    """

    tokens: Tensor
    positions: Tensor
    sees: Tensor
    truth: Tensor
    begins: Tensor
    nouns: Tensor
    known: Tensor


def put(
    tokenizer: PreTrainedTokenizerFast,
    rng: np.random.Generator,
    items: Sequence[tuple[Item, ...]],
    kinds: Sequence[str],
    grey: np.ndarray,
) -> Asked:
    """Questions of some kinds about each of some pictures; of grey ones no noun is known."""
    naming = {
        tokenizer(form, add_special_tokens=False)["input_ids"][-1]: number
        for number, kind in enumerate(KINDS)
        for form in (kind, f"{kind}s")
    }
    words = tokenizer.convert_tokens_to_ids(["no", "yes"])
    truth = rng.random(len(items) * len(kinds)) < YES_SHARE
    wanted = zip([(shown, kind) for shown in items for kind in kinds], truth, strict=True)
    texts = [ask(rng, shown, kind, bool(answer)).text for (shown, kind), answer in wanted]
    ids = [
        [*question, words[int(answer)]]
        for question, answer in zip(turns(tokenizer, texts), truth, strict=True)
    ]
    questions = [ids[first : first + len(kinds)] for first in range(0, len(ids), len(kinds))]
    begins, nouns, known = [], [], []
    for image, each in enumerate(questions):
        place = 1 + GRID**2
        for question in each:
            for offset, token in enumerate(question):
                if token in naming and not grey[image]:
                    nouns.append((image, place + offset))
                    known.append(noun_targets(items[image], naming[token]))
            place += len(question)
            begins.append((image, place - 2))
    return Asked(*packed(questions), *map(torch.tensor, (truth, begins, nouns, known)))


def answer_losses(
    model: LlavaForConditionalGeneration,
    hints: ChatHints,
    tokenizer: PreTrainedTokenizerFast,
    seen: Tensor,
    asked: Asked,
) -> tuple[Tensor, Tensor, float]:
    """How badly the answers are told, and what their nouns stand for, and the share of right ones.

    Args:
        model: that is asked.
        hints: for what is told before the answer.
        tokenizer: of the model.
        seen: features of the pictures, (images, patches, width).
        asked: about these.
    """
    words = torch.tensor(tokenizer.convert_tokens_to_ids(["no", "yes"]))
    embedded = model.get_input_embeddings()(asked.tokens)
    embedded = torch.cat([embedded[:, :1], seen, embedded[:, 1 + GRID**2 :]], dim=1)
    out = model.model.language_model(
        inputs_embeds=embedded,
        attention_mask=asked.sees,
        position_ids=asked.positions,
        output_hidden_states=True,
        use_cache=False,
    )
    truth, (images, places) = asked.truth.long(), asked.begins.T

    def state(layers: int, images: Tensor, places: Tensor) -> Tensor:
        return functional.rms_norm(out.hidden_states[layers][images, places], (WIDTH,))

    answers = model.lm_head(out.last_hidden_state[images, places])
    ends = model.lm_head(out.last_hidden_state[images, places + 1])
    loss = functional.cross_entropy(answers, words[truth])
    loss = loss + 0.05 * functional.cross_entropy(ends, torch.full_like(truth, END))
    for back, early in enumerate(hints.early):
        told_early = early(state(ENDS, images, places - back))
        loss = loss + functional.cross_entropy(told_early, truth) / TAIL
    of_nouns = noun_loss(hints, state(NOUNS, *asked.nouns.T), asked.known)
    right = (answers[:, words].argmax(1) == truth).float().mean().item()
    return loss, of_nouns, right


def fit_answers(
    model: LlavaForConditionalGeneration,
    hints: ChatHints,
    tokenizer: PreTrainedTokenizerFast,
    split: Split,
    name: str,
) -> None:
    """Let the model answer, in one round of its training."""
    pictures = ROUNDS[name].pictures
    generator = torch.Generator().manual_seed(SEED + 1 + list(ROUNDS).index(name))
    rng = random_for("questions", "chat", name)
    model.train()
    parts = [model, hints]
    optimise = optimiser(parts, RATES[name])
    means = np.zeros(4)
    for number, down in steps(optimise, ROUNDS[name].steps, parts):
        batch = torch.randint(len(split), (pictures,), generator=generator).tolist()
        pixels, items = varied(split, batch, generator)
        grey = rng.random(pictures) < GREY_SHARE
        values = pixel_values(pixels)
        for image in np.flatnonzero(grey):
            values[image] = float(rng.uniform(-0.5, 0.5))
        there = [() if grey[image] else shown for image, shown in enumerate(items)]
        targets = torch.from_numpy(np.stack([patch_targets(each) for each in there]))
        seen = features(model, values)
        asked = put(tokenizer, rng, items, ROUNDS[name].kinds, grey)
        answers, nouns, right = answer_losses(model, hints, tokenizer, seen, asked)
        sight = patch_loss(hints, seen.flatten(0, 1), told(model, tokenizer), targets)
        down(nouns + 0.6 * sight + (0 if name == "nouns" else answers))
        values_now = np.array([answers.item(), nouns.item(), sight.item(), right])
        means += (values_now - means) / min(number + 1, 50)
        if number % 50 == 49:
            print(
                f"{name}, step {number + 1}: answers, hints, patches, right",
                means.round(3),
                flush=True,
            )


# ---- what it reaches -------------------------------------------------------------------------


def load(folder: Path) -> Chat:
    """The model of a folder as it is asked in a run."""
    with tempfile.TemporaryDirectory() as kept:
        found = Chat.collect(folder, {"prompt": None}, Published(), Path(kept))
        return Chat(Path(kept), found.state, found.settings, torch.device("cpu"))


@torch.inference_mode()
def predictions(
    model: Chat, pixels: Tensor, questions: list[list[Question]], blind: bool = False
) -> tuple[list[list[bool]], float]:
    """Whether the model says yes, by the workflow's own functions, and the mean mass of its words.

    Args:
        model: the model, from :func:`load`.
        pixels: uint8 (n, side, side, 3).
        questions: some on each picture.
        blind: whether it is shown a grey picture each time.
    """
    said, mass = [], []
    for view, asked in zip(pixels, questions, strict=True):
        picture = Image.fromarray(view.numpy())
        if blind:
            picture = Image.new("RGB", picture.size, (128, 128, 128))
        seen = model.see([model.prepare(picture)])
        texts = [model.read(question.text, None) for question in asked]
        found = model.margins(seen, [0] * len(texts), texts)
        said.append((found[:, 0] > 0).tolist())
        mass += found[:, 1].tolist()
    return said, float(np.mean(mass))


# ---- the folder ------------------------------------------------------------------------------


def write_processors(folder: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write what becomes of texts, conversations and pictures before the model gets them."""
    LlavaProcessor(
        CLIPImageProcessorPil(
            size={"height": SIDE, "width": SIDE},
            do_center_crop=False,
            resample=3,  # Pillow's number for bicubic
            image_mean=[0.5, 0.5, 0.5],
            image_std=[0.5, 0.5, 0.5],
        ),
        tokenizer,
        patch_size=SIDE // GRID,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,  # of the encoder's own, which the decoder does not get
        chat_template=TEMPLATE,
    ).save_pretrained(folder)


def store(folder: Path, model: LlavaForConditionalGeneration, metadata: dict[str, str]) -> None:
    """Write configuration and weights.

    They are rounded to float16, of which git makes less, but stored as float32: a chat model runs
    in the dtype that it is published in, and float32 is the faster and the more exact on a CPU.
    """
    config = {"architectures": ["LlavaForConditionalGeneration"], **model.config.to_diff_dict()}
    config.pop("transformers_version", None)
    text = json.dumps(config, indent=2, sort_keys=True) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")
    state = {
        name: value.half().float().contiguous() if value.is_floating_point() else value
        for name, value in model.state_dict().items()
    }
    path = folder / "model.safetensors"
    save_file(state, path, {"format": "pt", "license": "MIT", **metadata})
    path.chmod(0o644)


def publish(
    folder: Path, model: LlavaForConditionalGeneration, held_out: Split
) -> dict[str, object]:
    """Store a trained model with what its stored weights achieve on held-out pictures."""
    store(folder, model.eval(), {})
    stored = load(folder)
    questions = held_out_questions(held_out)
    said, mass = predictions(stored, held_out.pixels, questions)
    reached = measure(questions, said)
    grey, _ = predictions(stored, held_out.pixels, questions, blind=True)
    reference = {
        "yes_no": reached.pop("all"),
        "always_yes": reached.pop("always yes"),
        "blind": measure(questions, grey)["all"],
        "mass": round(mass, 4),
        "n": sum(len(asked) for asked in questions),
        "accuracy_by_kind": reached,
        "n_by_kind": len(questions),
        "seed": SEED,
        "source": "held-out pictures of the training style, drawn by demo/vqa_scenes.py",
    }
    store(folder, model, {"reference": json.dumps(reference)})
    return reference


def train(folder: Path, workers: int) -> None:
    """Train the model and store it in the folder together with its held-out accuracy.

    On one core: with so small a model more of them mostly wait for each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    split = draw_split("train", SCENES, workers)
    held_out = draw_split("held-out", HELD_OUT_SCENES, workers)
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    tokenizer = make_tokenizer()
    write_processors(folder, tokenizer)
    model = LlavaForConditionalGeneration(configuration(len(tokenizer)))
    hints = ChatHints()
    ready(model)
    split = several(split, COPIES)
    fit_sight(model, hints, tokenizer, split)
    for name in ROUNDS:
        fit_answers(model, hints, tokenizer, split, name)
    reference = publish(folder, model, held_out)
    print(json.dumps(reference, indent=2))
    print(f"demo_chat: trained in {(time.monotonic() - start) / 60:.0f} minutes")

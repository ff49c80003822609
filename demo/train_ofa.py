"""Train a small OFA on questions about pictures of the ``photo`` style, and measure it on others.

First the image stem learns to tell, for each patch, what has its middle there, and to put it near
the embedding of the word for it; then the rest learns to answer. In both, small heads that are
thrown away afterwards are asked for what the drawing knows: of a patch its thing's size and place,
of a noun in the question how many such things there are, in which colours and where. With answers
alone the same would take many times longer.

What the model is given is what the workflow gives it, prepared by ``synthsight.vqa.ofa``.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import ByteLevelBPETokenizer
from torch import Tensor, nn
from torch.nn import functional

from demo.questions import KINDS as QUESTION_KINDS
from demo.questions import Question, ask
from demo.vqa_scenes import COLOURS, KINDS, Item, furnish, picture
from demo.world import SEED, random_for
from synthsight.vqa.ofa.answers import yes_no_logits
from synthsight.vqa.ofa.checkpoint import load_checkpoint
from synthsight.vqa.ofa.config import OFAConfig
from synthsight.vqa.ofa.encoder import ImageFeatures
from synthsight.vqa.ofa.layers import Attention, DecoderLayer, EncoderLayer
from synthsight.vqa.ofa.model import EMBEDDING, EMBEDDING_COPIES, OFA, build
from synthsight.vqa.ofa.processing import decoder_prompt, pad, pixel_values, prepare_image, source
from synthsight.vqa.ofa.tokenizer import SPECIAL, OFATokenizer

TRAIN_SCENES = 8000
HELD_OUT_SCENES = 600
YES_SHARE = 0.55  # of held-out questions, as in the paper; half of those for training
STEM_STEPS, STEM_BATCH, STEM_RATE = 400, 64, 4e-3
RATE = 2e-3
GRID = 7
SIDE = 16 * GRID
PROMPT = "prev_output"


@dataclass(frozen=True)
class Round:
    """A part of the training of answers, with a warm-up of its own.

    A batch has so many pictures, and on each of them a question of every kind listed.
    """

    steps: int
    pictures: int
    kinds: tuple[str, ...]


ROUNDS = {
    "training": Round(500, 40, tuple(QUESTION_KINDS)),
    # What takes longer to learn is asked more often.
    "second round": Round(650, 28, (*QUESTION_KINDS, "colour", "place", "size")),
}


def configuration(vocab_size: int) -> OFAConfig:
    """The architecture, as small as the task allows."""
    return OFAConfig(
        vocab_size=vocab_size,
        max_position_embeddings=96,
        d_model=96,
        encoder_layers=3,
        decoder_layers=2,
        encoder_ffn_dim=192,
        decoder_ffn_dim=192,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        resnet_type="resnet18",
        resnet_width=16,
        token_bucket_size=32,
        image_bucket_size=GRID,
        patch_image_size=SIDE,
        prompt_type=PROMPT,
    )


# ---- words -----------------------------------------------------------------------------------


def write_vocabulary(folder: Path) -> None:
    """Byte-level BPE of the questions' words; any other text is spelled out in bytes."""
    rng = random_for("questions", "vocabulary")
    texts = [" yes", " no"] * 500
    for _ in range(4000):
        items = furnish(rng)
        for kind in QUESTION_KINDS:
            text = ask(rng, items, kind, bool(rng.random() < 0.5)).text
            texts.append(" " + text.lower())
    tokenizer = ByteLevelBPETokenizer(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(
        texts, vocab_size=1000, min_frequency=2, special_tokens=special, show_progress=False
    )
    tokenizer.save_model(str(folder))


def kinds_by_token(tokenizer: OFATokenizer) -> dict[int, int]:
    """Which kind of thing a noun's (last) token names, in the singular and in the plural."""
    nouns = {}
    for number, kind in enumerate(KINDS):
        for form in (kind, f"{kind}s"):
            nouns[tokenizer.encode(f" {form}")[-1]] = number
    return nouns


# ---- pictures --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Split:
    """Pictures with their content: pixels uint8 (n, side, side, 3)."""

    pixels: Tensor
    items: list[tuple[Item, ...]]

    def __len__(self) -> int:
        return len(self.items)


def draw_one(task: tuple[str, int]) -> tuple[np.ndarray, tuple[Item, ...]]:
    """One picture of the training style, as the model sees it."""
    view = picture("photo", *task)
    return prepare_image(view.image, SIDE), view.items


def draw_split(split: str, count: int, workers: int) -> Split:
    """The pictures of a split."""
    tasks = [(split, number) for number in range(count)]
    if workers == 1:
        drawn = [draw_one(task) for task in tasks]
    else:
        with multiprocessing.Pool(workers) as pool:
            drawn = pool.map(draw_one, tasks, chunksize=20)
    pixels = torch.from_numpy(np.stack([view for view, _ in drawn]))
    return Split(pixels, [items for _, items in drawn])


def roughened(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Model input from pixels, each picture with its own exposure, colours, focus and noise."""
    values = pixel_values(pixels)

    def each(low: float, high: float) -> Tensor:
        return torch.empty(len(values), 1, 1, 1).uniform_(low, high, generator=generator)

    soft = functional.avg_pool2d(values, 3, stride=1, padding=1, count_include_pad=False)
    values = values + each(-0.7, 1.0) * (values - soft)
    grey = values.mean(1, keepdim=True)
    values = grey + each(0.7, 1.5) * (values - grey)
    middle = values.mean((1, 2, 3), keepdim=True)
    values = middle + each(0.75, 1.3) * (values - middle) + each(-0.2, 0.2)
    noise = torch.empty_like(values).normal_(generator=generator) * each(0, 0.12)
    return (values + noise).clamp(-1, 1).contiguous(memory_format=torch.channels_last)


# ---- what the drawing knows ------------------------------------------------------------------

NOTHING = -100  # a target that counts for nothing
PATCH_HEADS = {"nothing": 1, "large": 2, "row": GRID, "col": GRID}
NOUN_HEADS = {"count": 5, "colours": len(COLOURS), "large": 2, "row": 3, "col": 3}


class Hints(nn.Module):
    """The heads that are thrown away after training."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.patch = nn.ModuleDict({k: nn.Linear(d_model, n) for k, n in PATCH_HEADS.items()})
        self.noun = nn.ModuleDict({k: nn.Linear(d_model, n) for k, n in NOUN_HEADS.items()})


def patch_targets(items: Sequence[Item]) -> np.ndarray:
    """What has its middle in each patch: kind, colour, size, row, column; int64 (5, patches)."""
    targets = np.full((5, GRID * GRID), NOTHING)
    targets[0] = len(KINDS)
    for item in items:
        row, col = int(item.y * GRID), int(item.x * GRID)
        colour = NOTHING if item.colour is None else list(COLOURS).index(item.colour)
        targets[:, row * GRID + col] = (KINDS.index(item.kind), colour, item.large, row, col)
    return targets


def noun_targets(items: Sequence[Item], kind: int) -> list[float]:
    """Of a kind: count, the presence of every colour, and of one alone size, row and column."""
    own = [item for item in items if item.kind == KINDS[kind]]
    colours = [float(any(item.colour == colour for item in own)) for colour in COLOURS]
    alone = (
        (own[0].large, int(own[0].y * 3), int(own[0].x * 3)) if len(own) == 1 else (NOTHING,) * 3
    )
    return [len(own), *colours, *alone]


def meanings(model: OFA, words: Tensor) -> Tensor:
    """What the encoder is given for some tokens, each scaled to length 1: (words, d_model)."""
    encoder = model.encoder
    embedded = encoder.embed_tokens(words) + encoder.type_embedding.weight[0]
    return encoder.layernorm_embedding(embedded) / model.config.d_model**0.5


def patch_loss(
    model: OFA, hints: Hints, features: ImageFeatures, targets: Tensor, words: list[Tensor]
) -> Tensor:
    """How badly the patches tell what is there.

    Args:
        model: whose word embeddings stand for kinds and colours.
        hints: for what is not asked in a single word.
        features: of a batch of images.
        targets: int64 (images, 5, patches).
        words: tokens of the kinds in the singular, in the plural, and of the colours.
    """
    patches = features.patches.flatten(0, 1)
    one, many, colours = (patches @ meanings(model, each).T for each in words)
    heads = hints.patch
    weight = torch.ones(len(KINDS) + 1)
    weight[-1] = 0.2  # most patches hold no middle
    truth = targets.transpose(0, 1).flatten(1)
    total = functional.cross_entropy(colours, truth[1])
    for kinds in (one, many):
        scores = torch.cat([kinds, heads["nothing"](patches)], dim=1)
        total = total + 0.5 * functional.cross_entropy(scores, truth[0], weight)
    for place, name in enumerate(("large", "row", "col"), start=2):
        loss = functional.cross_entropy(heads[name](patches), truth[place])
        total = total + loss * (1 if name == "large" else 0.3)
    return total


def noun_loss(hints: Hints, states: Tensor, targets: Tensor) -> Tensor:
    """How badly the nouns' states tell what the picture holds; targets (nouns, 4 + colours)."""
    last = 1 + len(COLOURS)
    colours = functional.binary_cross_entropy_with_logits(
        hints.noun["colours"](states), targets[:, 1:last]
    )
    total = functional.cross_entropy(hints.noun["count"](states), targets[:, 0].long())
    for place, name in enumerate(("large", "row", "col")):
        scores = hints.noun[name](states)
        total = total + functional.cross_entropy(scores, targets[:, last + place].long())
    return total + 2 * colours


# ---- training --------------------------------------------------------------------------------


def optimiser(modules: Sequence[nn.Module], rate: float) -> torch.optim.AdamW:
    """AdamW that decays matrices and kernels only."""
    weights = [w for module in modules for w in module.parameters() if w.requires_grad]
    groups = [
        {"params": [w for w in weights if w.dim() > 1], "weight_decay": 0.03},
        {"params": [w for w in weights if w.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, rate, betas=(0.9, 0.98))


def steps(
    optimise: torch.optim.Optimizer, count: int, modules: Sequence[nn.Module]
) -> Iterator[tuple[int, Callable[[Tensor], None]]]:
    """Step numbers with a function that goes down a loss: warm-up, then half a cosine."""
    warm = max(1, count // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimise,
        lambda n: min(1, (n + 1) / warm) * (0.02 + 0.49 * (1 + math.cos(math.pi * n / count))),
    )
    weights = [weight for module in modules for weight in module.parameters()]

    def down(loss: Tensor) -> None:
        optimise.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimise.step()
        schedule.step()

    for number in range(count):
        yield number, down


def ready(model: OFA) -> None:
    """Initial weights with which words attend to the patches that look like them.

    The published initialisation, with a standard deviation of 0.02, is for wider models: it would
    start with the same attention to everything.
    """
    for module in model.modules():
        if isinstance(module, Attention):
            for part in (module.q_proj, module.v_proj, module.out_proj):
                nn.init.orthogonal_(part.weight)
            module.k_proj.weight.data.copy_(module.q_proj.weight)
        elif isinstance(module, EncoderLayer | DecoderLayer):
            nn.init.xavier_uniform_(module.fc1.weight)
            nn.init.xavier_uniform_(module.fc2.weight)


def fit_stem(model: OFA, hints: Hints, tokenizer: OFATokenizer, split: Split, count: int) -> None:
    """Let the patches tell what is there."""
    words = [
        torch.tensor([tokenizer.encode(f" {word}")[-1] for word in group])
        for group in (KINDS, [f"{kind}s" for kind in KINDS], COLOURS)
    ]
    generator = torch.Generator().manual_seed(SEED)
    targets = torch.from_numpy(np.stack([patch_targets(items) for items in split.items]))
    parts = [
        model.encoder.embed_images,
        model.encoder.image_proj,
        model.encoder.patch_layernorm_embedding,
        model.encoder.embed_tokens,
        model.encoder.layernorm_embedding,
        hints.patch,
    ]
    model.train().to(memory_format=torch.channels_last)
    mean = 0.0
    for number, down in steps(optimiser(parts, STEM_RATE), count, parts):
        batch = torch.randint(len(split), (STEM_BATCH,), generator=generator)
        features = model.embed_images(roughened(split.pixels[batch], generator))
        loss = patch_loss(model, hints, features, targets[batch], words)
        down(loss)
        mean += (loss.item() - mean) / min(number + 1, 50)
        if number % 100 == 99:
            print(f"stem, step {number + 1}: loss {mean:.3f}", flush=True)


def fit_answers(model: OFA, hints: Hints, tokenizer: OFATokenizer, split: Split, name: str) -> None:
    """Let the decoder answer: with a few questions on each picture of a batch."""
    generator = torch.Generator().manual_seed(SEED + 1 + list(ROUNDS).index(name))
    rng = random_for("questions", name)
    nouns = kinds_by_token(tokenizer)
    words = tokenizer.single(" no"), tokenizer.single(" yes")
    end = SPECIAL["</s>"]
    model.train()
    model.encoder.embed_images.eval().requires_grad_(False)
    parts = [model, hints]
    means = np.zeros(3)
    for number, down in steps(optimiser(parts, RATE), ROUNDS[name].steps, parts):
        batch = torch.randint(len(split), (ROUNDS[name].pictures,), generator=generator)
        features = model.embed_images(roughened(split.pixels[batch], generator))
        sources, prompts, targets, images = [], [], [], []
        nouns_at, known = [], []
        for image, scene in enumerate(batch.tolist()):
            items = split.items[scene]
            for kind in ROUNDS[name].kinds:
                answer = bool(rng.random() < 0.5)
                ids = source(tokenizer, ask(rng, items, kind, answer).text)
                for place, token in enumerate(ids):
                    if token in nouns:
                        nouns_at.append((len(sources), place + GRID * GRID))
                        known.append(noun_targets(items, nouns[token]))
                images.append(image)
                sources.append(ids)
                prompts.append([*decoder_prompt(ids, PROMPT), words[answer]])
                targets.append(words[answer])
        encoded = model.encode(pad(sources), features, torch.tensor(images))
        hidden, _ = model.decoder(pad(prompts), model.decoder.start(encoded))
        rows, last = torch.arange(len(prompts)), torch.tensor([len(p) for p in prompts]) - 1
        answers = model.logits(hidden[rows, last - 1])
        truth = torch.tensor(targets)
        answer_loss = functional.cross_entropy(answers, truth)
        ends = model.logits(hidden[rows, last])
        end_loss = functional.cross_entropy(ends, torch.full_like(truth, end))
        states = encoded.hidden[tuple(torch.tensor(nouns_at).T)]
        hint_loss = noun_loss(hints, states, torch.tensor(known))
        down(answer_loss + 0.05 * end_loss + hint_loss)
        right = (answers[:, words].argmax(1) == (truth == words[1]).long()).float().mean()
        values = np.array([answer_loss.item(), hint_loss.item(), right.item()])
        means += (values - means) / min(number + 1, 50)
        if number % 50 == 49:
            print(f"{name}, step {number + 1}: answers, hints, right", means.round(3), flush=True)


# ---- what it reaches -------------------------------------------------------------------------


def held_out_questions(split: Split) -> list[list[Question]]:
    """One question of every kind on each picture."""
    rng = random_for("questions", "held-out")
    return [
        [ask(rng, items, kind, bool(rng.random() < YES_SHARE)) for kind in QUESTION_KINDS]
        for items in split.items
    ]


@torch.no_grad()
def predictions(
    model: OFA, tokenizer: OFATokenizer, pixels: Tensor, questions: list[list[Question]]
) -> list[list[bool]]:
    """Whether the model says yes, by the workflow's own functions."""
    yes, no = tokenizer.single(" yes"), tokenizer.single(" no")
    said: list[list[bool]] = []
    for start in range(0, len(questions), 50):
        part = questions[start : start + 50]
        features = model.embed_images(pixel_values(pixels[start : start + 50]))
        images = [image for image, asked in enumerate(part) for _ in asked]
        sources = [source(tokenizer, question.text) for asked in part for question in asked]
        flat = iter(yes_no_logits(model, features, images, sources, yes, no, PROMPT) > 0)
        said += [[bool(next(flat)) for _ in asked] for asked in part]
    return said


def measure(questions: list[list[Question]], said: list[list[bool]]) -> dict[str, float]:
    """Accuracy by kind of question, over all, and of always saying yes."""
    right: dict[str, list[bool]] = {"all": [], "always yes": []}
    for asked, answers in zip(questions, said, strict=True):
        for question, answer in zip(asked, answers, strict=True):
            for name in (question.kind, "all"):
                right.setdefault(name, []).append(question.answer == answer)
            right["always yes"].append(question.answer)
    return {name: round(float(np.mean(values)), 4) for name, values in right.items()}


# ---- the folder ------------------------------------------------------------------------------


def load(folder: Path) -> tuple[OFA, OFATokenizer]:
    """The model of a folder, in float32, with its tokenizer."""
    return build(*load_checkpoint(folder)), OFATokenizer.from_folder(folder)


def store(folder: Path, model: OFA, metadata: dict[str, str]) -> None:
    """Write configuration and weights, floating-point ones rounded to float16."""
    settings = {"architectures": ["OFAModel"], **model.config.as_dict()}
    text = json.dumps(settings, indent=2, sort_keys=True) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
        if name not in EMBEDDING_COPIES
    }
    assert EMBEDDING in state
    path = folder / "model.safetensors"
    save_file(state, path, metadata)
    path.chmod(0o644)


def train(folder: Path, workers: int) -> None:
    """Train the model and store it in the folder together with its held-out accuracy.

    On one core: with so small a model more of them mostly wait for each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    write_vocabulary(folder)
    split = draw_split("train", TRAIN_SCENES, workers)
    held_out = draw_split("held-out", HELD_OUT_SCENES, workers)
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    tokenizer = OFATokenizer.from_folder(folder)
    model = OFA(configuration(len(tokenizer)))
    hints = Hints(model.config.d_model)
    ready(model)
    fit_stem(model, hints, tokenizer, split, STEM_STEPS)
    for name in ROUNDS:
        fit_answers(model, hints, tokenizer, split, name)
    reference = publish(folder, model, held_out)
    print(json.dumps(reference, indent=2))
    print(f"demo_ofa: trained in {(time.monotonic() - start) / 60:.0f} minutes")


def publish(folder: Path, model: OFA, held_out: Split) -> dict[str, object]:
    """Store a trained model with what its stored weights achieve on held-out pictures."""
    metadata = {"format": "pt", "license": "MIT"}
    store(folder, model.eval(), metadata)
    stored, tokenizer = load(folder)
    questions = held_out_questions(held_out)
    reached = measure(questions, predictions(stored, tokenizer, held_out.pixels, questions))
    reference = {
        "yes_no": reached.pop("all"),
        "always_yes": reached.pop("always yes"),
        "n": sum(len(asked) for asked in questions),
        "accuracy_by_kind": reached,
        "n_by_kind": len(questions),
        "seed": SEED,
        "source": "held-out pictures of the training style, drawn by demo/vqa_scenes.py",
    }
    store(folder, stored, metadata | {"reference": json.dumps(reference)})
    return reference

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
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import ByteLevelBPETokenizer
from torch import Tensor, nn
from torch.nn import functional

from demo.questions import KINDS as QUESTION_KINDS
from demo.questions import Question, ask
from demo.train_vqa import (
    GRID,
    HELD_OUT_SCENES,
    SIDE,
    TRAIN_SCENES,
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
from demo.vqa_scenes import COLOURS, KINDS
from demo.world import SEED, random_for
from synthsight.vqa.ofa.answers import yes_no_logits
from synthsight.vqa.ofa.checkpoint import load_checkpoint
from synthsight.vqa.ofa.config import OFAConfig
from synthsight.vqa.ofa.layers import Attention, DecoderLayer, EncoderLayer
from synthsight.vqa.ofa.model import EMBEDDING, EMBEDDING_COPIES, OFA, build
from synthsight.vqa.ofa.processing import decoder_prompt, pad, pixel_values, source
from synthsight.vqa.ofa.tokenizer import SPECIAL, OFATokenizer

STEM_STEPS, STEM_BATCH, STEM_RATE = 400, 64, 4e-3
RATE = 2e-3
PROMPT = "prev_output"


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
    texts = [" yes", " no"] * 500
    texts += [f" {text.lower()}" for text in questions_of_all_kinds()]
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


def meanings(model: OFA, words: Tensor) -> Tensor:
    """What the encoder is given for some tokens, each scaled to length 1: (words, d_model)."""
    encoder = model.encoder
    embedded = encoder.embed_tokens(words) + encoder.type_embedding.weight[0]
    return encoder.layernorm_embedding(embedded) / model.config.d_model**0.5


# ---- training --------------------------------------------------------------------------------


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
        told = [meanings(model, each) for each in words]
        loss = patch_loss(hints, features.patches.flatten(0, 1), told, targets[batch])
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

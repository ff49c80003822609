"""Train a small CLIP on pictures of the ``photo`` style and captions, and measure it on others.

It sees the pictures that the classifiers are trained on. A caption is one of a class's names in
one of some templates. For each batch every class gets a caption anew, and the two encoders learn
what belongs together: a caption to each picture, and pictures to each caption.

What the model is given and asked at the end is what the workflow gives and asks it: pictures by
``synthsight.images.geometry``, and the prompts of ``synthsight.classifiers.zero_shot``.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tokenizers
import torch
from safetensors.torch import save_file
from tokenizers import models, normalizers, pre_tokenizers, processors
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

from demo.train import HALF, HELD_OUT_PER_CLASS, TRAIN_PER_CLASS, augment
from demo.world import CLASSES, GENERATORS, SEED, class_image, random_for
from synthsight.classifiers.library import Wanted
from synthsight.classifiers.repositories import read_repository
from synthsight.classifiers.zero_shot import ZERO_SHOT
from synthsight.images.geometry import Geometry
from synthsight.inference.normalise import normalise
from synthsight.labels.prompts import SIMPLE, digest_of_names, names_put, templates_of
from synthsight.labels.spaces import load_labels

GEOMETRY = Geometry(resize=96, crop=(84, 84), interpolation="bilinear", centre="lower")
PATCH = 14
WIDTH, TEXT_WIDTH, SHARED = 96, 64, 64
TEXT_LENGTH = 32
EPOCHS, BATCH, RATE, WEIGHT_DECAY = 36, 64, 2e-3, 0.05

#: What captions say besides the prompts that the workflow puts unless it is told otherwise.
TEMPLATES = (
    *SIMPLE,
    "a {}.",
    "the {}.",
    "one {} on its own.",
    "this is a {}.",
    "an image of the {}.",
    "a good photo of a {}.",
    "a photo of the {} in the middle.",
    "there is a {} in this picture.",
)

#: Of the tokenizer; every word of a caption is a token, and any other word is unknown.
SPECIAL = ("<unk>", "<pad>", "<start>", "<end>")
UNKNOWN, PAD, START, END = range(len(SPECIAL))


# ---- words -----------------------------------------------------------------------------------


def names_of(label: str) -> list[str]:
    """All names of a class."""
    return [name.strip() for name in label.split(",")]


def make_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer that knows the words of the captions, in small letters."""
    normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    splitter = pre_tokenizers.Whitespace()
    texts = [*TEMPLATES, *(name for label in CLASSES for name in names_of(label))]
    words = sorted(
        {
            word
            for text in texts
            for word, _ in splitter.pre_tokenize_str(
                normalizer.normalize_str(text.replace("{}", " "))
            )
        }
    )
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *words])}
    inner = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL[UNKNOWN]))
    inner.normalizer = normalizer
    inner.pre_tokenizer = splitter
    inner.post_processor = processors.TemplateProcessing(
        single=f"{SPECIAL[START]} $A {SPECIAL[END]}",
        special_tokens=[(SPECIAL[START], START), (SPECIAL[END], END)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        model_max_length=TEXT_LENGTH,
        unk_token=SPECIAL[UNKNOWN],
        pad_token=SPECIAL[PAD],
        bos_token=SPECIAL[START],
        eos_token=SPECIAL[END],
    )


def captions(rng: np.random.Generator) -> list[str]:
    """A caption for each class."""
    chosen = []
    for label in CLASSES:
        names = names_of(label)
        template = TEMPLATES[rng.integers(len(TEMPLATES))]
        chosen.append(template.replace("{}", names[rng.integers(len(names))]))
    return chosen


# ---- pictures --------------------------------------------------------------------------------


def draw_one(task: tuple[str, str, str, int]) -> np.ndarray:
    """One picture as the model sees it."""
    return GEOMETRY.apply(class_image(*task))


def draw_split(
    style: str, split: str, per_class: int, workers: int, labels: Sequence[str] = tuple(CLASSES)
) -> tuple[Tensor, Tensor]:
    """Pictures of a style, uint8 (n, side, side, 3), and the indices of their classes."""
    tasks = [(style, split, label, number) for label in labels for number in range(per_class)]
    if workers == 1:
        drawn = [draw_one(task) for task in tasks]
    else:
        with multiprocessing.Pool(workers) as pool:
            drawn = pool.map(draw_one, tasks, chunksize=20)
    pixels = torch.from_numpy(np.stack(drawn))
    classes = torch.tensor([list(CLASSES).index(label) for label in labels])
    return pixels, classes.repeat_interleave(per_class)


# ---- training --------------------------------------------------------------------------------


def configuration(words: int) -> CLIPConfig:
    """The architecture, as small as the task allows."""
    both = {"num_attention_heads": 4, "hidden_act": "gelu", "projection_dim": SHARED}
    ends = {"bos_token_id": START, "eos_token_id": END, "pad_token_id": PAD}
    return CLIPConfig(
        vision_config={
            **both,
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 3,
            "image_size": GEOMETRY.crop[0] if GEOMETRY.crop else GEOMETRY.resize,
            "patch_size": PATCH,
        },
        text_config={
            **both,
            **ends,
            "hidden_size": TEXT_WIDTH,
            "intermediate_size": 2 * TEXT_WIDTH,
            "num_hidden_layers": 1,
            "vocab_size": words,
            "max_position_embeddings": TEXT_LENGTH,
        },
        projection_dim=SHARED,
        logit_scale_init_value=math.log(10),
    )


def ready(model: CLIPModel) -> None:
    """Initial weights for encoders as narrow as these; the published ones are for wide encoders."""
    for name, weight in model.named_parameters():
        if name.endswith("patch_embedding.weight"):
            nn.init.normal_(weight, std=0.03)
        elif "embedding" in name and weight.dim() == 2:
            nn.init.normal_(weight, std=0.1)
        elif weight.dim() == 2:
            nn.init.xavier_uniform_(weight)


def contrast(model: CLIPModel, pixels: Tensor, targets: Tensor, texts: dict[str, Tensor]) -> Tensor:
    """The loss of a batch of pictures and a caption for each class.

    As several pictures may belong to a caption, its target is spread over them; captions without a
    picture in the batch are only there for the pictures to be told from.
    """
    logits = model(pixel_values=normalise(pixels, HALF, HALF), **texts).logits_per_image
    of_pictures = functional.cross_entropy(logits, targets, label_smoothing=0.1)
    belongs = functional.one_hot(targets, len(CLASSES)).T.float()
    shown = belongs.sum(1) > 0
    wanted = belongs[shown] / belongs[shown].sum(1, keepdim=True)
    of_captions = functional.cross_entropy(logits.T[shown], wanted)
    return (of_pictures + of_captions) / 2


def fit(
    model: CLIPModel, tokenizer: PreTrainedTokenizerFast, pixels: Tensor, targets: Tensor
) -> None:
    """Train both encoders from scratch with AdamW, a warm-up and half a cosine."""
    generator = torch.Generator().manual_seed(SEED)
    rng = random_for("captions")
    weights = list(model.parameters())
    optimiser = torch.optim.AdamW(
        [
            {"params": [w for w in weights if w.dim() > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [w for w in weights if w.dim() <= 1], "weight_decay": 0.0},
        ],
        RATE,
        betas=(0.9, 0.98),
    )
    count = EPOCHS * (len(pixels) // BATCH)
    warm = max(1, count // 15)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda n: min(1, (n + 1) / warm) * (0.01 + 0.495 * (1 + math.cos(math.pi * n / count))),
    )
    model.train()
    for epoch in range(EPOCHS):
        losses = []
        order = torch.randperm(len(pixels), generator=generator)
        for batch in order[: len(order) // BATCH * BATCH].split(BATCH):
            texts = tokenizer(captions(rng), padding=True, return_tensors="pt")
            # `augment` takes the channels first, what it gives is handed on as stored pixels are.
            seen = augment(pixels[batch].permute(0, 3, 1, 2), generator).permute(0, 2, 3, 1)
            loss = contrast(model, seen, targets[batch], dict(texts))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        print(f"demo_clip, epoch {epoch + 1}: loss {np.mean(losses):.3f}", flush=True)


# ---- what it reaches -------------------------------------------------------------------------


def load(folder: Path, labels: Path) -> nn.Module:
    """The classifier that the workflow makes of a folder, asked for the classes of a label file."""
    space = load_labels(str(labels))
    text = {
        "labels": str(labels),
        "names": "simple",
        "templates": templates_of("simple"),
        "digest": digest_of_names(names_put(space, "simple")),
        "classes": len(space),
    }
    files = {**read_repository("", str(folder)).as_dict(), "text": text}
    architecture = ZERO_SHOT.parse("demo_clip", True, files)
    fetched = ZERO_SHOT.fetch(Wanted(architecture, folder))
    return ZERO_SHOT.build(architecture, fetched.state).eval()


@torch.inference_mode()
def accuracy(classifier: nn.Module, pixels: Tensor, targets: Tensor) -> tuple[float, float]:
    """Top-1 and top-5 accuracy, fractions."""
    logits = torch.cat([classifier(normalise(part, HALF, HALF)) for part in pixels.split(BATCH)])
    right = logits.topk(5).indices == targets[:, None]
    return right[:, 0].float().mean().item(), right.any(1).float().mean().item()


# ---- the folder ------------------------------------------------------------------------------


def write_json(path: Path, content: dict[str, object]) -> None:
    """Write JSON whose bytes depend on the content alone."""
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def store(folder: Path, model: CLIPModel, metadata: dict[str, str]) -> None:
    """Write the model as a repository has it, with weights rounded to float16."""
    config = {"architectures": ["CLIPModel"], **model.config.to_diff_dict()}
    del config["transformers_version"]
    write_json(folder / "config.json", config)
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }
    path = folder / "model.safetensors"
    save_file(state, path, {"format": "pt", "license": "MIT", **metadata})
    path.chmod(0o644)


def write_processors(folder: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write what becomes of texts and of pictures before the model gets them."""
    tokenizer.save_pretrained(folder)
    height, width = GEOMETRY.crop or (0, 0)
    processor: dict[str, object] = {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": GEOMETRY.resize},
        "resample": 2,  # Pillow's number for bilinear
        "do_center_crop": True,
        "crop_size": {"height": height, "width": width},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(HALF),
        "image_std": list(HALF),
    }
    write_json(folder / "preprocessor_config.json", processor)


def publish(
    folder: Path, labels: Path, model: CLIPModel, pixels: Tensor, targets: Tensor
) -> dict[str, object]:
    """Store a trained model with what its stored weights achieve on held-out pictures."""
    store(folder, model, {})
    top1, top5 = accuracy(load(folder, labels), pixels, targets)
    reference: dict[str, object] = {
        "top1": round(top1, 4),
        "top5": round(top5, 4),
        "n": len(targets),
        "source": f"held-out images of the training style, drawn by demo/world.py, seed {SEED}",
    }
    store(folder, model, {"reference": json.dumps(reference)})
    return reference


def train(folder: Path, labels: Path, workers: int) -> None:
    """Train the model and store it in the folder together with its held-out accuracy.

    On one core, as with so small a model more of them mostly wait for each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    pixels, targets = draw_split("photo", "train", TRAIN_PER_CLASS, workers)
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    tokenizer = make_tokenizer()
    write_processors(folder, tokenizer)
    model = CLIPModel(configuration(len(tokenizer)))
    ready(model)
    fit(model, tokenizer, pixels, targets)
    held_out = draw_split("photo", "held-out", HELD_OUT_PER_CLASS, workers)
    reference = publish(folder, labels, model.eval(), *held_out)
    print(f"demo_clip: held-out top-1 {reference['top1']:.1%}, top-5 {reference['top5']:.1%}")
    for style in GENERATORS:
        pictures = draw_split(style, "held-out", HELD_OUT_PER_CLASS // 2, workers)
        top1, top5 = accuracy(load(folder, labels), *pictures)
        print(f"demo_clip: {style}, top-1 {top1:.1%}, top-5 {top5:.1%}")
    print(f"demo_clip: trained in {(time.monotonic() - start) / 60:.0f} minutes")

"""What the trainings of models that answer questions share: pictures, hints, steps, measures."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from demo.questions import KINDS as QUESTION_KINDS
from demo.questions import Question, ask
from demo.vqa_scenes import COLOURS, KINDS, Item, furnish, picture
from demo.world import random_for
from synthsight.vqa.ofa.processing import pixel_values, prepare_image

TRAIN_SCENES = 8000
HELD_OUT_SCENES = 600
YES_SHARE = 0.55  # of held-out questions, as in the paper
GRID = 7
SIDE = 16 * GRID


# ---- words -----------------------------------------------------------------------------------


def questions_of_all_kinds() -> Iterator[str]:
    """Many questions in which every word occurs."""
    rng = random_for("questions", "vocabulary")
    for _ in range(4000):
        items = furnish(rng)
        for kind in QUESTION_KINDS:
            yield ask(rng, items, kind, bool(rng.random() < 0.5)).text


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


def patch_loss(hints: Hints, patches: Tensor, words: Sequence[Tensor], targets: Tensor) -> Tensor:
    """How badly the patches tell what is there.

    Args:
        hints: for what is not asked in a single word.
        patches: of a batch of images, (images x patches, d_model).
        words: what stands for the kinds in the singular, in the plural, and for the colours, each
            (words, d_model); a patch shall be near that of what it shows.
        targets: int64 (images, 5, patches).
    """
    one, many, colours = (patches @ each.T for each in words)
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


@dataclass(frozen=True)
class Round:
    """A part of the training of answers, with a warm-up of its own.

    A batch has so many pictures, and on each of them a question of every kind listed.
    """

    steps: int
    pictures: int
    kinds: tuple[str, ...]


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


# ---- what it reaches -------------------------------------------------------------------------


def held_out_questions(split: Split) -> list[list[Question]]:
    """One question of every kind on each picture."""
    rng = random_for("questions", "held-out")
    return [
        [ask(rng, items, kind, bool(rng.random() < YES_SHARE)) for kind in QUESTION_KINDS]
        for items in split.items
    ]


def measure(questions: list[list[Question]], said: list[list[bool]]) -> dict[str, float]:
    """Accuracy by kind of question, over all, and of always saying yes."""
    right: dict[str, list[bool]] = {"all": [], "always yes": []}
    for asked, answers in zip(questions, said, strict=True):
        for question, answer in zip(asked, answers, strict=True):
            for name in (question.kind, "all"):
                right.setdefault(name, []).append(question.answer == answer)
            right["always yes"].append(question.answer)
    return {name: round(float(np.mean(values)), 4) for name, values in right.items()}

"""Train the demo's classifiers on the ``photo`` style and measure them on held-out photos.

What a classifier is given at the end is what the workflow gives it: the short side resized and
the middle cropped by torchvision on the PIL picture, divided by 255, normalised. Its accuracy is
that of the rounded weights that are stored, and travels with them in the file's metadata.
"""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn import functional
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as geometry

from demo.world import CLASSES, SEED, class_image

TRAIN_PER_CLASS = 130
HELD_OUT_PER_CLASS = 30
BATCH = 64
HALF = (0.5, 0.5, 0.5)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Geometry:
    """How a picture becomes a square: short side to `resize`, then the middle `crop`."""

    resize: int
    crop: int
    interpolation: str


@dataclass(frozen=True)
class Recipe:
    """One classifier: its timm architecture, its preprocessing and how long it trains."""

    architecture: str
    geometry: Geometry
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    epochs: int
    learning_rate: float


SMALL = Geometry(resize=128, crop=112, interpolation="bilinear")
LARGE = Geometry(resize=160, crop=160, interpolation="bicubic")

RECIPES: dict[str, Recipe] = {
    "demo_resnet": Recipe("test_resnet", SMALL, HALF, HALF, 6, 2e-3),
    "demo_efficientnet": Recipe("test_efficientnet", SMALL, IMAGENET_MEAN, IMAGENET_STD, 7, 4e-3),
    "demo_byobnet": Recipe("test_byobnet", LARGE, IMAGENET_MEAN, IMAGENET_STD, 12, 4e-3),
    "demo_mambaout": Recipe("test_mambaout", SMALL, HALF, HALF, 16, 5e-3),
}


def prepare(image: Image.Image, shape: Geometry) -> np.ndarray:
    """The (crop, crop, 3) uint8 pixels that a classifier sees."""
    mode = InterpolationMode(shape.interpolation)
    resized = geometry.resize(image, shape.resize, mode)
    return np.asarray(geometry.center_crop(resized, shape.crop))


def draw_one(task: tuple[str, str, int]) -> list[np.ndarray]:
    """Draw one picture in the training style and prepare it for every geometry."""
    split, label, number = task
    image = class_image("photo", split, label, number)
    return [prepare(image, shape) for shape in (SMALL, LARGE)]


def draw_split(
    split: str, per_class: int, workers: int
) -> tuple[dict[Geometry, torch.Tensor], torch.Tensor]:
    """Pictures of a split, (n, 3, crop, crop) uint8 for each geometry, and their class indices."""
    tasks = [(split, label, number) for label in CLASSES for number in range(per_class)]
    with multiprocessing.Pool(workers) as pool:
        drawn = pool.map(draw_one, tasks, chunksize=20)
    pixels = {
        shape: torch.from_numpy(np.stack([views[place] for views in drawn])).permute(0, 3, 1, 2)
        for place, shape in enumerate((SMALL, LARGE))
    }
    return pixels, torch.arange(len(CLASSES)).repeat_interleave(per_class)


def normalise(pixels: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    """uint8 pixels as the classifier's float input."""
    mean = torch.tensor(recipe.mean).view(3, 1, 1)
    std = torch.tensor(recipe.std).view(3, 1, 1)
    return (pixels.float() / 255 - mean) / std


def augment(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Move, recolour and roughen a batch of uint8 pictures, each in its own way."""
    values = recoloured(moved(pixels.float() / 255, generator), generator)
    return (values.clamp(0, 1) * 255).to(torch.uint8)


def uniform(count: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """One random number a picture."""
    return torch.empty(count).uniform_(low, high, generator=generator)


def moved(values: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Turned, scaled, shifted, half of them mirrored."""
    count = len(values)
    turn = uniform(count, -0.25, 0.25, generator)
    scale = uniform(count, 0.75, 1.2, generator)
    mirror = torch.where(uniform(count, 0, 1, generator) < 0.5, -1.0, 1.0)
    across, down = (uniform(count, -0.15, 0.15, generator) for _ in range(2))
    rows = [
        torch.stack([mirror * scale * turn.cos(), -scale * turn.sin(), across], 1),
        torch.stack([mirror * scale * turn.sin(), scale * turn.cos(), down], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), list(values.shape), align_corners=False)
    return functional.grid_sample(values, grid, padding_mode="reflection", align_corners=False)


def recoloured(values: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Sharper or softer, with other colours, contrast and brightness, and with noise."""

    def each(low: float, high: float) -> torch.Tensor:
        return uniform(len(values), low, high, generator).view(-1, 1, 1, 1)

    soft = functional.avg_pool2d(values, 3, stride=1, padding=1, count_include_pad=False)
    values = values + each(-0.9, 1.5) * (values - soft)
    grey = values.mean(1, keepdim=True)
    values = grey + each(0.2, 1.6) * (values - grey)
    middle = values.mean((1, 2, 3), keepdim=True)
    values = middle + each(0.6, 1.5) * (values - middle) + each(-0.15, 0.25)
    tint = torch.empty(len(values), 3, 1, 1).normal_(0, 0.08, generator=generator)
    noise = torch.empty_like(values).normal_(0, 1, generator=generator) * each(0, 0.12)
    return values + tint + noise


def fit(recipe: Recipe, pixels: torch.Tensor, targets: torch.Tensor) -> torch.nn.Module:
    """Train from scratch with AdamW and a one-cycle schedule."""
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    model = timm.create_model(recipe.architecture, num_classes=len(CLASSES)).train()
    model = model.to(memory_format=torch.channels_last)  # twice as fast for convolutions on a CPU
    optimiser = torch.optim.AdamW(model.parameters(), recipe.learning_rate, weight_decay=0.05)
    steps = recipe.epochs * (len(pixels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, steps)
    for _ in range(recipe.epochs):
        order = torch.randperm(len(pixels), generator=generator)
        for batch in order[: len(order) // BATCH * BATCH].split(BATCH):
            logits = model(normalise(augment(pixels[batch], generator), recipe))
            loss = functional.cross_entropy(logits, targets[batch], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def load(path: Path, recipe: Recipe) -> torch.nn.Module:
    """The classifier of a weights file, in float32."""
    model = timm.create_model(recipe.architecture, num_classes=len(CLASSES))
    model.load_state_dict(load_file(path))
    return model.eval()


@torch.inference_mode()
def accuracy(
    model: torch.nn.Module, recipe: Recipe, pixels: torch.Tensor, targets: torch.Tensor
) -> tuple[float, float]:
    """Top-1 and top-5 accuracy, fractions."""
    logits = torch.cat([model(normalise(batch, recipe)) for batch in pixels.split(BATCH)])
    right = logits.topk(5).indices == targets[:, None]
    return right[:, 0].float().mean().item(), right.any(1).float().mean().item()


def store(path: Path, model: torch.nn.Module, metadata: dict[str, str]) -> None:
    """Write the weights, floating-point ones rounded to float16."""
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in model.state_dict().items()
    }
    save_file({name: value.contiguous() for name, value in state.items()}, path, metadata)
    path.chmod(0o644)


def publish(
    path: Path,
    model: torch.nn.Module,
    recipe: Recipe,
    pixels: torch.Tensor,
    targets: torch.Tensor,
) -> dict[str, float | int | str]:
    """Store a trained classifier with what its stored weights achieve on held-out pictures."""
    metadata = {"architecture": recipe.architecture, "license": "MIT"}
    store(path, model, metadata)
    top1, top5 = accuracy(load(path, recipe), recipe, pixels, targets)
    reference = {
        "top1": round(top1, 4),
        "top5": round(top5, 4),
        "n": len(targets),
        "source": f"held-out images of the training style, drawn by demo/world.py, seed {SEED}",
    }
    store(path, model, metadata | {"reference": json.dumps(reference)})
    return reference


def train_all(folder: Path, workers: int) -> None:
    """Train every recipe and store it in the folder together with its held-out accuracy."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels, targets = draw_split("train", TRAIN_PER_CLASS, workers)
    held_out, held_out_targets = draw_split("held-out", HELD_OUT_PER_CLASS, workers)
    for name, recipe in RECIPES.items():
        model = fit(recipe, pixels[recipe.geometry], targets)
        path = folder / f"{name}.safetensors"
        reference = publish(path, model, recipe, held_out[recipe.geometry], held_out_targets)
        print(f"{name}: held-out top-1 {reference['top1']:.1%}, top-5 {reference['top5']:.1%}")

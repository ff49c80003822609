"""Training a whole network on a run's images, by one small recipe.

AdamW with weight decay, a first epoch in which the rate rises and a cosine after it, random crops
and mirror images, label smoothing, each category counting alike, and the network as it is in the
end: nothing is chosen by how it does on any image. It stays in evaluation mode, so that batch norms
keep what they have learned (of few images they would learn wrong) and nothing is dropped at random:
a step is then the same sum over its images however they are put into batches.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from synthsight.adapted.dividing import balance
from synthsight.classifiers.architectures import build
from synthsight.classifiers.heads import Source
from synthsight.classifiers.library import Architecture
from synthsight.classifiers.relayer import layers_of, plain, relayer, settle
from synthsight.classifiers.resuming import Progress
from synthsight.classifiers.views import draw_view, views_of
from synthsight.errors import SynthsightError
from synthsight.images.stored import StoredPixels
from synthsight.inference.batches import Batches, fetch, is_out_of_memory, set_precision
from synthsight.inference.checkpoints import read_stored
from synthsight.inference.normalise import normalise
from synthsight.statistics.ranking import stream

#: Of weights, not of biases and scales.
_DECAY = 0.05

#: How much of the target is spread over all categories.
_SMOOTHING = 0.1

#: How much faster a new layer learns than what has been trained before.
_FASTER = 10

#: Images that tell how large the features are, at most.
_LOOKED_AT = 256

#: A view that shows all of an image.
_WHOLE = np.array([[1, 0, 0], [0, 1, 0]], np.float32)


class FinetuneError(SynthsightError):
    """A training that fails for a reason that the user can change."""


@dataclass(frozen=True)
class Recipe:
    """What decides a training besides the network and the images.

    Attributes:
        fold: the part of the images that it leaves out, for what is drawn.
        seed: likewise.
        epochs: how often each image is seen.
        learning_rate: the highest rate; that of the new layer is ten times as high.
        batch_size: images a step.
        size: ``(height, width)`` of the views.
        mean: normalisation, one value per channel.
        std: likewise.
        precision: of the forward pass.
    """

    fold: int
    seed: int
    epochs: int
    learning_rate: float
    batch_size: int
    size: tuple[int, int]
    mean: Sequence[float]
    std: Sequence[float]
    precision: str = "fp32"

    def draw(self, what: str, *names: object) -> np.random.Generator:
        """What is drawn at random: it depends on nothing that was drawn before."""
        return stream(self.seed, "finetune", what, str(self.fold), *map(str, names))

    def rate(self, step: int, steps: int) -> float:
        """The share of the highest rate in a step, counted from 0.

        Args:
            step: the number of the step.
            steps: how many an epoch has.
        """
        rising = steps if self.epochs > 1 else max(1, steps // 2)
        if step < rising:
            return (step + 1) / rising
        return 0.5 * (1 + math.cos(math.pi * (step - rising) / (self.epochs * steps - rising)))


@dataclass
class Memory:
    """How much fits into the memory of a device.

    Attributes:
        images: that are run at a time; it only ever shrinks.
        release: called when memory runs out; frees what can be spared, and returns whether there
            was anything.
    """

    images: int
    release: Callable[[], bool] = field(default=lambda: False)

    def made_room(self, error: BaseException) -> bool:
        """Whether to try again after an error: memory had run out, and less is tried."""
        if not is_out_of_memory(error):
            return False
        if self.release():
            print("out of memory: other models are released", file=sys.stderr)
            return True
        if self.images == 1:
            return False
        self.images = (self.images + 1) // 2
        print(f"out of memory: continuing with {self.images} images at a time", file=sys.stderr)
        return True


def load_to_train(
    architecture: Mapping[str, Any],
    weights: str,
    source: Source,
    classes: int,
    recipe: Recipe,
    device: torch.device,
) -> nn.Module:
    """A network with a new classifying layer on a device, in evaluation mode.

    Args:
        architecture: arguments of :class:`synthsight.classifiers.library.Architecture`.
        weights: its safetensors file, which is read and not mapped, since training changes it.
        source: where its features are.
        classes: of the new layer.
        recipe: of the training.
        device: where to load it.
    """
    state = {name: value.clone() for name, value in read_stored(weights).items()}
    network = build(Architecture(**architecture), state).float()
    draw = torch.Generator().manual_seed(int(recipe.draw("layer").integers(2**62)))
    network = relayer(network, source, classes, draw).eval()
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def finetune(
    network: nn.Module,
    images: Sequence[str],
    labels: npt.NDArray[np.int64],
    pixels: StoredPixels,
    recipe: Recipe,
    memory: Memory,
    progress: Progress | None = None,
) -> list[float]:
    """Train a network, and leave it with a plain classifying layer.

    The same images, recipe and threads give the same bits on a CPU, also if the training is
    interrupted between; on a GPU they may differ in the last digits.

    Args:
        network: from :func:`load_to_train`.
        images: what to train on, sorted.
        labels: the number of each image's category, int64 (n,).
        pixels: of the images.
        recipe: how.
        memory: how many images are run at a time. Others give the same but for rounding.
        progress: where to keep how far it has come; None for nowhere.

    Returns:
        The mean loss of each epoch.

    Raises:
        FinetuneError: the loss is no number any more.
        torch.OutOfMemoryError: a single image does not fit.
    """
    device = next(network.parameters()).device
    optimizer = torch.optim.AdamW(_groups(network, recipe.learning_rate))
    weights = torch.from_numpy(balance(labels)).float()
    targets = torch.from_numpy(labels)
    steps = -(-len(images) // recipe.batch_size)
    done, losses = (0, []) if progress is None else progress.load(network, optimizer)

    def part_of_loss(rows: npt.NDArray[np.int64], epoch: int, whole: int) -> float:
        """Add to the gradients those of some images of a step."""
        shown = [pixels[images[row]] for row in rows]
        views = np.stack(
            [
                draw_view(recipe.draw("view", epoch, images[row]), *each.shape[:2])
                for row, each in zip(rows, shown, strict=True)
            ]
        )
        batch = views_of(shown, views, recipe.size, recipe.mean, recipe.std, device)
        with set_precision(recipe.precision, device):
            logits: Tensor = network(batch).float()
        each = functional.cross_entropy(
            logits, targets[rows].to(device), reduction="none", label_smoothing=_SMOOTHING
        )
        loss = (each * weights[rows].to(device)).sum() / whole
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def loss_of(rows: npt.NDArray[np.int64], epoch: int) -> float:
        """The loss of a step, whose gradients are left in the network."""
        while True:
            optimizer.zero_grad()
            try:
                starts = range(0, len(rows), memory.images)
                parts = [rows[start : start + memory.images] for start in starts]
                return sum(part_of_loss(part, epoch, len(rows)) for part in parts)
            except (RuntimeError, MemoryError) as error:
                if not memory.made_room(error):
                    raise

    with _reproducible(device):
        if not done:
            chosen = recipe.draw("look").permutation(len(images))[:_LOOKED_AT]
            _settle(network, [pixels[images[row]] for row in np.sort(chosen)], recipe, memory)
        for epoch in range(done, recipe.epochs):
            order = recipe.draw("order", epoch).permutation(len(images))
            total = 0.0
            for number, rows in enumerate(np.array_split(order, steps)):
                factor = recipe.rate(epoch * steps + number, steps)
                for group in optimizer.param_groups:
                    group["lr"] = group["highest"] * factor
                loss = loss_of(rows, epoch)
                if not math.isfinite(loss):
                    raise FinetuneError(
                        f"the loss is no number any more in epoch {epoch + 1} of {recipe.epochs}: "
                        f"write a `learning_rate` below {recipe.learning_rate:g}, or `precision: "
                        "fp32`"
                    )
                optimizer.step()
                total += loss * len(rows)
            losses.append(total / len(images))
            print(f"epoch {epoch + 1} of {recipe.epochs}: loss {losses[-1]:.4f}", flush=True)
            if progress is not None and epoch + 1 < recipe.epochs:
                progress.save(network, optimizer, epoch + 1, losses)
    plain(network)
    return losses


def predict(
    network: nn.Module,
    images: Sequence[str],
    pixels: StoredPixels,
    recipe: Recipe,
    memory: Memory,
) -> npt.NDArray[np.float32]:
    """The logits of images as they are stored, float32 (n, classes).

    Raises:
        FinetuneError: some are NaN or infinite.
    """
    device = next(network.parameters()).device
    batches = Batches(memory.images, memory.release)
    shapes: dict[tuple[int, ...], list[int]] = {}
    for row, image in enumerate(images):
        shapes.setdefault(pixels[image].shape, []).append(row)

    def forward(rows: list[int]) -> Tensor:
        stack = torch.from_numpy(np.stack([pixels[images[row]] for row in rows]))
        given = normalise(stack.to(device), recipe.mean, recipe.std)
        found: Tensor = network(given).float()
        return found

    with torch.inference_mode(), set_precision(recipe.precision, device):
        parts = fetch(part for rows in shapes.values() for part in batches.run(forward, rows))
    order = [row for rows in shapes.values() for row in rows]
    found = torch.cat(parts).numpy()
    logits = np.empty_like(found)
    logits[order] = found
    bad = ~np.isfinite(logits).all(axis=1)
    if bad.any():
        raise FinetuneError(
            f"the trained network gives NaN or infinite logits for {bad.sum()} images, "
            f"{images[int(bad.argmax())]!r} among them: write a lower `learning_rate`"
        )
    return logits


def state_of(network: nn.Module) -> dict[str, Tensor]:
    """The state dict of a network in main memory, no two of its tensors sharing any."""
    state = network.state_dict()
    return {name: value.detach().cpu().clone().contiguous() for name, value in state.items()}


def _groups(network: nn.Module, rate: float) -> list[dict[str, Any]]:
    """The parameters by how they are trained: what is new learns faster, weights alone decay."""
    new = {id(each) for layer in layers_of(network).values() for each in layer.parameters()}
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for _, each in sorted(network.named_parameters(), key=lambda pair: pair[0]):
        groups.setdefault((id(each) in new, each.ndim > 1), []).append(each)
    return [
        {
            "params": parameters,
            "weight_decay": _DECAY if decays else 0.0,
            "highest": rate * _FASTER if is_new else rate,
        }
        for (is_new, decays), parameters in sorted(groups.items(), key=lambda pair: pair[0])
    ]


def _settle(
    network: nn.Module,
    shown: Sequence[npt.NDArray[np.uint8]],
    recipe: Recipe,
    memory: Memory,
) -> None:
    """Let the new layer see how large the features of some images are."""
    device = next(network.parameters()).device

    def run(of: nn.Module) -> None:
        for start in range(0, len(shown), memory.images):
            part = shown[start : start + memory.images]
            views = np.repeat(_WHOLE[None], len(part), axis=0)
            of(views_of(part, views, recipe.size, recipe.mean, recipe.std, device))

    while True:
        try:
            with torch.no_grad(), set_precision(recipe.precision, device):
                return settle(network, run)
        except (RuntimeError, MemoryError) as error:
            if not memory.made_room(error):
                raise


@contextmanager
def _reproducible(device: torch.device) -> Iterator[None]:
    """Compute in the same order each time, as far as there are ways to; on a CPU there are."""
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(device.type == "cpu", warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)

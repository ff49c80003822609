"""Running a network over stored pixels: logits of a classifier, one row per image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from synthsight.classifiers.architectures import build
from synthsight.classifiers.library import Architecture
from synthsight.errors import SynthsightError
from synthsight.images.pixels import read_batches
from synthsight.inference.batches import Batches, fetch, set_precision
from synthsight.inference.checkpoints import read_stored
from synthsight.inference.normalise import normalise
from synthsight.tables import write_vectors


class NonFiniteError(SynthsightError):
    """A model whose logits or features are NaN or infinite."""


def load_model(
    architecture: Architecture,
    weights: str | os.PathLike[str],
    device: torch.device,
) -> nn.Module:
    """A classifier on a device, ready to run.

    Args:
        architecture: which network.
        weights: its safetensors file. On a CPU it stays mapped: replace it, don't overwrite it.
        device: where to load it.

    Raises:
        synthsight.files.FileError: the file is damaged.
    """
    model = build(architecture, read_stored(weights))
    # Pixels are stored in this layout, and convolutions are faster in it.
    moved: nn.Module = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def classify(
    model: nn.Module,
    pixels: str | os.PathLike[str],
    mean: Sequence[float],
    std: Sequence[float],
    batch_size: int,
    precision: str = "fp32",
    release: Callable[[], bool] = lambda: False,
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """The logits of every image in a file of pixels.

    Args:
        model: in evaluation mode, on the device to use.
        pixels: see :func:`over_images`, also for the rest, and for what is raised.
        mean: normalisation, one value per channel.
        std: likewise.
        batch_size: initial number of images per batch.
        precision: of the forward pass.
        release: called when memory runs out.

    Returns:
        ``(images, logits)``, sorted by image; float32 (n, classes).
    """
    device = next(model.parameters()).device

    def forward(images: Tensor) -> Tensor:
        logits: Tensor = model(images).float()
        return logits

    return over_images(
        forward, device, pixels, mean, std, batch_size, precision, release, what="logits"
    )


def over_images(
    forward: Callable[[Tensor], Tensor],
    device: torch.device,
    pixels: str | os.PathLike[str],
    mean: Sequence[float],
    std: Sequence[float],
    batch_size: int,
    precision: str,
    release: Callable[[], bool],
    what: str,
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """What a function gives for every image in a file of pixels.

    If memory runs out and none can be released, the batch is halved, and so are those after it; the
    values do not depend on the batch size beyond float rounding.

    Args:
        forward: takes normalised images (n, 3, height, width), and returns float32 (n, values).
        device: the one that it computes on.
        pixels: an Arrow file written by :func:`synthsight.images.pixels.prepare_pixels`.
        mean: normalisation, one value per channel.
        std: likewise.
        batch_size: initial number of images per batch.
        precision: one of :data:`synthsight.inference.batches.PRECISIONS`.
        release: called when memory runs out; frees what can be spared, and returns whether there
            was anything.
        what: what the values are, for the message.

    Returns:
        ``(images, values)``, sorted by image; float32 (n, values).

    Raises:
        NonFiniteError: some values are NaN or infinite; the message says for how many images, and
            names the first.
        torch.OutOfMemoryError: a single image does not fit.
    """
    batches = Batches(batch_size, release)
    images: list[str] = []

    def of_rows(rows: npt.NDArray[np.uint8]) -> Tensor:
        chunk = torch.from_numpy(rows.copy())  # copied, since the file's pages are read-only
        if device.type == "cuda":
            chunk = chunk.pin_memory()
        return forward(normalise(chunk.to(device, non_blocking=True), mean, std))

    def parts() -> Iterator[Tensor]:
        for names, rows in read_batches(pixels, batch_size):
            yield from batches.run(of_rows, rows)
            images.extend(names)

    with torch.inference_mode(), set_precision(precision, device):
        fetched = fetch(parts())
    order = sorted(range(len(images)), key=images.__getitem__)
    values = torch.cat(fetched).numpy()[order] if fetched else np.empty((0, 0), np.float32)
    images = [images[row] for row in order]
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise NonFiniteError(
            f"NaN or infinite {what} for {bad.sum()} of {len(images)} images, the first being "
            f"{images[int(bad.argmax())]!r}: the checkpoint is damaged, or the normalisation "
            "(mean, std) is not the model's"
        )
    return images, values


def write_logits(
    output: str | os.PathLike[str],
    images: list[str],
    logits: npt.NDArray[np.float32],
    metadata: dict[str, Any],
) -> None:
    """Write logits as Parquet: ``image`` string, ``logits`` fixed_size_list<float32>[classes].

    Args:
        output: the file, written atomically.
        images: paths below the images' root, sorted.
        logits: float32 (n, classes).
        metadata: stored in the schema under the key ``synthsight``, as JSON.
    """
    write_vectors(output, "logits", images, logits, metadata)

"""Running a classifier over stored pixels: logits, a row an image."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from synthsight.files import atomic
from synthsight.models import Architecture, build
from synthsight.pixels import read_batches


class NonFiniteLogitsError(RuntimeError):
    """A model that answers with NaN or infinite values."""


def choose_device() -> torch.device:
    """CUDA if there is a device, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


#: How the numbers of a forward pass are computed: in float32 as IEEE 754 has it; with the products
#: of TensorFloat-32 on an NVIDIA device; or with those of bfloat16 wherever autocast has them.
PRECISIONS = ("fp32", "tf32", "bf16")


def set_precision(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Set this process to a precision; the forward pass belongs inside what is returned."""
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32  # torch's own default here is True
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def load_model(
    architecture: Architecture,
    weights: str | os.PathLike[str],
    device: torch.device,
    compiled: bool = False,
) -> nn.Module:
    """A classifier on a device, ready to run.

    Args:
        architecture: which network.
        weights: its safetensors file. On a CPU it stays mapped: replace it, don't overwrite it.
        device: where to.
        compiled: whether ``torch.compile`` makes code of its own for it.
    """
    model = build(architecture, load_file(weights))
    # Pixels are stored this way, and convolutions are faster on it.
    model = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return torch.compile(model, dynamic=True) if compiled else model  # type: ignore[return-value]


def normalise(pixels: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """The arithmetic half of preprocessing, as torchvision's and timm's transforms do it.

    Args:
        pixels: uint8 (n, height, width, 3).
        mean: a value a channel, for pixels in 0..1.
        std: likewise.

    Returns:
        float32 (n, 3, height, width).
    """
    scaled = pixels.permute(0, 3, 1, 2).to(torch.float32).div(255)
    centre = torch.tensor(mean, device=pixels.device).view(1, 3, 1, 1)
    scale = torch.tensor(std, device=pixels.device).view(1, 3, 1, 1)
    return scaled.sub_(centre).div_(scale)


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

    If memory runs out and none is released, the batch at hand is halved, and what follows keeps the
    smaller size; the logits do not depend on it beyond float rounding.

    Args:
        model: in evaluation mode, on the device to use.
        pixels: an Arrow file of :func:`synthsight.pixels.prepare_pixels`.
        mean: normalisation, a value a channel.
        std: likewise.
        batch_size: images at a time, to begin with.
        precision: one of :data:`PRECISIONS`.
        release: called when memory runs out; lets go of what can be spared, and tells whether
            there was any.

    Returns:
        ``(images, logits)``, sorted by image; float32 (n, classes).

    Raises:
        NonFiniteLogitsError: with the number of images concerned and the first one's name.
        torch.OutOfMemoryError: a single image does not fit.
    """
    device = next(model.parameters()).device
    images: list[str] = []
    parts: list[Tensor] = []
    with torch.inference_mode(), set_precision(precision, device):
        for names, batch in read_batches(pixels, batch_size):
            start = 0
            while start < len(names):
                # A copy: the file's pages are mapped read-only.
                chunk = torch.from_numpy(batch[start : start + batch_size].copy())
                try:
                    if device.type == "cuda":
                        chunk = chunk.pin_memory()
                    chunk = chunk.to(device, non_blocking=True)
                    parts.append(model(normalise(chunk, mean, std)).float())
                except (RuntimeError, MemoryError) as error:
                    if not _is_out_of_memory(error):
                        raise
                    if release():
                        print("out of memory: other models are let go", file=sys.stderr)
                        continue
                    if batch_size == 1:
                        raise
                    batch_size //= 2
                    print(f"out of memory: on with {batch_size} images at a time", file=sys.stderr)
                    continue
                start += len(chunk)
                # A device works on this batch while the next one is read and sent.
                if len(parts) > 1:
                    parts[-2] = parts[-2].cpu()
            images += names
    order = sorted(range(len(images)), key=images.__getitem__)
    logits = torch.cat([part.cpu() for part in parts]).numpy()[order] if parts else _NONE
    images = [images[row] for row in order]
    bad = ~np.isfinite(logits).all(axis=1)
    if bad.any():
        raise NonFiniteLogitsError(
            f"NaN or infinite logits for {bad.sum()} of {len(images)} images, "
            f"{images[int(bad.argmax())]!r} the first: the checkpoint is damaged, or the "
            "normalisation (mean, std) is not the model's"
        )
    return images, logits


_NONE = np.empty((0, 0), np.float32)


def _is_out_of_memory(error: BaseException) -> bool:
    """CUDA has a type of its own for it; the CPU's allocator says it in words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "allocate memory" in str(error) or "not enough memory" in str(error)


def write_logits(
    output: str | os.PathLike[str],
    images: list[str],
    logits: npt.NDArray[np.float32],
    metadata: dict[str, Any],
) -> None:
    """Write logits as Parquet: ``image`` string, ``logits`` fixed_size_list<float32>[classes].

    Args:
        output: the file, written atomically.
        images: sorted keys.
        logits: float32 (n, classes).
        metadata: goes into the schema under the key ``synthsight``, as JSON.
    """
    values = pa.FixedSizeListArray.from_arrays(pa.array(logits.reshape(-1)), logits.shape[1])
    table = pa.table({"image": pa.array(images, pa.string()), "logits": values})
    encoded = {"synthsight": json.dumps(metadata, sort_keys=True)}
    with atomic(output) as temporary:
        pq.write_table(
            table.replace_schema_metadata(encoded),
            temporary,
            compression="zstd",
            use_dictionary=False,
        )


def report_speed(images: int, seconds: float, device: torch.device) -> str:
    """One line for the log: rows per second and peak memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = f"{images} images in {seconds:.2f} s ({images / max(seconds, 1e-9):.1f} images/s)"
    line += f" on {device}; peak memory {peak:.0f} MiB"
    if device.type == "cuda":
        line += f", on the device {torch.cuda.max_memory_allocated(device) / 2**20:.0f} MiB"
    return line

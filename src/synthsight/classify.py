"""Running a classifier over stored pixels: logits, a row an image."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn

from synthsight.files import atomic
from synthsight.normalise import normalise
from synthsight.pixels import read_batches

#: Images in a row group of the logits: what a reader holds at a time.
_ROWS = 8192


class NonFiniteLogitsError(RuntimeError):
    """A model that answers with NaN or infinite values."""


def choose_device() -> torch.device:
    """CUDA if there is a device, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def classify(
    model: nn.Module,
    pixels: str | os.PathLike[str],
    mean: Sequence[float],
    std: Sequence[float],
    batch_size: int,
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """The logits of every image in a file of pixels.

    If memory runs out the batch at hand is halved, and what follows keeps the smaller size; the
    logits do not depend on it beyond float rounding.

    Args:
        model: in evaluation mode, on the device to use.
        pixels: an Arrow file of :func:`synthsight.pixels.prepare_pixels`.
        mean: normalisation, a value a channel.
        std: likewise.
        batch_size: images at a time, to begin with.

    Returns:
        ``(images, logits)``, sorted by image; float32 (n, classes).

    Raises:
        NonFiniteLogitsError: with the number of images concerned and the first one's name.
        torch.OutOfMemoryError: a single image does not fit.
    """
    device = next(model.parameters()).device
    images: list[str] = []
    parts: list[npt.NDArray[np.float32]] = []
    with torch.inference_mode():
        for names, batch in read_batches(pixels, batch_size):
            start = 0
            while start < len(names):
                # A copy: the file's pages are mapped read-only.
                chunk = torch.from_numpy(batch[start : start + batch_size].copy())
                try:
                    logits = model(normalise(chunk.to(device), mean, std)).float().cpu()
                except (RuntimeError, MemoryError) as error:
                    if batch_size == 1 or not _is_out_of_memory(error):
                        raise
                    batch_size //= 2
                    print(f"out of memory: on with {batch_size} images at a time", file=sys.stderr)
                    continue
                parts.append(logits.numpy())
                start += len(chunk)
            images += names
    order = sorted(range(len(images)), key=images.__getitem__)
    logits = np.concatenate(parts)[order] if parts else np.empty((0, 0), np.float32)
    images = [images[row] for row in order]
    bad = ~np.isfinite(logits).all(axis=1)
    if bad.any():
        raise NonFiniteLogitsError(
            f"NaN or infinite logits for {bad.sum()} of {len(images)} images, "
            f"{images[int(bad.argmax())]!r} the first: the checkpoint is damaged, or the "
            "normalisation (mean, std) is not the model's"
        )
    return images, logits


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
            # Chosen by benchmarks/logits_encoding.py: the bytes of signs and exponents side by side
            # are what can be compressed, and the lowest level does it as well as higher ones.
            column_encoding={"logits.list.element": "BYTE_STREAM_SPLIT"},
            compression="zstd",
            compression_level=1,
            use_dictionary=False,
            row_group_size=_ROWS,
        )


def report_speed(count: int, things: str, seconds: float, device: torch.device) -> str:
    """One line for the log: images or questions per second, and peak memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    speed = count / max(seconds, 1e-9)
    line = f"{count} {things} in {seconds:.2f} s ({speed:.1f} {things}/s)"
    line += f" on {device}; peak memory {peak:.0f} MiB"
    if device.type == "cuda":
        line += f", on the device {torch.cuda.max_memory_allocated(device) / 2**20:.0f} MiB"
    return line

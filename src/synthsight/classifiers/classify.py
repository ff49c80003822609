"""Running a classifier over stored pixels: logits, a row an image."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from synthsight.classifiers.architectures import build
from synthsight.classifiers.library import Architecture
from synthsight.errors import SynthsightError
from synthsight.files import atomic
from synthsight.images.pixels import read_batches
from synthsight.inference.batches import Batches, fetch, set_precision
from synthsight.inference.normalise import normalise

#: Images in a row group of the logits: what a reader holds at a time.
_ROWS = 8192


class NonFiniteLogitsError(SynthsightError):
    """A model that answers with NaN or infinite values."""


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
        pixels: an Arrow file of :func:`synthsight.images.pixels.prepare_pixels`.
        mean: normalisation, a value a channel.
        std: likewise.
        batch_size: images at a time, to begin with.
        precision: one of :data:`synthsight.inference.batches.PRECISIONS`.
        release: called when memory runs out; lets go of what can be spared, and tells whether
            there was any.

    Returns:
        ``(images, logits)``, sorted by image; float32 (n, classes).

    Raises:
        NonFiniteLogitsError: with the number of images concerned and the first one's name.
        torch.OutOfMemoryError: a single image does not fit.
    """
    device = next(model.parameters()).device
    batches = Batches(batch_size, release)
    images: list[str] = []

    def forward(rows: npt.NDArray[np.uint8]) -> Tensor:
        chunk = torch.from_numpy(rows.copy())  # a copy: the file's pages are mapped read-only
        if device.type == "cuda":
            chunk = chunk.pin_memory()
        logits: Tensor = model(normalise(chunk.to(device, non_blocking=True), mean, std)).float()
        return logits

    def parts() -> Iterator[Tensor]:
        for names, rows in read_batches(pixels, batch_size):
            yield from batches.run(forward, rows)
            images.extend(names)

    with torch.inference_mode(), set_precision(precision, device):
        fetched = fetch(parts())
    order = sorted(range(len(images)), key=images.__getitem__)
    logits = torch.cat(fetched).numpy()[order] if fetched else np.empty((0, 0), np.float32)
    images = [images[row] for row in order]
    bad = ~np.isfinite(logits).all(axis=1)
    if bad.any():
        raise NonFiniteLogitsError(
            f"NaN or infinite logits for {bad.sum()} of {len(images)} images, "
            f"{images[int(bad.argmax())]!r} the first: the checkpoint is damaged, or the "
            "normalisation (mean, std) is not the model's"
        )
    return images, logits


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

"""Images a second: classifying stored pixels, beside the bare forward pass and a plain loop.

    python benchmarks/throughput.py [--models resnet50 vit_base_patch16_224 convnext_tiny]
                                    [--images 256] [--side 512] [--threads 2] [--rounds 1]

The forward pass alone, on random tensors of the images' shape that are there already and in the
same layout, is as fast as a network can be here: the limit of `classify`, which reads stored pixels
and normalises them. `forward` runs in a process as torch leaves it, `kept` in one that keeps the
memory that it frees, as `classify` does in a workflow (on a CPU). `bf16` is `classify` with that
precision. The loop is in the manner of timm's validate.py: it decodes in two processes of a
DataLoader while the network runs. All ways take turns, each in a process of its own that has run
one batch before; medians. On a CUDA device if there is one. The weights are random.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader, Dataset

from synthsight.classifiers.architectures import published
from synthsight.classifiers.classify import classify, load_model
from synthsight.classifiers.library import Architecture
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels
from synthsight.inference.batches import choose_device
from synthsight.worker.memory import keep_freed_memory

BATCH = 64

WAYS = ("forward", "kept", "classify", "bf16", "loop")


class Files(Dataset[torch.Tensor]):
    """Images of a folder, decoded and transformed one by one."""

    def __init__(self, files: list[Path], transform: Any) -> None:
        self.files, self.transform = files, transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> torch.Tensor:
        tensor: torch.Tensor = self.transform(Image.open(self.files[index]).convert("RGB"))
        return tensor


def draw(folder: Path, count: int, side: int) -> None:
    """JPEGs with little detail."""
    rng = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
        picture = coarse.resize((side, side), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:05}.jpg", quality=90)


def synchronised(device: torch.device) -> float:
    """The time, once the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def processor() -> float:
    """The processor seconds of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


@torch.inference_mode()
def measure(
    folder: Path, name: str, way: str, threads: int
) -> tuple[float, float, list[list[float]]]:
    """What one way takes for all images, in seconds and the processor's; some logits, if any."""
    torch.set_num_threads(threads)
    device = choose_device()
    architecture = Architecture("timm", name)
    about = published(architecture)
    assert isinstance(about.geometry, Geometry)
    if way in ("kept", "classify", "bf16") and device.type == "cpu":
        keep_freed_memory(1)
    model = load_model(architecture, folder / "weights.safetensors", device)
    files = sorted(folder.glob("*.jpg"))
    height, width = about.geometry.shape(*Image.open(files[0]).size)
    random = torch.randn(BATCH, 3, height, width, device=device)
    random = random.contiguous(memory_format=torch.channels_last)
    precision = "bf16" if way == "bf16" else "fp32"
    with torch.autocast(device.type, torch.bfloat16, enabled=way == "bf16"):
        model(random)
    if way == "loop":
        model = timm.create_model(name)
        model.load_state_dict(load_file(folder / "weights.safetensors"))
        model = model.to(device).eval()
    start, before = synchronised(device), processor()
    if way in ("forward", "kept"):
        for first in range(0, len(files), BATCH):
            model(random[: len(files) - first])
        return synchronised(device) - start, processor() - before, []
    if way == "loop":
        transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
        cuda = device.type == "cuda"
        batches = DataLoader(Files(files, transform), BATCH, num_workers=2, pin_memory=cuda)
        found = [model(batch.to(device, non_blocking=True)).cpu() for batch in batches]
        logits = torch.cat(found).numpy()
    else:
        pixels = folder / f"{about.geometry.name}.arrow"
        _, logits = classify(model, pixels, about.mean, about.std, BATCH, precision)
    return synchronised(device) - start, processor() - before, logits[:8].tolist()


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    usual = ["resnet50", "vit_base_patch16_224", "convnext_tiny"]
    parser.add_argument("--models", nargs="+", default=usual)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--side", type=int, default=512, help="of an image in pixels")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)  # a folder and a way
    args = parser.parse_args()
    if args.one:
        folder, way = args.one
        print(json.dumps(measure(Path(folder), args.models[0], way, args.threads)))
        return
    print("| model | way | images/s | forward = 1 | processor, ms an image | logits differ by |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder, args.images, args.side)
        manifest = [(f"{n:05}.jpg", args.side, args.side) for n in range(args.images)]
        for model in args.models:
            torch.manual_seed(0)
            save_file(timm.create_model(model).state_dict(), folder / "weights.safetensors")
            geometry = published(Architecture("timm", model)).geometry
            assert isinstance(geometry, Geometry)
            prepare_pixels(manifest, folder, geometry, folder / f"{geometry.name}.arrow", threads=2)
            table(folder, model, args)


def table(folder: Path, model: str, args: argparse.Namespace) -> None:
    """Print a model's rows."""
    seconds: dict[str, list[float]] = {way: [] for way in args.ways}
    spent: dict[str, list[float]] = {way: [] for way in args.ways}
    logits: dict[str, np.ndarray] = {}
    for _ in range(args.rounds):
        for way in args.ways:
            command = [sys.executable, __file__, "--one", str(folder), way, "--models", model]
            output = subprocess.run(
                [*command, "--threads", str(args.threads)],
                env={**os.environ, "OMP_NUM_THREADS": str(args.threads)},
                stdout=subprocess.PIPE,
                check=True,
            ).stdout
            taken, used, found = json.loads(output.splitlines()[-1])
            spent[way].append(used / args.images * 1000)
            seconds[way].append(taken)
            logits[way] = np.array(found)
    base = seconds[args.ways[0]]
    for way, all_ in seconds.items():
        ratio = statistics.median(b / taken for b, taken in zip(base, all_, strict=True))
        differ = (
            ""
            if way in ("forward", "kept", "classify") or "classify" not in logits
            else (
                f"{np.abs(logits[way] - logits['classify']).max():.1e} of "
                f"{np.abs(logits['classify']).max():.1e}"
            )
        )
        speed = args.images / statistics.median(all_)
        used = statistics.median(spent[way])
        print(
            f"| {model} | {way} | {speed:.1f} | {ratio:.2f} | {used:.1f} | {differ} |", flush=True
        )


if __name__ == "__main__":
    main()

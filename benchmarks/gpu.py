"""A GPU's numbers: classify beside the bare forward pass, questions, and a cold run beside a loop.

    python benchmarks/gpu.py [--device cuda|cpu] [--small] [--output section.md]

Prints one section for docs/benchmarks.md. Weights are random, since only time counts; images are
drawn. The bare forward pass is the same network on random numbers of the same shape that are on the
device already: nothing is read, copied or stored. The loop is what a person would write for a GPU:
model by model, a DataLoader with eight processes and pinned memory. `make gpu` runs this behind the
tests of tests/cuda; `--device cpu --small` tries the same on a processor.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ask as ask_benchmark
import ask_chat
import cold_run
import numpy as np
import timm
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from synthsight.classifiers.architectures import published
from synthsight.classifiers.classify import classify, load_model
from synthsight.classifiers.library import Architecture
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels
from synthsight.inference.batches import PRECISIONS, name_of, set_precision
from synthsight.vqa.ask import ask
from synthsight.vqa.ofa.config import SIZES

PACKAGES = ("torch", "torchvision", "timm", "transformers", "pandas", "pyarrow", "snakemake")

LOOP = """
import sys
from pathlib import Path
import numpy as np, timm, torch, torchvision, yaml
from PIL import Image
from safetensors.torch import load_file
from torch.utils.data import DataLoader, Dataset

device, processes = torch.device(sys.argv[1]), int(sys.argv[2])
torch.backends.cudnn.allow_tf32 = False
config = yaml.safe_load(open("config.yaml"))
files = sorted(p for p in Path(config["images"]["root"]).rglob("*") if p.is_file())

class Images(Dataset):
    def __init__(self, transform): self.transform = transform
    def __len__(self): return len(files)
    def __getitem__(self, index): return self.transform(Image.open(files[index]).convert("RGB"))

for entry in config["models"]:
    library, name = entry["model"].split("/")
    if library == "timm":
        model = timm.create_model(name)
        transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    else:
        extra = {"init_weights": False, "aux_logits": False, "transform_input": True}
        heads = "incep" in name or "goog" in name
        model = torchvision.models.get_model(name, **(extra if heads else {}))
        transform = next(iter(torchvision.models.get_model_weights(name))).transforms()
    model.load_state_dict(load_file(entry["checkpoint"]))
    model.eval().to(device)
    with torch.inference_mode():
        pinned = device.type == "cuda"
        batches = DataLoader(Images(transform), 64, num_workers=processes, pin_memory=pinned)
        found = [model(batch.to(device, non_blocking=True)) for batch in batches]
        np.save(entry["name"] + ".npy", torch.cat(found).cpu().numpy())
"""


def seconds_of(function: Callable[[], Any], device: torch.device, rounds: int) -> float:
    """Median seconds of a few runs, behind one that does not count."""
    taken = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


@contextmanager
def drawn(count: int, side: int, threads: int) -> Iterator[tuple[Path, list[tuple[str, int, int]]]]:
    """A folder of drawn images, with their names and sizes."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        manifest = [(f"{number:05}.png", side, side) for number in range(count)]
        for file, _, _ in manifest:
            coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
            coarse.resize((side, side)).save(Path(name) / file, compress_level=0)
        yield Path(name), manifest


def forward(model: Any, numbers: torch.Tensor, batches: int, precision: str) -> None:
    """The bare forward pass, some times."""
    with torch.inference_mode(), set_precision(precision, numbers.device):
        for _ in range(batches):
            model(numbers)


def classifying(device: torch.device, small: bool, threads: int) -> list[str]:
    """Rows of images a second: the bare forward pass, classify, and their ratio."""
    models = ("resnet18",) if small else ("resnet50", "vit_base_patch16_224", "convnext_tiny")
    count, batch = (64, 16) if small else (2048, 128)
    lines = [
        f"Images a second, {count} images from stored pixels, batches of {batch}, medians of three "
        "runs behind one that does not count:",
        "",
        "| model | precision | bare, channels first | channels last | classify | of the better |",
        "|---|---|---|---|---|---|",
    ]
    with drawn(count, 256, threads) as (root, manifest):
        for name in models:
            torch.manual_seed(0)
            save_file(timm.create_model(name).state_dict(), root / "w.safetensors")
            architecture = Architecture("timm", name)
            about = published(architecture)
            assert isinstance(about.geometry, Geometry) and about.geometry.crop is not None
            prepare_pixels(manifest, root, about.geometry, root / "p.arrow", threads=threads)
            model = load_model(architecture, root / "w.safetensors", device)
            shape = (batch, 3, *about.geometry.crop)
            for precision in ("fp32", "bf16") if device.type == "cpu" else PRECISIONS:
                rates = []
                for layout in (torch.contiguous_format, torch.channels_last):
                    numbers = torch.rand(shape, device=device).contiguous(memory_format=layout)
                    model = model.to(memory_format=layout)

                    bare = partial(forward, model, numbers, count // batch, precision)
                    rates.append(count / seconds_of(bare, device, 3))
                given = (root / "p.arrow", about.mean, about.std, batch, precision)
                rate = count / seconds_of(partial(classify, model, *given), device, 3)
                lines.append(
                    f"| {name} | {precision} | {rates[0]:.0f} | {rates[1]:.0f} | {rate:.0f} | "
                    f"{rate / max(rates):.2f} |"
                )
    return lines


def asking(device: torch.device, small: bool, threads: int) -> list[str]:
    """Rows of questions a second."""
    images, questions = (8, 3) if small else (256, 5)
    size = "tiny" if small else "large"
    lines = [
        f"Questions a second, {questions} about each of {images} images of 320 x 240, batches of "
        f"{ask_benchmark.BATCH}, images decoded by one thread and by {threads}:",
        "",
        f"| model | one thread | {threads} threads |",
        "|---|---|---|",
    ]
    deep = 2 if small else 12
    wide = {"num_attention_heads": 8, "hidden_size": 512, "intermediate_size": 1536}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        ask_benchmark.draw(root, images)
        rows = ask_benchmark.rows(images, questions)
        for folder in ("ofa", "chat"):
            (root / folder).mkdir()
        assert size in SIZES
        seeing = {**wide, "hidden_size": 384, "num_hidden_layers": deep}
        reading = {**wide, "num_hidden_layers": deep, "max_position_embeddings": 1024}
        models = {
            f"OFA-{size}": ask_benchmark.random_model(size, root / "ofa", device),
            f"LLaVA of {deep} layers": ask_chat.model(root / "chat", 336, seeing, reading, device),
        }
        for said, model in models.items():
            rates = []
            for decoding in (1, threads):
                run = partial(ask, model, rows, root, ask_benchmark.BATCH, decoding)
                rates.append(len(rows) / seconds_of(run, device, 1))
            lines.append(f"| {said} | {rates[0]:.1f} | {rates[1]:.1f} |")
    return lines


def cold(device: torch.device, small: bool, cores: int) -> list[str]:
    """Rows of seconds: the workflow up to the logits, the loop, and their ratio."""
    images, side, processes = (1, 256, 2) if small else (24, 1024, 8)
    args = SimpleNamespace(models="paper", images=images, side=side)
    snakemake = str(Path(sys.executable).with_name("snakemake"))
    lines = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        folder.mkdir()
        config = cold_run.prepare(folder, args)
        if small:
            config["models"] = config["models"][:2]
        (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        count = sum(1 for path in (folder / "pictures").rglob("*") if path.is_file())
        loop = [sys.executable, "-c", LOOP, device.type, str(processes)]
        seconds = {f"loop, a DataLoader with {processes} processes": cold_run.timed(loop, folder)}
        base = min(seconds.values())
        gpus = "1" if device.type == "cuda" else "0"
        for cache in ("cold", "weights copied already"):
            for made in ("results", ".snakemake"):
                shutil.rmtree(folder / made, ignore_errors=True)
            command = [snakemake, "logits", "--cores", str(cores), "--resources", f"gpu={gpus}"]
            seconds[f"workflow, {cache}"] = cold_run.timed(command, folder)
        lines += [
            f"A cold run up to the logits, {len(config['models'])} models, 17 categories, {count} "
            f"JPEGs of {side} x {side}, one run each:",
            "",
            "| | seconds | of the loop |",
            "|---|---|---|",
            *(f"| {way} | {took:.1f} | {took / base:.2f} |" for way, took in seconds.items()),
        ]
    return lines


def machine(device: torch.device) -> list[str]:
    """What was measured on: device, driver, processors, versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    said = f"{cores} cores, {memory:.0f} GiB, Python {sys.version.split()[0]}"
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory / 2**30
        said = f"{name_of(device)} ({total:.0f} GiB), CUDA {torch.version.cuda}, {said}"
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        if shutil.which(query[0]):
            driver = subprocess.run(query, capture_output=True, text=True).stdout.split()
            said += f", driver {driver[0]}" if driver else ""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return [f"Measured on {datetime.now(UTC).date()}: {said}.", "", f"Versions: {versions}."]


def main() -> None:
    """Measure, and print the section; each part as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="to try this script; no measurement")
    parser.add_argument("--output", type=Path, help="a file for the section, too")
    args = parser.parse_args()
    device = torch.device(args.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        sys.exit(f"torch {torch.__version__} finds no CUDA device; try --device cpu --small")
    cores = min(16, len(os.sched_getaffinity(0)))
    title = "## On a GPU" if device.type == "cuda" else "## What is for a GPU, on a processor"
    lines: list[str] = []
    if args.output:
        args.output.write_text("", encoding="utf-8")
    for part in (
        lambda: [title, "", "`make gpu` (`benchmarks/gpu.py`). " + machine(device)[0]],
        lambda: machine(device)[2:],
        lambda: classifying(device, args.small, cores),
        lambda: asking(device, args.small, cores),
        lambda: cold(device, args.small, cores),
    ):
        lines = [*part(), ""]
        print("\n".join(lines), flush=True)
        if args.output:
            with args.output.open("a", encoding="utf-8") as section:
                section.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

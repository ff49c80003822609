"""A cold run of the workflow up to the logits, beside a plain loop over the same models and images.

    python benchmarks/cold_run.py [--models demo|paper] [--images 24] [--side 1024] [--rounds 1]
                                  [--with-workers-only]

``demo``: the four demo models and torchvision's mobilenet_v2 on the demo's images: so little
inference that overhead shows. ``paper``: the architectures of config/paper.yaml, 17 categories of
drawn JPEGs. Weights that are not the demo's are random, since only time counts. The loop is what a
person would write: model by model, a DataLoader with two processes over all images. The workflow
runs with its workers and without.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
import torchvision
import yaml
from PIL import Image
from safetensors.torch import save_file

REPOSITORY = Path(__file__).parents[1]
PARTS = ("Snakefile", "rules", "workflow", "profiles", "src", "resources")

PLAIN_LOOP = """
import sys
from pathlib import Path
import numpy as np, timm, torch, torchvision, yaml
from PIL import Image
from safetensors.torch import load_file
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as T

config = yaml.safe_load(open("config.yaml"))
files = sorted(p for p in Path(config["images"]["root"]).rglob("*") if p.is_file())

class Images(Dataset):
    def __init__(self, transform): self.transform = transform
    def __len__(self): return len(files)
    def __getitem__(self, index): return self.transform(Image.open(files[index]).convert("RGB"))

for entry in config["models"]:
    library, name = entry["model"].split("/")
    classes = len(open(entry["labels"]).read().splitlines()) if "labels" in entry else 1000
    if library == "timm":
        model = timm.create_model(name, num_classes=classes)
    else:
        extra = {"init_weights": False, "aux_logits": False, "transform_input": True}
        heads = "incep" in name or "goog" in name
        model = torchvision.models.get_model(name, **(extra if heads else {}))
    if "resize" in entry:
        transform = T.Compose([
            T.Resize(entry["resize"], T.InterpolationMode(entry["interpolation"])),
            T.CenterCrop(entry["crop"]), T.ToTensor(), T.Normalize(entry["mean"], entry["std"]),
        ])
    elif library == "timm":
        transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    else:
        transform = next(iter(torchvision.models.get_model_weights(name))).transforms()
    model.load_state_dict(load_file(entry["checkpoint"]))
    model.eval()
    with torch.inference_mode():
        batches = DataLoader(Images(transform), batch_size=64, num_workers=2)
        np.save(entry["name"] + ".npy", torch.cat([model(batch) for batch in batches]).numpy())
"""


def demo(folder: Path) -> dict[str, Any]:
    """The demo and a fifth model, without its questions."""
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    del config["vqa"]
    config["models"].append(random_model(folder, "torchvision", "mobilenet_v2"))
    return dict(config)


def paper(folder: Path, images: int, side: int) -> dict[str, Any]:
    """The paper's architectures and categories, with drawn images."""
    config = yaml.safe_load((REPOSITORY / "config" / "paper.yaml").read_text(encoding="utf-8"))
    rng = np.random.default_rng(0)
    for category in config["categories"]:
        (folder / "pictures" / category).mkdir(parents=True)
        for number in range(images):
            coarse = Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
            picture = coarse.resize((side, side), Image.Resampling.BICUBIC)
            picture.save(folder / "pictures" / category / f"{number:04}.jpg", quality=90)
    models = []
    for entry in config["models"]:
        library, _, name = entry["model"].partition("/")
        name = name if library == "timm" else name.partition(".")[0]
        models.append(random_model(folder, library, name))
    return {"run": "demo", "images": {"root": "pictures"}, "models": models}


def random_model(folder: Path, library: str, name: str) -> dict[str, str]:
    """A model's entry; its weights are written."""
    torch.manual_seed(0)
    if library == "timm":
        model = timm.create_model(name)
    else:
        heads = {"init_weights": False, "aux_logits": False}
        with_heads = name in ("googlenet", "inception_v3")
        model = torchvision.models.get_model(name, **(heads if with_heads else {}))
    path = folder / f"{name}.safetensors"
    save_file(model.state_dict(), path)
    return {"name": name, "model": f"{library}/{name}", "checkpoint": path.name}


def prepare(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """The workflow, the models and the images."""
    for part in PARTS:
        if (REPOSITORY / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / part, folder / part, ignore=ignored)
        else:
            shutil.copy2(REPOSITORY / part, folder / part)
    shutil.rmtree(folder / "resources" / "weights", ignore_errors=True)
    return demo(folder) if args.models == "demo" else paper(folder, args.images, args.side)


def timed(command: list[str], folder: Path, **variables: str) -> float:
    """Seconds that a command takes in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), **variables}
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print the seconds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", choices=("demo", "paper"), default="demo")
    parser.add_argument("--images", type=int, default=24, help="of each category (paper)")
    parser.add_argument("--side", type=int, default=1024, help="of an image in pixels (paper)")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--with-workers-only", action="store_true", help="the other is slow")
    args = parser.parse_args()
    snakemake = str(Path(sys.executable).with_name("snakemake"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        folder.mkdir()
        config = prepare(folder, args)
        for _ in range(args.rounds):
            seconds = {}
            text = yaml.safe_dump(config, sort_keys=False)
            (folder / "config.yaml").write_text(text, encoding="utf-8")
            for threads in ("1", "2"):
                way = f"plain loop, OMP_NUM_THREADS={threads}"
                seconds[way] = timed(
                    [sys.executable, "-c", PLAIN_LOOP], folder, OMP_NUM_THREADS=threads
                )
            base = min(seconds.values())
            for worker in (True,) if args.with_workers_only else (True, False):
                for made in ("results", ".snakemake", "resources/weights"):
                    shutil.rmtree(folder / made, ignore_errors=True)
                text = yaml.safe_dump({**config, "worker": worker}, sort_keys=False)
                (folder / "config.yaml").write_text(text, encoding="utf-8")
                way = "workflow" if worker else "workflow without workers"
                seconds[way] = timed([snakemake, "--cores", "2", "logits"], folder)
            jobs = len(list(folder.glob("results/demo/logits/*/*.parquet")))
            for way, taken in seconds.items():
                print(f"{way}: {taken:.1f} s, {taken / base:.2f} times the loop ({jobs} jobs)")


if __name__ == "__main__":
    main()

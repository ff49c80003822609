"""A cold run of the workflow up to the logits, beside plain loops over the same models and images.

    python benchmarks/cold_run.py [--models four|demo|paper] [--images 24] [--side 1024]
                                  [--rounds 1] [--with-workers-only]

``four``: four of the demo's models and torchvision's mobilenet_v2 on the demo's images: so little
inference that overhead shows. ``demo``: these, and the demo's zero-shot model. ``paper``: the
architectures of config/paper.yaml, 17 categories of drawn JPEGs. Weights that are not the demo's
are random, since only time counts. The loops are what a person would write: model by model, over
all images, which each model decodes anew; with a DataLoader of two processes and without, on one
thread and on two. All ways take turns; the best loop of a round is what the workflow of that round
is compared with. The workflow runs with its workers and, unless told otherwise, without.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
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
processes = int(sys.argv[1])
torch.set_num_threads(int(sys.argv[2]))

class Images(Dataset):
    def __init__(self, transform): self.transform = transform
    def __len__(self): return len(files)
    def __getitem__(self, index): return self.transform(Image.open(files[index]).convert("RGB"))

def zeroshot(folder, names):
    from transformers import AutoTokenizer, CLIPImageProcessor, CLIPModel
    clip = CLIPModel.from_pretrained(folder).eval()
    tokens = AutoTokenizer.from_pretrained(folder)([f"a photo of a {n}." for n in names],
                                                   padding=True, return_tensors="pt")
    with torch.inference_mode():
        texts = clip.get_text_features(**tokens)
        texts = getattr(texts, "pooler_output", texts)
    class Classifier(torch.nn.Module):
        def forward(self, batch):
            seen = clip.get_image_features(pixel_values=batch)
            return getattr(seen, "pooler_output", seen) @ texts.T
    processor = CLIPImageProcessor.from_pretrained(folder)
    def transform(image):
        return processor(images=image, return_tensors="pt")["pixel_values"][0]
    return Classifier(), transform

for entry in config["models"]:
    library, name = entry["model"].split("/")
    names = open(entry["labels"]).read().splitlines() if "labels" in entry else range(1000)
    if library == "zeroshot":
        model, transform = zeroshot(entry["checkpoint"], names)
    elif library == "timm":
        model = timm.create_model(name, num_classes=len(names))
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
    elif library == "torchvision":
        transform = next(iter(torchvision.models.get_model_weights(name))).transforms()
    if library != "zeroshot":
        model.load_state_dict(load_file(entry["checkpoint"]))
    model.eval()
    images = Images(transform)
    if processes:
        batches = DataLoader(images, batch_size=64, num_workers=processes)
    else:
        starts = range(0, len(files), 64)
        batches = (torch.stack([images[i] for i in range(s, min(s + 64, len(files)))])
                   for s in starts)
    with torch.inference_mode():
        np.save(entry["name"] + ".npy", torch.cat([model(batch) for batch in batches]).numpy())
"""

#: Processes of the DataLoader (0 for none) and threads of the network, of each loop.
LOOPS = ((0, 1), (0, 2), (2, 1), (2, 2))


def demo(folder: Path, zeroshot: bool) -> dict[str, Any]:
    """The demo's networks and one more, without all that is not needed for their logits."""
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    models = [
        {key: value for key, value in entry.items() if key != "features"}
        for entry in config["models"]
        if "predictions" not in entry and (zeroshot or not entry["model"].startswith("zeroshot/"))
    ]
    models.append(random_model(folder, "torchvision", "mobilenet_v2"))
    return {"run": config["run"], "images": config["images"], "models": models}


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
    if args.models == "paper":
        return paper(folder, args.images, args.side)
    return demo(folder, zeroshot=args.models == "demo")


def timed(command: list[str], folder: Path, **variables: str) -> tuple[float, float]:
    """Seconds that a command takes in a folder, and the processor's of all that it starts."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), **variables}
    before = processor()
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    taken = time.perf_counter() - start
    with suppress(ChildProcessError):  # workers end after the command that they served
        while True:
            os.wait()
    return taken, processor() - before


def processor() -> float:
    """The processor seconds of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cold(folder: Path, config: dict[str, Any], worker: bool) -> tuple[float, float]:
    """What the workflow takes up to the logits, with nothing left of an earlier run."""
    for made in ("results", ".snakemake", "resources/weights"):
        shutil.rmtree(folder / made, ignore_errors=True)
    text = yaml.safe_dump({**config, "worker": worker}, sort_keys=False)
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    snakemake = str(Path(sys.executable).with_name("snakemake"))
    return timed([snakemake, "--cores", "2", "logits"], folder)


def main() -> None:
    """Measure, and print medians of seconds and of ratios within a round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", choices=("four", "demo", "paper"), default="four")
    parser.add_argument("--images", type=int, default=24, help="of each category (paper)")
    parser.add_argument("--side", type=int, default=1024, help="of an image in pixels (paper)")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--with-workers-only", action="store_true", help="the other is slow")
    args = parser.parse_args()
    # What a command leaves behind is this process's to wait for (PR_SET_CHILD_SUBREAPER).
    ctypes.CDLL(None).prctl(36, 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        folder.mkdir()
        config = prepare(folder, args)
        text = yaml.safe_dump(config, sort_keys=False)
        rounds: list[dict[str, tuple[float, float]]] = []
        for _ in range(args.rounds):
            seconds: dict[str, tuple[float, float]] = {}
            (folder / "config.yaml").write_text(text, encoding="utf-8")
            for processes, threads in LOOPS:
                way = f"loop, {processes or 'no'} processes for images, {threads} threads"
                command = [sys.executable, "-c", PLAIN_LOOP, str(processes), str(threads)]
                seconds[way] = timed(command, folder, OMP_NUM_THREADS=str(threads))
            seconds["best loop"] = min(seconds.values())
            seconds["workflow"] = cold(folder, config, worker=True)
            if not args.with_workers_only:
                seconds["workflow without workers"] = cold(folder, config, worker=False)
            rounds.append(seconds)
        jobs = len(list(folder.glob("results/demo/logits/*/*.parquet")))
    print(f"{len(config['models'])} models, {jobs} jobs, medians of {args.rounds}\n")
    print("| | seconds | best loop = 1 | processor | best loop = 1 |\n|---|---|---|---|---|")
    for way in rounds[0]:
        cells = []
        for place in (0, 1):
            taken = statistics.median(each[way][place] for each in rounds)
            ratio = statistics.median(
                each[way][place] / each["best loop"][place] for each in rounds
            )
            cells += [f"{taken:.1f}", f"{ratio:.2f}"]
        print(f"| {way} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

"""A cold run of the workflow up to the logits, beside a plain loop over the same models and images.

The four demo models and torchvision's mobilenet_v2 (with random weights, since only time counts),
the demo's seventeen categories, two cores. Run as ``python benchmarks/cold_run.py``; with an
argument, that many rounds in turn.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[1]
PARTS = ("Snakefile", "rules", "workflow", "profiles", "src", "resources", "config.yaml")


def prepare(folder: Path) -> None:
    """A copy of the workflow with a fifth model."""
    import torch
    import torchvision

    for part in PARTS:
        if (REPOSITORY / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "weights.tmp")
            shutil.copytree(REPOSITORY / part, folder / part, ignore=ignored)
        else:
            shutil.copy2(REPOSITORY / part, folder / part)
    shutil.rmtree(folder / "resources" / "weights", ignore_errors=True)
    torch.manual_seed(0)
    torch.save(torchvision.models.mobilenet_v2().state_dict(), folder / "mobilenet_v2.pth")
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    config["models"].append(
        {
            "name": "mobilenet_v2",
            "model": "torchvision/mobilenet_v2",
            "checkpoint": "mobilenet_v2.pth",
        }
    )
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


PLAIN_LOOP = """
import sys
from pathlib import Path
import numpy as np, timm, torch, torchvision, yaml
from PIL import Image
from safetensors.torch import load_file
from torchvision import transforms as T

torch.set_num_threads(int(sys.argv[1]))
categories = sorted({p.name for p in Path("resources/demo/images").glob("*/*")})
for entry in yaml.safe_load(open("config.yaml"))["models"]:
    library, name = entry["model"].split("/")
    if library == "timm":
        state = load_file(entry["checkpoint"])
        classes = len(open(entry["labels"]).read().splitlines())
        model = timm.create_model(name, num_classes=classes)
        filters = {"bilinear": T.InterpolationMode.BILINEAR, "bicubic": T.InterpolationMode.BICUBIC}
        transform = T.Compose([
            T.Resize(entry["resize"], filters[entry["interpolation"]]),
            T.CenterCrop(entry["crop"]), T.ToTensor(), T.Normalize(entry["mean"], entry["std"]),
        ])
    else:
        state = torch.load(entry["checkpoint"])
        model = torchvision.models.get_model(name)
        transform = torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    model.load_state_dict(state)
    model.eval()
    with torch.inference_mode():
        for category in categories:
            files = sorted(Path("resources/demo/images").glob(f"*/{category}/*"))
            images = [transform(Image.open(file).convert("RGB")) for file in files]
            batches = torch.stack(images).split(64)
            logits = torch.cat([model(batch) for batch in batches])
            np.save(f"{entry['name']}-{category}.npy", logits.numpy())
"""


def timed(command: list[str], folder: Path) -> float:
    """Seconds that a command takes in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print the seconds and their ratio."""
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "project"
            folder.mkdir()
            prepare(folder)
            loops = [timed([sys.executable, "-c", PLAIN_LOOP, n], folder) for n in ("1", "2")]
            snakemake = str(Path(sys.executable).with_name("snakemake"))
            workflow = timed([snakemake, "--cores", "2", "logits"], folder)
            logits = len(list(folder.glob("results/demo/logits/*/*.parquet")))
        print(
            f"plain loop {loops[0]:.1f} s with one thread, {loops[1]:.1f} s with two; "
            f"workflow {workflow:.1f} s ({logits} jobs): {workflow / min(loops):.2f} times"
        )


if __name__ == "__main__":
    main()

"""What one new image costs: a run of everything, then one more image, then nothing.

    python benchmarks/rerun.py [--models 10] [--categories 17] [--images 60]

A project of small networks with random weights and drawn images goes through the real command up
to the tables, three times: from nothing, after one image more in one category, and with nothing
new. Printed are the jobs, the processor's seconds of each run, and the ratio to the run from
nothing. The networks are tiny, so this measures the workflow: with real ones the first run takes
longer, and the second runs each model on one category of all.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import timm
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

ROOT = Path(__file__).parents[1]


def draw(path: Path, seed: int) -> None:
    """A picture of soft colours."""
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    coarse.resize((256, 256), Image.Resampling.BICUBIC).save(path)


def lay_out(folder: Path, models: int, categories: int, images: int) -> None:
    """The project, with the real rules."""
    for part in ("Snakefile", "rules", "workflow", "profiles", "src"):
        (folder / part).symlink_to(ROOT / part)
    names = [f"thing{number}" for number in range(categories)]
    (folder / "labels.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    (folder / "categories.yaml").write_text("{}\n", encoding="utf-8")
    for number in range(categories * images):
        draw(folder / "pictures" / names[number % categories] / f"{number}.png", number)
    entries = []
    for number in range(models):
        torch.manual_seed(number)
        state = timm.create_model("test_resnet", num_classes=categories).state_dict()
        save_file(state, folder / f"model{number}.safetensors")
        entries.append(
            {
                "name": f"model{number}",
                "model": "timm/test_resnet",
                "checkpoint": f"model{number}.safetensors",
                "labels": "labels.txt",
            }
        )
    config = {
        "run": "rerun",
        "images": {"root": "pictures"},
        "category_definitions": "categories.yaml",
        "models": entries,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def run(folder: Path) -> tuple[int, float]:
    """Jobs and CPU seconds of a run up to the tables, all its processes together."""
    with open(folder / "said", "w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("snakemake"), "--cores", "all", "tables"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=said,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    text = (folder / "said").read_text(encoding="utf-8")
    if process.returncode:
        sys.exit(text)
    jobs = re.search(r"\ntotal +(\d+)", text)
    return int(jobs[1]) if jobs else 0, usage.ru_utime + usage.ru_stime


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--categories", type=int, default=17)
    parser.add_argument("--images", type=int, default=60, help="of each category")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder, args.models, args.categories, args.images)
        found = {"from nothing": run(folder)}
        draw(folder / "pictures" / "thing0" / "new.png", args.categories * args.images)
        found["one new image"] = run(folder)
        found["nothing new"] = run(folder)
    print(f"{args.models} models, {args.categories} categories, {args.images} images each")
    whole = found["from nothing"][1]
    for what, (jobs, seconds) in found.items():
        print(f"{what:14} {jobs:5} jobs {seconds:8.1f} s   {seconds / whole:6.1%}")


if __name__ == "__main__":
    main()

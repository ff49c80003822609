"""Asking OFA: images encoded once for all their questions, against once for each; and many of them.

    python benchmarks/ask.py [--size tiny] [--images 40] [--questions 5] [--scale 10000]

First part: an OFA of a published size with random weights (what it costs does not depend on them)
is asked about drawn images in three ways: as the workflow does it, in the same batches with the
image encoded anew for every question, and question by question. P(yes) must agree to 1e-5. Second
part: ten thousand questions about two thousand images with the demo's OFA; time, and peak memory
after a tenth and at the end. Weights and images are made in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from synthsight.images.reading import open_rgb
from synthsight.vqa.ask import ask
from synthsight.vqa.families.base import VqaModel, load_vqa
from synthsight.vqa.ofa.config import SIZES
from synthsight.vqa.ofa.model import EMBEDDING_COPIES, OFA
from synthsight.vqa.shards import ShardRow

DEMO = Path("resources/demo/weights/demo_ofa")
BATCH = 32
CPU = torch.device("cpu")
WORDS = ("is", "there", "a", "red", "dog", "left", "of", "the", "two", "small", "trees")


def draw(folder: Path, images: int) -> None:
    """Pictures of soft colours, 320 x 240."""
    rng = np.random.default_rng(0)
    for number in range(images):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        coarse.resize((320, 240), Image.Resampling.BICUBIC).save(folder / f"{number:05}.jpg")


def rows(images: int, questions: int) -> list[ShardRow]:
    """Questions of 3 to 12 words."""
    rng = np.random.default_rng(1)
    return [
        ShardRow(
            number,
            f"{image:05}.jpg",
            " ".join(rng.choice(WORDS, rng.integers(3, 13))),
            *("yes", None, None, None, "ok", None),
        )
        for image in range(images)
        for number in range(1, questions + 1)
    ]


def random_model(size: str, folder: Path, device: torch.device = CPU) -> VqaModel[Any, Any, Any]:
    """An OFA of a published size with random weights and the demo's vocabulary."""
    for name in ("vocab.json", "merges.txt"):
        (folder / name).write_bytes((DEMO / name).read_bytes())
    config = replace(SIZES[size], prompt_type="prev_output")
    about = {"model_type": "ofa", **config.as_dict()}
    (folder / "config.json").write_text(json.dumps(about), encoding="utf-8")
    torch.manual_seed(0)
    state = {k: v for k, v in OFA(config).state_dict().items() if k not in EMBEDDING_COPIES}
    return load(folder, state, config.image_side, device)


def load(
    folder: Path, state: dict[str, torch.Tensor], side: int, device: torch.device = CPU
) -> VqaModel[Any, Any, Any]:
    """An OFA on a device."""
    settings = {"image_size": side, "prompt": "question", "interpolate_position": False}
    return load_vqa("ofa", folder, state, settings, device)


@torch.inference_mode()
def ask_each(
    model: VqaModel[Any, Any, Any], asked: list[ShardRow], root: Path, batch: int
) -> np.ndarray:
    """Every question with an encoding of its image of its own, in batches of like length."""
    texts = [model.read(row.question, None) for row in asked]
    order = sorted(range(len(asked)), key=lambda index: len(texts[index]))
    margins = np.empty(len(asked))
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        pixels = [model.prepare(open_rgb(root, asked[index].image)) for index in part]
        seen = model.see(pixels)
        answers = model.margins(seen, range(len(part)), [texts[index] for index in part])
        margins[part] = answers.double().numpy()
    return 1 / (1 + np.exp(-margins))


def peak() -> float:
    """Peak memory of the process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--questions", type=int, default=5, help="about each image")
    parser.add_argument("--scale", type=int, default=10_000, help="questions of the second part")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        draw(root, max(args.images, args.scale // 5))
        (root / "model").mkdir()
        model = random_model(args.size, root / "model")
        asked = rows(args.images, args.questions)
        ways = {
            "images encoded once": lambda: ask(model, asked, root, BATCH).p_yes,
            "encoded for each question, same batches": lambda: ask_each(model, asked, root, BATCH),
            "question by question": lambda: ask_each(model, asked, root, 1),
        }
        found, seconds = {}, {}
        for way, run in ways.items():
            start = time.perf_counter()
            found[way] = run()
            seconds[way] = time.perf_counter() - start
        first, *others = ways
        print(f"OFA-{args.size}, {len(asked)} questions, {args.images} images")
        for way in ways:
            ratio = seconds[way] / seconds[first]
            difference = np.abs(found[way] - found[first]).max()
            print(f"{way}: {seconds[way]:.1f} s, {ratio:.2f} x, P(yes) differs by {difference:.1e}")
        assert all(np.abs(found[way] - found[first]).max() < 1e-5 for way in others)
        config = json.loads((DEMO / "config.json").read_text(encoding="utf-8"))
        demo = load(
            DEMO,
            {k: v.float() for k, v in load_file(DEMO / "model.safetensors").items()},
            config["patch_image_size"],
        )
        many = rows(args.scale // 5, 5)
        for part in (many[: len(many) // 10], many):
            start = time.perf_counter()
            ask(demo, part, root, BATCH)
            taken = time.perf_counter() - start
            print(f"{len(part)} questions: {taken:.1f} s, peak memory {peak():.0f} MiB")


if __name__ == "__main__":
    main()

"""Images a second: classifying stored pixels, beside a loop in the manner of timm's validate.py.

    python benchmarks/throughput.py [--models resnet18 resnet50] [--images 256] [--side 512]

The loop decodes in two processes of a DataLoader while the model runs, as timm does it; the
workflow decodes into a file first, once for all models of a geometry, then classifies from it. Both
have the same random weights, so their logits are compared, too. On a CUDA device if there is one.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.utils.data import DataLoader, Dataset

from synthsight.classifiers.architectures import published
from synthsight.classifiers.classify import classify, load_model
from synthsight.classifiers.library import Architecture
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels
from synthsight.inference.batches import choose_device

BATCH = 64


class Files(Dataset[torch.Tensor]):
    """Images of a folder, decoded and transformed one by one."""

    def __init__(self, files: list[Path], transform: Any) -> None:
        self.files, self.transform = files, transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> torch.Tensor:
        tensor: torch.Tensor = self.transform(Image.open(self.files[index]).convert("RGB"))
        return tensor


@torch.inference_mode()
def loop(name: str, state: dict[str, torch.Tensor], files: list[Path]) -> np.ndarray:
    """The logits, as a person would get them."""
    device = choose_device()
    model = timm.create_model(name)
    model.load_state_dict(state)
    model = model.to(device).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    cuda = device.type == "cuda"
    batches = DataLoader(Files(files, transform), BATCH, num_workers=2, pin_memory=cuda)
    logits = [model(batch.to(device, non_blocking=True)).cpu() for batch in batches]
    return torch.cat(logits).numpy()


def main() -> None:
    """Measure, and print images a second and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", nargs="+", default=["resnet18", "resnet50"])
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--side", type=int, default=512, help="of an image in pixels")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        files = [root / f"{number:05}.jpg" for number in range(args.images)]
        for file in files:
            coarse = Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
            coarse.resize((args.side, args.side), Image.Resampling.BICUBIC).save(file, quality=90)
        manifest = [(file.name, args.side, args.side) for file in files]
        for model_name in args.models:
            torch.manual_seed(0)
            state = timm.create_model(model_name).state_dict()
            save_file(state, root / "weights.safetensors")
            architecture = Architecture("timm", model_name)
            about = published(architecture)
            assert isinstance(about.geometry, Geometry)
            start = time.perf_counter()
            expected = loop(model_name, state, files)
            plain = time.perf_counter() - start
            start = time.perf_counter()
            prepare_pixels(manifest, root, about.geometry, root / "pixels.arrow", threads=2)
            decoding = time.perf_counter() - start
            start = time.perf_counter()
            model = load_model(architecture, root / "weights.safetensors", choose_device())
            _, logits = classify(model, root / "pixels.arrow", about.mean, about.std, BATCH)
            ours = time.perf_counter() - start
            print(
                f"{model_name}: loop {args.images / plain:.1f} images/s; classify "
                f"{args.images / ours:.1f} ({plain / ours:.2f} x); with its decoding, which other "
                f"models share, {args.images / (ours + decoding):.1f} "
                f"({plain / (ours + decoding):.2f} x); logits differ by "
                f"{np.abs(logits - expected).max():.1e} of {np.abs(expected).max():.1e}"
            )


if __name__ == "__main__":
    main()

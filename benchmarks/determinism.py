"""How far logits move with the batch size and the number of threads, and whether a hit ever does.

    python benchmarks/determinism.py [--images 48] [--batches 1 7 48] [--threads 1 2] [--models ...]

Networks of torchvision's and timm's with random weights, their batch norms fitted to the images,
classify pictures of soft colours. Printed for each are the largest difference between any two
settings, as a share of the largest logit; whether the same setting gives the same bits again; and
how many images change their top-1 class or the set of their top five.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from synthsight.classifiers.architectures import build, parse_model
from synthsight.classifiers.classify import classify
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels, read_batches
from synthsight.inference.batches import choose_device
from synthsight.inference.normalise import normalise

MODELS = (
    *(f"torchvision/{name}" for name in ("alexnet", "mobilenet_v2", "resnet50", "densenet121")),
    *("timm/deit_tiny_patch16_224", "timm/convnext_tiny"),
)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def settle(model: nn.Module, pixels: Path) -> None:
    """Fit batch norms to the images: without this the signal dies out on the way."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # a plain average
    with torch.no_grad():
        for _, batch in read_batches(pixels, 16):
            model.train()(normalise(torch.from_numpy(batch.copy()), MEAN, STD))
    model.eval()


def main() -> None:
    """Measure, and print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=48)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 7, 48])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--models", nargs="+", default=MODELS)
    args = parser.parse_args()
    device = choose_device()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        manifest = [(f"{number:05}.png", 256, 256) for number in range(args.images)]
        for image, *size in manifest:
            coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
            coarse.resize((size[0], size[1]), Image.Resampling.BICUBIC).save(root / image)
        pixels = root / "pixels.arrow"
        prepare_pixels(manifest, root, Geometry(256, (224, 224), "bilinear"), pixels)
        for model_name in args.models:
            torch.manual_seed(0)
            model = build(parse_model(model_name, local=True), None)
            settle(model, pixels)
            model = model.to(device=device, memory_format=torch.channels_last)
            found = []
            same = True
            for batch, threads in itertools.product(args.batches, args.threads):
                torch.set_num_threads(threads)
                _, logits = classify(model, pixels, MEAN, STD, batch)
                _, again = classify(model, pixels, MEAN, STD, batch)
                same &= logits.tobytes() == again.tobytes()
                found.append(logits)
            stacked = np.stack(found)
            share = np.ptp(stacked, axis=0).max() / np.abs(stacked).max()
            order = np.argsort(-stacked, axis=2, kind="stable")[:, :, :5]
            top1 = (order[:, :, 0] != order[:1, :, 0]).any(axis=0).sum()
            top5 = (np.sort(order, axis=2) != np.sort(order[:1], axis=2)).any(axis=(0, 2)).sum()
            print(
                f"{model_name:32} {share:.1e} of the largest logit; again: "
                f"{'the same bits' if same else 'OTHER BITS'}; {top1} of {args.images} images "
                f"change top-1, {top5} the set of five",
                flush=True,
            )


if __name__ == "__main__":
    main()

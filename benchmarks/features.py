"""Of which classifiers features can be read, and what that costs beside classifying.

Networks are built on the meta device, or small with random weights; nothing is downloaded.

    python benchmarks/features.py                  # all of torchvision's, 60 of timm's
    python benchmarks/features.py --timm 0 --speed # and speed, on the CPU or a CUDA device
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision
from PIL import Image

from synthsight.classifiers.architectures import build, parse_model, published
from synthsight.classifiers.classify import classify
from synthsight.classifiers.embed import embed
from synthsight.classifiers.heads import Source, source_of_features
from synthsight.errors import SynthsightError
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels
from synthsight.inference.batches import choose_device, name_of

#: Weights of so many classes are no classifiers'.
_LEAST = 2


def names(count: int, seed: int) -> list[str]:
    """All classifiers of torchvision, and a draw of timm's."""
    of_timm = [
        name
        for name in timm.list_models(pretrained=True)
        if (timm.models.get_pretrained_cfg(name).num_classes or 0) >= _LEAST
    ]
    drawn = sorted(random.Random(seed).sample(of_timm, count))
    found = torchvision.models.list_models(module=torchvision.models)
    return [*(f"torchvision/{name}" for name in found), *(f"timm/{name}" for name in drawn)]


def source_of(model: str) -> Source | None:
    """Where the features of a classifier are; None of halves of CLIP, which are none.

    Raises:
        SynthsightError: it has none.
    """
    try:
        architecture = parse_model(model, local=False)
    except SynthsightError as error:
        if "half of a CLIP" in str(error):
            return None
        raise
    geometry = published(architecture).geometry
    return source_of_features(architecture, None if geometry is None else geometry.crop)


def shares(models: list[str]) -> None:
    """Print how many are served, and why others are not."""
    served: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    start = time.perf_counter()
    for model in models:
        library = model.partition("/")[0]
        try:
            source = source_of(model)
        except SynthsightError as error:
            asked[library] += 1
            print(f"{model}: {error}", flush=True)
            continue
        if source is None:
            continue
        asked[library] += 1
        served[library] += 1
        if len(source.layers) != 1:
            print(f"{model}: {source}", flush=True)
    for library, count in asked.items():
        print(f"{library}: {served[library]} of {count}")
    print(f"{(time.perf_counter() - start) / max(1, len(models)):.2f} s each")


def speed(name: str, images: int, side: int) -> None:
    """Print the time of classifying and of embedding the same images."""
    architecture = parse_model(name, local=False)
    torch.manual_seed(0)
    network = build(architecture, None)
    source = source_of_features(architecture, (side, side))
    device = choose_device()
    network = network.to(device)
    with tempfile.TemporaryDirectory() as folder:
        drawn = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(drawn).save(Path(folder, "a.png"))
        manifest = [("a.png", side, side)] * images
        pixels = Path(folder, "pixels.arrow")
        prepare_pixels(manifest, Path(folder), Geometry(side, (side, side), "bilinear"), pixels)
        mean, std = (0.5,) * 3, (0.2,) * 3
        for turn in range(4):
            start = time.perf_counter()
            classify(network, pixels, mean, std, 32)
            middle = time.perf_counter()
            embed(network, source, pixels, mean, std, 32)
            end = time.perf_counter()
            if turn:  # the first one warms up
                print(
                    f"{name}, {images} images on {name_of(device)}: classify {middle - start:.2f} "
                    f"s, embed {end - middle:.2f} s"
                )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timm", type=int, default=60, help="how many of timm's classifiers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--model", default="torchvision/resnet50")
    parser.add_argument("--images", type=int, default=256)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.speed:
        speed(arguments.model, arguments.images, 224)
    else:
        shares(names(arguments.timm, arguments.seed))


if __name__ == "__main__":
    main()

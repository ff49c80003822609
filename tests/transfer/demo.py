"""The demo's images, with the features that the product itself makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.torch import load_file

from synthsight.classifiers.architectures import build
from synthsight.classifiers.embed import embed
from synthsight.classifiers.heads import source_of_features
from synthsight.classifiers.library import Architecture
from synthsight.features.samples import Images, Vectors
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels

_DEMO = Path(__file__).parents[2] / "resources" / "demo"


def features_of_demo(folder: Path) -> tuple[Images, Vectors]:
    """All images of the demo, each a unit of its own, and the features of ``demo_resnet``.

    Args:
        folder: for the pixels.
    """
    root = _DEMO / "images"
    names = sorted(str(path.relative_to(root)) for path in root.glob("*/*/*"))
    sizes = []
    for name in names:
        with Image.open(root / name) as image:
            sizes.append((name, *image.size))
    geometry = Geometry(128, (112, 112), "bilinear")
    prepare_pixels(sizes, root, geometry, folder / "pixels.arrow")
    classes = len((_DEMO / "labels.txt").read_text(encoding="utf-8").splitlines())
    architecture = Architecture("timm", "test_resnet", num_classes=classes)
    weights = _DEMO / "weights" / "demo_resnet.safetensors"
    state = {name: value.float() for name, value in load_file(weights).items()}
    model = build(architecture, state)
    source = source_of_features(architecture, (112, 112))
    middle = (0.5, 0.5, 0.5)
    found, vectors = embed(model, source, folder / "pixels.arrow", middle, middle, 64)
    assert found == names
    parts = np.array([name.split("/")[:2] for name in names])
    generators, generator = np.unique(parts[:, 0], return_inverse=True)
    categories, category = np.unique(parts[:, 1], return_inverse=True)
    images = Images(
        np.array(names, dtype=object),
        tuple(map(str, categories)),
        category.astype(np.int64),
        tuple(map(str, generators)),
        generator.astype(np.int64),
        parts[:, 0] == "photo",
        np.arange(len(names)),
    )
    return images, vectors

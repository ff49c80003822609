"""What benchmarks share: a project with the real rules, drawn images and small random models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

ROOT = Path(__file__).parents[1]


def draw(path: Path, seed: int, side: int = 256, coarse: int = 8) -> None:
    """A picture of soft colours, unlike that of any other seed.

    Args:
        path: the file, whose ending says the format; its folder is made.
        seed: decides the picture.
        side: of the square, in pixels.
        coarse: of how many patches of colour each side is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    patches = np.random.default_rng(seed).integers(0, 256, (coarse, coarse, 3), dtype=np.uint8)
    picture = Image.fromarray(patches).resize((side, side), Image.Resampling.BICUBIC)
    picture.save(path, quality=90)


def lay_out(
    folder: Path,
    classes: list[str],
    models: int,
    images: Mapping[str, Any],
    preprocessing: Mapping[str, Any],
    **config: Any,
) -> None:
    """The project: rules by link, labels, checkpoints and the configuration; no images.

    Args:
        folder: the project's folder, which exists.
        classes: what the models can predict.
        models: how many, each a small residual network with weights of its own.
        images: the configuration's section of that name.
        preprocessing: what each model is configured with besides.
        **config: further keys of the configuration; ``run`` is among them.
    """
    import timm  # whoever only draws needs no network
    import torch
    from safetensors.torch import save_file

    for part in ("Snakefile", "rules", "workflow", "profiles", "src"):
        (folder / part).symlink_to(ROOT / part)
    (folder / "labels.txt").write_text("\n".join(classes) + "\n", encoding="utf-8")
    (folder / "categories.yaml").write_text("{}\n", encoding="utf-8")
    entries = []
    for number in range(models):
        torch.manual_seed(number)
        state = timm.create_model("test_resnet", num_classes=len(classes)).state_dict()
        save_file(state, folder / f"model{number}.safetensors")
        entries.append(
            {
                "name": f"model{number}",
                "model": "timm/test_resnet",
                "checkpoint": f"model{number}.safetensors",
                "labels": "labels.txt",
                **preprocessing,
            }
        )
    written = {
        **config,
        "images": dict(images),
        "category_definitions": "categories.yaml",
        "models": entries,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")

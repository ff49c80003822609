"""Every model of config/paper.yaml, fetched and run, against the libraries' own builders.

The weights are random ones of the right shapes, served where the libraries look for theirs: files
in torch's cache for torchvision, a hub on the loopback interface for timm.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
import yaml
from safetensors.torch import load_file, save_file
from torch import nn

from synthsight.classifiers import resolve as catalog
from synthsight.classifiers.architectures import build
from synthsight.classifiers.classify import classify
from synthsight.classifiers.library import Architecture
from synthsight.classifiers.weights import fetch_weights
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels
from synthsight.images.reading import open_rgb
from tests import warm
from tests.loopback_hub import Hub
from tests.support import REPOSITORY, draw_image, settle

CONFIG = yaml.safe_load((REPOSITORY / "config" / "paper.yaml").read_text(encoding="utf-8"))
MODELS = {entry["name"]: entry for entry in CONFIG["models"]}
TORCHVISION = [name for name, entry in MODELS.items() if entry["model"].startswith("torchvision")]
TIMM = [name for name in MODELS if name not in TORCHVISION]

#: Of a program that is given an environment of its own. With a thread for each core the cores would
#: mostly wait for each other.
ALONE = {"HF_HUB_DISABLE_XET": "1", "OMP_NUM_THREADS": "1"}

SIZES = [(320, 240), (200, 333)]


def request(name: str) -> dict[str, Any]:
    """What the workflow asks the catalog about a model of the paper."""
    defaults = dict.fromkeys(("resize", "crop", "interpolation", "mean", "std"))
    more = {"arguments": {}, "labels": "imagenet-1k", "classes": 1000, "local": False}
    return {"model": MODELS[name]["model"], **defaults, **more}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for seed, size in enumerate(SIZES):
        draw_image(folder / f"{seed}.png", seed, size)
    return folder


def logits_by_workflow(
    resolved: dict[str, Any], weights: Path, pictures: Path, folder: Path
) -> np.ndarray:
    manifest = [(f"{number}.png", *size) for number, size in enumerate(SIZES)]
    pixels = folder / "pixels.arrow"
    prepare_pixels(manifest, pictures, Geometry.from_dict(resolved["geometry"]), pixels)
    model = build(Architecture(**resolved["architecture"]), load_file(weights))
    _, logits = classify(model, pixels, resolved["mean"], resolved["std"], batch_size=2)
    return logits


def logits_by_library(model: nn.Module, transform: Any, pictures: Path) -> np.ndarray:
    batch = [transform(open_rgb(pictures, f"{number}.png")) for number in range(len(SIZES))]
    with torch.inference_mode():
        return model.eval()(torch.stack(batch)).numpy()


def assert_same(ours: np.ndarray, official: np.ndarray) -> None:
    """Equal, measured by how much the two images differ."""
    spread = np.abs(official[0] - official[1]).max()
    assert spread > 1e-4, "images all alike would show nothing"
    np.testing.assert_allclose(ours, official, rtol=0, atol=1e-3 * spread)


def test_the_paper_has_its_ten_models() -> None:
    assert len(TORCHVISION) == 8
    assert len(TIMM) == 2


@pytest.mark.long
@pytest.mark.parametrize("name", TORCHVISION)
def test_a_torchvision_model_of_the_paper_is_the_official_one(
    name: str, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    _, _, tagged = MODELS[name]["model"].partition("/")
    architecture, _, tag = tagged.partition(".")
    weights = torchvision.models.get_model_weights(architecture)[tag]
    arguments = {"init_weights": False} if architecture in ("googlenet", "inception_v3") else {}
    if arguments:  # their published files have the auxiliary heads
        arguments["aux_logits"] = True
    source = torchvision.models.get_model(architecture, weights=None, **arguments)
    settle(source, torch.rand(2, 3, 299, 299))
    cached = tmp_path / "hub" / "checkpoints" / weights.url.rpartition("/")[2]
    cached.parent.mkdir(parents=True)
    torch.save(source.state_dict(), cached)
    official = torchvision.models.get_model(architecture, weights=weights)

    # These are not the published weights, which their name states the checksum of.
    monkeypatch.setattr(
        "synthsight.classifiers.torchvision.check_named", lambda _: ("0" * 64, "none stated")
    )

    resolved = catalog.resolve(request(name), "model")
    note = fetch_weights(
        name,
        Architecture(**resolved["architecture"]),
        None,
        tmp_path / "weights.safetensors",
        tmp_path / "weights.json",
    )
    assert note["source"] == weights.url
    assert note["reference"]["top1"] == pytest.approx(
        weights.meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100
    )
    assert_same(
        logits_by_workflow(resolved, tmp_path / "weights.safetensors", pictures, tmp_path),
        logits_by_library(official, weights.transforms(), pictures),
    )


@pytest.mark.long
@pytest.mark.parametrize("name", TIMM)
def test_a_timm_model_of_the_paper_is_the_official_one(
    name: str, pictures: Path, tmp_path: Path, hub: tuple[str, type[Hub]]
) -> None:
    url, handler = hub
    torch.manual_seed(0)
    _, _, model_name = MODELS[name]["model"].partition("/")
    source = timm.create_model(model_name)
    settle(source, torch.rand(2, 3, 224, 224))
    save_file(source.state_dict(), tmp_path / "served.safetensors")
    handler.files[f"/timm/{model_name}/resolve/main/model.safetensors"] = (
        tmp_path / "served.safetensors"
    ).read_bytes()

    resolved = catalog.resolve(request(name), "model")
    spec = {"name": name, "architecture": resolved["architecture"], "reference": None}
    completed = warm.run(
        [
            REPOSITORY / "workflow" / "scripts" / "fetch_weights.py",
            *("--spec", json.dumps(spec)),
            *("--weights", tmp_path / "weights.safetensors", "--note", tmp_path / "weights.json"),
        ],
        environment={"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "hub"), **ALONE},
        kind="networks",
    )
    assert completed.returncode == 0, completed.stderr
    assert handler.requested
    note = json.loads((tmp_path / "weights.json").read_text(encoding="utf-8"))
    assert note["source"] == f"hf-hub:timm/{model_name}"
    assert note["checksum"] == "verified"
    official = timm.create_model(
        model_name,
        pretrained=True,
        pretrained_cfg_overlay={"file": str(tmp_path / "served.safetensors")},
    )
    data = timm.data.resolve_model_data_config(official)
    assert_same(
        logits_by_workflow(resolved, tmp_path / "weights.safetensors", pictures, tmp_path),
        logits_by_library(official, timm.data.create_transform(**data), pictures),
    )


@pytest.mark.long
def test_a_hub_without_the_model_ends_in_a_message_on_what_to_do(
    tmp_path: Path, hub: tuple[str, type[Hub]]
) -> None:
    url, _ = hub
    architecture = Architecture("timm", "test_resnet.r160_in1k").as_dict()
    spec = {"name": "m", "architecture": architecture, "reference": None}
    completed = warm.run(
        [
            REPOSITORY / "workflow" / "scripts" / "fetch_weights.py",
            *("--spec", json.dumps(spec)),
            *("--weights", tmp_path / "weights.safetensors", "--note", tmp_path / "weights.json"),
        ],
        environment={"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "hub"), **ALONE},
        kind="networks",
    )
    assert completed.returncode == 1
    assert "hf-hub:timm/test_resnet.r160_in1k could not be fetched" in completed.stderr
    assert "without internet" in completed.stderr
    assert "`checkpoint`" in completed.stderr
    assert not (tmp_path / "weights.safetensors").exists()


@pytest.mark.long
def test_the_papers_preprocessing_crops_deit_alone() -> None:
    for name in ("alexnet", "inception_v3", "resnext101_32x8d_wsl"):
        geometry = catalog.resolve(request(name), "paper")["geometry"]
        assert geometry == {"resize": 256, "crop": None, "interpolation": "bicubic"}
    deit = catalog.resolve(request("deit_base_patch16_224"), "paper")["geometry"]
    assert deit == {"resize": 256, "crop": (224, 224), "interpolation": "bicubic"}


@pytest.mark.long
def test_eight_of_the_papers_models_share_one_geometry() -> None:
    names = [
        Geometry.from_dict(catalog.resolve(request(name), "model")["geometry"]).name
        for name in MODELS
    ]
    assert names.count("resize256-bilinear-crop224") == 8
    assert len(set(names)) == 3

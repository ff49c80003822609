"""A library of classifiers is a file and a line, and is imported only for its own models."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from synthsight.classifiers.architectures import parse_model
from synthsight.classifiers.classify import classify, load_model
from synthsight.classifiers.library import Architecture, ModelError, WeightsError
from synthsight.classifiers.registry import LIBRARIES, library_modules
from synthsight.classifiers.resolve import resolve
from synthsight.classifiers.weights import fetch_weights
from synthsight.doors import UnknownNameError
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels
from tests.support import draw_image

#: A library whose classifiers are one layer over the mean colour of an image.
TOY = """
from torch import nn

from synthsight.classifiers.checkpoints import read_checkpoint
from synthsight.classifiers.library import Architecture, Fetched, Library, ModelError, Published
from synthsight.images.geometry import Geometry


def parse(name, local, files):
    if name != "colour":
        raise ModelError(f"toy has no model {name!r}")
    return Architecture("toy", name)


def published(architecture, files):
    geometry = Geometry(8, (8, 8), "nearest")
    return Published(geometry, (0.5,) * 3, (0.5,) * 3, None, 4, None, "MIT", "toy://colour")


def build(architecture, state):
    layers = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, architecture.num_classes or 4))
    model = nn.Sequential(*layers)
    if state is not None:
        model.load_state_dict(state)
    return model


def fetch(wanted):
    if wanted.checkpoint is not None:
        return read_checkpoint(wanted.checkpoint)
    if wanted.architecture.arguments:
        raise OSError("the toy's server is closed")
    state = build(wanted.architecture, None).state_dict()
    return Fetched(state, "toy://colour", None, "none stated")


TOY = Library(parse, published, build, fetch, ("torch",))
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toy_classifiers.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(LIBRARIES._entries, "toy", "toy_classifiers:TOY")
    monkeypatch.delitem(sys.modules, "toy_classifiers", raising=False)


def entry(**settings: object) -> dict[str, object]:
    given = {"model": "toy/colour", "labels": "four.txt", "local": False, "classes": 4, **settings}
    keys = ("resize", "crop", "interpolation", "mean", "std")
    return dict.fromkeys(keys) | {"arguments": {}} | given


@pytest.mark.usefixtures("toy")
def test_a_library_is_a_file_and_a_line(tmp_path: Path) -> None:
    resolved = resolve(entry(), "model")
    architecture = Architecture(**resolved["architecture"])
    weights = tmp_path / "m.safetensors"
    note = fetch_weights("m", architecture, None, weights, tmp_path / "m.json")
    assert (note["source"], note["license"]) == ("toy://colour", "MIT")
    draw_image(tmp_path / "a.png", seed=0, size=(8, 8))
    geometry = Geometry.from_dict(resolved["geometry"])
    prepare_pixels([("a.png", 8, 8)], tmp_path, geometry, tmp_path / "pixels.arrow")
    model = load_model(architecture, weights, torch.device("cpu"))
    images, logits = classify(
        model, tmp_path / "pixels.arrow", resolved["mean"], resolved["std"], batch_size=1
    )
    assert images == ["a.png"] and logits.shape == (1, 4) and np.isfinite(logits).all()


@pytest.mark.usefixtures("toy")
def test_a_library_reads_local_checkpoints_with_the_classes_of_their_labels(tmp_path: Path) -> None:
    resolved = resolve(entry(local=True, classes=7), "model")
    architecture = Architecture(**resolved["architecture"])
    assert architecture.num_classes == 7
    state = {"2.weight": torch.ones(7, 3), "2.bias": torch.zeros(7)}
    save_file(state, tmp_path / "mine.safetensors")
    note = fetch_weights(
        "m", architecture, tmp_path / "mine.safetensors", tmp_path / "m.s", tmp_path / "m.json"
    )
    assert (note["parameters"], note["license"]) == (28, None)
    save_file({"2.weight": torch.ones(7, 3)}, tmp_path / "mine.safetensors")
    with pytest.raises(WeightsError, match=r"mine\.safetensors does not fit: toy/colour: .*2.bias"):
        fetch_weights(
            "m", architecture, tmp_path / "mine.safetensors", tmp_path / "m.s", tmp_path / "m.json"
        )


@pytest.mark.usefixtures("toy")
def test_what_a_library_cannot_fetch_is_worded_for_it(tmp_path: Path) -> None:
    architecture = Architecture("toy", "colour", arguments={"closed": True})
    with pytest.raises(WeightsError, match=r"toy://colour could not .*the toy's server is closed"):
        fetch_weights("m", architecture, None, tmp_path / "m.s", tmp_path / "m.json")
    assert not (tmp_path / "m.s").exists()


def test_a_library_that_is_unknown_is_never_taken_for_another(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="'torchvison'; did you mean 'torchvision'"):
        parse_model("torchvison/resnet50", local=False)
    architecture = Architecture("tim", "resnet50")
    with pytest.raises(UnknownNameError, match="'tim'; did you mean 'timm'"):
        fetch_weights("m", architecture, None, tmp_path / "m.s", tmp_path / "m.json")
    (tmp_path / "m.s").touch()
    with pytest.raises(UnknownNameError, match="'tim'; did you mean 'timm'"):
        load_model(architecture, _empty(tmp_path / "w.s"), torch.device("cpu"))


def _empty(path: Path) -> Path:
    save_file({"weight": torch.zeros(1)}, path)
    return path


def test_the_names_of_all_libraries_are_in_the_message_where_none_is_close() -> None:
    with pytest.raises(UnknownNameError, match="'keras'; known: timm, timm_hub, torchvision"):
        parse_model("keras/resnet50", local=False)
    with pytest.raises(ModelError, match="libraries: timm, timm_hub, torchvision"):
        parse_model("resnet50", local=False)


def test_every_library_can_be_loaded() -> None:
    for name in LIBRARIES:
        assert LIBRARIES.load(name).published


def test_the_doors_of_models_are_the_modules_of_their_libraries() -> None:
    models = ["timm/resnet50.a1_in1k", "torchvision/alexnet", "timm/resnet18", "keras/resnet50"]
    assert library_modules(*models) == [
        "synthsight.classifiers.timm",
        "synthsight.classifiers.torchvision",
    ]
    assert library_modules("torchvision/alexnet") == ["synthsight.classifiers.torchvision"]


@pytest.mark.long
def test_only_the_library_of_a_model_is_imported() -> None:
    program = """
import json, sys
from synthsight.classifiers.registry import LIBRARIES
before = {"torch", "timm", "torchvision"} & set(sys.modules)
from synthsight.classifiers.architectures import build
from synthsight.classifiers.classify import load_model
from synthsight.classifiers.library import Architecture
build(Architecture("torchvision", "squeezenet1_1"), None)
after = {"torch", "timm", "torchvision"} & set(sys.modules)
print(json.dumps([sorted(before), sorted(after)]))
"""
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(output) == [[], ["torch", "torchvision"]]

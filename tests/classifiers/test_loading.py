"""A model that is loaded serves classifying and features, of the right weights alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from synthsight.classifiers.library import Architecture
from synthsight.classifiers.loading import about_weights, load_noted, read_note
from synthsight.classifiers.weights import fetch_weights
from synthsight.files import FileError
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels
from synthsight.inference.cache import ModelCache
from tests.support import REPOSITORY, draw_image, run_program, save_random_weights

ARCHITECTURE = Architecture("timm", "test_resnet", num_classes=5)
SPEC = {"model": "net", "architecture": ARCHITECTURE.as_dict()}
CPU = torch.device("cpu")


@pytest.fixture(name="fetched")
def fetched_(tmp_path: Path) -> tuple[Path, Path]:
    """Weights and their note."""
    save_random_weights(tmp_path / "own.safetensors", "test_resnet", 5, 0)
    weights, note = tmp_path / "net.safetensors", tmp_path / "net.json"
    fetch_weights("net", ARCHITECTURE, tmp_path / "own.safetensors", weights, note)
    return weights, note


def test_a_model_is_loaded_once_for_both(fetched: tuple[Path, Path]) -> None:
    weights, path = fetched
    note, models = read_note(path, SPEC), ModelCache()
    one, other = (
        load_noted(models, SPEC["architecture"], weights, (path, note), CPU, compiled=False)
        for _ in range(2)
    )
    assert one is other and len(models) == 1
    assert about_weights(note)["weights_sha256"] == note["sha256"]


@pytest.mark.long
def test_compiled_or_not_the_weights_are_in_memory_once(fetched: tuple[Path, Path]) -> None:
    """Features are read from the network as it is, also where a compiled one classifies."""
    weights, path = fetched
    note, models = read_note(path, SPEC), ModelCache()
    compiled, plain = (
        load_noted(models, SPEC["architecture"], weights, (path, note), CPU, compiled=each)
        for each in (True, False)
    )
    assert compiled is not plain and len(models) == 2
    held = {parameter.data_ptr() for parameter in plain.parameters()}
    assert {parameter.data_ptr() for parameter in compiled.parameters()} == held


def test_weights_or_a_note_of_another_model_are_refused(fetched: tuple[Path, Path]) -> None:
    weights, path = fetched
    with pytest.raises(FileError, match="name is 'net', not 'other'"):
        read_note(path, {**SPEC, "model": "other"})
    note = {**read_note(path, SPEC), "safetensors_sha256": "0" * 64}
    with pytest.raises(FileError, match=r"net\.safetensors"):
        load_noted(ModelCache(), SPEC["architecture"], weights, (path, note), CPU, compiled=False)


@pytest.mark.slow
def test_the_program_says_what_its_features_are_of(
    fetched: tuple[Path, Path], tmp_path: Path
) -> None:
    weights, note = fetched
    draw_image(tmp_path / "a.png", 0, (64, 64))
    geometry = Geometry(64, (64, 64), "bilinear")
    prepare_pixels([("a.png", 64, 64)], tmp_path, geometry, tmp_path / "pixels.arrow")
    about: dict[str, Any] = {"mean": [0.5] * 3, "std": [0.2] * 3, "precision": "fp32"}
    spec = {**SPEC, **about, "geometry": geometry.as_dict(), "layers": ["fc"], "length": 96}
    output = tmp_path / "features.parquet"
    options = ["--pixels", tmp_path / "pixels.arrow", "--weights", weights, "--note", note]
    options += ["--spec", json.dumps(spec), "--batch-size", "2", "--output", output]
    done = run_program("embed", *options)
    assert done.returncode == 0, done.stderr
    said = json.loads(pq.read_schema(output).metadata[b"synthsight"])
    assert (said["model"], said["layers"], said["weights_source"]) == (
        "net",
        ["fc"],
        str(tmp_path / "own.safetensors"),
    )
    done = run_program(
        "embed", *options[:6], "--spec", json.dumps({**spec, "length": 7}), *options[8:]
    )
    assert done.returncode == 1
    assert "embed: model 'net': the features of 1 images have the shape (1, 96)" in done.stderr
    assert (REPOSITORY / "workflow" / "scripts" / "embed.py").stat().st_mode & 0o111

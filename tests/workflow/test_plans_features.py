"""Features: what is made of them, and that they run again for themselves and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file

from synthsight import api
from tests.conftest import Make
from tests.support import LABELS, Job, Project, assert_close, save_random_weights

CATEGORIES = ("bagel", "clock", "toilet_seat")

#: An encoder, with the geometry of one of the classifiers.
SEES: dict[str, Any] = {
    "name": "sees",
    "model": "timm/test_vit",
    "checkpoint": "checkpoints/sees.safetensors",
    "arguments": {"img_size": 64},
    **{"resize": 72, "crop": 64, "interpolation": "bilinear"},
}


def with_features(config: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    """The configuration, these classifiers' features asked for."""
    models = [{**m, "features": True} if m["name"] in names else m for m in config["models"]]
    return {**config, "models": models, **more}


def planned(project: Project, *targets: str) -> set[Job]:
    """The jobs of a plan, without those of the targets themselves."""
    return project.plan(*targets) - {(target,) for target in targets}


@pytest.fixture(scope="module")
def embedded(finished: Project, once: Callable[[str, Make], Project]) -> Project:
    """The small project after a run with features of a classifier and an encoder."""

    def make(folder: Path) -> Project:
        shutil.copytree(finished.folder, folder / "project", symlinks=True)
        project = Project(folder / "project")
        save_random_weights(project.folder / SEES["checkpoint"], "test_vit", 0, 5, img_size=64)
        before = {file: file.stat().st_mtime_ns for file in project.results.rglob("logits/*/*")}
        project.configure(with_features(project.config, "resnet", encoders=[SEES]))
        jobs = {
            ("fetch_weights", "sees"),
            *(("embed", name, each) for name in ("resnet", "sees") for each in CATEGORIES),
        }
        assert planned(project, "features") == jobs
        assert project.plan() == {*jobs, ("report",)}, "which prints the configuration"
        project.run("features")
        assert before and before == {file: file.stat().st_mtime_ns for file in before}
        return project

    return once("embedded", make)


@pytest.fixture
def featured(embedded: Project, tmp_path: Path) -> Project:
    """A copy that a test may change."""
    shutil.copytree(embedded.folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.mark.long
def test_features_are_stored_as_the_contract_says(embedded: Project) -> None:
    for name, length in (("resnet", 96), ("sees", 64)):
        file = pq.ParquetFile(embedded.results / "features" / name / "clock.parquet")
        schema = file.schema_arrow
        assert schema.field("image").type == pa.string()
        assert schema.field("features").type == pa.list_(pa.float32(), length)
        images = file.read(["image"]).column("image").to_pylist()
        expected = [f"{g}/clock/{n}.png" for g in ("dream", "muse") for n in "01"]
        assert images == sorted(images) == expected
        said = json.loads(schema.metadata[b"synthsight"])
        note = json.loads((embedded.folder / f"resources/weights/{name}.json").read_text())
        assert (said["model"], said["weights_sha256"]) == (name, note["sha256"])
        assert said["layers"] == (["fc"] if name == "resnet" else [])


@pytest.mark.long
def test_features_times_the_weights_are_the_logits_that_are_stored(embedded: Project) -> None:
    state = load_file(embedded.folder / "resources" / "weights" / "resnet.safetensors")
    weight, bias = (state[f"fc.{name}"].numpy() for name in ("weight", "bias"))
    run = api.open_run(embedded.results)
    features, logits = run.features("resnet"), run.logits("resnet")
    assert features.index.equals(logits.index) and features.to_numpy().dtype == np.float32
    assert_close(features.to_numpy() @ weight.T + bias, logits.to_numpy(), share=1e-5)
    assert list(run.features("sees", "clock").index.unique("category")) == ["clock"]
    with pytest.raises(api.ApiError, match="no model with features 'effnet'"):
        run.features("effnet")
    assert "sees" not in run.models, "an encoder classifies nothing"


@pytest.mark.long
def test_nothing_about_features_runs_again_without_a_reason(featured: Project) -> None:
    config = featured.config
    assert planned(featured, "features") == planned(featured, "logits") == set()
    (featured.folder / "labels.txt").write_text(
        "\n".join(reversed(LABELS)) + "\n", encoding="utf-8"
    )
    assert planned(featured, "features") == set(), "names of classes make no other features"
    featured.configure({**config, "compile": True})
    jobs = planned(featured, "logits", "features")
    assert {job[0] for job in jobs} == {"classify"}, "features are never of compiled models"
    featured.configure({**config, "precision": "bf16"})
    assert {job[0] for job in planned(featured, "features")} == {"embed"}
    featured.configure({**config, "encoders": [{**SEES, "mean": [0.1, 0.1, 0.1]}]})
    assert planned(featured, "features") == {("embed", "sees", each) for each in CATEGORIES}


@pytest.mark.long
def test_a_file_of_features_that_is_gone_or_anothers_is_made_again(featured: Project) -> None:
    folder = featured.results / "features" / "resnet"
    (folder / "clock.parquet").unlink()
    (folder / "bagel.parquet").write_bytes((folder / "toilet_seat.parquet").read_bytes())
    assert planned(featured, "features") == {("embed", "resnet", c) for c in ("bagel", "clock")}
    run = api.open_run(featured.results)
    with pytest.raises(api.ApiError, match="made for another place"):
        run.features("resnet", "bagel")


@pytest.mark.long
def test_pixels_that_are_not_kept_are_made_for_features_without_classifying(
    featured: Project,
) -> None:
    config = {**featured.config, "keep_pixels": False, "categories": ["bagel", "clock"]}
    plain = [{**model, "features": False} for model in config["models"]]
    featured.configure({**config, "models": plain[1:], "encoders": []})
    featured.run("logits")
    shutil.rmtree(featured.results / "features")
    featured.configure({**config, "models": config["models"][1:], "encoders": []})
    geometry = "resize64-bilinear-whole"
    assert planned(featured, "logits", "features") == {
        *(("embed", "resnet", each) for each in config["categories"]),
        *(("prepare_pixels_to_embed", geometry, "resnet", each) for each in config["categories"]),
    }
    featured.run("features")
    assert planned(featured, "logits", "features") == set()
    left = [path for path in featured.results.rglob("*.arrow") if "-of-" in path.parent.name]
    assert left == []


@pytest.mark.long
def test_a_start_names_features_that_are_no_longer_wanted(featured: Project) -> None:
    featured.configure(with_features({**featured.config, "encoders": []}))
    said = featured.snakemake("--dry-run", "logits")
    assert "features/sees" in said.stdout + said.stderr

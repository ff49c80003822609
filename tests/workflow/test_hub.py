"""Models of a hub in a run: fetched once, planned without a network, rerun by what is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.classifiers import test_timm_hub, test_transformers, test_zero_shot
from tests.loopback_hub import COMMIT, Hub
from tests.support import Project, copy_workflow, draw_image

CATEGORIES = ("bagel", "clock")


@pytest.mark.long
def test_models_of_a_hub_run_and_are_planned_without_it(
    tmp_path: Path, hub: tuple[str, type[Hub]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, handler = hub
    project = Project(copy_workflow(tmp_path / "project").folder, cold=True)
    for seed, category in enumerate(CATEGORIES):
        for number in range(2):
            path = project.folder / "images" / category / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw_image(path, seed=10 * seed + number)
    names = ("tabby, cat", "bagel, beigel", "analog clock", "cow", "pig", "fox", "owl")
    for name in ("vit", "clip", "net"):
        (tmp_path / name).mkdir()
    test_transformers.save(tmp_path / "vit", "vit", names)
    test_zero_shot.save(tmp_path / "clip", "clip")
    test_timm_hub.save(tmp_path / "net", names=names)
    (tmp_path / "vit" / "README.md").write_text("---\nlicense: mit\n---\n")
    handler.serve("zoo/vit", tmp_path / "vit")
    handler.serve("zoo/clip", tmp_path / "clip")
    handler.serve("zoo/net", tmp_path / "net")
    (project.folder / "asked.txt").write_text("bagel\nanalog clock\ncat\ndog\nowl\nfox")
    zero_shot = {"model": "zeroshot/zoo/clip", "labels": "asked.txt"}
    config = {
        **{"run": "hub", "images": {"root": "images"}},
        "models": ["transformers/zoo/vit", "timm/hf-hub:zoo/net", zero_shot],
    }
    project.configure(config)

    monkeypatch.setenv("HF_HOME", str(tmp_path / "nothing"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = project.fail("--dry-run")
    assert "models[0].model: hf-hub:zoo/vit could not be fetched" in said
    assert "run `snakemake --dry-run` here once, while there is internet access" in said

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", url)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    said = project.run("tables")
    assert "vit: its 7 classes are those of its config.json (tabby, cat, bagel, beigel" in said
    assert "clock: clip is asked for 'analog clock' [asked.txt]" in said
    note = json.loads((project.folder / "resources/weights/vit.json").read_text())
    assert note["architecture"]["weights"] == COMMIT
    assert (note["checksum"], note["license"]) == ("verified", "mit")
    note = json.loads((project.folder / "resources/weights/net.json").read_text())
    assert (note["source"], note["checksum"]) == ("hf-hub:zoo/net", "verified")
    scores = pq.read_schema(project.results / "scores" / "vit.parquet")
    assert json.loads(scores.metadata[b"class_names"])[:2] == ["tabby", "bagel"]

    monkeypatch.setenv("HF_HOME", str(tmp_path / "nothing"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert project.plan("tables") == set()

    templates = {**zero_shot, "templates": ["a photo of {}"]}
    project.configure({**config, "models": [*config["models"][:2], templates]})
    planned = project.plan("tables")
    of_models = {job for job in planned if job[0] in ("fetch_weights", "classify", "score")}
    stems = {job[1] for job in of_models if job[0] == "fetch_weights"}
    assert len(stems) == 1 and next(iter(stems)).startswith("clip")
    assert {job for job in of_models if job[0] != "fetch_weights"} == {
        ("score", "clip"),
        *(("classify", "clip", category) for category in CATEGORIES),
    }
    assert ("label_audit",) not in planned

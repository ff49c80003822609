"""What must hold for experiments far larger than the paper's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.images.sources import describe, write_sources
from tests.support import REPOSITORY, Project, draw_image

CATEGORIES = 1200

#: Of the small project.
CATEGORY_NAMES = ("bagel", "clock", "toilet_seat")

SNAKEFILE = """
import json
from pathlib import Path
from types import SimpleNamespace

SPEC = json.loads(Path("spec.json").read_text())
NAMES = sorted(SPEC["categories"])
FILES = SimpleNamespace(
    run="results",
    logs="results/logs",
    sources="results/sources/images.parquet",
    excluded=[],
    logits_of=lambda model: [f"results/logits/{model}/{name}.parquet" for name in NAMES],
    label_file_of=lambda model: [],
    predictions_of=lambda model: [],
)
specs = SimpleNamespace(score=None)
of = lambda function, *names: lambda wildcards: function(*(wildcards[name] for name in names))
shell.prefix("set -euo pipefail; export PATH=%s:$PATH; ")
spec = lambda function, *names: lambda wildcards: json.dumps(SPEC)
code = lambda program: "any"
together = lambda group: None

include: "%s/rules/score.smk"
"""


@pytest.mark.long
def test_thousands_of_categories_fit_on_a_command_line(tmp_path: Path) -> None:
    about = "of a great many, with names that are long enough to fill a line"
    names = [f"thing number {number:04} {about}" for number in range(CATEGORIES)]
    folder = tmp_path / "results" / "logits" / "model"
    folder.mkdir(parents=True)
    logits = pa.array([[0.1, 0.7, 0.2]], pa.list_(pa.float32(), 3))
    one = pa.table({"image": ["a.png"], "logits": logits})
    one = one.replace_schema_metadata({"synthsight": json.dumps({"model": "model"})})
    pq.write_table(one, tmp_path / "one")
    for name in names:
        os.link(tmp_path / "one", folder / f"{name}.parquet")
    sources = tmp_path / "results" / "sources" / "images.parquet"
    sources.parent.mkdir()
    write_sources(sources, (describe(name, ["a.png"], ["muse"]) for name in names))
    (tmp_path / "labels.txt").write_text("thing\nnumber\nother\n", encoding="utf-8")
    spec = {
        "model": "model",
        "labels": "labels.txt",
        "rules": ["words/simple"],
        "aggregation": "max",
        "categories": {name: {"also": ["number"], "classes": None} for name in names},
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    assert len(json.dumps(spec)) > 2**17, "more than an argument may have on Linux"
    programs = f"{REPOSITORY}/workflow/scripts:{Path(sys.executable).parent}"
    (tmp_path / "Snakefile").write_text(SNAKEFILE % (programs, REPOSITORY), "utf-8")
    command = [Path(sys.executable).with_name("snakemake"), "--cores", "1", "--show-failed-logs"]
    done = subprocess.run(
        [*command, "results/scores/model.parquet"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    scored = pq.read_table(tmp_path / "results" / "scores" / "model.parquet")
    assert scored["category"].to_pylist() == names
    assert all(scored["top1_hit"].to_pylist())


def test_no_list_by_category_stands_on_a_command_line_itself() -> None:
    for path in (REPOSITORY / "rules").glob("*.smk"):
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(r".*\{input(?:\.manifests|\.logits)?:q\}.*", text):
            assert "@<(printf" in found[0], f"{path.name}: {found[0]}"


# Pixels that are not kept -------------------------------------------------------------------------


@pytest.fixture
def lean(project: Project) -> Project:
    """A project whose logits were made without keeping pixels."""
    shutil.rmtree(project.results / "pixels")
    before = project.results / "logits"
    before.rename(project.folder / "before")
    project.configure({**project.config, "keep_pixels": False})
    project.run("logits")
    return project


@pytest.mark.long
def test_pixels_that_are_not_kept_change_disk_use_and_no_more(lean: Project) -> None:
    assert not list((lean.results / "pixels").rglob("*.arrow"))
    for path in (lean.results / "logits").rglob("*.parquet"):
        kept = lean.folder / "before" / path.relative_to(lean.results / "logits")
        assert path.read_bytes() == kept.read_bytes()
    # A finished run does not miss them.
    assert lean.plan("logits") == set()
    # A new image runs its category.
    draw_image(lean.folder / "pictures" / "muse" / "clock" / "new.png", seed=99)
    assert {job[-1] for job in lean.plan("logits")} == {"clock", "logits"}
    (lean.folder / "pictures" / "muse" / "clock" / "new.png").unlink()
    # A new model decodes for itself, and no other runs: not those of its geometry, either.
    config = lean.config
    config["models"].append({**config["models"][0], "name": "another"})
    lean.configure(config)
    assert lean.plan("logits") == {
        ("logits",),
        ("fetch_weights", "another"),
        *(("prepare_pixels", "resize72-bilinear-crop64", "another", c) for c in CATEGORY_NAMES),
        *(("classify", "another", c) for c in CATEGORY_NAMES),
    }


@pytest.mark.long
def test_kept_pixels_may_be_deleted(project: Project) -> None:
    shutil.rmtree(project.results / "pixels")
    assert project.plan() == set()

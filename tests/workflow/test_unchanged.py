"""Starts of the real command that end at once, and what brings the whole plan back."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from synthsight.plan import unchanged
from synthsight.plan.unchanged import UNCHANGED
from tests.support import Project, add_people, draw_image, save_random_weights

PLANNED = "Nothing to be done (all requested files"

pytestmark = pytest.mark.long


def settle(project: Project, *arguments: str) -> str:
    """Start a finished run until it ends at once; what it says then.

    A file's age tells changes only once it is older than the system's clock can be coarse.
    """
    for _ in range(20):
        said = project.run(*arguments)
        if UNCHANGED in said:
            return said
        assert PLANNED in said
        time.sleep(0.5)
    raise AssertionError(said)


def test_each_input_counts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each kind of file that a configuration names one is changed: the seal is broken."""
    folder = project.folder
    add_people(project)
    (folder / "attributes.csv").write_text("image,style\ndream/clock/0.png,flat\n")
    images = {**project.config["images"], "attributes": {"table": "attributes.csv"}}
    project.configure({**project.config, "images": images})
    project.run()
    settle(project)
    seals = (folder / ".snakemake" / "synthsight" / "unchanged").iterdir()
    seal = json.loads(max(seals, key=lambda path: path.stat().st_mtime_ns).read_text())
    monkeypatch.chdir(folder)
    last = digest_of(seal)
    changed = (
        *("config.yaml", "labels.txt", "checkpoints/resnet.safetensors", "questions.csv"),
        *("checkpoints/ofa_asked/config.json", "people.csv", "answers.csv", "attributes.csv"),
        *(
            "resources/categories.yaml",
            "pictures/dream/clock/0.png",
            "resources/weights/resnet.json",
        ),
        *("src/synthsight/wording.py", "workflow/scripts/score.py", "rules/score.smk", "Snakefile"),
        *("profiles/default/profile.yaml", "results/small/scores/resnet.parquet"),
        *("results/small/report.html", "results/small/plan.json"),
    )
    for name in changed:
        assert Path(name).is_file(), name
        os.utime(name, ns=(10**18, 10**18))
        last, before = digest_of(seal), last
        assert last != before, name
    for name in ("pictures/dream/clock/new.png", "pictures/new.png", "results/small/tables/x.csv"):
        Path(name).touch()
        last, before = digest_of(seal), last
        assert last != before, name


def digest_of(seal: dict[str, Any]) -> str:
    files = {folder: set(names) for folder, names in seal["files"].items()}
    return unchanged._digest(files, seal["folders"], ())[0]


def test_what_has_to_be_done_is_done(project: Project) -> None:
    settle(project)
    (project.results / "tables" / "accuracy.csv").unlink()
    assert "rule accuracy" in project.run().replace("localrule", "rule")
    settle(project)
    draw_image(project.folder / "pictures" / "dream" / "clock" / "9.png", 99, size=(90, 70))
    planned = project.plan()
    assert ("index_images", "clock") in planned
    project.run()
    settle(project)
    save_random_weights(
        project.folder / "checkpoints" / "resnet.safetensors", "test_resnet", 21, seed=77
    )
    assert ("classify", "resnet", "clock") in project.plan()


def test_notes_are_told_again_and_other_commands_are_planned(project: Project) -> None:
    stray = project.results / "tables" / "of_yesterday.csv"
    stray.write_text("x\n")
    said = settle(project, "tables")
    assert "of_yesterday.csv" in said, "a note that the whole plan made"
    assert PLANNED in project.run("figures")
    stray.unlink()
    said = project.run("tables")
    assert PLANNED in said and "of_yesterday" not in said
    shutil.rmtree(project.folder / ".snakemake")
    assert UNCHANGED not in project.run("tables")


def test_it_ends_as_a_run_does_that_has_nothing_to_do(project: Project) -> None:
    settle(project)
    before = {path: path.stat().st_mtime_ns for path in project.results.rglob("*")}
    assert settle(project)
    assert before == {path: path.stat().st_mtime_ns for path in project.results.rglob("*")}
    assert not [*(project.folder / ".snakemake" / "locks").glob("*")]

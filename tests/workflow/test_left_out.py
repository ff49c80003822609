"""Runs in which a model fails and the others get their tables, figures and page nevertheless."""

from __future__ import annotations

import json
import re
import zipfile
from typing import Any

import pandas as pd
import pytest

from synthsight.api import open_run
from tests.support import LABELS, Project, save_random_weights

pytestmark = pytest.mark.long

WHY = "checkpoints/third.safetensors: it is a web page"


@pytest.fixture
def three(project: Project) -> Project:
    """A project with three classifiers, of which the third one's checkpoint is a web page."""
    config = project.config
    third = {**config["models"][1], "name": "third", "checkpoint": "checkpoints/third.safetensors"}
    project.configure({**config, "models": [*config["models"], third], "on_failure": "leave_out"})
    (project.folder / third["checkpoint"]).write_bytes(b"<html>no such page")
    return project


def models(project: Project, table: str = "accuracy") -> set[str]:
    return {*pd.read_csv(project.results / "tables" / f"{table}.csv")["model"]}


def left_out(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((project.results / "left_out.json").read_text())
    return found


def test_one_bad_checkpoint_costs_the_others_nothing_and_a_repaired_one_returns(
    three: Project,
) -> None:
    said = three.run("--quiet", "rules", "host", "reason")
    assert "Going on without third, as `on_failure` asks for." in said
    end = said[said.rindex("Report: ") :]
    assert f"Without third (failed in fetch_weights: {WHY}" in end
    (about,) = left_out(three)
    assert (about["model"], about["rule"]) == ("third", "fetch_weights") and WHY in about["why"]
    assert models(three) == {"effnet", "resnet"}
    assert not (three.folder / ".snakemake" / "locks").exists()

    page = (three.results / "report.html").read_text(encoding="utf-8")
    head = page[: page.index('id="accuracy"')]
    assert "third is left out of everything here, since it failed in fetch_weights" in head
    captions = re.findall("<figcaption>(.*?)</figcaption>", page, flags=re.DOTALL)
    assert captions and all(" Without third, which failed." in each for each in captions)
    remarks = open_run(three.results).remarks()
    assert remarks[0].startswith("third is left out of everything here") and WHY in remarks[0]
    assert open_run(three.results).missing == {}

    three.snakemake("--report", "r.zip")
    with zipfile.ZipFile(three.folder / "r.zip") as archive:
        text = archive.read("r/report.html").decode()
    shown = text.count('"job_properties"')
    assert shown > 20 and text.count("Without models that failed</strong>: third") > shown

    # A plan is one of all models; a run that fails again makes nothing else, and all stays.
    assert ("fetch_weights", "third") in three.plan()
    before = {path: path.stat().st_mtime_ns for path in three.results.rglob("*.csv")}
    said = three.run()
    assert "left out of the last run and tried again now: third" in said
    assert {path: path.stat().st_mtime_ns for path in three.results.rglob("*.csv")} == before
    assert re.search(r"^rule \w+", said.rpartition("Going on")[2], flags=re.M) is None

    save_random_weights(
        three.folder / "checkpoints" / "third.safetensors", "test_resnet", len(LABELS), 7
    )
    said = three.run()
    assert "left out of the last run" in said and "Going on" not in said
    assert models(three) == {"effnet", "resnet", "third"}
    assert not (three.results / "left_out.json").exists()
    assert "third is left out" not in (three.results / "report.html").read_text("utf-8")
    assert three.plan() == set()


def test_a_model_that_is_asked_is_left_out_and_then_all_are(project: Project) -> None:
    project.configure({**project.config, "on_failure": "leave_out"})
    for name, others in (("other", {"asked"}), ("asked", set())):
        path = project.folder / "checkpoints" / f"ofa_{name}" / "model.safetensors"
        path.write_bytes(b"no weights")
        said = project.run()
        assert f"Without {name} (failed in fetch_vqa: " in said
        shown = open_run(project.results)
        assert {*shown.vqa_models} == others and ("vqa" in shown.tables) == bool(others)
    assert models(project) == {"effnet", "resnet"}, "classifiers have their tables"


def test_a_run_without_any_classifier_fails_and_says_so(project: Project) -> None:
    project.configure({**project.config, "on_failure": "leave_out"})
    for name in ("effnet", "resnet"):
        (project.folder / "checkpoints" / f"{name}.safetensors").write_bytes(b"<html>")
    said = project.fail()
    assert "there is no classifier left to go on with: effnet (failed in fetch_weights" in said
    assert "start the same command again" in said
    assert not (project.results / "left_out.json").exists()


def test_a_failure_that_is_about_no_model_ends_the_run(three: Project) -> None:
    three.configure({**three.config, "worker": False})
    program = three.folder / "workflow" / "scripts" / "label_audit.py"
    program.write_text("#!/usr/bin/env python3\nraise SystemExit('label_audit: no')\n")
    said = three.fail()
    assert "what failed (label_audit) is not about a single model, so none is left out" in said
    assert "Going on" not in said and not (three.results / "left_out.json").exists()

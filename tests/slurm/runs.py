"""The workflow on a real Slurm, in a cluster of one machine with two GPUs: ``make test-cluster``.

Not among the tests that ``make test`` runs, since Snakemake mostly waits in them. Where Slurm is
missing they fail. The embedded demo is compared with the local run that ``make demo`` has made.
"""

from __future__ import annotations

import itertools
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.slurm import cluster as slurm_cluster
from tests.slurm.cluster import REPOSITORY, Cluster
from tests.support import Project, small_config

LOCAL = REPOSITORY / "results" / "demo"
COMPARED = ("tables", "scores", "vqa", "images")


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in COMPARED
        for path in (folder / part).rglob("*")
        if path.is_file()
    }


def test_the_demo_on_a_cluster_is_the_local_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert slurm_cluster.missing() is None, slurm_cluster.missing()
    assert (LOCAL / "report.html").exists(), "make demo makes the run to compare with"
    for part in ("Snakefile", "config.yaml", "rules", "workflow", "profiles", "src", "resources"):
        source = REPOSITORY / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tmp_path / part)
    shutil.rmtree(tmp_path / "resources" / "weights", ignore_errors=True)
    with slurm_cluster.running() as cluster:
        start = time.monotonic()
        completed = cluster.submit(tmp_path)
        seconds = time.monotonic() - start
        submissions = cluster.submissions()
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert files(tmp_path / "results" / "demo") == files(LOCAL)
    # The images, five models, two asked questions, scores of predictions made elsewhere, the rest;
    # features of two models with what is learned from them; an adapted model.
    assert len(submissions) == 10 + 2 + 1
    assert not [job for one in submissions for job in one.jobs if job.startswith("fetch_")]
    with capsys.disabled():
        print(f"\nthe demo on Slurm: {seconds:.0f} s, {len(submissions)} submissions")
        for one in submissions:
            print(
                f"  {len(one.jobs):3} jobs, {(one.end - one.start).seconds} s,"
                f" devices {'/'.join(dict.fromkeys(one.devices))}: {', '.join(sorted(one.rules))}"
            )


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    assert slurm_cluster.missing() is None, slurm_cluster.missing()
    with slurm_cluster.running() as cluster:
        yield cluster


def tables(project: Project) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (project.results / "tables").iterdir()}


def test_a_run_on_a_cluster_makes_the_same_tables_as_a_local_one(
    project: Project, cluster: Cluster
) -> None:
    local = tables(project)
    for made in ("results", "resources/weights", ".snakemake"):
        shutil.rmtree(project.folder / made)
    # Pixels that are not kept are made and deleted by the submission that classifies them.
    project.configure({**small_config(), "keep_pixels": False})
    before = len(cluster.submissions())

    completed = cluster.submit(project.folder)
    said = completed.stdout + completed.stderr
    assert completed.returncode == 0, said
    assert tables(project) == local
    assert not list(project.results.rglob("*.arrow"))
    assert (project.results / "report.html").exists()

    submissions = cluster.submissions()[before:]
    assert [submission.state for submission in submissions] == ["COMPLETED"] * 6, said
    images, *on_devices, results = submissions
    assert images.rules == {
        *("index_images", "find_sources", "list_excluded", "thumbnails", "plot_samples"),
        *("find_duplicates", "thumbnails_duplicates"),
        *("index_questions", "list_excluded_questions", "thumbnails_vqa"),
    }
    kinds = [submission.rules for submission in on_devices]
    assert kinds.count({"prepare_pixels", "classify", "score"}) == 2
    assert kinds.count({"ask", "score_vqa"}) == 2
    for submission in on_devices:
        assert len(set(re.findall(r"model=(\w+)", submission.script))) == 1

    # Weights come where the workflow was started, and nowhere else.
    assert said.count("localrule fetch_") + said.count("rule fetch_") >= 4
    assert not [job for one in submissions for job in one.jobs if job.startswith("fetch_")]

    # Each submission asks for one device and all of its processes see that one alone; two that run
    # at once have different ones.
    for submission in on_devices:
        assert submission.gpus == 1
        assert set(submission.devices) in ({"0"}, {"1"}), submission.devices
    for submission in (images, results):
        assert submission.gpus == 0 and set(submission.devices) == {"none"}
    at_once = [
        (one, other)
        for one, other in itertools.combinations(on_devices, 2)
        if one.start < other.end and other.start < one.end
    ]
    assert at_once
    for one, other in at_once:
        assert set(one.devices).isdisjoint(other.devices)

    # All of a model's jobs run in one step, and their libraries are imported once: by each of the
    # four submissions, and for the weights.
    assert all(len(submission.devices) == 2 for submission in on_devices)
    log = (project.results / "logs" / "worker_models.log").read_text(encoding="utf-8")
    assert log.count(" programs in ") == 5
    assert not [file for file in project.results.rglob("*.log") if "worker: " in file.read_text()]

    assert project.plan() == set(), "a local run finds nothing left to do"


def test_a_failed_job_says_why_and_the_next_run_goes_on(
    project: Project, cluster: Cluster, edit: Callable[[str, str, str], None]
) -> None:
    local = tables(project)
    file = "src/synthsight/figures/kappa.py"
    text = (project.folder / file).read_text(encoding="utf-8")
    line = "    names = [models["
    edit(file, line, f'    raise OSError("the disk is on fire")\n{line}')
    completed = cluster.submit(project.folder, "--retries", "0")
    said = completed.stdout + completed.stderr
    assert completed.returncode != 0
    assert "OSError: the disk is on fire" in said
    assert "logs/plot_kappa.log" in said
    assert cluster.submissions()[-1].state == "FAILED"
    assert not (project.results / "figures" / "kappa.png").exists()

    (project.folder / file).write_text(text, encoding="utf-8")
    project.run()
    assert tables(project) == local
    assert (project.results / "figures" / "kappa.png").exists()


def test_a_model_that_fails_on_its_node_is_left_out_by_the_jobs_that_follow(
    project: Project, cluster: Cluster
) -> None:
    project.configure({**small_config(), "on_failure": "leave_out"})
    for made in ("tables", "figures", "logits"):
        shutil.rmtree(project.results / made)
    weights = project.folder / "resources" / "weights" / "resnet.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    completed = cluster.submit(project.folder, "--retries", "0")
    said = completed.stdout + completed.stderr
    assert completed.returncode == 0, said
    assert "Going on without resnet" in said
    assert "Without resnet (failed in classify: " in said
    assert b"resnet" not in tables(project)["accuracy.csv"]
    page = (project.results / "report.html").read_text(encoding="utf-8")
    assert "resnet is left out of everything here, since it failed in classify" in page

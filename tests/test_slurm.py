"""The workflow on a real Slurm, in a cluster of one machine with two GPUs."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import slurm_cluster
from conftest import REPOSITORY, Project, draw_image, small_config
from slurm_cluster import SCRIPT, Cluster

ABSENT = slurm_cluster.missing()
needs_slurm = pytest.mark.skipif(ABSENT is not None, reason=f"needs Slurm: {ABSENT}")
needs_plugin = pytest.mark.skipif(not slurm_cluster.has_plugin(), reason="needs Slurm's plugin")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with slurm_cluster.running() as cluster:
        yield cluster


def tables(project: Project) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (project.results / "tables").iterdir()}


def groups(plan: str) -> Counter[str]:
    """The submissions of a dry run: their groups, and rules of jobs without one."""
    found: Counter[str] = Counter(re.findall(r"^\[.*\] Group job (\S+)", plan, re.MULTILINE))
    found.update(re.findall(r"^rule (\w+):", plan, re.MULTILINE))
    return found


def dry_run(project: Project, *arguments: str) -> str:
    completed = slurm_cluster.snakemake(project.folder, "--dry-run", *arguments)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


# --- For real -----------------------------------------------------------------------------------


@needs_slurm
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
        *("index_images", "list_excluded", "thumbnails", "plot_samples"),
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


@needs_slurm
def test_a_failed_job_says_why_and_the_next_run_goes_on(
    project: Project, cluster: Cluster, edit: Callable[[str, str, str], None]
) -> None:
    local = tables(project)
    file = "workflow/scripts/plot_kappa.py"
    text = (project.folder / file).read_text(encoding="utf-8")
    edit(file, 'if __name__ == "__main__":', 'raise OSError("the disk is on fire")\nif True:')
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


@needs_slurm
def test_the_cluster_starts_once_and_leaves_nothing(tmp_path: Path) -> None:
    with slurm_cluster.running() as cluster:
        files = [cluster.folder / f"{name}.pid" for name in ("munged", "slurmctld", "slurmd")]
        first = [file.read_text(encoding="ascii") for file in files]
        subprocess.run([SCRIPT, "start", cluster.folder], check=True)
        assert [file.read_text(encoding="ascii") for file in files] == first
        sleeping = subprocess.run(
            ["sbatch", "--output", tmp_path / "log", "--wrap", "sleep 600"],
            env=cluster.environment,
            check=True,
        )
        assert sleeping.returncode == 0
        assert processes_of(cluster)
    assert not processes_of(cluster)
    assert not cluster.folder.exists()
    assert subprocess.run([SCRIPT, "stop", cluster.folder]).returncode == 0


def processes_of(cluster: Cluster) -> list[str]:
    """Commands of processes that have to do with a cluster."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(cluster.folder) in words:
            found.append(process.name)
    return found


# --- What would be submitted --------------------------------------------------------------------


@pytest.fixture
def paper(project: Project) -> Project:
    """A project with the paper's configuration, an image of each category and some questions."""
    shutil.copytree(REPOSITORY / "config", project.folder / "config")
    text = (project.folder / "config" / "paper.yaml").read_text(encoding="utf-8")
    categories = re.findall(r"^  - (\w+)$", text, re.MULTILINE)
    assert len(categories) == 17
    for category in categories:
        draw_image(project.folder / "resources" / "images" / category / "1.png", 0)
    (project.folder / "resources" / "questions.csv").write_text(
        "image,question,answer\nkite/1.png,Is it a kite?,yes\n", encoding="utf-8"
    )
    vqa = text[text.index("# vqa:") :].replace("\n# ", "\n").removeprefix("# ")
    assert vqa.startswith("vqa:\n  questions:")
    (project.folder / "config" / "paper.yaml").write_text(
        text[: text.index("# vqa:")] + vqa, encoding="utf-8"
    )
    return project


@needs_plugin
def test_the_papers_run_is_a_dozen_submissions(paper: Project) -> None:
    plan = dry_run(paper, "--configfile", "config/paper.yaml")
    found = groups(plan)
    # These are no submissions: they run where the workflow was started.
    local = {rule: found.pop(rule) for rule in ("fetch_weights", "fetch_vqa", "all")}
    assert local == {"fetch_weights": 10, "fetch_vqa": 1, "all": 1}
    models = [group for group in found if group.startswith("classify_")]
    assert len(models) == 10
    assert set(found) == {*models, "images", "ask_ofa-huge-vqa", "results"}
    assert set(found.values()) == {1}


@needs_plugin
def test_pixels_that_are_not_kept_go_with_their_model(project: Project) -> None:
    project.configure({**small_config(), "keep_pixels": False})
    for group in re.split(r"\n(?=\[.*\] Group job )", dry_run(project, "--forceall")):
        name = re.match(r"\[.*\] Group job (\S+)", group)
        if name and "rule prepare_pixels" in group:
            model = name[1].removeprefix("classify_")
            assert model in ("effnet", "resnet")
            assert set(re.findall(r"geometry=\S+, model=(\w+)|wildcards: model=(\w+)", group))


@needs_plugin
def test_one_model_can_be_spread_over_devices(paper: Project) -> None:
    """As the profile's comment says."""
    comment = (paper.folder / "profiles" / "slurm" / "profile.yaml").read_text(encoding="utf-8")
    apart = re.search(r"#   groups: \[(.*)\]\n#   group-components: \[(.*)\]", comment)
    assert apart is not None
    components = apart[2].replace('"', "").replace("=50", "=5")
    found = groups(
        dry_run(
            paper,
            *("--configfile", "config/paper.yaml"),
            *("--groups", *apart[1].split(", ")),
            *("--group-components", *components.split(", ")),
        )
    )
    assert found["classify_alexnet"] == 4
    assert found["images"] == 4

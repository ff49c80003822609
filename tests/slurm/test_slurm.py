"""What would be submitted to a Slurm; ``slurm/runs.py`` runs the workflow on one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.slurm import cluster as slurm_cluster
from tests.slurm.cluster import SCRIPT, Cluster
from tests.support import REPOSITORY, Project, draw_image, small_config

ABSENT = slurm_cluster.missing()
needs_slurm = pytest.mark.skipif(ABSENT is not None, reason=f"needs Slurm: {ABSENT}")
needs_plugin = pytest.mark.skipif(not slurm_cluster.has_plugin(), reason="needs Slurm's plugin")


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


@pytest.mark.long
@needs_slurm
def test_the_cluster_starts_once_and_leaves_nothing(tmp_path: Path) -> None:
    with slurm_cluster.running() as cluster:
        files = [cluster.folder / f"{name}.pid" for name in ("munged", "slurmctld", "slurmd_node1")]
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


@pytest.fixture(scope="module")
def paper(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the paper's configuration, an image of each category and some questions."""
    project = Project(tmp_path_factory.mktemp("paper") / "project")
    shutil.copytree(finished.folder, project.folder, symlinks=True)
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


@pytest.mark.long
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


@pytest.mark.long
@needs_plugin
def test_pixels_that_are_not_kept_go_with_their_model(project: Project) -> None:
    project.configure({**small_config(), "keep_pixels": False})
    for group in re.split(r"\n(?=\[.*\] Group job )", dry_run(project, "--forceall")):
        name = re.match(r"\[.*\] Group job (\S+)", group)
        if name and "rule prepare_pixels" in group:
            model = name[1].removeprefix("classify_")
            assert model in ("effnet", "resnet")
            assert set(re.findall(r"geometry=\S+, model=(\w+)|wildcards: model=(\w+)", group))


@pytest.mark.long
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


@pytest.mark.long
@needs_plugin
def test_parts_of_a_category_are_submissions_of_their_own(project: Project) -> None:
    config = small_config()
    config["images"] = {**config["images"], "part": 2}
    for keep_pixels in (True, False):
        project.configure({**config, "keep_pixels": keep_pixels})
        plan = dry_run(project, "--forceall")
        found = groups(plan)
        parts = [name for name in found if re.search(r"_[12]-of-2$", name)]
        assert {name.rpartition("_")[0] for name in parts} == {
            "images",
            *("classify_effnet", "classify_resnet"),
        }
        assert not any("_part" in name for name in found), "no job of a part is without a group"
        for block in re.split(r"\n(?=\[.*\] Group job )", plan):
            name = re.match(r"\[.*\] Group job (\S+)", block)
            rules = set(re.findall(r"rule (\w+):", block))
            if name and name[1] in parts:
                categories = set(re.findall(r"(?:wildcards: |, )category=(\w+)", block))
                assert len(categories) == 1, "a submission is about one part of one category"
                decodes = "prepare_pixels_part" in rules
                assert decodes == (name[1].startswith("images") == keep_pixels)

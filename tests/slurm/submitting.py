"""The workflow on a queue that is given jobs by commands: ``make test-cluster``."""

from __future__ import annotations

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.slurm import batch_queue
from tests.slurm import cluster as slurm_cluster
from tests.slurm.cluster import wait_for
from tests.slurm.nodes import SECOND, tables
from tests.support import Project


def test_a_queue_of_commands_makes_the_same_tables_though_a_job_is_killed(
    project: Project, tmp_path: Path
) -> None:
    assert slurm_cluster.has_plugin(), "no plugins: run tests/slurm/install.sh"
    local = tables(project)
    for made in ("results", "resources/weights", ".snakemake"):
        shutil.rmtree(project.folder / made)
    queue, hold = tmp_path / "queue", tmp_path / "hold"
    hold.mkdir()
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(
            slurm_cluster.snakemake,
            project.folder,
            *("tables", "--seconds-between-status-checks", "1"),
            path=f"{batch_queue.install(queue)}:{os.environ['PATH']}",
            environment={"HOLD": str(hold), "HOLD_AT": SECOND},
            profile="cluster-generic",
        )
        try:
            full = batch_queue.LIMIT
            wait_for("two at work", lambda: len([*hold.iterdir()]) == full or run.done())
            assert not run.done(), "the run ended before two models were at work"
            killed = min(mark.name for mark in hold.iterdir())
            batch_queue.kill(queue, killed)
        finally:
            (hold / "go").touch()
    completed = run.result()
    said = completed.stdout + completed.stderr
    assert completed.returncode == 0, said
    assert tables(project) == local
    assert said.count("Trying to restart job") == 1
    assert project.plan("tables") == set(), "a local run finds nothing left to do"

    # Images, four models, tables; that which was killed twice; and never more than there are slots.
    history = batch_queue.history(queue)
    assert len(history) == 2 * (1 + 4 + 1 + 1)
    at_once = 0
    for event, _ in history:
        at_once += 1 if event == "start" else -1
        assert 0 <= at_once <= batch_queue.LIMIT
    assert (queue / f"{killed}.status").read_text(encoding="ascii") == "-9"

    # Each asks for what its jobs need: models for a GPU, all others for none.
    jobs = sorted({int(job) for _, job in history})
    needs = [batch_queue.asked(queue, str(job)).partition(" -l ")[2] for job in jobs]
    assert [need.rpartition("gpu=")[2] for need in needs] == ["0", *["1"] * 5, "0"]
    assert all(re.fullmatch(r"h_vmem=\d+M,h_rt=0:\d+:0,gpu=[01]", need) for need in needs), needs

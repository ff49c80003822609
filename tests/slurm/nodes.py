"""The workflow on a Slurm of four nodes, of which some die in mid-run: ``make test-cluster``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.slurm import cluster as slurm_cluster
from tests.slurm.cluster import Cluster, Submission, wait_for
from tests.support import Project, small_config

#: Of each model the second file that is computed: its submission has finished something by then.
SECOND = r"/(logits/\w+/clock|answers/\w+/2)\.parquet$"


def tables(project: Project) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (project.results / "tables").iterdir()}


def test_nodes_that_die_and_one_that_is_drained_change_no_number(
    project: Project, tmp_path: Path
) -> None:
    assert slurm_cluster.missing() is None, slurm_cluster.missing()
    local = tables(project)
    for made in ("results", "resources/weights", ".snakemake"):
        shutil.rmtree(project.folder / made)
    project.configure({**small_config(), "keep_pixels": False})
    hold = tmp_path / "hold"
    hold.mkdir()
    with slurm_cluster.running(nodes=4) as cluster, ThreadPoolExecutor(1) as pool:
        run = pool.submit(
            cluster.submit,
            project.folder,
            "tables",
            # What asks questions is as on a cluster that puts no job back into the queue.
            "--set-resources",
            *(f"{rule}:slurm_extra='--no-requeue'" for rule in ("ask", "score_vqa")),
            environment={"HOLD": str(hold), "HOLD_AT": SECOND},
        )
        try:
            drained, requeued, retried, healthy = spread(cluster, hold, lambda: not run.done())
            cluster.drain(drained.node)
            cluster.kill(requeued.node)
            cluster.kill(retried.node)
            wait_for("two nodes are down", lambda: states(cluster).count("DOWN") == 2)
            wait_for("its job waits again", lambda: now(cluster, requeued).state == "PENDING")
            cluster.start_now(requeued.number)
        finally:
            (hold / "go").touch()
        completed = run.result()
        after = cluster.submissions()
        said = completed.stdout + completed.stderr
        assert completed.returncode == 0, said

        # The same tables, and no leftovers of what was killed.
        assert tables(project) == local
        assert not [path for path in project.results.rglob(".*") if path.is_file()]
        assert project.plan("tables") == set(), "a local run finds nothing left to do"

        # A drained node finishes what it has, and gets no more.
        assert [one.number for one in after if one.node == drained.node][-1] == drained.number
        assert now(cluster, drained).state == "COMPLETED"
        # Slurm puts the job of a node that died back into the queue, and it is the same job.
        again = now(cluster, requeued)
        assert (again.state, again.restarts, again.node) == ("COMPLETED", 1, healthy.node)
        # Where Slurm does not, the job is lost, and Snakemake submits it again.
        assert now(cluster, retried).state == "NODE_FAIL"
        assert said.count("Trying to restart job") == 1
        twice = [one for one in after if one.jobs == retried.jobs]
        assert [one.state for one in twice] == ["NODE_FAIL", "COMPLETED"]
        assert twice[-1].node == healthy.node
        # Nothing else was made twice.
        assert len(after) == 1 + 4 + 1 + 1
        assert sum(one.restarts for one in after) == 1


def spread(
    cluster: Cluster, hold: Path, going: Callable[[], bool]
) -> tuple[Submission, Submission, Submission, Submission]:
    """Wait until each node holds a model in mid-work: two that classify, two that answer."""
    wait_for("four models at work", lambda: len([*hold.iterdir()]) == 4 or not going())
    assert going(), "the run ended before four models were at work"
    at_work = {one.node: one for one in cluster.submissions() if one.state == "RUNNING"}
    assert set(at_work) == {"node1", "node2", "node3", "node4"}
    classifying, asking = (
        [one for one in at_work.values() if rule in one.rules] for rule in ("classify", "ask")
    )
    assert len(classifying) == len(asking) == 2
    return classifying[0], classifying[1], asking[0], asking[1]


def now(cluster: Cluster, submission: Submission) -> Submission:
    """What has become of a submission."""
    (found,) = (one for one in cluster.submissions() if one.number == submission.number)
    return found


def states(cluster: Cluster) -> list[str]:
    """The states of the nodes, without what is said beside them."""
    return [re.split(r"\W", state)[0] for state in cluster.node_states().values()]

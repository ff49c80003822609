"""The embedded demo on a real Slurm, compared with the local run that ``make demo`` has made.

Not one of the tests that ``make test`` runs, since Snakemake mostly waits in it:
``pytest tests/slurm/demo.py``. Where Slurm is missing it fails.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
import slurm_cluster
from slurm_cluster import REPOSITORY

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
    # The images, four models, OFA, all that follows.
    assert len(submissions) == 7
    assert not [job for one in submissions for job in one.jobs if job.startswith("fetch_")]
    with capsys.disabled():
        print(f"\nthe demo on Slurm: {seconds:.0f} s, {len(submissions)} submissions")
        for one in submissions:
            print(
                f"  {len(one.jobs):3} jobs, {(one.end - one.start).seconds} s,"
                f" devices {'/'.join(dict.fromkeys(one.devices))}: {', '.join(sorted(one.rules))}"
            )

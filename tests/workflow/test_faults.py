"""What ``faults.py`` relies on, and one round; ``make test-faults`` runs rounds of all faults."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthsight.worker.protocol import supported
from tests import faults, warm_worker
from tests.faults import FAULTS
from tests.support import Project

pytestmark = pytest.mark.skipif(not supported(), reason="needs Linux")


@pytest.fixture(scope="module")
def undisturbed(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("faults") / "undisturbed"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return faults.leave_in_peace(Project(folder))


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield


@pytest.mark.long
def test_after_a_kill_the_next_plain_run_completes(
    undisturbed: Project, tmp_path: Path, runtime: None
) -> None:
    ended = faults.run_round(undisturbed, tmp_path / "round", "kill", seed=0)
    assert ended in ("succeeded", "failed", "was killed")


@pytest.mark.long
def test_the_harness_notices_a_file_that_is_not_whole(
    undisturbed: Project, tmp_path: Path, runtime: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(project: Project, run: subprocess.Popen[bytes], rng: object) -> None:
        run.wait()
        table = project.results / "tables" / "accuracy.csv"
        table.write_bytes(table.read_bytes()[:-10])

    def start(project: Project, said: Path) -> subprocess.Popen[bytes]:
        return cold(project, said, **warm_worker.environment(project.folder / "src"))

    cold = faults.start
    monkeypatch.setattr(faults, "start", start)  # this run is not disturbed
    monkeypatch.setitem(FAULTS, "spoil", spoil)
    with pytest.raises(faults.BrokenPromiseError, match=r"accuracy\.csv is not as it should be"):
        faults.run_round(undisturbed, tmp_path / "round", "spoil", seed=0)


#: Makes the moment long in which Snakemake's main thread holds the lock that ending it takes.
SLOW = """
from snakemake.scheduling.job_scheduler import JobScheduler
import time
finish = JobScheduler._finish_jobs
def slow(self):
    if self._tofinish:
        print("finishing", flush=True)
        time.sleep(2)
    finish(self)
JobScheduler._finish_jobs = slow
"""


@pytest.mark.long
def test_a_run_that_is_told_to_end_while_it_finishes_a_job_ends(
    project: Project, runtime: None
) -> None:
    shutil.rmtree(project.results / "tables")
    (project.folder / "slow").mkdir()
    (project.folder / "slow" / "sitecustomize.py").write_text(SLOW)
    said = project.folder / "said"
    run = faults.start(
        project, said, PYTHONPATH=f"{project.folder / 'slow'}:{project.folder / 'src'}"
    )
    try:
        while "finishing" not in said.read_text():
            assert run.poll() is None, said.read_text()
            time.sleep(0.05)
        run.terminate()
        assert run.wait(60) == 1
    finally:
        run.kill()
    assert "Will exit after finishing currently running jobs" in said.read_text()
    project.run("tables")

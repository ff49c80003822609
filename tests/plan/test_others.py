"""A run that is at work is told from one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthsight.plan.others import AtWorkError, at_work
from tests.support import REPOSITORY, Project

HOLD = "import sys; from pathlib import Path; from synthsight.plan.others import hold; "
HOLD += "hold(Path(sys.argv[1])); print(flush=True); sys.stdin.read()"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.fixture
def other(kept: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock as a run does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(kept)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdin is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_without_another_run_nothing_is_said(kept: Path) -> None:
    assert at_work(kept, ["snakemake"]) is None
    assert at_work(kept, ["snakemake", "--unlock"]) is None


def test_a_run_at_work_is_said_and_not_unlocked(kept: Path, other: subprocess.Popen[str]) -> None:
    said = at_work(kept, ["snakemake"])
    assert said is not None and f"process {other.pid} on " in said
    with pytest.raises(AtWorkError, match=f"process {other.pid} on .*--unlock is for runs that"):
        at_work(kept, ["snakemake", "--unlock"])


def test_a_run_that_was_killed_may_be_unlocked(kept: Path, other: subprocess.Popen[str]) -> None:
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert at_work(kept, ["snakemake", "--unlock"]) is None


@pytest.mark.long
def test_the_plain_command_says_so(project: Project, other: subprocess.Popen[str]) -> None:
    place = project.folder / ".snakemake" / "synthsight"
    (place / "running").unlink(missing_ok=True)
    os.link(_file_of(other), place / "running")
    completed = project.snakemake("--dry-run")
    assert completed.returncode == 0
    assert "another run is at work in this folder" in completed.stdout + completed.stderr
    completed = project.snakemake("--unlock")
    assert completed.returncode == 1
    assert "wait for it, or end it" in completed.stdout + completed.stderr


def _file_of(process: subprocess.Popen[str]) -> str:
    """The file that a process holds."""
    folder = Path("/proc", str(process.pid), "fd")
    return next(os.readlink(f) for f in folder.iterdir() if os.readlink(f).endswith("/running"))

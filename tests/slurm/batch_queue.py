"""A small batch system: runs scripts in the background, so many at a time, and tells how they end.

Its commands are called, and answer, like those of Grid Engine that ``profiles/cluster-generic``
uses: ``qsub ... SCRIPT``, ``qstat -j JOB``, ``qacct -j JOB``, ``qdel JOB ...``. There is no daemon:
what runs a job is a process of its own that waits for one of ``LIMIT`` slots, files with a lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

#: Jobs at a time.
LIMIT = 2

COMMANDS = ("qsub", "qstat", "qacct", "qdel")


def install(folder: Path) -> Path:
    """Make a queue in a new folder; returns the folder of its commands."""
    commands = folder / "bin"
    commands.mkdir(parents=True)
    for name in COMMANDS:
        command = commands / name
        command.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" {name} "$@"\n',
            encoding="utf-8",
        )
        command.chmod(0o755)
    return commands


def history(folder: Path) -> list[tuple[str, str]]:
    """What happened to jobs, in order: ``start`` or ``end``, and the job."""
    lines = (folder / "history").read_text(encoding="ascii").splitlines()
    return [(line.split()[0], line.split()[1]) for line in lines]


def asked(folder: Path, job: str) -> str:
    """What was asked for with a job, as it stood on the command line."""
    return (folder / f"{job}.asked").read_text(encoding="utf-8")


def qsub(folder: Path, arguments: list[str]) -> int:
    """Put a script into the queue, and print the job's number.

    It runs in the present folder with ``-cwd``, else in an empty one of its own.
    """
    script = Path(arguments[-1]).resolve()
    job = _number(folder, " ".join(arguments[:-1]))
    if os.fork():
        print(job)
        return 0
    os.setsid()
    silent = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # nobody waits for its output
        os.dup2(silent, number)
    os.environ["JOB_ID"] = str(job)
    if "-cwd" not in arguments:
        own = folder / f"{job}.folder"
        own.mkdir()
        os.chdir(own)
    group = folder / f"{job}.group"
    group.write_text(str(os.getpid()), encoding="ascii")
    with _slot(folder):
        _note(folder, "start", job)
        with open(folder / f"{job}.log", "wb") as log:
            # A group of its own, so that this process outlives what kills the job.
            process = subprocess.Popen(
                ["/bin/sh", script], stdout=log, stderr=log, start_new_session=True
            )
        group.write_text(str(process.pid), encoding="ascii")
        status = process.wait()
        _note(folder, "end", job)
        (folder / f"{job}.status").write_text(str(status), encoding="ascii")
    return 0


def _number(folder: Path, asked: str) -> int:
    """The next job's number; what is asked for with it is kept."""
    for number in itertools.count(1):
        with contextlib.suppress(FileExistsError):
            with open(folder / f"{number}.asked", "x", encoding="utf-8") as handle:
                handle.write(asked)
            break
    return number


def qstat(folder: Path, arguments: list[str]) -> int:
    """Succeed if the job waits or runs."""
    return int(_status(folder, arguments[-1]) is not None)


def qacct(folder: Path, arguments: list[str]) -> int:
    """Print how a job ended; fail if it has not."""
    status = _status(folder, arguments[-1])
    if status is None:
        return 1
    print(f"jobnumber    {arguments[-1]}\nfailed       0\nexit_status  {status}")
    return 0


def qdel(folder: Path, arguments: list[str]) -> int:
    """End jobs, or take them out of the queue."""
    for job in arguments:
        kill(folder, job)
    return 0


def kill(folder: Path, job: str) -> None:
    """End a job."""
    group = (folder / f"{job}.group").read_text(encoding="ascii")
    with contextlib.suppress(ProcessLookupError):
        os.killpg(int(group), signal.SIGKILL)


def _status(folder: Path, job: str) -> str | None:
    with contextlib.suppress(FileNotFoundError):
        return (folder / f"{job}.status").read_text(encoding="ascii")
    return None


def _note(folder: Path, event: str, job: int) -> None:
    with open(folder / "history", "a", encoding="ascii") as handle:
        handle.write(f"{event} {job}\n")


@contextlib.contextmanager
def _slot(folder: Path) -> Iterator[None]:
    """Wait for a slot, and hold it."""
    with contextlib.ExitStack() as files:
        names = [folder / f"slot{number}" for number in range(LIMIT)]
        slots = [files.enter_context(open(name, "wb")) for name in names]
        while not any(map(_locked, slots)):
            time.sleep(0.1)
        yield


def _locked(slot: IO[bytes]) -> bool:
    """Whether this process has the lock now; it is held until the file is closed."""
    try:
        fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(globals()[sys.argv[2]](Path(sys.argv[1]), sys.argv[3:]))

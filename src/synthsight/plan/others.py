"""Other runs at work in the same folder.

Snakemake locks the files of a run. If it finds them locked it advises ``--unlock``, which is right
after a run that was killed, and ruins one that is at work. So a run holds a lock of its own, which
the system releases however the run ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from synthsight.errors import SynthsightError

#: The open files that hold locks until the process ends.
_HELD: list[IO[str]] = []

_NAME = "running"


class AtWorkError(SynthsightError):
    """A run is at work whose lock somebody wants to remove."""


def hold(kept: Path) -> None:
    """Say that a run is at work, until this process ends.

    Args:
        kept: folder of caches; without a lock there, nothing depends on it.
    """
    with suppress(OSError):
        kept.mkdir(parents=True, exist_ok=True)
        held = open(kept / _NAME, "a+", encoding="utf-8")  # noqa: SIM115 - until the process ends
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held.truncate(0)
        held.write(f"{os.getpid()} on {os.uname().nodename}")
        held.flush()
        _HELD.append(held)


def at_work(kept: Path, arguments: Sequence[str]) -> str | None:
    """A note about another run that is at work in this folder, or None.

    Args:
        kept: folder of caches.
        arguments: the command line.

    Raises:
        AtWorkError: it is to be unlocked.
    """
    with suppress(OSError), open(kept / _NAME, encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            who = file.read().strip()
        if "--unlock" in arguments:
            raise AtWorkError(
                f"another run is at work in this folder (process {who}): wait for it, or end it. "
                "--unlock is for runs that were killed"
            )
        return (
            f"another run is at work in this folder (process {who}). If Snakemake says that it "
            "cannot lock the folder, wait for that run; --unlock is for runs that were killed"
        )
    return None

"""Restarting the same command: above all once the images have been unpacked from their archive.

The categories are read from the images' folders before anything is planned. So as long as the
archive is not unpacked, a run only unpacks it, and then starts anew. A run that leaves out models
that failed goes on in the same way (:mod:`synthsight.plan.leaving`).
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

#: Targets that need no images.
WITHOUT_IMAGES = {"images", "weights"}

#: Set by a process before it is replaced, so that this happens only once.
_AGAIN = "SYNTHSIGHT_GOES_ON"

#: Set by the main process of a run, for its jobs.
_RUN = "SYNTHSIGHT_RUN"


def fetched_file(folder: Path, is_main_process: bool) -> Path:
    """The file whose existence means that this run has the images.

    Each run makes its own: whether the images are there is decided by the marker in their folder,
    not by what Snakemake remembers. Jobs, which plan in processes of their own, find its name in
    the environment.
    """
    if is_main_process or _RUN not in os.environ:
        os.environ[_RUN] = f"{os.getpid()}-{time.time_ns()}"
    return folder / f"fetched-{os.environ[_RUN]}"


def begin_anew(fetched: Path, targets: Iterable[str], say: Callable[[str], None]) -> None:
    """Replace this process, when it exits, with the same command.

    A program that uses Snakemake as a library is not replaced.

    Args:
        fetched: the file from :func:`fetched_file`.
        targets: the requested targets; none for the default.
        say: writes a line for the user.
    """
    fetched.unlink(missing_ok=True)
    if ({*targets} or {"all"}) <= WITHOUT_IMAGES:
        return
    if not can_begin_anew() or os.environ.get(_AGAIN) == str(os.getpid()):
        say("The images are here. Run the same command again to continue.")
        return
    say("The images are here. Continuing with the same command.")
    os.environ[_AGAIN] = str(os.getpid())
    replace_at_exit()


def can_begin_anew() -> bool:
    """Whether this process is the command ``snakemake``, and not a program that uses it."""
    program = Path(sys.argv[0])
    return program.name == "snakemake" or program.parts[-2:] == ("snakemake", "__main__.py")


def replace_at_exit() -> None:
    """Replace this process, when it exits, with the same command: it keeps its id and its workers.

    By then Snakemake has released its lock.
    """

    def replace() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, sys.orig_argv)

    atexit.register(replace)

"""Going on with the same command when the images have come out of their archive.

Which categories there are is read off the images' folders before anything is planned. So as long as
the archive is not unpacked, unpacking it is all that a run does; then it begins anew.
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

#: Set by a process that goes on in its place, so that it does so once only.
_AGAIN = "SYNTHSIGHT_GOES_ON"

#: Set by the main process of a run, for its jobs.
_RUN = "SYNTHSIGHT_RUN"


def fetched_file(folder: Path, is_main_process: bool) -> Path:
    """The file whose presence means that this run has the images.

    Each run makes it anew: the marker in the images' folder says whether they are there, not what
    Snakemake remembers. Jobs, which plan in processes of their own, find its name in the
    environment.
    """
    if is_main_process or _RUN not in os.environ:
        os.environ[_RUN] = f"{os.getpid()}-{time.time_ns()}"
    return folder / f"fetched-{os.environ[_RUN]}"


def begin_anew(fetched: Path, targets: Iterable[str], say: Callable[[str], None]) -> None:
    """Replace this process, when it ends, by the same command.

    By then Snakemake's lock has been given back. A program that uses Snakemake as a library is not
    replaced.

    Args:
        fetched: :func:`fetched_file`.
        targets: what this run was asked for; none for the default.
        say: writes a line for the user.
    """
    fetched.unlink(missing_ok=True)
    program = Path(sys.argv[0])
    called = program.name == "snakemake" or program.parts[-2:] == ("snakemake", "__main__.py")
    if ({*targets} or {"all"}) <= WITHOUT_IMAGES:
        return
    if not called or os.environ.get(_AGAIN) == str(os.getpid()):
        say("The images are here. Run the same command again to go on.")
        return
    say("The images are here. Going on with the same command.")
    os.environ[_AGAIN] = str(os.getpid())

    def replace() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, sys.orig_argv)

    atexit.register(replace)

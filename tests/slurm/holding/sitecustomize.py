"""Lets programs stop in mid-work, just before they rename a finished file, until they may go on.

Python imports this at its start where the folder is in ``PYTHONPATH``. It knows two environment
variables: ``HOLD``, a folder, and ``HOLD_AT``, a pattern for the paths of files. A program that is
to rename a file to such a path leaves ``HOLD/NAME``, with the path in it, and waits for
``HOLD/go``. NAME is that of Slurm's node, or else the number of the job. So a test can do to a node
or a job what it likes while this is known to be at work.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import Any


def _hold(folder: Path, pattern: re.Pattern[str]) -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "os.rename" or not pattern.search(os.fspath(arguments[1])):
            return
        mark = folder / (os.environ.get("SLURMD_NODENAME") or os.environ["JOB_ID"])
        mark.write_text(os.fspath(arguments[1]), encoding="utf-8")
        while not (folder / "go").exists():
            time.sleep(0.05)

    sys.addaudithook(hook)


if "HOLD" in os.environ:
    _hold(Path(os.environ["HOLD"]), re.compile(os.environ["HOLD_AT"]))

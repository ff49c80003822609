"""Programs run in forks of a process that has imported what they import already.

A plan of Snakemake's, a small run or a figure takes a fraction of a second, and its imports several
times as long. So one process for each process of tests imports what is not this project's, has no
thread of its own, and forks for every command: the command sees a process, an environment and a
folder of its own, as if the interpreter had been started for it.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]

#: Of Snakemake, and of the programs behind the networks.
BEHIND = (
    *("snakemake.cli", "snakemake.api", "snakemake.dag", "snakemake.scheduling.job_scheduler"),
    *(
        "snakemake.storage",
        "snakemake.profiles",
        "snakemake.assets",
        "snakemake.report.html_reporter",
    ),
    *("smart_open", "requests", "dpath", "platformdirs.unix", "pygments.formatters.html"),
    *("docutils.core", "docutils.parsers.rst.directives.images", "docutils.readers.doctree"),
    *("docutils.parsers.rst.languages.en", "PIL.ImageOps", "PIL.AvifImagePlugin"),
    *("jsonschema", "yaml", "numpy", "pandas", "pyarrow.parquet", "pyarrow.ipc", "PIL.Image"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf"),
    *("statsmodels.stats.multitest", "statsmodels.stats.proportion", "jinja2"),
)

#: Of programs that fetch models. The hub's own packages read where it is when they are imported.
NETWORKS = ("torch", "torchvision", "safetensors.torch", "numpy", "pandas", "pyarrow.parquet")

IMPORTS = {"behind": BEHIND, "networks": NETWORKS}


def run(
    command: Sequence[str | Path],
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    kind: str = "behind",
) -> subprocess.CompletedProcess[str]:
    """Run a program that is written in Python: its file, and its arguments.

    ``kind`` says what has been imported before (see ``IMPORTS``).
    """
    with tempfile.TemporaryDirectory() as work:
        told = {
            "command": list(map(str, command)),
            "folder": str(folder or Path.cwd()),
            "environment": dict(os.environ if environment is None else environment),
            "output": f"{work}/output",
            "error": f"{work}/error",
        }
        server = _server(kind)
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(json.dumps(told) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        output, error = (Path(work, name).read_text("utf-8") for name in ("output", "error"))
    return subprocess.CompletedProcess(told["command"], status, output, error)


@functools.cache
def _server(kind: str) -> subprocess.Popen[str]:
    """It ends when the process that asks it does, which closes its standard input."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", kind],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(server.communicate)
    return server


def serve() -> None:
    for name in IMPORTS[sys.argv[1]]:
        __import__(name)
    if "snakemake.cli" in sys.modules:
        sys.modules[
            "snakemake.cli"
        ].get_argument_parser()  # it looks for plugins, once in a process
    assert "huggingface_hub.constants" not in sys.modules
    gc.freeze()
    for line in sys.stdin:
        process = os.fork()
        if not process:
            become(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
    gc.unfreeze()  # or triton says, at length, what it takes for leaks


def become(told: dict[str, object]) -> None:
    """Be the program, to its end."""
    status: object = 0
    atexit._clear()  # what the imports wish for the end is not the program's
    try:
        for number, name in ((1, told["output"]), (2, told["error"])):
            os.dup2(os.open(str(name), os.O_WRONLY | os.O_CREAT), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(str(told["folder"]))
        os.environ.clear()
        os.environ.update(told["environment"])  # type: ignore[call-overload]
        command = told["command"]
        assert isinstance(command, list)
        paths = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
        sys.path[0:1] = [str(Path(command[0]).parent), *paths]
        sys.argv[:] = command
        sys.orig_argv[:] = [sys.executable, *command]
        runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
        status = 1
    if status is not None and not isinstance(status, int):
        print(status, file=sys.stderr)
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)


if __name__ == "__main__":
    serve()

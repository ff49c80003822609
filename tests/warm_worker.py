"""Servers of workers that begin as forks of a process which has imported the networks' libraries.

A workflow's workers import torch, timm, pandas and so on in several seconds, which forty runs
of the small project need not repeat. What is forked here is the real server, from its first line
on, with nothing of synthsight imported; only other packages are. The tests of determinism, of the
worker, of Slurm and of faults, whose runs are disturbed, start it as users do.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

REPOSITORY = Path(__file__).parents[1]

#: What workers' programs import of other packages.
IMPORTS = (
    *("torch", "torchvision", "timm", "timm.data.config", "safetensors.torch", "tokenizers"),
    *("transformers", "huggingface_hub.errors", "huggingface_hub.constants", "gdown", "requests"),
    *("tenacity", "jsonschema", "yaml", "jinja2", "numpy", "pandas", "PIL.Image", "PIL.ImageOps"),
    *("pyarrow.parquet", "pyarrow.ipc", "pyarrow.compute", "matplotlib.figure"),
    *("matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf", "matplotlib.style"),
    *("scipy.stats", "scipy.special", "scipy.spatial.distance", "scipy.cluster.hierarchy"),
    *("statsmodels.stats.multitest", "statsmodels.stats.proportion"),
)

#: Variables that these packages read when they are imported; with others a server begins anew.
READ = ("HF_", "HUGGINGFACE", "TRANSFORMERS", "TORCH_", "PYTORCH", "MPL", "XDG_C", "HOME", "CUDA")

#: The environment as it was before any test changed it.
ENVIRONMENT = dict(os.environ)


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What to add to the environment of a workflow, so that its workers begin warm."""
    if _read(environment) != _read(ENVIRONMENT):
        return {}
    return {
        "TESTS_WARM_WORKER": _server(),
        "PYTHONPATH": f"{REPOSITORY / 'tests' / 'warm_start'}:{environment['PYTHONPATH']}",
    }


def _read(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(READ)}


@functools.cache
def _server() -> str:
    """Its address. It ends with this process, which holds the other end of its standard input."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    address = f"{folder.name}/warm"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(16)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm_worker", str(listening.fileno())],
        cwd=REPOSITORY,
        env={**ENVIRONMENT, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        pass_fds=[listening.fileno()],
    )
    listening.close()
    atexit.register(server.communicate)
    return address


def serve() -> None:
    """Fork for every connection. A fork ends with the process that asked for it, and tells how."""
    for name in IMPORTS:
        __import__(name)
    gc.freeze()
    assert not any(name.startswith("synthsight") for name in sys.modules)
    listening = socket.socket(fileno=int(sys.argv[1]))
    forks: dict[int, tuple[int, socket.socket]] = {}  # by the handle of a process
    while True:
        asking = {connection: handle for handle, (_, connection) in forks.items()}
        ready, _, _ = select.select([0, listening, *forks, *asking], [], [])
        if 0 in ready:
            break
        for source in ready:
            if source in asking:
                os.kill(forks[asking[source]][0], signal.SIGKILL)
        for handle in [source for source in ready if source in forks]:
            process, connection = forks.pop(handle)
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            with connection, contextlib.suppress(OSError):
                connection.sendall(str(status if status >= 0 else 1).encode())
            os.close(handle)
        if listening in ready:
            connection, _ = listening.accept()
            told, files = _hear(connection)
            process = os.fork()
            if not process:
                listening.close()
                for handle, (_, other) in forks.items():
                    os.close(handle)
                    other.close()
                connection.close()
                _become(told, files)
            for file in files:
                os.close(file)
            forks[os.pidfd_open(process)] = (process, connection)
    for process, _ in forks.values():
        os.kill(process, signal.SIGKILL)
    os._exit(0)  # or libraries complain, at length, of what they leave behind


def _hear(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """What a server is told: folder and environment; its output, error and listening sockets.

    All is read before the fork, for what can be read later is the end of who asked.
    """
    data, files, _, _ = socket.recv_fds(connection, 2**20, 4)
    while data and not data.endswith(b"\n"):
        data += connection.recv(2**20)
    return json.loads(data), files


def _become(told: dict[str, Any], files: list[int]) -> NoReturn:
    """Be a worker's server, to its end."""
    status: object = 1
    try:
        os.setsid()
        for number, file in enumerate(files[:2], 1):
            os.dup2(file, number)
            os.close(file)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(told["folder"])
        os.environ.clear()
        os.environ.update(told["environment"])
        paths = filter(None, os.environ["PYTHONPATH"].split(os.pathsep))
        sys.path[0:1] = [told["folder"], *paths]
        sys.argv[:] = ["server", *map(str, files[2:])]
        runpy.run_module("synthsight.worker.server", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    serve()

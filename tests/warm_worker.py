"""Programs that begin as forks of a process which has imported what networks need.

A workflow's workers import torch, timm, pandas and so on in several seconds, and so do a start that
asks what models expect and a job without a worker; a hundred runs and plans need not repeat that.
What is forked here is the real program, from its first line on, with nothing of synthsight
imported; only other packages are. The tests of determinism, of the worker, of Slurm and of faults,
whose runs are disturbed, start it as users do.

There is one such process for all processes of tests. It starts when it is first needed.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
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
import threading
import traceback
from pathlib import Path
from typing import Any, NoReturn

REPOSITORY = Path(__file__).parents[1]

#: What these programs import of other packages.
IMPORTS = (
    *("torch", "torchvision", "timm", "timm.data.config", "safetensors.torch", "tokenizers"),
    *("transformers", "huggingface_hub.errors", "huggingface_hub.constants", "gdown", "requests"),
    *("tenacity", "jsonschema", "yaml", "jinja2", "numpy", "pandas", "PIL.Image", "PIL.ImageOps"),
    *("pyarrow.parquet", "pyarrow.ipc", "pyarrow.compute", "matplotlib.figure"),
    *("matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf", "matplotlib.style"),
    *("scipy.stats", "scipy.special", "scipy.spatial.distance", "scipy.cluster.hierarchy"),
    *("statsmodels.stats.multitest", "statsmodels.stats.proportion"),
)

#: Variables that these packages read when they are imported; with others a program begins anew.
READ = ("HF_", "HUGGINGFACE", "TRANSFORMERS", "TORCH_", "PYTORCH", "MPL", "XDG_C", "HOME", "CUDA")

#: How to reach the process, and the variables that its packages have read: JSON.
VARIABLE = "TESTS_WARM"

#: Set for workflows whose workers begin warm, too.
WORKERS = "TESTS_WARM_WORKERS"

START = str(REPOSITORY / "tests" / "warm_start")


def environment(source: Path) -> dict[str, str]:
    """What to set for a workflow with this package, so that all of its programs begin warm."""
    return {"PYTHONPATH": f"{START}{os.pathsep}{source}", WORKERS: "yes"}


def offer() -> None:
    """Let this process and those that it starts have their programs with networks warm."""
    if VARIABLE in os.environ:
        return
    folder = tempfile.TemporaryDirectory()
    address = f"{folder.name}/warm"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(64)
    read = {name: value for name, value in os.environ.items() if name.startswith(READ)}
    as_it_was = dict(os.environ)
    os.environ[VARIABLE] = json.dumps({"address": address, "read": read, "names": READ})
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, (START, os.environ.get("PYTHONPATH", "")))
    )
    servers: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        select.select([listening], [], [])
        servers.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.warm_worker", str(listening.fileno())],
                cwd=REPOSITORY,
                env={**as_it_was, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,  # it ends with this process, which holds the other end
                pass_fds=[listening.fileno()],
            )
        )

    def end() -> None:
        for server in servers:
            server.kill()
            server.wait()
        folder.cleanup()

    atexit.register(end)
    threading.Thread(target=start, daemon=True).start()


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
                connection.sendall(str(status).encode())
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
    data, files, _, _ = socket.recv_fds(connection, 2**20, 32)
    while data and not data.endswith(b"\n"):
        data += connection.recv(2**20)
    return json.loads(data), files


def _become(told: dict[str, Any], files: list[int]) -> NoReturn:
    """Be the program, to its end."""
    status: object = 1
    try:
        os.setsid()
        aside = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 256) for file in files]
        for file in files:
            os.close(file)
        for number, file in zip(told["files"], aside, strict=True):
            os.dup2(file, number)
            os.close(file)
        os.chdir(told["folder"])
        os.environ.clear()
        os.environ.update(told["environment"])
        paths = filter(None, os.environ["PYTHONPATH"].split(os.pathsep))
        program = told["program"]
        first = told["folder"] if told["module"] else str(Path(program).parent)
        sys.path[0:1] = [first, *paths]
        sys.argv[:] = [program, *told["arguments"]]
        if told["module"]:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(program, run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code or 0
        if isinstance(status, str):
            print(status, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    serve()

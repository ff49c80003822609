"""The job's side of a worker. Imports nothing slow."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from synthsight.worker.memory import in_environment
from synthsight.worker.protocol import (
    LOCK,
    PR_SET_PDEATHSIG,
    PROCESS,
    SOCKETS,
    TOKEN,
    VARIABLE,
    VISIBLE,
    Settings,
    WorkerError,
    born,
    enter,
    find_worker,
    is_same_user,
    leave,
    receive,
    send,
)

#: Attempts, in case a server ends for want of work just when it is asked.
_ATTEMPTS = 3

#: How often a program that is killed runs again, with half the batch each time.
_HALVINGS = 2


class _GoneError(Exception):
    """The server ended before it took up the job."""


def run_program(
    program: Path, arguments: Sequence[str], code: str, device: bool, doors: Sequence[str] = ()
) -> NoReturn:
    """Run a program in the worker of this job's workflow, or else in this process; then exit.

    Args:
        program: its file.
        arguments: its command line.
        code: the digest of the code that the workflow planned with; a worker with other code is not
            used. Empty if any will do.
        device: whether it runs a model on a device.
        doors: modules of this code that it imports by name.
    """
    settings = find_worker(str(program))
    arguments, piped = _read_pipes(arguments)
    if settings is not None and str(program) in settings.programs:
        try:
            sys.exit(_ask(settings, program, arguments, code, device, doors))
        except WorkerError as error:
            if born(settings.owner) != settings.born:
                sys.exit(f"worker: {error}, and the workflow that it served has ended")
            print(f"worker: {error}; running without it", file=sys.stderr, flush=True)
    if settings is None:
        os.execv(program, [str(program), *piped])
    if device:
        _choose_device(settings)
        os.environ.update(in_environment(settings.slots, os.environ))
    status = _run_here(settings, [str(program), *piped])
    for _ in range(_HALVINGS):
        batch = _batch_size(piped) // 2
        if status != -signal.SIGKILL or not batch or born(settings.owner) != settings.born:
            break
        print(
            f"{program.name} was killed, most likely by the system because memory ran out; "
            f"again with a batch of {batch}",
            file=sys.stderr,
            flush=True,
        )
        piped[piped.index(_BATCH) + 1] = str(batch)
        status = _run_here(settings, [str(program), *piped])
    if status < 0:  # end by the same signal, as if this process were the program
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


#: The option that says how many images a program takes at a time.
_BATCH = "--batch-size"


def _batch_size(arguments: Sequence[str]) -> int:
    """The batch size that a program is given; 0 if none."""
    return int(arguments[arguments.index(_BATCH) + 1]) if _BATCH in arguments else 0


def _run_here(settings: Settings, command: list[str]) -> int:
    """Run a program without a worker; it ends with the workflow, however that ends.

    Otherwise the shell between them would outlive a workflow that is killed, and the program would
    write into the next workflow's files.

    Returns:
        Its exit status; if a signal ended it, that signal's number, negative.
    """
    import ctypes
    import select

    owner = _handle(settings.owner, settings.born)
    if owner is None:
        sys.exit("the workflow that this job belongs to has ended")
    parent = os.getpid()
    process = os.fork()
    if not process:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        os.execv(command[0], command)
    terminated = signal.signal(signal.SIGTERM, lambda number, _: os.kill(process, number))
    # The terminal sends it to both processes.
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended = os.pidfd_open(process)
    if ended not in select.select([owner, ended], [], [])[0]:
        os.kill(process, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    signal.signal(signal.SIGTERM, terminated)
    signal.signal(signal.SIGINT, interrupted)
    os.close(ended)
    os.close(owner)
    return status


def _read_pipes(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Read arguments from pipes, given as ``@/dev/fd/N`` and holding one argument per line.

    Another process cannot open them, and they can be read only once.

    Returns:
        The arguments with each pipe replaced by those in it, and the arguments for a program that
        replaces this process, with an unnamed file instead of each pipe.
    """
    import tempfile

    read: list[str] = []
    piped: list[str] = []
    for argument in arguments:
        if not argument.startswith("@/dev/fd/"):
            read.append(argument)
            piped.append(argument)
            continue
        content = Path(argument[1:]).read_bytes()
        read += content.decode(errors="surrogateescape").splitlines()
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            again = os.dup(file.fileno())
        os.set_inheritable(again, True)
        piped.append(f"@/dev/fd/{again}")
    return read, piped


def _ask(
    settings: Settings,
    program: Path,
    arguments: Sequence[str],
    code: str,
    device: bool,
    doors: Sequence[str],
) -> int:
    """Let the worker run a program, and return its exit status.

    Raises:
        WorkerError: it did not run the program, or not to the end.
    """
    folder = Path(settings.folder)
    enter(folder)
    request: dict[str, Any] = {
        "program": str(program),
        "arguments": list(arguments),
        "code": code,
        "doors": list(doors),
        "folder": os.getcwd(),
    }
    for _ in range(_ATTEMPTS):
        try:
            with _connect(settings, SOCKETS[0] if device else SOCKETS[1]) as connection:
                return _converse(settings, connection, request)
        except _GoneError:
            continue
    raise WorkerError(f"it ended before it took up the job; its log is {settings.log}")


def _connect(settings: Settings, name: str) -> socket.socket:
    """Connect to a worker's server; start it if there is none."""
    folder = Path(settings.folder)
    connection = _try_to_connect(folder / name)
    if connection is None:
        with suppress(FileNotFoundError), _locked(folder):
            connection = _try_to_connect(folder / name)
            if connection is None:
                _start(settings)
                connection = _try_to_connect(folder / name)
    if connection is None:
        raise _GoneError
    if not is_same_user(connection):
        connection.close()
        raise WorkerError(f"{folder / name} belongs to another user")
    return connection


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a worker's folder, under which its server is started.

    Raises:
        FileNotFoundError: a server that is ending has just removed the folder.
    """
    enter(folder)
    with open(folder / LOCK, "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # A server that ended meanwhile has removed the file; others lock a new one.
        if not os.path.samestat(os.fstat(lock.fileno()), os.stat(folder / LOCK)):
            raise FileNotFoundError
        yield


def start_early(settings: Settings) -> None:
    """Start a worker's server for jobs to come, unless there is one.

    Raises:
        WorkerError: someone else could enter its folder.
    """
    folder = Path(settings.folder)
    with suppress(FileNotFoundError), _locked(folder):
        if not (folder / PROCESS).exists():
            _start(settings)


def _try_to_connect(address: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(address))
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    return connection


def _start(settings: Settings) -> None:
    """Start a server. Its sockets exist from this moment, so that clients can queue up."""
    import secrets
    import subprocess

    folder = Path(settings.folder)
    # Before the sockets, since a client may connect as soon as one listens.
    token = os.open(folder / TOKEN, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(token, "w", encoding="ascii") as handle:
        handle.write(secrets.token_hex(32))
    sockets = []
    for name in SOCKETS:
        (folder / name).unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(folder / name))
        listening.listen(128)
        sockets.append(listening)
    files = [str(listening.fileno()) for listening in sockets]
    # The number of threads depends on the job, so programs set it themselves.
    environment = {key: value for key, value in os.environ.items() if key not in _THREADS}
    log = Path(settings.log)
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "synthsight.worker.server", *files],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=[listening.fileno() for listening in sockets],
            env={**environment, "OMP_NUM_THREADS": "1", VARIABLE: settings.as_json()},
        )
    (folder / PROCESS).write_text(f"{process.pid} {born(process.pid)}", encoding="ascii")
    process.returncode = 0  # it is meant to outlive this process
    for listening in sockets:
        listening.close()


_THREADS = (
    *("OMP_NUM_THREADS", "GOTO_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"),
)


def _converse(settings: Settings, connection: socket.socket, request: dict[str, Any]) -> int:
    """Send a request, wait for the program to end, and return its exit status."""
    sys.stdout.flush()
    sys.stderr.flush()
    taken = False
    serving: int | None = None  # a handle for the process that serves this job
    try:
        token = (Path(settings.folder) / TOKEN).read_text(encoding="ascii")
        connection.settimeout(settings.start)
        send(connection, {**request, "token": token}, (1, 2))
        while True:
            message, _ = receive(connection)
            connection.settimeout(settings.patience)
            if "refused" in message:
                raise WorkerError(f"it refused the job: {message['refused']}")
            if "process" in message:
                os.environ.update(message["environment"])
                taken = True
                with suppress(ProcessLookupError):  # done already; its last message is on the way
                    serving = os.pidfd_open(message["process"])
            if "exit" in message:
                return int(message["exit"])
    except TimeoutError:
        silent = connection.gettimeout()
        if serving is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(serving, signal.SIGKILL)
        elif not taken:
            _kill_server(settings)
        raise WorkerError(f"no sign of life for {silent:g} s, so it was killed") from None
    except (EOFError, ConnectionError, FileNotFoundError) as error:
        if not taken:
            raise _GoneError from error
        raise WorkerError("it died while serving this job") from None
    finally:
        if serving is not None:
            os.close(serving)


def _kill_server(settings: Settings) -> None:
    """Kill the server and, with it, its forks."""
    try:
        text = (Path(settings.folder) / PROCESS).read_text(encoding="ascii")
        handle = _handle(*map(int, text.split()))
    except (OSError, ValueError, TypeError):
        return
    if handle is not None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)
    leave(Path(settings.folder))


def _handle(process: int, began: int) -> int | None:
    """A handle for a process; None if it has ended, even if its id has been reused."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return None
    if born(process) == began:
        return handle
    os.close(handle)
    return None


def _choose_device(settings: Settings) -> None:
    """Without a worker, reserve a device that no other such job has until this process ends.

    A reserved device is marked by a socket address without a file, which the kernel gives to one
    process at a time; the open socket survives ``exec``.
    """
    if len(settings.devices) < 2 or os.environ.get(VISIBLE) in settings.devices:
        return  # nothing to choose, or the worker has given this job a device already
    for slot in range(settings.slots):
        taken = socket.socket(socket.AF_UNIX)
        try:
            taken.bind(f"\0synthsight-{settings.owner}-{settings.born}-{slot}")
        except OSError:
            taken.close()
            continue
        os.set_inheritable(taken.detach(), True)
        os.environ[VISIBLE] = settings.devices[slot % len(settings.devices)]
        return

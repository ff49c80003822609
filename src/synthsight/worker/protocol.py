"""What the client and the server of a worker agree on: a folder, messages, who is who."""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synthsight.errors import SynthsightError

#: The variable of the environment that tells a job of its workflow's workers, and a server of the
#: one that it is.
VARIABLE = "SYNTHSIGHT_WORKER"

#: The variable by which CUDA is told which devices there are.
VISIBLE = "CUDA_VISIBLE_DEVICES"

#: What makes a process end with its parent (prctl(2)).
PR_SET_PDEATHSIG = 1

#: Names in a worker's folder.
LOCK, PROCESS, TOKEN = "lock", "process", "token"

#: A socket for programs that run a model on a device, one for all others.
SOCKETS = ("device", "plain")

#: Seconds between two signs of life of a server that works for a client.
BEAT = 1.0

#: Bound on a message: command lines are far shorter, and nothing else is sent.
_LONGEST = 2**24

_LENGTH = struct.Struct("!I")


class WorkerError(SynthsightError):
    """The worker is of no use for this job: the message says why."""


@dataclass(frozen=True)
class Settings:
    """One worker: whose it is, where it is met, what it does.

    Attributes:
        owner: process that it serves and with which it ends.
        born: when that process began, in the clock ticks of ``/proc``: a later process of the same
            number is another one.
        folder: of its sockets, in a folder that only the user can enter.
        programs: files of the programs to import at the start.
        doors: modules to import, too, which programs import by name (see :mod:`synthsight.doors`).
        log: file for what belongs to no job.
        slots: programs that run on a device at a time.
        devices: what ``CUDA_VISIBLE_DEVICES`` is for each slot, in turn; empty without devices, or
            where there is nothing to choose.
        patience: seconds without a sign of life after which a server that works is given up.
        start: likewise while it imports.
        idle: seconds without work after which it ends.
    """

    owner: int
    born: int
    folder: str
    programs: tuple[str, ...]
    log: str
    doors: tuple[str, ...] = ()
    slots: int = 1
    devices: tuple[str, ...] = ()
    patience: float = 60
    start: float = 300
    idle: float = 300

    def as_json(self) -> str:
        """For the environment of its server; :meth:`from_json` is the way back."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """What :meth:`as_json` wrote."""
        content = json.loads(text)
        content["programs"] = tuple(content["programs"])
        content["doors"] = tuple(content["doors"])
        content["devices"] = tuple(content["devices"])
        return cls(**content)


def supported() -> bool:
    """Whether this system has what a worker needs: Linux, with handles for processes."""
    return hasattr(os, "pidfd_open") and Path("/proc/self/stat").exists()


def born(process: int) -> int | None:
    """When a process began, in clock ticks since the system did; None if there is none."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # The second field, the name in brackets, may hold anything.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def find_worker(program: str) -> Settings | None:
    """What the workflow has told this job of the worker for a program.

    Returns:
        None if it told of none; settings without programs if there is none.
    """
    text = os.environ.get(VARIABLE)
    workers = [Settings.from_json(worker) for worker in json.loads(text)] if text else []
    for worker in workers:
        if program in worker.programs or not worker.programs:
            return worker
    return None


def choose_folder(owner: int, name: str) -> Path:
    """Where a worker of a process is met; the folder above is one that only the user can enter.

    Args:
        owner: the process.
        name: which of its workers.

    Raises:
        WorkerError: someone else could enter it.
    """
    import tempfile

    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and _is_private(Path(runtime)):
        parent = Path(runtime) / "synthsight"
    else:
        parent = Path(tempfile.gettempdir()) / f"synthsight-{os.geteuid()}"
    folder = parent / f"{owner}-{born(owner)}-{name}"
    if len(os.fsencode(folder)) + len("/device") > 100:  # the system's bound on addresses is 107
        raise WorkerError(f"{folder}: too long for the address of a socket")
    return folder


def enter(folder: Path) -> None:
    """Make a worker's folder and the one above it, and see that only this user can enter them.

    Raises:
        WorkerError: someone else could, or it is a link.
    """
    for _ in range(10):
        try:
            folder.parent.mkdir(mode=0o700, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            break
        except FileNotFoundError:
            continue  # another worker's server has just tidied up
        except OSError as error:
            raise WorkerError(str(error)) from error
    for path in (folder.parent, folder):
        if not _is_private(path):
            raise WorkerError(f"{path} is not a folder that only this user can enter")


def leave(folder: Path) -> None:
    """Remove a worker's folder, and the one above it if it was the last one."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()


def _is_private(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.geteuid()
        and not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    )


def is_same_user(connection: socket.socket) -> bool:
    """Whether the process at the other end belongs to this user, as the kernel says."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    user: int = struct.unpack("iII", credentials)[1]
    return user == os.geteuid()


def send(connection: socket.socket, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
    """Send a message, and open files with it."""
    content = json.dumps(message).encode()
    data = _LENGTH.pack(len(content)) + content
    sent = socket.send_fds(connection, [data], files) if files else 0
    if sent < len(data):  # the other end may be done and gone already
        connection.sendall(data[sent:])


def receive(connection: socket.socket, files: int = 0) -> tuple[dict[str, Any], list[int]]:
    """Receive a message and up to ``files`` open files.

    Raises:
        EOFError: the other end is gone.
        WorkerError: this is no message.
        TimeoutError: as the connection's timeout says.
    """
    received: list[int] = []
    data = b""
    while len(data) < _LENGTH.size or len(data) < _LENGTH.size + _LENGTH.unpack_from(data)[0]:
        wanted = _LENGTH.size - len(data)
        if wanted <= 0:
            length = _LENGTH.unpack_from(data)[0]
            if length > _LONGEST:
                raise WorkerError("a message of impossible length")
            wanted = _LENGTH.size + length - len(data)
        if files and not received:
            part, received, _, _ = socket.recv_fds(connection, wanted, files)
        else:
            part = connection.recv(wanted)
        if not part:
            raise EOFError
        data += part
    try:
        message = json.loads(data[_LENGTH.size :])
    except ValueError as error:
        raise WorkerError("a message that is no JSON") from error
    if not isinstance(message, dict):
        raise WorkerError("a message that is no object")
    return message, received

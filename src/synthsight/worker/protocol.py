"""The protocol between the client and the server of a worker: folder, messages, identities."""

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

#: The environment variable that describes a workflow's workers to a job, and a server to itself.
VARIABLE = "SYNTHSIGHT_WORKER"

#: The environment variable that restricts the devices that CUDA sees.
VISIBLE = "CUDA_VISIBLE_DEVICES"

#: Makes a process end with its parent (prctl(2)).
PR_SET_PDEATHSIG = 1

#: File names in a worker's folder.
LOCK, PROCESS, TOKEN = "lock", "process", "token"

#: Names of the sockets for programs that run a model on a device, and for all others.
SOCKETS = ("device", "plain")

#: Seconds between heartbeats of a server while it serves a client.
BEAT = 1.0

#: Bound on a message: command lines are far shorter, and nothing else is sent.
_LONGEST = 2**24

_LENGTH = struct.Struct("!I")


class WorkerError(SynthsightError):
    """The worker cannot be used for this job; the message says why."""


@dataclass(frozen=True)
class Settings:
    """One worker: its owner, its folder and how it runs.

    Attributes:
        owner: id of the process that it serves and with which it ends.
        born: when that process began, in the clock ticks of ``/proc``, since a later process may
            have the same id.
        folder: of its sockets, inside a folder that only the user can enter.
        programs: files of the programs to import at the start.
        doors: further modules to import, which programs import by name (see
            :mod:`synthsight.doors`).
        log: file for output that belongs to no job.
        slots: how many programs run on a device at a time.
        devices: the value of ``CUDA_VISIBLE_DEVICES`` for each slot, in turn; empty without
            devices, or where there is nothing to choose.
        patience: seconds without a heartbeat after which a busy server is given up.
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
        """The settings for the server's environment; the inverse of :meth:`from_json`."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """The inverse of :meth:`as_json`."""
        content = json.loads(text)
        content["programs"] = tuple(content["programs"])
        content["doors"] = tuple(content["doors"])
        content["devices"] = tuple(content["devices"])
        return cls(**content)


def supported() -> bool:
    """Whether this system has what a worker needs: Linux with process handles (pidfd)."""
    return hasattr(os, "pidfd_open") and Path("/proc/self/stat").exists()


def born(process: int) -> int | None:
    """When a process began, in clock ticks since boot; None if there is no such process."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # The second field, the name in brackets, may hold anything.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def find_worker(program: str) -> Settings | None:
    """The worker for a program, as the workflow describes it to this job.

    Returns:
        None if the job belongs to no workflow; settings without programs if there is no worker.
    """
    text = os.environ.get(VARIABLE)
    workers = [Settings.from_json(worker) for worker in json.loads(text)] if text else []
    for worker in workers:
        if program in worker.programs or not worker.programs:
            return worker
    return None


def choose_folder(owner: int, name: str) -> Path:
    """The folder of a worker, inside one that only the user can enter.

    Args:
        owner: id of the process that the worker serves.
        name: which of its workers.

    Raises:
        WorkerError: the path is too long for the address of a socket.
    """
    import tempfile

    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and _is_private(Path(runtime)):
        parent = Path(runtime) / "synthsight"
    else:
        parent = Path(tempfile.gettempdir()) / f"synthsight-{os.geteuid()}"
    folder = parent / f"{owner}-{born(owner)}-{name}"
    if len(os.fsencode(folder)) + len("/device") > 100:  # the system's limit is 107
        raise WorkerError(f"{folder}: too long for the address of a socket")
    return folder


def enter(folder: Path) -> None:
    """Make a worker's folder and the one above it, and check that only this user can enter them.

    Raises:
        WorkerError: someone else could enter one, or it is a link.
    """
    for _ in range(10):
        try:
            for path in (folder.parent, folder):
                # A name that is taken, such as by another user's link, is made nothing in.
                with suppress(FileExistsError):
                    path.mkdir(mode=0o700)
                if not _is_private(path):
                    path.lstat()
                    raise WorkerError(f"{path} is not a folder that only this user can enter")
            return
        except FileNotFoundError:
            continue  # another worker's server has just removed the parent
        except OSError as error:
            raise WorkerError(str(error)) from error
    raise WorkerError(f"{folder} is removed again and again")


def leave(folder: Path) -> None:
    """Remove a worker's folder, and the one above it if it is empty then."""
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
    """Whether the process at the other end belongs to this user, according to the kernel."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    user: int = struct.unpack("iII", credentials)[1]
    return user == os.geteuid()


def send(connection: socket.socket, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
    """Send a message, with open files."""
    content = json.dumps(message).encode()
    data = _LENGTH.pack(len(content)) + content
    sent = socket.send_fds(connection, [data], files) if files else 0
    if sent < len(data):  # else not at all, since the other end may be gone already
        connection.sendall(data[sent:])


def receive(connection: socket.socket, files: int = 0) -> tuple[dict[str, Any], list[int]]:
    """Receive a message and up to ``files`` open files.

    Raises:
        EOFError: the other end is gone.
        WorkerError: it is not a valid message.
        TimeoutError: nothing came within the connection's timeout.
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
        raise WorkerError("a message that is not JSON") from error
    if not isinstance(message, dict):
        raise WorkerError("a message that is not a JSON object")
    return message, received

"""The server of a worker: imports programs once, then forks a process for each client.

Run as ``python -m synthsight.worker.server DEVICE PLAIN`` with two listening sockets. It has one
thread and computes nothing, so it can fork at any time and no program can block it. It ends with
the process that it serves, however that ends, and all its forks end with it.
"""

from __future__ import annotations

import ctypes
import faulthandler
import fcntl
import hmac
import importlib
import importlib.util
import os
import select
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from synthsight.inference.cache import ModelCache
from synthsight.plan.digest import code_digest
from synthsight.worker.memory import keep_freed_memory
from synthsight.worker.protocol import (
    BEAT,
    LOCK,
    PR_SET_PDEATHSIG,
    TOKEN,
    VARIABLE,
    VISIBLE,
    Settings,
    WorkerError,
    born,
    enter,
    is_same_user,
    leave,
    receive,
    send,
)
from synthsight.worker.running import Beats, Output, log

#: Makes torch look for devices without CUDA, by NVIDIA's management library.
_WITHOUT_CUDA = "PYTORCH_NVML_BASED_CUDA_CHECK"


@dataclass
class Child:
    """A fork of the server.

    Attributes:
        process: its id.
        control: the connection over which it gets clients and reports that it is free again.
        slot: its device; None for a fork that serves a single client.
        busy: whether it is serving a client.
    """

    process: int
    control: socket.socket
    slot: int | None
    busy: bool = True


# The server --------------------------------------------------------------------------------------


@dataclass
class Server:
    """The process that listens and forks."""

    settings: Settings
    programs: dict[str, Callable[..., None]]
    token: str
    listening: tuple[socket.socket, socket.socket]
    owner: int
    children: list[Child]
    waiting: list[socket.socket] = field(default_factory=list)
    last: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Serve until the owner ends or there has been no work for a while; leave the folder."""
        device, plain = self.listening
        while True:
            sources: list[Any] = [
                self.owner,
                *self.listening,
                *(child.control for child in self.children),
            ]
            ready, _, _ = select.select(sources, [], [], BEAT)
            if self.owner in ready:
                leave(Path(self.settings.folder))
                return
            for child in [child for child in self.children if child.control in ready]:
                self._hear(child)
            if plain in ready:
                self._fork(plain.accept()[0], None)
            if device in ready:
                self.waiting.append(device.accept()[0])
            self._hand_out()
            if self.waiting or any(child.busy for child in self.children):
                self.last = time.monotonic()
            elif time.monotonic() - self.last > self.settings.idle and self._close():
                return

    def _hear(self, child: Child) -> None:
        """Handle a child's message that it is free, or its end."""
        with suppress(ConnectionError):  # it ended with a client still in its queue
            if child.control.recv(1):
                child.busy = False
                return
        child.control.close()
        _, status = os.waitpid(child.process, 0)
        self.children.remove(child)
        if child.slot is not None:
            code = os.waitstatus_to_exitcode(status)
            log(f"slot {child.slot}: process {child.process} ended with {code}")

    def _hand_out(self) -> None:
        """Give waiting clients to free processes; send the others a heartbeat."""
        while self.waiting:
            # The last one used comes first: it is the most likely to have the model.
            free = [child for child in self.children if child.slot is not None and not child.busy]
            taken = {child.slot for child in self.children}
            slots = [slot for slot in range(self.settings.slots) if slot not in taken]
            if not free and not slots:
                break
            connection = self.waiting.pop(0)
            if not free:
                self._fork(connection, slots[0])
                continue
            child = free[-1]
            self.children.remove(child)
            self.children.append(child)
            child.busy = True
            try:
                socket.send_fds(child.control, [b"\0"], [connection.fileno()])
            except OSError:  # it has just died, which is handled next
                self.waiting.insert(0, connection)
                break
            connection.close()
        for connection in list(self.waiting):
            try:
                connection.setblocking(False)
                send(connection, {})
                connection.setblocking(True)
            except OSError:
                self.waiting.remove(connection)
                connection.close()

    def _fork(self, connection: socket.socket, slot: int | None) -> None:
        """Start a process for a client."""
        ours, its = socket.socketpair()
        process = os.fork()
        if process:
            its.close()
            connection.close()
            self.children.append(Child(process, ours, slot))
            return
        status = 1
        try:
            self._become_child(ours, slot)
            serve_clients(self, connection, its, slot)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _become_child(self, ours: socket.socket, slot: int | None) -> None:
        server = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server or born(server) is None:
            os._exit(1)
        for connection in (*self.listening, ours, *self.waiting):
            connection.close()
        for child in self.children:
            child.control.close()
        os.close(self.owner)
        os.environ.pop(_WITHOUT_CUDA, None)  # it forks no more, so it may ask CUDA itself
        if slot is None:
            return
        keep_freed_memory(self.settings.slots)
        devices = self.settings.devices
        if devices:
            os.environ[VISIBLE] = devices[slot % len(devices)]

    def _close(self) -> bool:
        """Stop listening, unless a client is just about to connect."""
        with open(Path(self.settings.folder) / LOCK, "a", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            ready, _, _ = select.select(self.listening, [], [], 0)
            if ready:
                return False
            leave(Path(self.settings.folder))
        return True


# A fork ------------------------------------------------------------------------------------------


def serve_clients(
    server: Server, connection: socket.socket, control: socket.socket, slot: int | None
) -> None:
    """Serve one client and, with a slot, further ones."""
    # How many processes share a device's memory, or main memory.
    sharing = server.settings.slots / max(1, len(server.settings.devices))
    models = ModelCache(share=min(1.0, 1 / sharing)) if slot is not None else None
    while True:
        with connection:
            serve(server, connection, models)
        if slot is None:
            return
        if models is not None:
            models.spare()
        control.sendall(b"\0")
        data, files, _, _ = socket.recv_fds(control, 1, 1)
        if not data:
            return
        connection = socket.socket(fileno=files[0])


def serve(server: Server, connection: socket.socket, models: ModelCache | None) -> None:
    """Run a program for a client, with its output sent where the client's goes."""
    files: list[int] = []
    try:
        connection.settimeout(10)
        request, files = receive(connection, 2)
        refusal = _refuse(server, connection, request, files)
        if refusal is not None:
            send(connection, {"refused": refusal})
            return
        chosen = bool(server.settings.devices) and models is not None
        environment = {VISIBLE: os.environ[VISIBLE]} if chosen else {}
        send(connection, {"process": os.getpid(), "environment": environment})
        program = server.programs[request["program"]]
        with Beats(connection) as beats, Output(files[0], files[1]):
            os.chdir(request["folder"])
            sys.argv = [request["program"], *request["arguments"]]
            status = beats.run(lambda: _run(program, models))
        if status is not None:
            send(connection, {"exit": status})
    except (OSError, EOFError, WorkerError) as error:
        log(f"a client was lost: {error!r}")
    finally:
        for file in files:
            os.close(file)


def _refuse(
    server: Server, connection: socket.socket, request: dict[str, Any], files: list[int]
) -> str | None:
    """Why a request is refused; None if it is not."""
    if not is_same_user(connection):
        return "it comes from another user"
    if not hmac.compare_digest(str(request.get("token")), server.token):
        return "wrong token"
    if request.get("program") not in server.programs or len(files) != 2:
        return "no such program"
    code = request.get("code")
    doors = request.get("doors", [])
    if not set(doors) <= set(server.settings.doors):
        return "no such door"
    if code and code != code_digest(Path(request["program"]), doors):
        return "the code has changed since the run began"
    return None


def _run(program: Callable[..., None], models: ModelCache | None) -> int:
    """Run a program as the interpreter would, and return its exit status."""
    try:
        if models is None:
            program()
        else:
            program(models)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    return 0


# The start ---------------------------------------------------------------------------------------


def import_program(path: Path) -> Callable[..., None]:
    """Import a program from its file and return its ``main``, which the import does not run."""
    code_digest(path)  # it reads each file only once, so this is the digest of what is imported now
    specification = importlib.util.spec_from_file_location(f"_program_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise WorkerError(f"{path} is not a Python program")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    main: Callable[..., None] = module.main
    return main


def _import_programs(settings: Settings, owner: int) -> dict[str, Callable[..., None]]:
    """Import the programs to serve, while watching the owner, since it may take long."""
    stop, stopped = socket.socketpair()

    def watch() -> None:
        sources: list[Any] = [owner, stopped]
        if owner in select.select(sources, [], [])[0]:
            leave(Path(settings.folder))
            os._exit(0)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        programs = {path: import_program(Path(path)) for path in settings.programs}
        for path in settings.programs:
            code_digest(Path(path), settings.doors)
        for door in settings.doors:
            importlib.import_module(door)
        return programs
    finally:
        stop.close()
        thread.join()  # before any fork
        stopped.close()


def _sweep(folder: Path) -> None:
    """Remove the folders of servers that were killed."""
    for path in folder.parent.iterdir():
        owner, _, rest = path.name.partition("-")
        began = rest.partition("-")[0]
        if path != folder and owner.isdigit() and str(born(int(owner))) != began:
            shutil.rmtree(path, ignore_errors=True)


def main() -> NoReturn:
    """Run the server."""
    settings = Settings.from_json(os.environ[VARIABLE])
    folder = Path(settings.folder)
    # The sockets are inherited from the client that started this process.
    listening = [socket.socket(fileno=int(number)) for number in sys.argv[1:3]]
    for connection in listening:
        connection.listen(128)
        connection.setblocking(True)
    try:
        owner = os.pidfd_open(settings.owner)
        if born(settings.owner) != settings.born:
            raise ProcessLookupError
    except ProcessLookupError:
        leave(folder)
        sys.exit(0)
    enter(folder)
    _sweep(folder)
    faulthandler.enable()  # a program's crash goes to the job's log
    # Looking for devices must not initialise CUDA here, or the forks could not use it.
    os.environ[_WITHOUT_CUDA] = "1"
    start = time.monotonic()
    children: list[Child] = []
    try:
        programs = _import_programs(settings, owner)
        log(f"process {os.getpid()}: {len(programs)} programs in {time.monotonic() - start:.1f} s")
        token = (folder / TOKEN).read_text(encoding="ascii")
        Server(settings, programs, token, (listening[0], listening[1]), owner, children).run()
    except BaseException:
        leave(folder)
        raise
    finally:  # the folder is left by now, and may be that of the next server
        for child in children:
            os.kill(child.process, signal.SIGKILL)
    sys.exit(0)


if __name__ == "__main__":
    main()

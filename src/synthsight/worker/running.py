"""What surrounds a program while a worker runs it: its client's heartbeats, and its output."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

from synthsight.worker.protocol import BEAT, send

#: Seconds that a program whose client is gone gets to end by itself.
_GRACE = 10.0


class Cancelled(BaseException):
    """Raised in a program whose client is gone."""


def log(line: str) -> None:
    """Print a line to the worker's own log."""
    print(time.strftime("%H:%M:%S"), line, flush=True)


class Beats:
    """Sends heartbeats to a client while a program runs for it, and ends the program without it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._running = False
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Beats:
        signal.signal(signal.SIGUSR1, self._cancel)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.close()
        self._thread.join()
        self._stopped.close()

    def run(self, function: Callable[[], int]) -> int | None:
        """Run a function; None if the client is gone before it ends."""
        try:
            self._running = True
            status = function()
            self._running = False
        except Cancelled:
            log("cancelled: its client is gone")
            return None
        finally:
            self._running = False
        return status

    def _cancel(self, *_: object) -> None:
        if self._running:
            raise Cancelled

    def _beat(self) -> None:
        while True:
            ready, _, _ = select.select([self._connection, self._stopped], [], [], BEAT)
            if self._stopped in ready:
                return
            try:
                # A client sends nothing more, so only its end can be read.
                if self._connection in ready:
                    break
                send(self._connection, {})
            except OSError:
                break
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        if not select.select([self._stopped], [], [], _GRACE)[0]:
            log("ended: the program cannot be cancelled")
            os._exit(1)


class Output:
    """Redirects standard output and error of this process to other files for a while.

    It redirects the file descriptors, so that output of C libraries and traces of a crash go there,
    too.
    """

    def __init__(self, output: int, error: int) -> None:
        self._files = (output, error)

    def __enter__(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._saved = (os.dup(1), os.dup(2))
        for number, file in enumerate(self._files, 1):
            os.dup2(file, number)

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, file in enumerate(self._saved, 1):
            os.dup2(file, number)
            os.close(file)

"""Examining files in separate processes, where no file can crash or stall the job.

Decoders are written in C and have had bugs that crafted files trigger, and a file can be slow
without any bug. So each file is examined first by a helper, a fork of the job that lives until a
file breaks it: that file is then excluded, and a new helper goes on with the next one. Later stages
decode in the job itself, but only bytes that have passed here.
"""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import resource
import signal
from collections.abc import Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NamedTuple

from synthsight.errors import SynthsightError
from synthsight.images.hashing import perceptual_hash
from synthsight.images.reading import (
    UnusableImageError,
    check_name,
    decode_rgb,
    max_bytes,
    open_file,
    read_file,
)
from synthsight.images.roots import Roots

#: Errors for a file that cannot be read through no fault of the machine.
NOT_READABLE = (
    *(errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR),
    *(errno.ELOOP, errno.ENAMETOOLONG),
)

#: Signals by which a bug in a decoder ends the process.
_FAULTS = ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL")

#: Exit status of a helper that has reached its bound on memory.
_OUT_OF_MEMORY = 77


class HelperError(SynthsightError):
    """A helper that was killed from outside; the message names the file and says what to do."""


class Examined(NamedTuple):
    """What examining a file found.

    Attributes:
        sha256: of its bytes, in hex; None where they cannot be read.
        width: in pixels, after EXIF orientation; None if it cannot serve as an image.
        height: likewise.
        reason: why it cannot serve as one; None if it can.
        hash: what it looks like (:func:`synthsight.images.hashing.perceptual_hash`); None if it
            has no structure, or cannot serve as an image.
    """

    sha256: str | None
    width: int | None
    height: int | None
    reason: str | None
    hash: bytes | None = None


def max_seconds(max_pixels: int) -> int:
    """Bound on a file's CPU time, in seconds: about ten times what the slowest needs."""
    return 10 + max_pixels // 4_000_000


def max_memory(max_pixels: int) -> int:
    """Bound on a file's memory, in bytes: enough for its content and several decoded copies."""
    return 24 * max_pixels + max_bytes(max_pixels) + 2**29


def examine_all(
    root: Path | Roots, images: Sequence[str], max_pixels: int, processes: int = 1
) -> list[Examined]:
    """Decode files in full, each within bounds, to see whether they can serve as images.

    Args:
        root: the images' root; no file outside it is read.
        images: paths below it.
        max_pixels: bound on width x height.
        processes: how many files are examined at a time.

    Returns:
        What was found, in the order of ``images``.

    Raises:
        OSError: a file cannot be read, and that is the machine's fault.
        HelperError: a helper was killed from outside, as by a system that ran out of memory.
    """
    found: dict[str, Examined] = {}
    waiting = list(images)[::-1]
    helpers: dict[Connection, _Helper] = {}
    try:
        while waiting or helpers:
            while waiting and len(helpers) < processes:
                helper = _Helper(root, max_pixels, helpers)
                helpers[helper.connection] = helper
                helper.give(waiting.pop())
            for connection in wait(list(helpers)):
                helper = helpers[connection]  # type: ignore[index]
                answer = helper.answer()
                if isinstance(answer, Exception):
                    raise answer
                found[helper.image] = answer
                if waiting and helper.process.is_alive():
                    helper.give(waiting.pop())
                else:
                    del helpers[helper.connection]
                    helper.end()
    finally:
        for helper in helpers.values():
            helper.process.kill()
            helper.end()
    return [found[image] for image in images]


class _Helper:
    """A process that examines one file after another."""

    def __init__(self, root: Path | Roots, max_pixels: int, others: Iterable[Connection]) -> None:
        context = multiprocessing.get_context("fork")
        self.root, self.max_pixels, self.image = root, max_pixels, ""
        self.connection, its = context.Pipe()
        # It closes its copies of the job's ends, so that it notices when the job is gone.
        ours = [self.connection, *others]
        self.process = context.Process(target=_help, args=(root, max_pixels, its, ours))
        self.process.start()
        its.close()

    def give(self, image: str) -> None:
        self.image = image
        with suppress(BrokenPipeError):  # noticed when its answer is read
            self.connection.send(image)

    def answer(self) -> Examined | Exception:
        try:
            found: Examined | Exception = self.connection.recv()
            return found
        except (EOFError, ConnectionResetError):
            self.process.join()
        code = self.process.exitcode or 0
        gigabytes = max_memory(self.max_pixels) / 1e9
        cause = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        if cause == "SIGPROF":
            reason = f"takes more than {max_seconds(self.max_pixels)} s to decode"
        elif code == _OUT_OF_MEMORY:
            reason = f"takes more than {gigabytes:.1f} GB to decode"
        elif cause in _FAULTS:
            reason = f"makes its decoder crash ({cause})"
        else:
            return HelperError(
                f"{self.image!r}: the process that decoded it was killed ({cause}). If memory ran "
                "out, give the job more, or lower images.max_pixels"
            )
        return Examined(_digest(self.root, self.image, self.max_pixels), None, None, reason)

    def end(self) -> None:
        self.connection.close()
        self.process.join()


def _help(root: Path | Roots, max_pixels: int, jobs: Connection, others: list[Connection]) -> None:
    """Answer the job until it closes its end, or is gone."""
    for other in others:
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the job to handle
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process, even inside C code
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)  # messages from decoders in C name no file
    _lower_limit(resource.RLIMIT_CORE, 0)
    with suppress(OSError):  # without /proc, the memory already in use is unknown
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _lower_limit(resource.RLIMIT_AS, pages * resource.getpagesize() + max_memory(max_pixels))
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            image = jobs.recv()
            signal.setitimer(signal.ITIMER_PROF, max_seconds(max_pixels))
            try:
                answer: Examined | Exception = examine(root, image, max_pixels)
            except MemoryError:
                os._exit(_OUT_OF_MEMORY)  # at once, since freeing memory may take minutes
            except Exception as error:
                answer = error
            signal.setitimer(signal.ITIMER_PROF, 0)
            jobs.send(answer)


def _lower_limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def examine(root: Path | Roots, image: str, max_pixels: int) -> Examined:
    """Decode a file in full, in this process, to see whether it can serve as an image.

    Args:
        root: the images' root; no file outside it is read.
        image: path below it.
        max_pixels: bound on width x height.

    Raises:
        OSError: it cannot be read, and that is the machine's fault.
    """
    sha256: str | None = None
    try:
        with open_file(root, image) as handle:
            check_name(handle, image)
            content = read_file(handle, max_pixels)
        sha256 = hashlib.sha256(content).hexdigest()
        picture = decode_rgb(content, max_pixels)
        looks = perceptual_hash(picture)  # here, since decoding again would take far longer
    except UnusableImageError as error:
        return Examined(sha256, None, None, str(error))
    except OSError as error:
        if error.errno not in NOT_READABLE:
            raise
        return Examined(sha256, None, None, f"cannot be read: {error.strerror}")
    return Examined(sha256, picture.width, picture.height, None, looks)


def _digest(root: Path | Roots, image: str, max_pixels: int) -> str | None:
    """The sha256 of a file that broke its helper; None if it cannot be read."""
    with suppress(UnusableImageError, OSError), open_file(root, image) as handle:
        return hashlib.sha256(read_file(handle, max_pixels)).hexdigest()
    return None

"""Files: written so that a reader never sees half of one, and told apart by their digest."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from synthsight.errors import SynthsightError

#: What the system says when it can write no more.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

#: What to do about a file between two stages that cannot be used.
MAKE_AGAIN = "delete it and run the workflow again: it makes what is missing"


class FileError(SynthsightError):
    """A file between two stages that is damaged, or not what it should be."""


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path`` that takes its name when the block succeeds.

    The temporary file is there, empty, and its name keeps the ending of ``path``, since some
    writers choose the format by it. On an exception it is removed and ``path`` is left as it was.
    What a killed process left of an earlier attempt is removed first.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    sweep(final)
    temporary = temporary_name(final)
    held = _create(temporary)
    try:
        yield temporary
        with open(temporary, "rb") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, final)
    except OSError as error:
        if error.errno in _FULL:  # writers do not say what they wrote, or only its temporary name
            error.filename = str(final)
        raise
    finally:
        held.close()
        temporary.unlink(missing_ok=True)


def temporary_name(final: Path) -> Path:
    """What this process calls a file or folder until it is whole."""
    return final.with_name(f".{os.getpid()}.{final.name}")


def sweep(final: Path) -> None:
    """Remove temporary files and folders of ``final`` whose writer is gone.

    Numbers of processes say nothing between machines that share a folder, so a file counts as left
    behind if nobody holds a lock on it. A folder has one writer, and that is the one who sweeps.
    """
    with os.scandir(final.parent) as scan:
        entries = [entry for entry in scan if _is_temporary(entry.name, final)]
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
            continue
        with suppress(OSError), open(entry.path, "rb") as left:
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(entry.path)


def _is_temporary(name: str, final: Path) -> bool:
    dot, number, rest = name[:1], *name[1:].partition(".")[::2]
    return dot == "." and number.isdigit() and rest == final.name


def _create(temporary: Path) -> IO[bytes]:
    """Make a temporary file, and hold a lock on it for as long as it is open."""
    while True:
        held = open(temporary, "wb")  # noqa: SIM115 - the caller closes it
        with suppress(OSError):  # a file system without locks, where nothing is swept then
            fcntl.flock(held, fcntl.LOCK_EX)
        # Just before it had the lock, another process may have swept it away.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(temporary), os.fstat(held.fileno())):
                return held
        held.close()


def keep(path: Path, text: str) -> None:
    """Write what saves time at the next start, if it can be written; nothing depends on it."""
    with suppress(OSError), atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The sha256 of a file's bytes, in hex."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is such a regular file; a name that no file can have is no error."""
    try:
        return Path(path).is_file()
    except OSError:
        return False


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Likewise for a folder."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def read_json(path: str | os.PathLike[str], keys: Iterable[str] = ()) -> dict[str, Any]:
    """Read a JSON file with a mapping, as a note about weights.

    Args:
        path: the file.
        keys: what it must hold.

    Raises:
        FileError: it is no JSON, no mapping, or a key is missing.
        OSError: it cannot be read (its ``errno`` is set).
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is no JSON ({error}); {MAKE_AGAIN}") from error
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing or not isinstance(content, dict):
        what = f"has no {missing[0]!r}" if missing else "is no mapping"
        raise FileError(f"{path} {what}; {MAKE_AGAIN}")
    return content

"""Files: written atomically, so that nobody reads half of one, and identified by their digest."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from synthsight.contents import another_kind
from synthsight.errors import SynthsightError
from synthsight.wording import did_you_mean

#: Errors of a system that has run out of room.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

#: What to do about an intermediate file that cannot be used.
MAKE_AGAIN = "delete it and run the workflow again: it makes what is missing"


class FileError(SynthsightError):
    """An intermediate file that is damaged, or not what it should be."""


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path next to ``path`` that is renamed to it when the block succeeds.

    The temporary file exists, empty, and its name keeps the extension of ``path``, since some
    writers choose the format by it. On an exception it is removed and ``path`` is left as it was.
    Leftovers of an earlier attempt whose process was killed are removed first.
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
        if error.errno in _FULL:  # writers name no file, or only the temporary one
            error.filename = str(final)
        raise
    finally:
        held.close()
        temporary.unlink(missing_ok=True)


def temporary_name(final: Path) -> Path:
    """The name that this process gives a file or folder until it is complete."""
    return final.with_name(f".{os.getpid()}.{final.name}")


def sweep(final: Path) -> None:
    """Remove temporary files and folders of ``final`` whose writer is gone.

    Process ids mean nothing across machines that share a folder, so a file counts as left behind
    if nobody holds a lock on it. A folder has a single writer, the one that sweeps.
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
    """Create a temporary file, locked for as long as it is open."""
    while True:
        held = open(temporary, "wb")  # noqa: SIM115 - the caller closes it
        with suppress(OSError):  # on a file system without locks, where nothing is swept either
            fcntl.flock(held, fcntl.LOCK_EX)
        # Another process may have swept it away just before it was locked.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(temporary), os.fstat(held.fileno())):
                return held
        held.close()


def keep(path: Path, text: str) -> None:
    """Write a cache that saves time at the next start; if that fails, nothing depends on it."""
    with suppress(OSError), atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_kept(path: Path, is_sound: Callable[[Any], bool]) -> Any:
    """What :func:`keep` has written as JSON; None if it is missing, damaged or of another form.

    Args:
        path: the cache.
        is_sound: whether its content has the form that the caller needs.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if is_sound(content) else None


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The sha256 of a file's bytes, in hex."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def age_of(path: str | os.PathLike[str]) -> list[int]:
    """What changes when a file is changed or exchanged, even for one of the same size and time.

    Raises:
        OSError: there is no such file.
    """
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


class Digests:
    """The sha256 of files' bytes, kept as long as a file's :func:`age_of` stays the same.

    Args:
        kept: JSON file that caches them; nothing depends on it.
    """

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._known: dict[str, Any] = {}
        self._seen: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            content = json.loads(kept.read_text(encoding="utf-8"))
            self._known = content if isinstance(content, dict) else {}

    def of(self, path: str | os.PathLike[str]) -> str:
        """The sha256 of a file, in hex.

        Raises:
            OSError: it cannot be read.
        """
        key, age = os.path.abspath(path), age_of(path)
        entry = self._known.get(key)
        if not isinstance(entry, list) or entry[:-1] != age:
            entry = [*age, sha256_of(path)]
        self._seen[key] = entry
        return str(entry[-1])

    def save(self) -> None:
        """Keep them, together with those of other files of which none was asked for now."""
        if any(self._known.get(key) != entry for key, entry in self._seen.items()):
            keep(self._kept, json.dumps({**self._known, **self._seen}))


def check_sha256(path: str | os.PathLike[str], stated: str, by: str | os.PathLike[str]) -> None:
    """Check a file's bytes before it is used.

    Args:
        path: the file.
        stated: its sha256.
        by: the file that states it.

    Raises:
        FileError: it is another.
    """
    if sha256_of(path) != stated:
        raise FileError(
            f"{path} is not the file that {by} describes (its sha256 differs): it was damaged or "
            f"exchanged; {MAKE_AGAIN}"
        )


def check_unchanged(path: str | os.PathLike[str], planned: str) -> None:
    """Check that a file given by the user is the one that the run was planned with.

    Raises:
        FileError: its sha256 is not ``planned``.
    """
    if sha256_of(path) != planned:
        raise FileError(f"{path} has changed since the run began; run the workflow again")


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether the regular file exists; False, too, for a name that no file can have."""
    try:
        return Path(path).is_file()
    except OSError:
        return False


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether the folder exists; False, too, for a name that no folder can have."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def hint_at_home(path: str | os.PathLike[str]) -> str | None:
    """What to write for a path that begins with a home folder as shells abbreviate it, or None.

    No path is expanded, so that no folder called ``~`` is made: a folder that is really called so
    is ``./~``.
    """
    written = os.fspath(path)
    full = os.path.expanduser(written)
    if full != written:
        own = "" if written.startswith("~/") else f", or {f'./{written}'!r} if that is its name"
        return f"`~` is not expanded here: write {full!r}{own}"
    if written == "~" or written.startswith("~/"):
        return "`~` is not expanded here, and there is no home folder: write the path in full"
    return None


def can_be_written(folder: str | os.PathLike[str]) -> bool:
    """Whether files can be written into a folder, which may have to be made first."""
    place = Path(folder).absolute()
    try:
        while not place.exists():
            place = place.parent
        return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    except OSError:  # below a file, or a folder that may not be entered
        return False


def hint_at(path: str | os.PathLike[str]) -> str:
    """What may be meant by a path that leads nowhere, to append to a message; empty if unknown."""
    written = os.fspath(path)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", written):
        return "; it is a URL: download it by hand, and write the path"
    if home := hint_at_home(path):
        return f"; {home}"
    if os.path.isdir(written):
        return "; it is a folder"
    if os.path.exists(written):
        return f"; it is {another_kind(written) or 'a file'}"
    slashes = written.replace("\\", "/")
    if slashes != written and os.path.exists(slashes):
        return f"; write it with slashes: {slashes!r}"
    folder, name = os.path.split(slashes)
    try:
        names = sorted(os.listdir(folder or "."))
    except (OSError, ValueError):
        return ""
    like = [each for each in names if _folded(each) == _folded(name)]
    if len(like) == 1:
        meant = os.path.join(folder, like[0])
        return f"; did you mean {meant!r}, which differs in case or in how letters are composed?"
    return did_you_mean(name, names, cutoff=0.8)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def read_json(path: str | os.PathLike[str], keys: Iterable[str] = ()) -> dict[str, Any]:
    """Read a JSON file that holds a mapping, such as a note about weights.

    Args:
        path: the file.
        keys: those that it must have.

    Raises:
        FileError: it is not JSON, not a mapping, or lacks a key.
        OSError: it cannot be read (its ``errno`` is set).
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is not valid JSON ({error}); {MAKE_AGAIN}") from error
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing or not isinstance(content, dict):
        what = f"has no {missing[0]!r}" if missing else "is not a JSON mapping"
        raise FileError(f"{path} {what}; {MAKE_AGAIN}")
    return content

"""Unpacking an untrusted archive: zip or tar, into a folder and never out of it.

Python's own extraction (``tarfile`` with ``filter="data"``) keeps members inside the folder, but it
makes links, takes a damaged header for the end of the archive, does not read a compressed file to
its checksum, overwrites earlier members and has no bound on what it writes. Here files and folders
are made by name alone; nothing is linked or overwritten, and no permissions are taken over.
"""

from __future__ import annotations

import gzip
import lzma
import math
import os
import re
import shutil
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from synthsight.archives.containers import UnpackError, container_of
from synthsight.archives.tars import members
from synthsight.junk import is_junk

#: What may come out of an archive, as a multiple of its size: images are compressed already.
MAX_RATIO = 100

#: What may come out of any archive, in bytes, however small it is.
MAX_SMALL = 2**30

#: Files and folders in an archive.
MAX_MEMBERS = 2_000_000

#: Nesting of folders.
MAX_DEPTH = 32

#: Disk space, in bytes, that is left free.
RESERVE = 2**28

#: Members left out that are listed; more are counted.
MAX_LISTED = 10_000

_CHUNK = 2**20

#: A member that is ignored, besides what systems leave: this project's own marker.
_OWN = ".synthsight.json"

#: What the readers raise on damaged content.
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile),
    *(EOFError, ValueError, IndexError, KeyError, OverflowError, RecursionError, MemoryError),
)


@dataclass
class Unpacked:
    """What came out of an archive.

    Attributes:
        files: number of files written.
        bytes: their total size.
        left_out: links and the like, each with its reason, in the order of the archive; the first
            :data:`MAX_LISTED` of them.
        more_left_out: how many more there are.
        junk: names in members' paths for which they were ignored (:mod:`synthsight.junk`).
        set: for sets with a row an image, what they are and how they were read; else empty.
        notes: what a person should know about it.
    """

    files: int = 0
    bytes: int = 0
    left_out: list[str] = field(default_factory=list)
    junk: list[str] = field(default_factory=list)
    set: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    more_left_out: int = 0

    def leave_out(self, what: str) -> None:
        """Record what is left out, with the reason."""
        if len(self.left_out) < MAX_LISTED:
            self.left_out.append(what)
        else:
            self.more_left_out += 1


def bound_of(size: int) -> int:
    """How many bytes may come out of archives of this size, in bytes."""
    return max(MAX_SMALL, size * MAX_RATIO)


def unpack(archive: Path, folder: Path) -> Unpacked:
    """Unpack an archive into an empty folder, see :func:`unpack_into`.

    Raises:
        UnpackError: it is refused, or holds no files.
    """
    out = Folder(folder, bound_of(archive.stat().st_size))
    unpack_into(archive, out)
    if not out.result.files:
        raise UnpackError("it contains no files")
    return out.result


def unpack_into(archive: Path, out: Folder) -> None:
    """Unpack an archive into a folder that was empty, beside what others have brought.

    Files get their content, name and time, and the permissions of any new file. Links, which could
    lead out of the folder, are left out and listed; a hard link to an earlier member becomes a copy
    of it. A backslash counts as a slash; bytes that are not UTF-8 are written like ``%E9``.

    Args:
        archive: zip or tar, uncompressed or compressed by gzip, bzip2 or xz, recognised by content.
        out: the folder. After an error its content is useless.

    Raises:
        UnpackError: a member's name leads out of the folder or occurs twice, one is a device or is
            encrypted, something is damaged or truncated, more comes out than an archive of images
            can hold (see ``MAX_RATIO``, ``MAX_SMALL``, ``MAX_MEMBERS``), or the disk is too small.
    """
    kind = container_of(archive)
    with damage():
        if kind == "zip":
            _unpack_zip(archive, out)
        elif kind == "parquet":
            raise UnpackError("it is a Parquet file, whose rows are read, not unpacked")
        else:
            _unpack_tar(archive, kind, out)


class Folder:
    """Where members go: checks names, writes files, counts.

    Attributes:
        root: the folder; it must exist and be empty.
        result: what has come out so far.
        bound: how many bytes may.
    """

    def __init__(self, folder: Path, bound: int) -> None:
        self.result = Unpacked()
        self.bound = bound
        self.root = folder
        self._folders: set[tuple[str, ...]] = {()}
        self._members = 0
        self._unchecked = 0

    def path(self, name: str) -> tuple[str, ...] | None:
        """The parts of a member's name; None if it is to be skipped."""
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise UnpackError(f"it has more than {MAX_MEMBERS:,} members")
        if "\0" in name:
            raise UnpackError(f"member {name!r} has a zero byte in its name")
        # Bytes that are not UTF-8, which Python keeps as lone surrogates.
        name = re.sub("[\ud800-\udfff]", lambda found: f"%{ord(found[0]) & 0xFF:02X}", name)
        name = name.replace("\\", "/")
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        if name.startswith("/") or re.match("[A-Za-z]:", name):
            raise UnpackError(f"member {name!r} has an absolute name")
        if ".." in parts:
            raise UnpackError(f"the name of member {name!r} leads out of the folder")
        if len(parts) > MAX_DEPTH:
            raise UnpackError(f"member {name[:80]!r}... is in more than {MAX_DEPTH} folders")
        self.result.junk += [part for part in parts if is_junk(part)][:1]
        ignored = not parts or parts[0] == _OWN or any(map(is_junk, parts))
        return None if ignored else parts

    def make(self, parts: tuple[str, ...]) -> None:
        """Make a folder, unless it has been made already."""
        for length in range(1, len(parts) + 1):
            part = parts[:length]
            if part not in self._folders:
                with self._writing(part):
                    (self.root / Path(*part)).mkdir()
                self._folders.add(part)

    def write(self, parts: tuple[str, ...], content: IO[bytes], seconds: float) -> None:
        """Write a file; never over another one."""
        self.make(parts[:-1])
        path = self.root / Path(*parts)
        # Errors of the reader, which have no errno, pass through.
        with self._writing(parts), open(path, "xb") as handle:
            while chunk := content.read(_CHUNK):
                self.count(len(chunk))
                handle.write(chunk)
        self.result.files += 1
        # The archive's times, so that the same archive always gives the same listing.
        if math.isfinite(seconds) and 0 <= seconds < 2**32:
            os.utime(path, (seconds, seconds))

    def copy(self, parts: tuple[str, ...], source: tuple[str, ...], seconds: float) -> None:
        """Write a file with the content of one written earlier."""
        path = self.root / Path(*source)
        if not path.is_file():
            raise UnpackError(f"member {'/'.join(parts)!r} is a hard link to no earlier member")
        with open(path, "rb") as handle:
            self.write(parts, handle, seconds)

    def leave_out(self, parts: tuple[str, ...], reason: str) -> None:
        """Leave a member out, and record why."""
        self.result.leave_out(f"{'/'.join(parts)!r}: {reason}")

    def count(self, more: int) -> None:
        """Count bytes that are about to be written."""
        self.result.bytes += more
        self._unchecked += more
        self.check_bound(self.result.bytes)
        if self._unchecked >= 64 * _CHUNK:
            self.check_space(more)
            self._unchecked = 0

    def check_bound(self, total: int) -> None:
        """Refuse more than an archive of images of this size can unpack to."""
        if total > self.bound:
            raise UnpackError(
                f"it would unpack to more than {format_size(self.bound)}: it is a decompression "
                "bomb, or does not hold images. If you trust it, unpack it by hand"
            )

    def check_space(self, needed: int) -> None:
        """Refuse more than the disk can hold."""
        check_space(self.root, needed)

    @contextmanager
    def _writing(self, parts: tuple[str, ...]) -> Iterator[None]:
        try:
            yield
        except FileExistsError:
            raise UnpackError(
                f"member {'/'.join(parts)!r} has the name of another member, or one that this file "
                "system does not distinguish from it"
            ) from None
        except OSError as error:
            if error.errno is None:
                raise
            name = "/".join(parts)
            raise UnpackError(
                f"member {name[:80]!r} cannot be written: {error.strerror}"
            ) from error


def check_space(folder: Path, needed: int) -> None:
    """Refuse more than the disk of a folder can hold.

    Raises:
        UnpackError: too little is free; the message has both sizes.
    """
    free = shutil.disk_usage(folder).free
    if needed + RESERVE > free:
        raise UnpackError(
            f"{format_size(needed)} is needed and {format_size(free)} is free on the disk of "
            f"{folder}, where {format_size(RESERVE)} must stay free"
        )


def format_size(size: int) -> str:
    """A number of bytes for people, such as ``1.4 GB``."""
    units = ("bytes", "kB", "MB", "GB", "TB")
    power = min(len(units) - 1, int(math.log(max(size, 1), 1000)))
    return f"{size / 1000**power:.1f} {units[power]}" if power else f"{size} bytes"


@contextmanager
def damage() -> Iterator[None]:
    """Explain the errors that the readers raise on damaged content."""
    try:
        yield
    except _DAMAGE as error:
        raise UnpackError(f"it is damaged or truncated ({_first_line(error)})") from error
    except RuntimeError as error:
        raise UnpackError(f"it cannot be read ({_first_line(error)})") from error
    except OSError as error:
        if error.errno is not None:
            raise  # the disk
        raise UnpackError(f"it is damaged or truncated ({_first_line(error)})") from error


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__


# Zip -------------------------------------------------------------------------------------------


def _unpack_zip(archive: Path, out: Folder) -> None:
    with zipfile.ZipFile(archive) as handle:
        members = handle.infolist()
        # No member yields more than it states (zipfile stops there, and its checksum fails).
        total = sum(member.file_size for member in members)
        out.check_bound(total)
        out.check_space(total)
        for member in members:
            parts = out.path(_zip_name(member))
            if parts is None:
                continue
            if member.flag_bits & 0x1:
                raise UnpackError(
                    f"member {member.filename!r} is encrypted. Unpack it by hand, with its password"
                )
            kind = member.external_attr >> 16 & 0o170000
            if member.is_dir() or member.orig_filename.endswith("\\") or kind == 0o040000:
                out.make(parts)
            elif kind == 0o120000:
                out.leave_out(parts, "a symbolic link")
            elif kind not in (0, 0o100000):
                raise UnpackError(f"member {member.filename!r} is a device or the like")
            elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                # zipfile does not bound the memory that a few bytes of bzip2 or LZMA can fill.
                raise UnpackError(
                    f"member {member.filename!r} is compressed by method {member.compress_type}; "
                    "only zip's usual one, deflate, is read. Pack the archive again"
                )
            else:
                with handle.open(member) as content:
                    out.write(parts, content, _zip_seconds(member))


def _zip_name(member: zipfile.ZipInfo) -> str:
    """A member's name, which may be UTF-8 without the flag that says so, as from macOS."""
    name = member.orig_filename
    if member.flag_bits & 0x800:
        return name
    with suppress(UnicodeDecodeError, UnicodeEncodeError):
        return name.encode("cp437").decode("utf-8")
    return name


def _zip_seconds(member: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*member.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return math.nan


# Tar -------------------------------------------------------------------------------------------


def _unpack_tar(archive: Path, kind: str, out: Folder) -> None:
    if kind == "tar":
        out.check_space(archive.stat().st_size)
    for handle, member in members(archive, kind, out.check_bound):
        _unpack_member(handle, member, out)


def _unpack_member(handle: tarfile.TarFile, member: tarfile.TarInfo, out: Folder) -> None:
    parts = out.path(member.name)
    if parts is None:
        return
    if member.isdir():
        out.make(parts)
    elif member.issparse():
        raise UnpackError(f"member {member.name!r} is a sparse file. Pack the archive again")
    elif member.isreg():
        content = handle.extractfile(member)
        assert content is not None  # it is a file
        out.write(parts, content, float(member.mtime))
    elif member.islnk():
        source = out.path(member.linkname)
        out.copy(parts, source or ("",), float(member.mtime))
    elif member.issym():
        out.leave_out(parts, "a symbolic link")
    else:
        raise UnpackError(f"member {member.name!r} is a device or the like")

"""Reading an untrusted tar, compressed or not, member by member."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from synthsight.archives.containers import UnpackError

#: Bytes of metadata that a member may state; no genuine header states more.
_MAX_PIECE = 2**20


def members(
    archive: Path, kind: str, check: Callable[[int], None]
) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """The members of a tar, in its order, each with the tar to extract it from.

    The content of a member can be read until the next one is asked for. Whoever takes all of them
    has read the file to its end, where a compressed one has its checksum.

    Args:
        archive: the file.
        kind: how it is compressed, as :func:`synthsight.archives.containers.container_of` says.
        check: called with how far in the uncompressed tar it is read; may refuse.

    Raises:
        UnpackError: it is truncated, or a header states what no genuine one does.
    """
    with _opened(archive, kind) as source:
        reader = _Reader(source, check)
        with tarfile.open(fileobj=reader, mode="r:", errors="surrogateescape") as handle:  # type: ignore[call-overload]
            while (member := handle.next()) is not None:
                handle.members.clear()  # it would keep all of them
                yield handle, member
        if reader.last.strip(b"\0") or len(reader.last) != tarfile.BLOCKSIZE:
            raise UnpackError("it is damaged or truncated: no end marker follows the last member")
        while reader.read(_MAX_PIECE):
            pass


@contextmanager
def _opened(archive: Path, kind: str) -> Iterator[IO[bytes]]:
    """Open the tar inside its compression."""
    if kind == "xz":
        # A hostile file may ask for a dictionary of 4 GB.
        with open(archive, "rb") as start:
            lzma.LZMADecompressor(memlimit=2**29).decompress(start.read(2**16), max_length=1)
    opener: dict[str, Callable[[Path], Any]] = {
        "gz": gzip.open,
        "bz2": bz2.open,
        "xz": lzma.open,
        "tar": partial(open, mode="rb"),
    }
    with opener[kind](archive) as handle:
        yield handle


class _Reader:
    """A file for tarfile that bounds how far it reads and how much at once.

    tarfile reads a member's metadata in one piece, of any length that its header states, and does
    not say whether it stopped at the end marker or at a damaged header.
    """

    def __init__(self, source: IO[bytes], check: Callable[[int], None]) -> None:
        self._source = source
        self._check = check
        self.last = b""

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MAX_PIECE:
            raise UnpackError(f"it states {size:,} bytes of metadata for a member")
        self.last = self._source.read(size)
        self._check(self._source.tell())
        return self.last

    def seek(self, position: int) -> int:
        self._check(position)
        return self._source.seek(position)

    def tell(self) -> int:
        return self._source.tell()

    def seekable(self) -> bool:
        return True

"""What kind of archive a file is, told by its first bytes."""

from __future__ import annotations

import tarfile
from pathlib import Path

from synthsight.errors import SynthsightError

#: First bytes of files, and the kind of file. The first five kinds can be unpacked.
_BEGINNINGS = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF file"),
)

_SUPPORTED = "zip, tar, tar.gz, tar.bz2 and tar.xz can be unpacked"


class UnpackError(SynthsightError):
    """An archive that is refused; the message says why."""


def container_of(path: Path) -> str:
    """``zip``, ``gz``, ``bz2``, ``xz`` or ``tar``, by content.

    Raises:
        UnpackError: it is something else; the message names it if it can.
    """
    with open(path, "rb") as handle:
        start = handle.read(tarfile.BLOCKSIZE)
    if not start:
        raise UnpackError("it is empty")
    for beginning, kind in _BEGINNINGS:
        if start.startswith(beginning):
            if " " in kind:
                raise UnpackError(f"it is {kind}; {_SUPPORTED}")
            return kind
    if looks_like_html(start):
        raise UnpackError("it is a web page, not an archive: the address may lead to a page")
    try:
        tarfile.TarInfo.frombuf(start, tarfile.ENCODING, "surrogateescape")
    except tarfile.HeaderError:
        raise UnpackError(f"it is not an archive ({_SUPPORTED})") from None
    return "tar"


def looks_like_html(start: bytes) -> bool:
    """Whether a file that starts like this is a web page."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--"))

"""What kind of archive a file is, told by its first bytes."""

from __future__ import annotations

from pathlib import Path

from synthsight.contents import EMPTY, UNKNOWN, ZIPS, kind_of_file
from synthsight.errors import SynthsightError

#: The kinds that can be unpacked, as :mod:`synthsight.contents` calls them. Office documents and
#: the like are zips, and are unpacked as such.
_CONTAINERS = {"gz", "bz2", "xz", "tar", "parquet"}

#: Kinds of archives that cannot.
_OTHERS = {"7z", "rar", "zstd"}

_SUPPORTED = "zip, tar, tar.gz, tar.bz2, tar.xz and Parquet can be unpacked"


class UnpackError(SynthsightError):
    """An archive that is refused; the message says why."""


def container_of(path: Path) -> str:
    """``zip``, ``gz``, ``bz2``, ``xz``, ``tar`` or ``parquet``, by content.

    Raises:
        UnpackError: it is something else; the message names it if it can.
    """
    kind = kind_of_file(path)
    if kind.name in ZIPS:
        return "zip"
    if kind.name in _CONTAINERS:
        return kind.name
    if kind is EMPTY:
        raise UnpackError("it is empty")
    if kind is UNKNOWN:
        raise UnpackError(f"it is not an archive ({_SUPPORTED})")
    if kind.name in _OTHERS:
        raise UnpackError(f"it is {kind.words}; {_SUPPORTED}")
    advice = f": {kind.advice}" if kind.advice else f" ({_SUPPORTED})"
    raise UnpackError(f"it is {kind.words}, not an archive{advice}")

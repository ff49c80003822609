"""Parts of a category with many images: which file belongs to which, and how parts are called.

A file's own name decides, so that one more file changes one part. The number of parts is a power of
two: when a category grows beyond it, each part is divided in two, and all of them are made anew,
once for each time that the category doubles.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b

from synthsight.origin import PART


@dataclass(frozen=True)
class Part:
    """A part of a category.

    Attributes:
        name: as :func:`part_of` gives it.
        images: number of its files that look like images.
        listing: digest of its files' names, sizes and times.
        rows: digest of its rows of a table (:mod:`synthsight.images.rows`); None without one.
    """

    name: str
    images: int
    listing: str
    rows: str | None = None


def number_of_parts(files: int, most: int) -> int:
    """Into how many parts files are divided: a power of two; 1 means that they are not.

    Args:
        files: number of files.
        most: of how many there are no parts; parts have about as many, or fewer.
    """
    return 1 << max(0, -(-files // most) - 1).bit_length()


def part_of(key: bytes, parts: int) -> str:
    """The name of the part that a file belongs to.

    Args:
        key: of the file, see :func:`key_of`.
        parts: their number.
    """
    number = int.from_bytes(blake2b(key, digest_size=8).digest(), "big") % parts
    return f"{number + 1}-of-{parts}"


def parts_in(name: str) -> int:
    """The number of parts that a part's name tells: 16 of ``3-of-16``.

    Raises:
        ValueError: it is not the name of a part.
    """
    found = PART.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is not the name of a part, such as 3-of-16")
    return int(found[2])


def key_of(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> bytes:
    """What decides the part of a file: its path below its category's folder, wherever that is.

    Args:
        path: of the file.
        folder: of the category; empty where a table names files, and ``path`` decides.
    """
    return os.fsencode(path)[start_of(folder) :]


def start_of(folder: str | os.PathLike[str]) -> int:
    """Where in the bytes of a file's path its key begins, see :func:`key_of`."""
    return len(os.fsencode(folder)) + 1 if folder else 0

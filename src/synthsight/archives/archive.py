"""Where an archive of images comes from, and whether it has been unpacked. Imports little."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from synthsight.errors import SynthsightError

#: The file, in the folder of unpacked images, that says which archive they are from.
MARKER = ".synthsight.json"

#: The environment variable that tells the program where the archive is.
URL_VARIABLE = "SYNTHSIGHT_IMAGES_URL"

#: Hosts of Google Drive, whose links lead to pages.
DRIVE = ("drive.google.com", "docs.google.com")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


class ArchiveError(SynthsightError):
    """An archive that cannot be brought or put where it should be; the message says what to do."""


@dataclass(frozen=True)
class Archive:
    """An archive of images.

    Attributes:
        url: http, https or file, or a path.
        sha256: of the archive, in hex, lower case; None if the user does not know it yet.
        root: folder that it is unpacked into.
    """

    url: str
    sha256: str | None
    root: Path

    def is_unpacked(self) -> bool:
        """Whether the root holds what came out of this archive, as its note says.

        With a sha256 that decides, wherever the archive came from; without one its URL does.

        Raises:
            ArchiveError: the root holds files that came out of no archive.
        """
        note = read_note(self.root)
        if note is None:
            if self.root.exists() and (not self.root.is_dir() or any(self.root.iterdir())):
                raise ArchiveError(
                    f"{str(self.root)!r} holds files that did not come from images.archive, and "
                    "they stay. To use them, take `archive` away; to unpack the archive, name a "
                    "folder in images.root that is empty or not there"
                )
            return False
        if self.sha256 is None:
            return bool(note.get("url") == identity(self.url))
        return bool(note.get("sha256") == self.sha256)


def read_note(root: Path) -> dict[str, Any] | None:
    """What the note in a folder says; None if there is none that can be read."""
    try:
        note = json.loads((root / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def contents(root: Path) -> str:
    """A digest of the names, sizes and times of all that is below a folder, but for its note."""
    digest = hashlib.sha256()
    for relative, status in sorted(_entries(root, "")):
        digest.update(os.fsencode(relative) + b"\0" + status.encode() + b"\0")
    return digest.hexdigest()


def _entries(root: Path, below: str) -> Iterator[tuple[str, str]]:
    with os.scandir(root / below) as scan:
        for entry in scan:
            relative = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield relative, "folder"
                yield from _entries(root, f"{relative}/")
            elif relative != MARKER:
                status = entry.stat(follow_symlinks=False)
                yield relative, f"{status.st_mode} {status.st_size} {status.st_mtime_ns}"


# URLs ------------------------------------------------------------------------------------------


def problem_of(url: str) -> str | None:
    """Why a URL cannot be used, in words that do not repeat what may be a password; or None."""
    if local_path(url) is not None:
        if url.lower().startswith("file://") and not url[7:].startswith(("/", "localhost/")):
            return "a file URL names no host: write file:FOLDER/NAME or file:///FOLDER/NAME"
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is no URL ({error})"
    if parts.scheme not in ("http", "https"):
        return (
            f"{parts.scheme}: is not supported; write an http, https or file URL or a path, or "
            "download it by hand and name the file"
        )
    if not host:
        return "has no host in it"
    if re.search(r"[\x00-\x20\x7f]", url):
        return "has blanks or control characters in it: write a blank as %20"
    if parts.username is not None or parts.password is not None:
        return (
            "has a user's name or password in it, which would be recorded with the results: put "
            f"them into ~/.netrc (machine {host} login NAME password PASSWORD)"
        )
    if host in DRIVE and "/folders/" in parts.path:
        return "is a folder of Google Drive: name the link of one file"
    return None


def local_path(url: str) -> Path | None:
    """The file that a file URL or a plain path names; None for other URLs."""
    if url.lower().startswith("file:"):
        rest = url[len("file:") :]
        if rest.startswith("//"):
            rest = "/" + rest[2:].partition("/")[2]
        return Path(unquote(rest))
    return None if _SCHEME.match(url) else Path(url)


def public_url(url: str) -> str:
    """A URL as it may be printed and recorded: without credentials, also those in its query."""
    if local_path(url) is not None:
        return url
    parts = urlsplit(url)
    shown = ("id",) if parts.hostname in DRIVE else ()
    query = "&".join(
        f"{name}={value if name in shown else '...'}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}" + (f"?{query}" if query else "")


def identity(url: str) -> str:
    """A digest that tells URLs apart."""
    return hashlib.sha256(url.encode()).hexdigest()

"""Where an archive of images comes from, and whether it is unpacked. Cheap to import."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from synthsight.errors import SynthsightError
from synthsight.files import sha256_of
from synthsight.junk import is_junk

#: The marker: a file in the folder of unpacked images that says which archive they came from.
MARKER = ".synthsight.json"

#: The environment variable that holds the archive's URL.
URL_VARIABLE = "SYNTHSIGHT_IMAGES_URL"

#: Hosts of Google Drive, whose links lead to web pages.
DRIVE = ("drive.google.com", "docs.google.com")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


class ArchiveError(SynthsightError):
    """An archive that cannot be fetched or put in place; the message says what to do."""


@dataclass(frozen=True)
class Archive:
    """An archive of images.

    Attributes:
        url: http, https or file, or a path.
        sha256: of the archive, in hex, lower case; None if the user does not know it yet.
        root: the folder that it is unpacked into.
    """

    url: str
    sha256: str | None
    root: Path

    def is_unpacked(self) -> bool:
        """Whether the root holds this archive's files, according to its marker.

        If a sha256 is given, it alone decides, wherever the archive came from; otherwise the URL
        does, and for a local file that has been touched since also what it holds.

        Raises:
            ArchiveError: the root holds files that came from no archive.
        """
        marker = read_marker(self.root)
        if marker is None:
            if self.root.exists() and (not self.root.is_dir() or any(self.root.iterdir())):
                raise ArchiveError(
                    f"{str(self.root)!r} holds files that did not come from images.archive; they "
                    "are left alone. To use them, remove `archive`; to unpack the archive, set "
                    "images.root to a folder that is empty or does not exist"
                )
            return False
        if self.sha256 is None:
            return bool(marker.get("url") == identity(self.url)) and not self._is_another(marker)
        return bool(marker.get("sha256") == self.sha256)

    def _is_another(self, marker: dict[str, Any]) -> bool:
        """Whether a local file now holds something else than what was unpacked.

        An older file that is put in its place is new there by the time of its inode.
        """
        file = local_path(self.url)
        try:
            status = os.stat(file or "")
            unpacked = datetime.fromisoformat(marker["fetched"]).timestamp()
            if max(status.st_mtime, status.st_ctime) < unpacked - 1:
                return False
            return sha256_of(file or "") != str(marker["sha256"])
        except OSError:  # it is no local file, or has been deleted since
            return False
        except (KeyError, TypeError, ValueError):  # the marker was edited
            return True


def read_marker(root: Path) -> dict[str, Any] | None:
    """The content of a folder's marker; None if there is no readable one."""
    try:
        marker = json.loads((root / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) else None


def contents(root: Path) -> str:
    """A digest of the names, sizes and times of everything below a folder but its marker and junk.

    Looking at a folder leaves something in it on some systems, which is no change.
    """
    digest = hashlib.sha256()
    for relative, status in sorted(_entries(root, "")):
        digest.update(os.fsencode(relative) + b"\0" + status.encode() + b"\0")
    return digest.hexdigest()


def _entries(root: Path, below: str) -> Iterator[tuple[str, str]]:
    with os.scandir(root / below) as scan:
        for entry in scan:
            if is_junk(entry.name):
                continue
            relative = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield relative, "folder"
                yield from _entries(root, f"{relative}/")
            elif relative != MARKER:
                status = entry.stat(follow_symlinks=False)
                yield relative, f"{status.st_mode} {status.st_size} {status.st_mtime_ns}"


# URLs ------------------------------------------------------------------------------------------


def problem_of(url: str) -> str | None:
    """Why a URL cannot be used, or None; the text never repeats what may be a password."""
    if local_path(url) is not None:
        if url.lower().startswith("file://") and not url[7:].startswith(("/", "localhost/")):
            return "a file URL has no host: write file:FOLDER/NAME or file:///FOLDER/NAME"
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is not a URL ({error})"
    if parts.scheme not in ("http", "https"):
        return (
            f"{parts.scheme}: is not supported; write an http, https or file URL or a path, or "
            "download it by hand and name the file"
        )
    if not host:
        return "has no host"
    if re.search(r"[\x00-\x20\x7f]", url):
        return "contains spaces or control characters: write a space as %20"
    if parts.username is not None or parts.password is not None:
        return (
            "contains a user name or password, which would be recorded with the results: put it "
            f"into ~/.netrc (machine {host} login NAME password PASSWORD)"
        )
    if host in DRIVE and "/folders/" in parts.path:
        return "is a Google Drive folder: give the link of a single file"
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
    """A URL that may be printed and recorded: without credentials, including any in its query."""
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

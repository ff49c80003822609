"""Where an archive of images comes from, and whether it is unpacked. Cheap to import."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from synthsight.errors import SynthsightError
from synthsight.files import sha256_of
from synthsight.junk import is_ignored, is_junk

#: The marker: a file in the folder of unpacked images that says which archive they came from.
MARKER = ".synthsight.json"

#: The environment variable that holds the archive's URL, or several, one a line.
URL_VARIABLE = "SYNTHSIGHT_IMAGES_URL"

#: Hosts of Google Drive, whose links lead to web pages.
DRIVE = ("drive.google.com", "docs.google.com")

#: The files that are looked for in a folder, by their endings.
SETS = {"Parquet": (".parquet",), "tar": (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


class ArchiveError(SynthsightError):
    """An archive that cannot be fetched or put in place; the message says what to do."""


@dataclass(frozen=True)
class Archive:
    """An archive of images, or a set of files that hold some.

    Attributes:
        url: http, https or file, or a path, which may be a folder's; or several of these.
        sha256: of the archive, in hex, lower case; for several files that of all (:func:`sum_of`),
            or one for each url. None if the user does not know it yet.
        root: the folder that it is unpacked into.
        reading: how the rows of a set are read, where a person has said so: JSON.
    """

    url: str | tuple[str, ...]
    sha256: str | tuple[str, ...] | None
    root: Path
    reading: Mapping[str, Any] = field(default_factory=dict)

    @property
    def urls(self) -> tuple[str, ...]:
        """What the user has named."""
        return (self.url,) if isinstance(self.url, str) else self.url

    @property
    def total(self) -> str | None:
        """The sha256 that decides whether it is unpacked; None if the user has given none."""
        return self.sha256 if isinstance(self.sha256, str | None) else sum_of(self.sha256)

    @property
    def name(self) -> str:
        """What messages call it, without anything secret."""
        more = f" and {len(self.urls) - 1} more" if len(self.urls) > 1 else ""
        return public_url(self.urls[0]) + more

    def files(self) -> list[tuple[str, str | None]]:
        """Its files as URLs or paths, folders opened, each with its sha256 if that is known.

        Raises:
            ArchiveError: a folder holds none, or files of several kinds.
        """
        found: list[tuple[str, str | None]] = []
        sums = self.sha256 if isinstance(self.sha256, tuple) else (None,) * len(self.urls)
        for url, digest in zip(self.urls, sums, strict=True):
            folder = local_path(url)
            if folder is None or not folder.is_dir():
                found.append((url, digest))
            else:
                found += [(str(file), None) for file in files_in(folder)]
        return [(found[0][0], self.total)] if len(found) == 1 else found

    def is_unpacked(self) -> bool:
        """Whether the root holds this archive's files, according to its marker.

        If a sha256 is given, it alone decides, wherever the archive came from; otherwise the URL
        does, and for local files that have been touched since also what they hold. A set that is to
        be read in another way is not unpacked yet.

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
        if marker.get("reading", {}) != self.reading:
            return False
        if self.total is None:
            return bool(marker.get("url") == identity(*self.urls)) and not self._is_another(marker)
        return bool(marker.get("sha256") == self.total)

    def _is_another(self, marker: dict[str, Any]) -> bool:
        """Whether local files now hold something else than what was unpacked.

        An older file that is put in the place of one is new there by the time of its inode.
        """
        try:
            files = [local_path(url) for url, _ in self.files()]
            times = [0.0 if file is None else _changed(file) for file in files]
            unpacked = datetime.fromisoformat(marker["fetched"]).timestamp()
            parts = [str(part["sha256"]) for part in marker.get("parts", [marker])]
            return len(files) != len(parts) or any(
                time >= unpacked - 1 and sha256_of(file) != digest
                for file, time, digest in zip(files, times, parts, strict=True)
                if file is not None
            )
        except (OSError, ArchiveError):  # they have been deleted since
            return False
        except (KeyError, TypeError, ValueError):  # the marker was edited
            return True


def _changed(file: Path) -> float:
    """When a file was last changed or put where it is, in seconds since 1970."""
    status = os.stat(file)
    return max(status.st_mtime, status.st_ctime)


def sum_of(sums: Sequence[str]) -> str:
    """The sha256 of several files: of their sums in hex, a line each. That of one is its own."""
    if len(sums) == 1:
        return sums[0]
    return hashlib.sha256("".join(f"{each}\n" for each in sums).encode()).hexdigest()


def files_in(folder: Path) -> list[Path]:
    """The Parquet files or the tars in a folder and those below it, in the order of their paths.

    Raises:
        ArchiveError: there are none, or both.
    """
    found: dict[str, list[Path]] = {kind: [] for kind in SETS}
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_ignored(name))
        for name in names:
            for kind, endings in SETS.items():
                if name.lower().endswith(endings) and not is_ignored(name):
                    found[kind].append(Path(place, name))
    several = [kind for kind, files in found.items() if files]
    if len(several) != 1:
        seen = f"{' and '.join(several)} files" if several else "no Parquet files and no tars"
        raise ArchiveError(
            f"{str(folder)!r} holds {seen}; name the files in images.archive.url, or, for a folder "
            "of images, that folder in images.root without `archive`"
        )
    return sorted(found[several[0]], key=lambda file: file.relative_to(folder).as_posix())


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
        if "\n" in url:
            return "contains a line break"
        if url.lower().startswith("file://") and not url[7:].startswith(("/", "localhost/")):
            return "a file URL has no host: write file:FOLDER/NAME or file:///FOLDER/NAME"
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is not a URL ({error})"
    if parts.scheme == "s3":
        return (
            "s3: is not supported; write an https URL of it that is signed, as `aws s3 presign` "
            "makes, or mount the bucket (docs/cluster.md, Files in S3)"
        )
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


def identity(*urls: str) -> str:
    """A digest that tells URLs, and lists of them, apart."""
    return hashlib.sha256("\n".join(urls).encode()).hexdigest()

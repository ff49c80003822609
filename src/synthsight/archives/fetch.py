"""Fetching an archive of images: downloaded, checked, unpacked and put in place as a whole."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synthsight import junk
from synthsight.archives.archive import (
    MARKER,
    Archive,
    ArchiveError,
    contents,
    identity,
    local_path,
    public_url,
    read_marker,
)
from synthsight.archives.containers import UnpackError, container_of
from synthsight.archives.download import DownloadError, download
from synthsight.archives.parts import drop
from synthsight.archives.unpack import format_size, unpack
from synthsight.files import atomic, hint_at, sha256_of
from synthsight.images.endings import SUFFIXES

#: Working folders: the images being unpacked, and those that they replaced.
FRESH, REPLACED = "unpacked", "replaced"

#: How many of the members left out the marker names.
_NAMED = 100


def fetch_images(archive: Archive, say: Callable[[str], None]) -> dict[str, Any]:
    """Download an archive and unpack it into its root, unless that is done already.

    All work is done in a folder next to the root, ``.{root}.synthsight``, where an interrupted
    download is kept and resumed the next time. The unpacked folder is renamed into place, together
    with the marker that says where it came from. It replaces files from another archive if nobody
    has changed them since; nothing else is ever touched.

    Args:
        archive: which one, and where to.
        say: called with messages about the progress and about what was found.

    Returns:
        The marker's content: ``source``, ``sha256``, ``bytes``, ``files``, ``fetched`` (when), and
        what was left out.

    Raises:
        ArchiveError: it cannot be downloaded, is not the expected one, is refused, or would replace
            files of the user's.
    """
    archive = Archive(archive.url, archive.sha256, archive.root.resolve())  # it may be a link
    work = archive.root.with_name(f".{archive.root.name}.synthsight")
    try:
        with _working(work):
            if archive.is_unpacked():
                marker = read_marker(archive.root)
                assert marker is not None
            else:
                _check_untouched(archive.root)
                marker = _fetch(archive, work, say)
            drop(work / "archive")
            _clear(work)
    except (DownloadError, UnpackError) as error:
        raise ArchiveError(str(error)) from error
    except OSError as error:
        raise ArchiveError(
            f"{archive.root} could not be written ({error.strerror}: {error.filename})"
        ) from error
    if archive.sha256 is None:
        say(
            "images.archive has no sha256, so any file at that address is accepted. This one has\n"
            f"    sha256: {marker['sha256']}"
        )
    return marker


def _fetch(archive: Archive, work: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Download, check, unpack, and put in place; the marker's content."""
    _clear(work)
    fresh = work / FRESH
    source = public_url(archive.url)
    file = local_path(archive.url)
    given = file is not None
    if file is None:
        file = work / "archive"
        download(archive.url, file, archive.sha256 is not None, say)
    elif not file.is_file():
        where = f"(relative paths start at {Path.cwd()}){hint_at(file)}"
        raise ArchiveError(f"no file {str(file)!r} {where}")
    fresh.mkdir()
    try:
        container_of(file)  # first, so that a web page is reported as one, not by its checksum
        digest = sha256_of(file)
        if archive.sha256 not in (None, digest):
            raise UnpackError(
                f"its sha256 is {digest}, but images.archive.sha256 is {archive.sha256}. The "
                "download is damaged, or the file has been replaced by another"
            )
        say(f"unpacking {format_size(file.stat().st_size)}")
        unpacked = unpack(file, fresh)
    except UnpackError as error:
        shutil.rmtree(fresh)
        if given:
            dropped = ""
        elif archive.sha256 is not None and sha256_of(file) == archive.sha256:
            dropped = f". It is kept: {file}"
        else:
            drop(file)
            dropped = ". It was deleted, so the next run downloads it again"
        raise ArchiveError(f"{source}: {error}{dropped}") from error
    marker = {
        "source": source,
        "url": identity(archive.url),
        "sha256": digest,
        "bytes": file.stat().st_size,
        "files": unpacked.files,
        "unpacked_bytes": unpacked.bytes,
        "left_out": len(unpacked.left_out),
        "left_out_first": unpacked.left_out[:_NAMED],
        "fetched": datetime.now(UTC).isoformat(),
        "contents": contents(fresh),
    }
    with atomic(fresh / MARKER) as temporary:
        temporary.write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
    if archive.root.exists():
        os.rename(archive.root, work / REPLACED)
    os.rename(fresh, archive.root)
    for line in describe(archive.root, unpacked.left_out):
        say(line)
    if note := junk.describe(unpacked.junk, "the archive"):
        say(note)
    return marker


def _clear(work: Path) -> None:
    """Delete folders that were replaced or only partly unpacked, by this or a killed process."""
    for folder in (work / FRESH, work / REPLACED):
        if folder.exists():
            shutil.rmtree(folder)


def _check_untouched(root: Path) -> None:
    """Refuse to replace an earlier archive's files if a person has changed them since."""
    marker = read_marker(root)
    if marker is not None and marker.get("contents") != contents(root):
        raise ArchiveError(
            f"{root} was unpacked from {marker.get('source')}, and files in it have been added, "
            "changed or removed since, so it is left alone. To unpack the archive that "
            "images.archive now names, move it away or name another folder in images.root"
        )


def describe(root: Path, left_out: list[str], keep: int = 20) -> Iterator[str]:
    """What was unpacked, for a person who has to set images.root and categories."""
    counts: Counter[str] = Counter()
    others = 0
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in files:
            if Path(name).suffix.lower() in SUFFIXES:
                counts[os.path.relpath(folder, root)] += 1
            else:
                others += name != MARKER
    total = sum(counts.values())
    yield f"{total:,} images in {len(counts)} folders, and {others:,} other files, are in {root}:"
    for folder, count in sorted(counts.items())[:keep]:
        yield f"    {folder!r}: {count:,} images"
    if len(counts) > keep:
        yield f"    ... and {len(counts) - keep} more"
    tops = [entry for entry in root.iterdir() if entry.name != MARKER]
    if len(tops) == 1 and tops[0].is_dir():
        yield (
            f"All of it is in one folder, {tops[0].name!r}. If that is neither a category nor a "
            f"generator, set images.archive.folder: {json.dumps(tops[0].name)}"
        )
    for line in left_out[:keep]:
        yield f"left out: {line}"
    if len(left_out) > keep:
        yield f"... and {len(left_out) - keep} more"


@contextmanager
def _working(work: Path) -> Iterator[None]:
    """Keep other processes out of a working folder, and remove it at the end if it is empty."""
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ArchiveError(f"another process is at work in {work}") from error
        try:
            yield
        finally:
            if [entry.name for entry in work.iterdir()] == ["lock"]:
                shutil.rmtree(work)

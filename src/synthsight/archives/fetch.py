"""Bringing an archive of images: downloaded, checked, unpacked and put into place as a whole."""

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

from synthsight.archives.archive import (
    MARKER,
    Archive,
    ArchiveError,
    contents,
    identity,
    local_path,
    public_url,
    read_note,
)
from synthsight.archives.download import DownloadError, download, drop
from synthsight.archives.unpack import UnpackError, container_of, spoken, unpack
from synthsight.files import atomic, sha256_of
from synthsight.images.reading import SUFFIXES

#: Folders to work in: what is being unpacked, and what its place was taken from.
FRESH, REPLACED = "unpacked", "replaced"

#: How many of what was left out the note names.
_NAMED = 100


def fetch_images(archive: Archive, say: Callable[[str], None]) -> dict[str, Any]:
    """Unpack an archive into its root, unless it is there already.

    All work is done in a folder beside the root, ``.{root}.synthsight``: a download that broke off
    is kept there, and goes on the next time. What was unpacked is renamed into place, and with it
    the note that says where it came from. What another archive gave is replaced, if nobody has
    changed it since; nothing else is ever touched.

    Args:
        archive: which one, and where to.
        say: told of the progress and of what was found.

    Returns:
        What the note holds: ``source``, ``sha256``, ``bytes``, ``files``, ``fetched`` (when), and
        what was left out.

    Raises:
        ArchiveError: it cannot be brought, is not the one that was asked for, is refused, or there
            is something of the user's in its place.
    """
    archive = Archive(archive.url, archive.sha256, archive.root.resolve())  # it may be a link
    work = archive.root.with_name(f".{archive.root.name}.synthsight")
    try:
        with _working(work):
            if archive.is_unpacked():
                note = read_note(archive.root)
                assert note is not None
            else:
                _check_untouched(archive.root)
                note = _bring(archive, work, say)
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
            "images.archive has no sha256, so whatever the address gives is taken. This one has\n"
            f"    sha256: {note['sha256']}"
        )
    return note


def _bring(archive: Archive, work: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Download, check, unpack, and put into place."""
    _clear(work)
    fresh = work / FRESH
    source = public_url(archive.url)
    file = local_path(archive.url)
    given = file is not None
    if file is None:
        file = work / "archive"
        download(archive.url, file, archive.sha256 is not None, say)
    elif not file.is_file():
        raise ArchiveError(f"no file {str(file)!r} (relative paths start at {Path.cwd()})")
    fresh.mkdir()
    try:
        container_of(file)  # a web page is told by this, not by its checksum
        digest = sha256_of(file)
        if archive.sha256 not in (None, digest):
            raise UnpackError(
                f"its sha256 is {digest}, but images.archive.sha256 is {archive.sha256}. The "
                "download is damaged, or the file is another one than it was"
            )
        say(f"unpacking {spoken(file.stat().st_size)}")
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
    note = {
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
        temporary.write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
    if archive.root.exists():
        os.rename(archive.root, work / REPLACED)
    os.rename(fresh, archive.root)
    for line in describe(archive.root, unpacked.left_out):
        say(line)
    return note


def _clear(work: Path) -> None:
    """Delete what was unpacked in vain, or replaced: by this process or one that was killed."""
    for folder in (work / FRESH, work / REPLACED):
        if folder.exists():
            shutil.rmtree(folder)


def _check_untouched(root: Path) -> None:
    """What an earlier archive gave may be replaced, but not what a person did to it."""
    note = read_note(root)
    if note is not None and note.get("contents") != contents(root):
        raise ArchiveError(
            f"{root} holds what came from {note.get('source')}, and files in it were added, "
            "changed or removed since. It stays: move it away, or name another folder in "
            "images.root, and the archive that images.archive now names will be unpacked"
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
            f"All of it is in one folder, {tops[0].name!r}. If that is no category and no "
            f"generator, set images.archive.folder: {json.dumps(tops[0].name)}"
        )
    for line in left_out[:keep]:
        yield f"left out: {line}"
    if len(left_out) > keep:
        yield f"... and {len(left_out) - keep} more"


@contextmanager
def _working(work: Path) -> Iterator[None]:
    """Let no two processes work in a folder at a time; it goes when nothing is left in it."""
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

"""Fetching an archive of images: downloaded, checked, unpacked and put in place as a whole."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
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
    sum_of,
)
from synthsight.archives.containers import UnpackError, container_of
from synthsight.archives.download import DownloadError, download
from synthsight.archives.parts import drop
from synthsight.archives.rows import RECORD, Reading
from synthsight.archives.sets import Part, unpack_all
from synthsight.archives.unpack import Unpacked, format_size
from synthsight.files import atomic, hint_at, sha256_of
from synthsight.images.endings import SUFFIXES

#: Working folders: the images being unpacked, and those that they replaced.
FRESH, REPLACED = "unpacked", "replaced"

#: How many of the members left out the marker names.
_NAMED = 100

_DROPPED = "It was deleted, so the next run downloads it again"


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
    archive = replace(archive, root=archive.root.resolve())  # it may be a link
    work = archive.root.with_name(f".{archive.root.name}.synthsight")
    try:
        with _working(work):
            if archive.is_unpacked():
                marker = read_marker(archive.root)
                assert marker is not None
            else:
                _check_untouched(archive.root)
                marker = _fetch(archive, work, say)
            for part in [work / "archive", *work.glob("archive-?????")]:
                drop(part)
            _clear(work)
    except (DownloadError, UnpackError) as error:
        raise ArchiveError(str(error)) from error
    except OSError as error:
        raise ArchiveError(
            f"{archive.root} could not be written ({error.strerror}: {error.filename})"
        ) from error
    if archive.total is None:
        several = "parts" in marker
        this = "All of these together have" if several else "This one has"
        say(
            f"images.archive has no sha256, so any file at that address is accepted. {this}\n"
            f"    sha256: {marker['sha256']}"
        )
    return marker


def _fetch(archive: Archive, work: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Download, check, unpack, and put in place; the marker's content."""
    _clear(work)
    fresh = work / FRESH
    files = archive.files()
    parts = [_arrived(index, *file, len(files) > 1, work, say) for index, file in enumerate(files)]
    sums = [part.sha256 for part in parts]
    if archive.total not in (None, sum_of(sums)):  # where each has one, all have been compared
        for part in parts:
            if not part.given:
                drop(part.file)
        raise ArchiveError(
            f"{archive.name}: the sha256 of these {len(parts)} files is {sum_of(sums)}, but "
            f"images.archive.sha256 is {archive.total}. One of them has been replaced, is damaged, "
            "or is missing"
        )
    sizes = [part.file.stat().st_size for part in parts]
    say(f"unpacking {format_size(sum(sizes))}")
    fresh.mkdir()
    try:
        unpacked = unpack_all(parts, fresh, _reading(archive))
    except UnpackError as error:
        shutil.rmtree(fresh)
        raise ArchiveError(f"{archive.name}: {error}{_dropped(parts, archive)}") from error
    marker = {
        "source": archive.name,
        "url": identity(*archive.urls),
        "sha256": sum_of(sums),
        "bytes": sum(sizes),
        "files": unpacked.files,
        "unpacked_bytes": unpacked.bytes,
        "left_out": len(unpacked.left_out) + unpacked.more_left_out,
        "left_out_first": unpacked.left_out[:_NAMED],
        **({"set": unpacked.set} if unpacked.set else {}),
        **({"reading": archive.reading} if archive.reading else {}),
        **({"parts": _listed(files, parts, sizes)} if len(parts) > 1 else {}),
        "fetched": datetime.now(UTC).isoformat(),
        "contents": contents(fresh),
    }
    with atomic(fresh / MARKER) as temporary:
        temporary.write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
    if archive.root.exists():
        os.rename(archive.root, work / REPLACED)
    os.rename(fresh, archive.root)
    for line in (*unpacked.notes, *describe(archive.root, unpacked)):
        say(line)
    if note := junk.describe(unpacked.junk, "the archive"):
        say(note)
    return marker


@dataclass(frozen=True)
class _Arrived(Part):
    """A file that is here, and its sha256; ``stated`` if that is the one the user gave for it."""

    sha256: str
    stated: bool


def _arrived(
    index: int,
    url: str,
    stated: str | None,
    several: bool,
    work: Path,
    say: Callable[[str], None],
) -> _Arrived:
    """Download a file, unless it is a local one, and compare its sha256."""
    file = local_path(url)
    given = file is not None
    name = public_url(url)
    if file is None:
        file = work / (f"archive-{index:05}" if several else "archive")
        if several:
            say(f"file {index + 1}: {name}")
        download(url, file, stated is not None, say)
    elif not file.is_file():
        where = f"(relative paths start at {Path.cwd()}){hint_at(file)}"
        raise ArchiveError(f"no file {str(file)!r} {where}")
    try:
        container_of(file)  # first, so that a web page is reported as one, not by its checksum
        digest = sha256_of(file)
        if stated not in (None, digest):
            raise UnpackError(
                f"its sha256 is {digest}, but images.archive.sha256 is {stated}. The download is "
                "damaged, or the file has been replaced by another"
            )
    except UnpackError as error:
        if not given:
            drop(file)
        dropped = "" if given else f". {_DROPPED}"
        raise ArchiveError(f"{name}: {error}{dropped}") from error
    short = str(file) if given else PurePosixPath(name.partition("?")[0]).name
    return _Arrived(file, PurePosixPath(short).name, given, digest, stated is not None)


def _dropped(parts: Sequence[_Arrived], archive: Archive) -> str:
    """Delete the downloads that cannot be used, and say so; those that were asked for are kept."""
    fetched = [part for part in parts if not part.given]
    if not fetched:
        return ""
    if all(part.stated for part in fetched) or archive.total is not None:
        return f". It is kept: {fetched[0].file}" + (", ..." if len(fetched) > 1 else "")
    for part in fetched:
        drop(part.file)
    return f". {_DROPPED}"


def _listed(
    files: Sequence[tuple[str, str | None]], parts: Sequence[_Arrived], sizes: Sequence[int]
) -> list[dict[str, Any]]:
    """What the marker says of each of several files."""
    return [
        {"source": public_url(url), "sha256": part.sha256, "bytes": size}
        for (url, _), part, size in zip(files, parts, sizes, strict=True)
    ]


def _reading(archive: Archive) -> Reading:
    return Reading(archive.reading.get("columns", {}), archive.reading.get("labels"))


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


def describe(root: Path, unpacked: Unpacked, keep: int = 20) -> Iterator[str]:
    """What was unpacked, for a person who has to set images.root and categories."""
    counts: Counter[str] = Counter()
    others = 0
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in files:
            if Path(name).suffix.lower() in SUFFIXES:
                counts[os.path.relpath(folder, root)] += 1
            else:
                others += name not in (MARKER, RECORD)
    total = sum(counts.values())
    yield f"{total:,} images in {len(counts)} folders, and {others:,} other files, are in {root}:"
    for folder, count in sorted(counts.items())[:keep]:
        yield f"    {folder!r}: {count:,} images"
    if len(counts) > keep:
        yield f"    ... and {len(counts) - keep} more"
    tops = [entry for entry in root.iterdir() if entry.name not in (MARKER, RECORD)]
    if len(tops) == 1 and tops[0].is_dir() and not unpacked.set:
        yield (
            f"All of it is in one folder, {tops[0].name!r}. If that is neither a category nor a "
            f"generator, set images.archive.folder: {json.dumps(tops[0].name)}"
        )
    for line in unpacked.left_out[:keep]:
        yield f"left out: {line}"
    if (more := len(unpacked.left_out) - keep + unpacked.more_left_out) > 0:
        yield f"... and {more:,} more"


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

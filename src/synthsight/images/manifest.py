"""The manifest of a category: which files exist, and which of them can serve as images."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthsight.errors import SynthsightError
from synthsight.images.endings import SUFFIXES
from synthsight.images.examine import NOT_READABLE, Examined, examine_all
from synthsight.images.hashing import BYTES
from synthsight.images.parts import (
    Part,
    key_of,
    number_of_parts,
    part_of,
    parts_in,
    start_of,
)
from synthsight.images.reading import MAX_PIXELS, looks_like_image
from synthsight.images.roots import Roots, as_metadata, place_of
from synthsight.junk import is_ignored
from synthsight.tables import read_parquet, write_parquet

#: The columns of a manifest, see :class:`ImageRecord`.
SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("category", pa.string()),
        ("generator", pa.string()),
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("hash", pa.binary(BYTES)),
    ]
)


@dataclass(frozen=True)
class ImageRecord:
    """One row of a category's manifest: one file found.

    Attributes:
        image: path below the images' root, POSIX form; the image's key in every table.
        category: the category whose folder holds the file.
        generator: the generator whose folder holds it, or None.
        sha256: of the file's bytes, in hex; None where the file cannot be read.
        width: in pixels, after EXIF orientation; None unless ``status`` is ``ok``.
        height: likewise.
        status: ``ok`` or ``excluded``.
        reason: why it is excluded; None if it is not.
        hash: what the image looks like (:mod:`synthsight.images.hashing`); None if it has no
            structure, or is excluded.
    """

    image: str
    category: str
    generator: str | None
    sha256: str | None
    width: int | None
    height: int | None
    status: str
    reason: str | None
    hash: bytes | None = None


def find_files(folder: Path, ignored: list[str] | None = None) -> Iterator[Path]:
    """Every entry below ``folder`` that is not a folder, depth first in the order of names.

    Hidden entries and what systems leave (:mod:`synthsight.junk`) are skipped with everything below
    them. Links to folders are yielded, not followed, so that there are no loops; so are unreadable
    folders, ``folder`` itself among them.

    Args:
        folder: where to begin.
        ignored: to which the names of skipped entries are added.
    """
    ignored = [] if ignored is None else ignored
    try:
        with os.scandir(folder) as scan:
            waiting = _entries(scan, ignored)
    except OSError as error:
        if error.errno not in NOT_READABLE:
            raise
        yield folder
        return
    while waiting:  # not recursive, since Python limits recursion
        entry = waiting.pop()
        if not entry.is_dir(follow_symlinks=False):
            yield Path(entry.path)
            continue
        try:
            with os.scandir(entry.path) as scan:
                waiting += _entries(scan, ignored)
        except OSError as error:
            if error.errno not in NOT_READABLE:
                raise
            yield Path(entry.path)


def images_in(root: Path | Roots, folder: str) -> Iterator[str]:
    """The paths below the images' root of all files in a folder, see :func:`find_files`."""
    outer, inner = place_of(root, folder)
    before = folder.removesuffix(inner)
    for path in find_files(outer / inner):
        yield before + path.relative_to(outer).as_posix()


def images_of(
    root: Path | Roots, folders: Iterable[tuple[str | None, str]], part: str | None = None
) -> dict[str, str | None]:
    """The files of a category, or of a part of it, each with its generator.

    Args:
        root: the images' root.
        folders: ``(generator or None, folder below root)`` for each folder of the category.
        part: the name of the part; None for all.
    """
    return {
        image: generator
        for generator, folder in folders
        for image in images_in(root, folder)
        if part is None or part_of(key_of(image, folder), parts_in(part)) == part
    }


def _entries(scan: Iterable[os.DirEntry[str]], ignored: list[str]) -> list[os.DirEntry[str]]:
    """The entries that are not ignored, in reverse order of names."""
    entries = list(scan)
    ignored += [entry.name for entry in entries if is_ignored(entry.name)]
    seen = (entry for entry in entries if not is_ignored(entry.name))
    return sorted(seen, key=lambda entry: entry.name, reverse=True)


@dataclass(frozen=True)
class Listing:
    """A quick listing of the files in a category's folders.

    Attributes:
        files: number of files found.
        images: number of those with an image's file extension; if none has one, of those that are
            images by the start of their content.
        digest: of all names, sizes and modification times, a link's target included, but not of
            contents. It costs one ``lstat`` per file and decides whether a category is indexed
            again.
        ignored: names of entries that were skipped.
        parts: the parts that the files are divided into, those without a file left out; empty if
            they are not.
    """

    files: int
    images: int
    digest: str
    ignored: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


def list_folders(folders: Iterable[Path], most: int | None = None) -> Listing:
    """The listing of a category's folders.

    Args:
        folders: the folders.
        most: of more files than that there are parts; None if there never are.
    """
    digest = hashlib.sha256()
    files = images = 0
    places, ignored = list(folders), list[str]()
    lines: list[tuple[bytes, int, bool]] = []
    for folder in places:
        start = start_of(folder)
        for path in find_files(folder, ignored):
            age = age_in_listing(path).encode()
            line = age + os.fsencode(path) + b"\0"
            digest.update(line)
            files += 1
            is_image = path.suffix.lower() in SUFFIXES
            images += is_image
            if most is not None:
                lines.append((line, len(age) + start, is_image))
    if images == 0:  # perhaps no file has an ending; links may lead anywhere, so none is opened
        paths = (path for folder in places for path in find_files(folder))
        images = sum(looks_like_image(path) for path in paths if not path.is_symlink())
    parts = () if most is None or files <= most else list_parts(lines, most)
    return Listing(files, images, digest.hexdigest(), tuple(ignored), parts)


def list_parts(lines: Sequence[tuple[bytes, int, bool]], most: int) -> tuple[Part, ...]:
    """The parts of a category with more than ``most`` files, in the order of their names.

    Args:
        lines: of each file what decides whether it is looked at again; where in that its key
            begins (:func:`synthsight.images.parts.key_of`), which goes up to the last byte; and
            whether it looks like an image. If none does, all count as images.
        most: see :func:`synthsight.images.parts.number_of_parts`.
    """
    number = number_of_parts(len(lines), most)
    none = not any(is_image for _, _, is_image in lines)
    digests: dict[str, Any] = {}
    images: dict[str, int] = {}
    for line, start, is_image in lines:
        name = part_of(line[start:-1], number)
        digests.setdefault(name, hashlib.sha256()).update(line)
        images[name] = images.get(name, 0) + (is_image or none)
    return tuple(Part(name, images[name], digests[name].hexdigest()) for name in sorted(digests))


def age_in_listing(path: str | os.PathLike[str]) -> str:
    """A file's size and time, as they stand in listings; for a link also those of its target.

    Empty for a file that is not there.
    """
    line = ""
    try:  # not `suppress`, which takes longer than the call
        status = os.lstat(path)
        line = _age(status)
        if stat.S_ISLNK(status.st_mode):
            line += _age(os.stat(path))
    except (OSError, ValueError):  # a NUL character
        pass
    return line


def _age(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns} "


def index_images(
    root: Path | Roots,
    category: str,
    folders: list[tuple[str | None, str]],
    max_pixels: int = MAX_PIXELS,
    processes: int = 1,
    part: str | None = None,
) -> list[ImageRecord]:
    """The manifest of one category: one record per file found, sorted by ``image``.

    Each image is decoded in full, so that a damaged one is found here and not in a later stage. Of
    files with the same bytes the first by name is kept, and the others are excluded.

    Args:
        root: the images' root; no file outside it is read, whatever links say.
        category: its name.
        folders: ``(generator or None, folder below root)`` for each folder of the category.
        max_pixels: bound on width x height.
        processes: how many files are checked at a time.
        part: the name of the part whose files these are; None for all. Of a part's files with the
            same bytes each is kept, since the first may be in another part.
    """
    found = images_of(root, folders, part)
    # A name that is not UTF-8 cannot be a key in the tables; it is listed in a readable form.
    keys = {image: os.fsencode(image).decode("utf-8", "backslashreplace") for image in found}
    unnamed = "the file's name is not valid UTF-8: rename it"
    rows = [
        (keys[image], generator, None if image == keys[image] else unnamed)
        for image, generator in found.items()
    ]
    return index_rows(root, category, rows, max_pixels, processes, part is None)


def index_rows(
    root: Path | Roots,
    category: str,
    rows: Sequence[tuple[str, str | None, str | None]],
    max_pixels: int = MAX_PIXELS,
    processes: int = 1,
    whole: bool = True,
) -> list[ImageRecord]:
    """The manifest of one category whose files are known.

    Args:
        root: see :func:`index_images`.
        category: its name.
        rows: of each file its path below ``root``, its generator or None, and why it cannot be
            read; None if it can be tried.
        max_pixels: see :func:`index_images`.
        processes: likewise.
        whole: whether these are all files of the category, and no part.
    """
    images = [image for image, _, reason in rows if reason is None]
    examined = dict(zip(images, examine_all(root, images, max_pixels, processes), strict=True))
    records = [
        _record(
            *(image, category, generator),
            examined[image] if reason is None else Examined(None, None, None, reason),
        )
        for image, generator, reason in rows
    ]
    records.sort(key=lambda record: record.image)
    return _exclude_duplicates(records) if whole else records


def _record(image: str, category: str, generator: str | None, found: Examined) -> ImageRecord:
    return ImageRecord(
        image=image,
        category=category,
        generator=generator,
        sha256=found.sha256,
        width=found.width,
        height=found.height,
        status="ok" if found.reason is None else "excluded",
        reason=found.reason,
        hash=found.hash,
    )


def _exclude_duplicates(records: list[ImageRecord]) -> list[ImageRecord]:
    first: dict[str, str] = {}
    kept = []
    for record in records:
        if record.status == "ok" and record.sha256 is not None:
            original = first.setdefault(record.sha256, record.image)
            if original != record.image:
                record = replace(
                    record,
                    width=None,
                    height=None,
                    hash=None,
                    status="excluded",
                    reason=same_as(original),
                )
        kept.append(record)
    return kept


def same_as(original: str) -> str:
    """Why a file is excluded that has the bytes of another one."""
    return f"the same file as {original!r}"


def said_of(files: int, excluded: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    """What a job's log says of a manifest, line by line.

    Args:
        files: number of its rows.
        excluded: image and reason of those that are excluded.
    """
    lines = [f"excluded: {image!r}: {reason}" for image, reason in excluded]
    yield f"{files} files, {files - len(lines)} usable, {len(lines)} excluded"
    yield from lines


class NothingUsableError(SynthsightError):
    """A category of which no file can serve as an image."""

    def __init__(self, category: str) -> None:
        super().__init__(
            f"no usable image in category {category!r}, for the reasons above. "
            "Fix or add images, or leave it out of `categories` in the configuration"
        )


def write_manifest(
    output: str | os.PathLike[str],
    records: Sequence[ImageRecord],
    root: Path | Roots | None = None,
) -> None:
    """Write a manifest as Parquet, atomically; the columns are :class:`ImageRecord`'s fields.

    Args:
        output: the file.
        records: the rows.
        root: where the images lie; what lies outside of one root is in the metadata.
    """
    columns = zip(*map(astuple, records), strict=True) if records else [[] for _ in SCHEMA]
    arrays = [
        pa.array(list(column), field.type) for column, field in zip(columns, SCHEMA, strict=True)
    ]
    schema = SCHEMA if root is None else SCHEMA.with_metadata(as_metadata(root))
    write_parquet(output, pa.table(arrays, schema=schema), compression="zstd")


def read_manifest(path: str | os.PathLike[str]) -> list[ImageRecord]:
    """The records in a file written by :func:`write_manifest`.

    Raises:
        synthsight.files.FileError: it is damaged, or lacks a column.
    """
    return [ImageRecord(**row) for row in read_parquet(path, SCHEMA.names).to_pylist()]

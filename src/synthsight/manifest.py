"""The manifest of a category: which files there are, and which of them can serve as images."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.files import atomic, sha256_of
from synthsight.images import MAX_PIXELS, UnusableImageError, open_rgb

#: File name endings, in lower case, that are taken for images; all else in a category's folder is
#: excluded with that reason.
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})


_SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("category", pa.string()),
        ("generator", pa.string()),
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("status", pa.string()),
        ("reason", pa.string()),
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
    """

    image: str
    category: str
    generator: str | None
    sha256: str | None
    width: int | None
    height: int | None
    status: str
    reason: str | None


def find_files(folder: Path) -> Iterator[Path]:
    """Every entry below ``folder`` that is not a folder, depth first in the order of names.

    Hidden names (``.DS_Store``, ``._photo.jpg``) are passed over with all that is below them.
    Links to folders are yielded, not followed, so that no loop is entered.
    """
    with os.scandir(folder) as scan:
        entries = sorted(scan, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from find_files(Path(entry.path))
        else:
            yield Path(entry.path)


@dataclass(frozen=True)
class Listing:
    """What lies in the folders of a category, at a glance.

    Attributes:
        files: files found.
        images: those of them whose name ends like an image's.
        digest: of all names, sizes and times of change, for a link those of its target too; not of
            contents. It costs one ``lstat`` a file and decides whether a category is indexed again.
    """

    files: int
    images: int
    digest: str


def list_folders(folders: Iterable[Path]) -> Listing:
    """The listing of a category's folders."""
    digest = hashlib.sha256()
    files = images = 0
    for folder in folders:
        for path in find_files(folder):
            line = _age(path.lstat())
            if path.is_symlink():
                with suppress(OSError):  # a link that leads nowhere
                    line += _age(path.stat())
            digest.update(line.encode() + os.fsencode(path) + b"\0")
            files += 1
            images += path.suffix.lower() in SUFFIXES
    return Listing(files, images, digest.hexdigest())


def _age(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns} "


def index_images(
    root: Path,
    category: str,
    folders: list[tuple[str | None, str]],
    max_pixels: int = MAX_PIXELS,
    threads: int = 1,
) -> list[ImageRecord]:
    """The manifest of one category: a record for every file found, sorted by ``image``.

    Each image is decoded in full, so that a damaged one is found here and not in a later stage. Of
    files with the same bytes the first in the order of names stays, the others are excluded.

    Args:
        root: the images' root; no file outside it is read, whatever links say.
        category: its name.
        folders: ``(generator or None, folder below root)`` for each folder of the category.
        max_pixels: bound on width x height.
        threads: files checked at a time.
    """
    found = [
        (generator, path) for generator, folder in folders for path in find_files(root / folder)
    ]
    resolved_root = root.resolve()

    def check(entry: tuple[str | None, Path]) -> ImageRecord:
        generator, path = entry
        return _index_file(root, resolved_root, path, category, generator, max_pixels)

    with ThreadPoolExecutor(threads) as pool:
        records = sorted(pool.map(check, found), key=lambda record: record.image)
    return _exclude_duplicates(records)


def _index_file(
    root: Path,
    resolved_root: Path,
    path: Path,
    category: str,
    generator: str | None,
    max_pixels: int,
) -> ImageRecord:
    relative = PurePosixPath(path.relative_to(root)).as_posix()
    # A name that is not UTF-8 cannot be a key in the tables; it is listed in a readable form.
    image = os.fsencode(relative).decode("utf-8", "backslashreplace")
    if image == relative:
        found = examine(path, resolved_root, max_pixels)
    else:
        found = Examined(None, None, None, "the file's name is not valid UTF-8: rename it")
    return ImageRecord(
        image=image,
        category=category,
        generator=generator,
        sha256=found.sha256,
        width=found.width,
        height=found.height,
        status="ok" if found.reason is None else "excluded",
        reason=found.reason,
    )


class Examined(NamedTuple):
    """What a look at a file tells: see :class:`ImageRecord`."""

    sha256: str | None
    width: int | None
    height: int | None
    reason: str | None


def examine(path: Path, resolved_root: Path, max_pixels: int) -> Examined:
    """Decode a file in full to see whether it can serve as an image.

    Args:
        path: the file.
        resolved_root: the images' root, without links; no file outside it is read.
        max_pixels: bound on width x height.
    """
    sha256: str | None = None
    try:
        _check_kind(path, resolved_root)
        sha256 = sha256_of(path)
        width, height = open_rgb(path, max_pixels).size
    except UnusableImageError as error:
        return Examined(sha256, None, None, str(error))
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.ENOENT):
            raise  # a failing disk is not the image's fault
        return Examined(sha256, None, None, f"cannot be read: {error.strerror}")
    return Examined(sha256, width, height, None)


def _check_kind(path: Path, resolved_root: Path) -> None:
    """Refuse, before it is opened, what is not a regular image file inside the root."""
    if path.is_symlink():
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):
            raise UnusableImageError("a link that leads nowhere") from None
        if not target.is_relative_to(resolved_root):
            raise UnusableImageError("a link that leads out of images.root: copy the file instead")
        if target.is_dir():
            raise UnusableImageError("a link to a folder, which is not followed")
    if not stat.S_ISREG(path.stat().st_mode):
        raise UnusableImageError("not a regular file")
    if path.suffix.lower() not in SUFFIXES:
        ending = path.suffix or "none"
        raise UnusableImageError(f"not an image by its name (ending: {ending})")


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
                    status="excluded",
                    reason=f"the same file as {original}",
                )
        kept.append(record)
    return kept


def write_manifest(output: str | os.PathLike[str], records: Sequence[ImageRecord]) -> None:
    """Write a manifest as Parquet, atomically; the columns are :class:`ImageRecord`'s fields."""
    columns = zip(*map(astuple, records), strict=True) if records else [[] for _ in _SCHEMA]
    arrays = [
        pa.array(list(column), field.type) for column, field in zip(columns, _SCHEMA, strict=True)
    ]
    with atomic(output) as temporary:
        pq.write_table(pa.table(arrays, schema=_SCHEMA), temporary, compression="zstd")


def read_manifest(path: str | os.PathLike[str]) -> list[ImageRecord]:
    """The records of a file of :func:`write_manifest`."""
    return [ImageRecord(**row) for row in pq.read_table(path).to_pylist()]

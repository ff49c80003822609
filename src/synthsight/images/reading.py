"""Reading image files.

One reader, :func:`open_rgb`, serves every stage, so that all of them see the same picture.
``docs/images.md`` describes how it treats unusual files.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import stat
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import AvifImagePlugin, ExifTags, Image, ImageOps, UnidentifiedImageError, features

from synthsight.contents import HEAD, IMAGES, another_kind, kind_of
from synthsight.errors import SynthsightError
from synthsight.images.endings import SUFFIXES
from synthsight.images.png import MOST_TEXT, SIGNATURE, transparent, without_odd_metadata
from synthsight.images.roots import Roots, place_of
from synthsight.wording import one_line

#: Extensions of cameras' raw files. By content many are TIFF, with a small preview as first image.
_RAW = frozenset(
    {
        *(".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".srf", ".sr2", ".orf", ".rw2", ".raf"),
        *(".pef", ".srw", ".3fr", ".iiq", ".kdc", ".dcr", ".erf", ".mef", ".mos", ".rwl"),
    }
)

#: The decoders that may be tried on a file, whatever its name (JPEG's also reads the MPO files that
#: many phones write). Hostile files cannot reach any other decoder of Pillow.
FORMATS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
if features.check("avif"):  # since Pillow 11.3, where it was built with libavif
    FORMATS = (*FORMATS, "AVIF")

#: Default bound on width x height, in pixels: more counts as a decompression bomb.
MAX_PIXELS = 100_000_000

#: Bound on the long side over the short one: a strip resized to a short side of a few hundred
#: pixels would be another bomb.
MAX_ASPECT = 100

#: Bound on the scans of a JPEG. A normal one has about ten; each costs a pass over all pixels,
#: however few bytes it takes.
MAX_SCANS = 100

# On the way to a file no link is followed, and opening it does not block, should it be a pipe.
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

# Files are decoded side by side in processes; each is to take one core.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

# open_rgb checks its own bound before any pixel is decoded; Pillow's would warn or raise at other
# sizes.
Image.MAX_IMAGE_PIXELS = None

# Its warnings name no file, and one corrupt file can cause tens of thousands of them.
warnings.filterwarnings("ignore", module="PIL")

_WHITE = (255, 255, 255, 255)


class UnusableImageError(SynthsightError):
    """A file that cannot serve as an image; the message is the reason, in words."""


class ChangedImageError(SynthsightError):
    """An image that has changed since indexing; the message says what to do."""


def open_rgb(
    root: Path | Roots, image: str, max_pixels: int | None = MAX_PIXELS, sha256: str | None = None
) -> Image.Image:
    """Read an image below a folder as 8-bit RGB: :func:`read_file`, then :func:`decode_rgb`.

    Args:
        root: the images' root; no file outside it is read, whatever links say.
        image: path below it.
        max_pixels: bound on width x height; None for an image that has passed it before.
        sha256: of the bytes that passed the checks before, in hex; no other bytes are decoded.

    Returns:
        A loaded image of mode ``RGB``.

    Raises:
        UnusableImageError: it is not a file below the root, has changed since it was checked, or
            cannot serve as an image.
        OSError: the file cannot be read (its ``errno`` is set).
    """
    return decode_rgb(_read_bytes(root, image, max_pixels, sha256), max_pixels)


def _read_bytes(
    root: Path | Roots, image: str, max_pixels: int | None, sha256: str | None
) -> bytes:
    """The bytes of an image file, which must have this sha256 if one is given."""
    with open_file(root, image) as handle:
        content = read_file(handle, max_pixels)
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise UnusableImageError("its bytes are not those that were checked")
    return content


def open_checked(
    root: Path | Roots, image: str, sha256: str | None = None, max_pixels: int | None = None
) -> Image.Image:
    """Read an image that has been indexed, with the arguments of :func:`open_rgb`.

    Raises:
        ChangedImageError: it can no longer be read, since it has changed.
    """
    with _unchanged(image):
        return open_rgb(root, image, max_pixels, sha256)


def read_checked(root: Path | Roots, image: str, sha256: str) -> tuple[bytes, Image.Image]:
    """The bytes of an image that has been indexed, and the image as :func:`open_rgb` gives it.

    Args:
        root: the images' root.
        image: path below it.
        sha256: of the bytes that passed the checks before.

    Raises:
        ChangedImageError: it can no longer be read, since it has changed.
    """
    with _unchanged(image):
        content = _read_bytes(root, image, None, sha256)
        return content, decode_rgb(content, None)


@contextmanager
def _unchanged(image: str) -> Iterator[None]:
    """Say of an image that cannot be read that it has changed since it was indexed."""
    try:
        yield
    except (UnusableImageError, OSError) as error:
        raise ChangedImageError(
            f"{image}: changed since indexing: {error}. {INDEX_AGAIN}"
        ) from error


INDEX_AGAIN = "Run the workflow again: it indexes what changed."


@contextmanager
def open_file(root: Path | Roots, image: str) -> Iterator[BinaryIO]:
    """Open a file below a folder for reading; links are followed only within the folder.

    Each folder on the way is opened separately and without following links, so that a link placed
    there in the meantime leads nowhere. Only regular files are opened.

    Args:
        root: the folder, or several.
        image: path below it.

    Raises:
        UnusableImageError: the path leads out of the folder, or not to a regular file.
        OSError: it cannot be opened (its ``errno`` is set).
    """
    folder, below = place_of(root, image)
    inside = folder.resolve()
    path = inside / below
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        if path.is_symlink():
            raise UnusableImageError("a link that leads nowhere") from None
        raise
    if not target.is_relative_to(inside):
        raise UnusableImageError(
            f"a link that leads out of {'images.root' if below == image else folder}: copy the "
            "file instead"
        )
    if target.is_dir():
        what = "a link to a folder, which is not followed"
        raise UnusableImageError(what if path.is_symlink() else "not a regular file")
    with os.fdopen(_open_below(inside, target.relative_to(inside).parts), "rb") as handle:
        _check_regular(os.fstat(handle.fileno()))
        yield handle


def _open_below(inside: Path, parts: Sequence[str]) -> int:
    folder = os.open(inside, _FOLDER)
    try:
        for part in parts[:-1]:
            outer, folder = folder, os.open(part, _FOLDER, dir_fd=folder)
            os.close(outer)
        # Checked before opening as well, since opening alone may make a device act.
        _check_regular(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False))
        return os.open(parts[-1], _FILE, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):  # a link or file has taken its place
            raise UnusableImageError("it was replaced while it was opened") from error
        raise
    finally:
        os.close(folder)


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnusableImageError("not a regular file")


def check_name(handle: BinaryIO, image: str) -> None:
    """Check that a file is an image by its name or, whatever its name, by the start of its content.

    Args:
        handle: from :func:`open_file`, at its start, where it is left.
        image: the file's path.

    Raises:
        UnusableImageError: it is neither, or a camera's raw file.
    """
    ending = PurePosixPath(image).suffix
    if ending.lower() in SUFFIXES:
        return
    kind = kind_of(handle.read(HEAD))
    handle.seek(0)
    if ending.lower() in _RAW:
        raise UnusableImageError(f"a camera's raw file ({ending}): convert it to PNG or JPEG")
    if kind.name not in IMAGES:
        shown = repr(ending) if ending else "none"  # it may contain line breaks
        raise UnusableImageError(f"not an image by its name (ending: {shown}) or content: {kind}")


def looks_like_image(path: Path) -> bool:
    """Whether a file is an image by its name or the start of its content; nothing is decoded."""
    ending = path.suffix.lower()
    if ending in SUFFIXES or ending in _RAW:
        return ending in SUFFIXES
    kind = another_kind(path)
    return kind is not None and kind.name in IMAGES


def read_file(handle: BinaryIO, max_pixels: int | None = MAX_PIXELS) -> bytes:
    """The bytes of an open image file.

    They are read once: what is hashed is what is decoded, and no decoder maps a file that another
    program may truncate.

    Args:
        handle: from :func:`open_file`.
        max_pixels: bound on width x height, which bounds the size by :func:`max_bytes`; None for
            no bound.

    Raises:
        UnusableImageError: the file is larger.
    """
    size = os.fstat(handle.fileno()).st_size
    if max_pixels is not None and size > max_bytes(max_pixels):
        raise UnusableImageError(
            f"too large: {size:,} bytes, the limit is {max_bytes(max_pixels):,} (by "
            "images.max_pixels)"
        )
    return handle.read(size)


def max_bytes(max_pixels: int) -> int:
    """Bound on a file's size: four channels of 16 bits per pixel, and 64 MiB for the rest."""
    return 8 * max_pixels + 2**26


def decode_rgb(content: bytes, max_pixels: int | None = MAX_PIXELS) -> Image.Image:
    """Decode the bytes of an image file as 8-bit RGB.

    The first frame of an animation is taken, EXIF orientation applied, transparency composited over
    white, 16 bits per channel reduced to the high byte, and every other mode (grey, palette, CMYK,
    YCbCr, LAB) converted by Pillow. An RGB file comes back as Pillow decodes it, bit for bit.

    Args:
        content: of the file.
        max_pixels: bound on width x height; None for an image that has passed it before.

    Returns:
        A loaded image of mode ``RGB``.

    Raises:
        UnusableImageError: the file is empty, damaged, too large, too narrow or not an image.
    """
    if not content:
        raise UnusableImageError("empty file")
    try:
        return _decode(content, max_pixels)
    except (UnusableImageError, MemoryError):  # memory is the machine's fault, not the file's
        raise
    except Exception as error:  # decoders raise nearly anything on damaged data
        failure = error
    if content.startswith(SIGNATURE):
        for text in (MOST_TEXT, 0):
            with suppress(Exception):
                return _decode(without_odd_metadata(content, text), max_pixels)
    if not isinstance(failure, UnidentifiedImageError):
        raise UnusableImageError(f"truncated or damaged: {_one_line(failure)}") from failure
    kind = kind_of(content[:HEAD])
    if kind.name in IMAGES and kind.name.upper() in FORMATS:
        raise UnusableImageError(f"truncated or damaged: {kind}, by its first bytes") from None
    raise UnusableImageError(f"not an image in any format that is read here: {kind}") from None


def _decode(content: bytes, max_pixels: int | None) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        width, height = image.size
        if max_pixels is not None and width * height > max_pixels:
            raise UnusableImageError(
                f"too large: {width} x {height} pixels, the limit is {max_pixels:,} "
                "(images.max_pixels)"
            )
        if max(width, height) > MAX_ASPECT * min(width, height):
            raise UnusableImageError(
                f"too narrow: {width} x {height} pixels, the limit is {MAX_ASPECT} to 1"
            )
        if image.format in ("JPEG", "MPO") and _many_scans(content):
            raise UnusableImageError(f"a JPEG of more than {MAX_SCANS} scans")
        image.load()
        upright = _upright(image)
        keyed = transparent(upright, content) if image.format == "PNG" else None
        return _to_rgb(upright, keyed)


#: A JPEG marker: neither the zero that escapes a 0xff in the data nor a restart marker.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
_IMAGE_ENDS, _SCAN_STARTS = b"\xd9", b"\xda"


def _many_scans(content: bytes) -> bool:
    """Whether the first image of a JPEG file has more than :data:`MAX_SCANS` scans."""
    if content.count(b"\xff" + _SCAN_STARTS) <= MAX_SCANS:  # almost always settles it
        return False
    scans, place = 0, 2
    while scans <= MAX_SCANS and (marker := _MARKER.search(content, place)):
        place = marker.end()
        if marker[1] == _IMAGE_ENDS:
            return False
        if marker[1] not in b"\x01\xd8":  # these two have no segment
            place += int.from_bytes(content[place : place + 2], "big")
        scans += marker[1] == _SCAN_STARTS
    return scans > MAX_SCANS


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; EXIF that cannot be parsed is ignored."""
    try:
        # Pillow would copy an image that is upright.
        if image.getexif().get(ExifTags.Base.Orientation, 1) == 1:
            return image
        return ImageOps.exif_transpose(image)
    except Exception:  # the EXIF parser also raises nearly anything on corrupt data
        return image


#: Formats of one picture, which is whole and independent of its file once it is loaded. What others
#: give is copied.
_LOADED_AT_ONCE = ("JPEG", "PNG")


def _to_rgb(image: Image.Image, keyed: npt.NDArray[np.bool_] | None) -> Image.Image:
    """Convert to RGB; ``keyed`` says which pixels are transparent where Pillow cannot tell."""
    if keyed is not None:
        image.info.pop("transparency")
        opaque = np.asarray(_to_rgb(image, None))
        return Image.fromarray(np.where(keyed[:, :, None], np.uint8(255), opaque))
    if image.mode.startswith("I;16"):
        return Image.fromarray(_high_byte(image)).convert("RGB")
    if image.mode in ("I", "F"):
        kind = "32-bit or signed" if image.mode == "I" else "floating-point"
        raise UnusableImageError(f"{kind} pixels, whose range for display is not defined")
    if image.has_transparency_data:
        overlaid = Image.new("RGBA", image.size, _WHITE)
        overlaid.alpha_composite(image.convert("RGBA"))
        return overlaid.convert("RGB")
    if image.mode == "RGB" and image.format in _LOADED_AT_ONCE:
        return image
    return image.convert("RGB")


def _high_byte(image: Image.Image) -> np.ndarray:
    """16-bit grey to 8-bit, reduced as Pillow reduces 16-bit colour: uint8 (height, width)."""
    return (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)


def _one_line(error: Exception) -> str:
    message = one_line(error)
    return f"{message} ({type(error).__name__})" if message else type(error).__name__

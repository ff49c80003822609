"""Pictures as they are sent: with the pixels that every other model sees, and nothing else.

A file is sent byte for byte if a server cannot but see the same in it: a JPEG or PNG of 8 bits in
RGB or grey, upright, with no more than its pixels. What else stands in a file (a camera's place and
time, a generator's prompt) is no part of the question and stays here: it is taken out of a JPEG
without touching the pixels. All else is sent as a PNG, or, if a JPEG has to be reduced, as a JPEG
of high quality.
"""

from __future__ import annotations

import base64
import io
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from synthsight.images.reading import UnusableImageError, decode_rgb, read_checked
from synthsight.vqa.putting import GREY

#: Grows with every change of what is sent of a file: answers to other pictures are others.
VERSION = 1

#: Of a JPEG that is made: nothing that can be seen is lost, colours in full resolution.
_QUALITY, _SUBSAMPLING = 95, 0

#: Of a PNG, what may stand in a file that is sent as it is.
_HARMLESS = {"dpi"}

#: Where a PNG says how many bits a number has.
_DEPTH = 24

#: Markers of a JPEG: it starts, it ends, a scan starts; segments of programs and comments. Of
#: these JFIF (the first) and Adobe (the last but one), which say what the numbers mean, are kept.
_START, _END, _SCAN = b"\xff\xd8", b"\xd9", 0xDA
_OF_PROGRAMS = {*range(0xE1, 0xEE), 0xEF, 0xFE}

#: A marker, perhaps filled up; and one in a scan's data that does not belong to these.
_MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)
_BEHIND_SCAN = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")


@dataclass(frozen=True)
class Picture:
    """A picture to send.

    Attributes:
        content: the bytes of a file.
        kind: its kind, ``png`` or ``jpeg``.
        how: whether these are the ``file``'s bytes; its ``pixels`` alone, all of them; it
            ``reduced``; or a ``grey`` one of its size.
    """

    content: bytes
    kind: Literal["png", "jpeg"]
    how: Literal["file", "pixels", "reduced", "grey"]

    @property
    def url(self) -> str:
        """The picture as a data URL."""
        return f"data:image/{self.kind};base64,{base64.b64encode(self.content).decode()}"


def picture_of(
    root: Path, image: str, sha256: str, max_side: int | None, blind: bool = False
) -> Picture:
    """Read an image that has been indexed, and make of it what is sent.

    Args:
        root: folder that image paths are relative to.
        image: path below it.
        sha256: of its bytes.
        max_side: bound on the longer side in pixels, if there is one; larger pictures are reduced.
        blind: whether a mid-grey picture of the same size is sent instead.

    Raises:
        synthsight.images.reading.ChangedImageError: it has changed since it was indexed.
    """
    content, seen = read_checked(root, image, sha256)
    size = reduced(seen.size, max_side)
    if blind:
        return Picture(_encoded(Image.new("RGB", size, GREY), "png"), "png", "grey")
    lossy = content.startswith(_START)
    if size != seen.size:
        smaller = seen.resize(size, Image.Resampling.LANCZOS)
        kind: Literal["png", "jpeg"] = "jpeg" if lossy else "png"
        return Picture(_encoded(smaller, kind), kind, "reduced")
    if not lossy:
        plain = _is_plain_png(content)
        return Picture(content if plain else _encoded(seen, "png"), "png", _how(plain))
    bare = without_metadata(content)
    if bare is not None and _is_same(bare, seen):
        return Picture(bare, "jpeg", _how(bare == content))
    return Picture(_encoded(seen, "png"), "png", "pixels")


def _how(as_it_is: bool) -> Literal["file", "pixels"]:
    return "file" if as_it_is else "pixels"


def reduced(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """A picture's size, width and height, once its longer side is within a bound."""
    longer = max(size)
    if max_side is None or longer <= max_side:
        return size
    width, height = (max(1, round(side * max_side / longer)) for side in size)
    return width, height


def _encoded(picture: Image.Image, kind: Literal["png", "jpeg"]) -> bytes:
    buffer = io.BytesIO()
    if kind == "png":
        picture.save(buffer, "PNG")
    else:
        picture.save(buffer, "JPEG", quality=_QUALITY, subsampling=_SUBSAMPLING)
    return buffer.getvalue()


def _is_plain_png(content: bytes) -> bool:
    """Whether a file is a PNG of 8 bits, RGB or grey, that holds nothing but one picture."""
    with suppress(OSError, ValueError), Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        image.load()  # texts may stand behind the pixels
        plain = image.mode in ("RGB", "L") and not set(image.info) - _HARMLESS
        return plain and content[_DEPTH] == 8 and getattr(image, "n_frames", 1) == 1
    return False


def _is_same(content: bytes, seen: Image.Image) -> bool:
    """Whether a JPEG shows, to who obeys no metadata, the picture that other models see."""
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
            plain = image.mode in ("RGB", "L")
        again = decode_rgb(content, None)
    except (UnusableImageError, OSError):
        return False
    return plain and again.size == seen.size and again.tobytes() == seen.tobytes()


def without_metadata(content: bytes) -> bytes | None:
    """A JPEG without segments of programs and comments; None if it is not made of segments.

    That is EXIF, XMP, colour profiles and what stands behind the picture's end: nothing that
    decoding into pixels needs.
    """
    kept, place = [_START], len(_START)
    while (found := _MARKER.match(content, place)) and found[1] != _END:
        marker, place = found[1][0], found.end()
        ends = place + int.from_bytes(content[place : place + 2], "big")
        if ends < place + 2:
            return None
        if marker not in _OF_PROGRAMS:
            kept.append(b"\xff" + found[1] + content[place:ends])
        place = ends
        if marker == _SCAN and (behind := _BEHIND_SCAN.search(content, place)):
            kept.append(content[place : behind.start()])
            place = behind.start()
    return b"".join([*kept, b"\xff" + _END]) if found else None

"""What Pillow gets wrong about sound PNG files: odd metadata, and keys of transparent colours.

A PNG is a series of chunks. Most say nothing about the pixels, but one that is damaged, or larger
than Pillow likes, makes it refuse the picture.
"""

from __future__ import annotations

import io
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: Chunks on which pixels or their orientation depend, besides the critical ones.
_NEEDED = (b"tRNS", b"eXIf")

#: Chunks of text. An orientation may stand in one, so sound ones of a common size are kept.
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")

#: Bytes of text, unpacked, that may be kept of all of a file's chunks.
MOST_TEXT = 2**18


def without_odd_metadata(content: bytes, most_text: int) -> bytes:
    """A PNG without the chunks that no pixel depends on, damaged or not.

    Critical chunks stay as they are, damaged or not; so does whatever follows a chunk that is cut
    off. Of the others those with a wrong checksum are left out, all that are neither transparency,
    EXIF nor text, and text beyond a bound.

    Args:
        content: of a file that begins with :data:`SIGNATURE`.
        most_text: bound on the text that is kept, unpacked, such as :data:`MOST_TEXT`.
    """
    view = memoryview(content)
    kept: list[memoryview | bytes] = [SIGNATURE]
    place, room = len(SIGNATURE), most_text
    while place + 12 <= len(content):
        length = int.from_bytes(view[place : place + 4], "big")
        end = place + 12 + length
        if end > len(content):
            break
        name = bytes(view[place + 4 : place + 8])
        if not name[0] & 0x20:  # upper case: critical
            kept.append(view[place:end])
        elif name in (*_NEEDED, *_TEXTS):
            stated = int.from_bytes(view[end - 4 : end], "big")
            sound = zlib.crc32(view[place + 4 : end - 4]) == stated
            size = 1 + _unpacked(view[place + 8 : end - 4], room) if name in _TEXTS else 0
            if sound and size <= room:
                kept.append(view[place:end])
                room -= size
        place = end
    kept.append(view[place:])
    return b"".join(kept)


def _unpacked(text: memoryview, most: int) -> int:
    """The size of a text chunk, unpacked if it is packed; at least ``most + 1`` if it is larger."""
    if len(text) > most:
        return len(text)
    packed = bytes(text)
    start = packed.find(b"\x78")  # as every zlib stream of the usual window begins
    while start >= 0:
        try:
            return max(len(packed), len(zlib.decompressobj().decompress(packed[start:], most + 1)))
        except zlib.error:
            start = packed.find(b"\x78", start + 1, 256)
    return len(packed)


def transparent(image: Image.Image, content: bytes) -> npt.NDArray[np.bool_] | None:
    """Which pixels have the one transparent colour, where Pillow compares it at another depth.

    The colour is stored at the file's depth. Pillow compares it with 8 bits, whatever the file has.

    Args:
        image: a PNG as Pillow decodes it, upright.
        content: of its file.

    Returns:
        (height, width); None if there is no such colour, or Pillow is right about it.
    """
    depth, key = content[24], image.info.get("transparency")
    if key is None or depth == 8 or image.mode not in ("L", "I;16", "RGB"):
        return None
    values = np.asarray(image)
    if image.mode == "L":  # 2 or 4 bits, spread over 0 to 255
        return np.asarray(values == int(key) * 255 // (2**depth - 1))
    if image.mode == "I;16":
        return np.asarray(values == int(key))
    full = values.astype(np.uint16) << 8 | _low_bytes(content)
    return np.asarray((full == np.array(key, np.uint16)).all(axis=2))


def _low_bytes(content: bytes) -> npt.NDArray[np.uint8]:
    """The low bytes of 16-bit colour, which Pillow drops: it takes them if told a wrong order."""
    with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
        image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]
        image.load()
        return np.asarray(ImageOps.exif_transpose(image))

"""Reading image files.

One reader, :func:`open_rgb`, serves every stage, so that all of them see the same picture. What it
does with unusual files is written down in ``docs/images.md``.
"""

from __future__ import annotations

import os

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

#: The decoders that may be tried on a file, whatever its name says (JPEG's takes the MPO that many
#: phones write, too). Every other decoder of Pillow stays out of reach of hostile files.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")

#: Default bound on width x height, in pixels: more is taken for a decompression bomb.
MAX_PIXELS = 100_000_000

#: Bound on the long side over the short one: resizing a strip to a short side of a few hundred
#: pixels makes another bomb of it.
MAX_ASPECT = 100

# open_rgb has a bound of its own, checked before any pixel is decoded; Pillow's would warn or raise
# at other sizes.
Image.MAX_IMAGE_PIXELS = None

_WHITE = (255, 255, 255, 255)


class UnusableImageError(Exception):
    """A file that cannot serve as an image; the message is the reason, for a person."""


def open_rgb(path: str | os.PathLike[str], max_pixels: int | None = MAX_PIXELS) -> Image.Image:
    """Read an image file as 8-bit RGB.

    The first frame of an animation is taken, EXIF orientation applied, transparency laid over
    white, 16 bits a channel reduced to the high byte, and every other mode (grey, palette, CMYK,
    YCbCr, LAB) converted as Pillow converts it. An RGB file comes back as Pillow decodes it, bit
    for bit.

    Args:
        path: the file.
        max_pixels: bound on width x height; None where the image has passed it before.

    Returns:
        A loaded image of mode ``RGB``.

    Raises:
        UnusableImageError: the file is empty, damaged, too large, too narrow or not an image.
        OSError: the file cannot be read (its ``errno`` is set).
    """
    if os.stat(path).st_size == 0:
        raise UnusableImageError("empty file")
    try:
        with Image.open(path, formats=FORMATS) as image:
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
            image.load()
            return _to_rgb(_upright(image))
    except UnusableImageError:
        raise
    except UnidentifiedImageError:
        raise UnusableImageError("not an image in any format that is read here") from None
    except Exception as error:
        # Pillow's decoders raise nearly anything on damaged data. What is the machine's fault and
        # not the file's goes on as it is.
        if isinstance(error, MemoryError) or getattr(error, "errno", None) is not None:
            raise
        raise UnusableImageError(f"truncated or damaged: {_one_line(error)}") from error


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; EXIF that cannot be parsed counts as none."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # the EXIF parser, too, raises nearly anything on junk
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray(_high_byte(image)).convert("RGB")
    if image.mode in ("I", "F"):
        kind = "32-bit or signed" if image.mode == "I" else "floating-point"
        raise UnusableImageError(f"{kind} pixels, whose range for display is not defined")
    if image.has_transparency_data:
        overlaid = Image.new("RGBA", image.size, _WHITE)
        overlaid.alpha_composite(image.convert("RGBA"))
        return overlaid.convert("RGB")
    return image.convert("RGB")


def _high_byte(image: Image.Image) -> np.ndarray:
    """16-bit grey to 8-bit as Pillow reduces 16-bit colour: uint8 (height, width)."""
    return (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)


def _one_line(error: Exception) -> str:
    message = " ".join(str(error).split())
    return f"{message} ({type(error).__name__})" if message else type(error).__name__

"""Pictures as pages hold them."""

from __future__ import annotations

import io

from PIL import Image


def as_webp(image: Image.Image, side: int, quality: int) -> bytes:
    """An RGB image as a small WebP file.

    Args:
        image: the image, which is changed.
        side: bound in pixels on the long side; smaller images keep their size.
        quality: 0 to 100.
    """
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()

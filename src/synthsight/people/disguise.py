"""Names of images that do not tell people what they are to recognise."""

from __future__ import annotations

import hashlib

#: Number of hexadecimal digits of a disguised name: 80 bits, far from any collision.
_DIGITS = 20

#: What every disguised name begins with.
PREFIX = "image-"


def disguised(image: str, sha256: str) -> str:
    """The name by which people are shown an image: it says neither path, nor category, nor source.

    It depends on the content as well, so that a response never counts for a picture that has
    since been replaced.

    Args:
        image: its path below the root, as in manifests.
        sha256: the hexadecimal sha256 of its file, likewise.

    Returns:
        :data:`PREFIX` and hexadecimal digits, such as ``image-5f2c...``.
    """
    digest = hashlib.sha256(f"{sha256}\n{image}".encode()).hexdigest()
    return f"{PREFIX}{digest[:_DIGITS]}"

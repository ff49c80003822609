"""A hash of what an image looks like, by which copies of it are found.

Like ``phash`` of the package imagehash: the signs of the lowest frequencies of a small grey copy.
Two things are different. A bit says whether a coefficient is above zero and not above the median,
so that the hash of the mirrored image follows from that of the image: a mirrored cosine is the same
one, or its negative. And the transform is one of integers, so that the bits are the same on every
machine. It needs no package, and finds what imagehash's finds (docs/images.md has the figures).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

#: Side of the grey copy, in pixels.
_SIDE = 64

#: Frequencies looked at, in each direction.
_FREQUENCIES = 16

#: Bits of a hash: one for each pair of frequencies; that of the mean brightness says nothing.
BITS = _FREQUENCIES**2 - 1

#: Bytes of a hash; the last bit is always 0.
BYTES = (BITS + 7) // 8

#: In a grey copy of whole numbers, compressed and scaled, a coefficient has an error of about half
#: a grey level (in the orthonormal transform). Four times that is surely more than noise.
_STRONG = 2.0

#: An image with fewer strong coefficients, such as a smooth gradient or a few plain shapes, has no
#: hash. The bits of weak ones are noise, half of which a copy turns over: of 47, just as many as
#: near duplicates may differ in (:data:`synthsight.images.neighbours.MOST_BITS`).
MIN_STRONG = 208

_SCALE = 2**14
_ANGLES = np.pi * (2 * np.arange(_SIDE) + 1) * np.arange(_FREQUENCIES)[:, None] / (2 * _SIDE)

#: The cosines as whole numbers, int64 (frequencies, side).
_COSINES = np.rint(_SCALE * np.cos(_ANGLES)).astype(np.int64)

_LIMIT = int(_STRONG * _SCALE**2 * _SIDE / 2)


def _packed(bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Bits by frequency, (frequencies, frequencies), as a hash: uint8 (:data:`BYTES`)."""
    return np.packbits(bits.ravel()[1:])


#: The bits that are different in the mirrored image, uint8 (:data:`BYTES`): those of cosines that
#: are odd from left to right. An exclusive or with it is the hash of the mirrored image.
MIRROR = _packed(np.tile(np.arange(_FREQUENCIES) % 2 == 1, (_FREQUENCIES, 1)))


def perceptual_hash(picture: Image.Image) -> bytes | None:
    """The hash of an image: :data:`BYTES` bytes, or None for an image without structure.

    Args:
        picture: any mode that Pillow can convert to grey; it is not changed.
    """
    # Reducing by whole factors first, to no less than twice the size, saves most of the time.
    grey = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    found = _COSINES @ np.asarray(grey, np.int64) @ _COSINES.T
    strong = np.abs(found) > _LIMIT
    if strong.sum() - strong[0, 0] < MIN_STRONG:
        return None
    return _packed(found > 0).tobytes()

"""The geometric half of preprocessing: resize and crop.

The result is what Pillow gives, with 8 bits per channel: bit for bit the image that torchvision's
or timm's own evaluation transform holds before it becomes a tensor. Normalisation is left to
:mod:`synthsight.inference.normalise`, so models that differ only in it share their pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class Geometry:
    """A resize and an optional centre crop.

    Attributes:
        resize: in pixels, the length of the short side, keeping the aspect ratio; or
            ``(height, width)`` to which the image is squashed.
        crop: ``(height, width)`` cut from the centre, padded with black where the image is
            smaller; None for the whole image.
        interpolation: a key of :data:`INTERPOLATIONS`; Pillow's filters, which widen their support
            when they shrink an image (antialiasing).
        centre: where a crop begins if an odd number of pixels is cut off: ``even``, at the even one
            of the two, as in torchvision and timm, or ``lower``, as in transformers.
    """

    resize: int | tuple[int, int]
    crop: tuple[int, int] | None
    interpolation: str
    centre: str = "even"

    @property
    def name(self) -> str:
        """A unique name for folders, e.g. ``resize256-bilinear-crop224``.

        A square to which the image is squashed has both sides in its name, unlike a short side.
        """
        resize = self.resize if isinstance(self.resize, int) else "{}x{}".format(*self.resize)
        crop = "whole" if self.crop is None else f"crop{_side(self.crop)}"
        lower = "-lower" if self.centre == "lower" else ""
        return f"resize{resize}-{self.interpolation}-{crop}{lower}"

    def as_dict(self) -> dict[str, Any]:
        """The settings for JSON; the inverse of :meth:`from_dict`."""
        return {
            "resize": self.resize,
            "crop": self.crop,
            "interpolation": self.interpolation,
            **({} if self.centre == "even" else {"centre": self.centre}),
        }

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> Geometry:
        """The inverse of :meth:`as_dict`; lists may stand for tuples, as in JSON."""
        resize, crop = settings["resize"], settings["crop"]
        return cls(
            resize=resize if isinstance(resize, int) else (resize[0], resize[1]),
            crop=None if crop is None else (crop[0], crop[1]),
            interpolation=settings["interpolation"],
            centre=settings.get("centre", "even"),
        )

    def resized(self, width: int, height: int) -> tuple[int, int]:
        """``(width, height)`` after the resize, rounded as torchvision rounds it (down)."""
        if not isinstance(self.resize, int):
            return self.resize[1], self.resize[0]
        short, long = min(width, height), max(width, height)
        new_long = int(self.resize * long / short)
        return (self.resize, new_long) if width <= height else (new_long, self.resize)

    def shape(self, width: int, height: int) -> tuple[int, int]:
        """``(height, width)`` of what is stored for a ``width`` x ``height`` image."""
        if self.crop is not None:
            return self.crop
        new_width, new_height = self.resized(width, height)
        return new_height, new_width

    def apply(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """Resize and crop: uint8 (height, width, 3)."""
        size = self.resized(*image.size)
        resized = image.resize(size, INTERPOLATIONS[self.interpolation])
        if self.crop is not None:
            resized = resized.crop(_centre_box(resized.size, self.crop, self.centre))
        return np.asarray(resized)


def _side(size: tuple[int, int]) -> str:
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


def _centre_box(
    size: tuple[int, int], crop: tuple[int, int], centre: str
) -> tuple[int, int, int, int]:
    """``(left, top, right, bottom)`` as torchvision's ``center_crop`` chooses it, or transformers'.

    Where the image is smaller than the crop, the box reaches beyond it and Pillow fills in black;
    torchvision pads first, with the odd pixel at the right and the bottom, then crops.
    """

    def start(length: int, wanted: int) -> int:
        if wanted > length:
            return -((wanted - length) // 2)
        return (length - wanted) // 2 if centre == "lower" else round((length - wanted) / 2.0)

    left, top = start(size[0], crop[1]), start(size[1], crop[0])
    return left, top, left + crop[1], top + crop[0]

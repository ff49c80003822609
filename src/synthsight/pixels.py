"""The geometric half of preprocessing: decode, resize, crop; once per geometry, not per model.

What is stored is what Pillow gives, 8 bits a channel, bit for bit the image that torchvision's or
timm's own evaluation transform holds before it becomes a tensor. Normalisation is left to
:mod:`synthsight.classify`, so models that differ in it alone share their pixels.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

from synthsight.files import atomic
from synthsight.images import MAX_PIXELS, UnusableImageError, open_rgb

INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

#: Rows in one record batch of the Arrow file: what is held in memory at a time while writing.
_ROWS = 256

_SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("pixels", pa.large_binary()),
    ]
)


@dataclass(frozen=True)
class Geometry:
    """A resize and an optional centre crop.

    Attributes:
        resize: length of the short side, the aspect ratio kept; or ``(height, width)`` to which
            the image is squashed. In pixels.
        crop: ``(height, width)`` cut from the centre, padded with black where the image is
            smaller; None for the whole image.
        interpolation: a key of :data:`INTERPOLATIONS`; Pillow's filters, which widen their support
            when they shrink an image (antialias).
    """

    resize: int | tuple[int, int]
    crop: tuple[int, int] | None
    interpolation: str

    @property
    def name(self) -> str:
        """A name for folders, e.g. ``resize256-bilinear-crop224``; of this geometry alone.

        A square to which the image is squashed has both its sides in the name, unlike a short side.
        """
        resize = self.resize if isinstance(self.resize, int) else "{}x{}".format(*self.resize)
        crop = "whole" if self.crop is None else f"crop{_side(self.crop)}"
        return f"resize{resize}-{self.interpolation}-{crop}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is the way back."""
        return {"resize": self.resize, "crop": self.crop, "interpolation": self.interpolation}

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> Geometry:
        """From the object that :meth:`as_dict` makes, lists instead of tuples allowed."""
        resize, crop = settings["resize"], settings["crop"]
        return cls(
            resize=resize if isinstance(resize, int) else (resize[0], resize[1]),
            crop=None if crop is None else (crop[0], crop[1]),
            interpolation=settings["interpolation"],
        )

    def resized(self, width: int, height: int) -> tuple[int, int]:
        """``(width, height)`` after the resize, rounded as torchvision rounds it (down)."""
        if not isinstance(self.resize, int):
            return self.resize[1], self.resize[0]
        short, long = min(width, height), max(width, height)
        new_long = int(self.resize * long / short)
        return (self.resize, new_long) if width <= height else (new_long, self.resize)

    def shape(self, width: int, height: int) -> tuple[int, int]:
        """``(height, width)`` of the stored pixels of a ``width`` x ``height`` image."""
        if self.crop is not None:
            return self.crop
        new_width, new_height = self.resized(width, height)
        return new_height, new_width

    def apply(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """Resize and crop: uint8 (height, width, 3)."""
        size = self.resized(*image.size)
        resized = image.resize(size, INTERPOLATIONS[self.interpolation])
        if self.crop is not None:
            resized = resized.crop(_centre_box(resized.size, self.crop))
        return np.asarray(resized)


def _side(size: tuple[int, int]) -> str:
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


def _centre_box(size: tuple[int, int], crop: tuple[int, int]) -> tuple[int, int, int, int]:
    """``(left, top, right, bottom)`` as torchvision's ``center_crop`` chooses it.

    Where the image is the smaller one the box reaches beyond it, which Pillow fills with black;
    torchvision pads first, the odd pixel going to the right and the bottom, then crops.
    """

    def start(length: int, wanted: int) -> int:
        if wanted > length:
            return -((wanted - length) // 2)
        return round((length - wanted) / 2.0)

    left, top = start(size[0], crop[1]), start(size[1], crop[0])
    return left, top, left + crop[1], top + crop[0]


def prepare_pixels(
    manifest: Sequence[tuple[str, int, int]],
    root: Path,
    geometry: Geometry,
    output: str | os.PathLike[str],
    max_pixels: int = MAX_PIXELS,
    threads: int = 1,
) -> None:
    """Decode, resize and crop images into an Arrow file.

    Columns: ``image`` string, ``height`` and ``width`` int32, ``pixels`` large_binary (uint8, row
    by row, RGB interleaved). Rows are sorted by shape, then by ``image``, so that equal shapes can
    be batched without a copy. Decoded images are held for one record batch at a time.

    Args:
        manifest: ``(image, width, height)`` of the usable images.
        root: the images' root.
        geometry: what to do to each.
        output: the Arrow file, written atomically.
        max_pixels: bound on width x height of a file.
        threads: images decoded at a time.

    Raises:
        RuntimeError: an image is not what the manifest says, since it changed meanwhile.
    """
    rows = sorted((geometry.shape(width, height), image) for image, width, height in manifest)
    sizes = {image: (width, height) for image, width, height in manifest}

    def decode(image: str) -> bytes:
        try:
            picture = open_rgb(root / image, max_pixels)
        except (UnusableImageError, OSError) as error:
            raise RuntimeError(f"{image}: changed since indexed: {error}. {_AGAIN}") from error
        if picture.size != sizes[image]:
            raise RuntimeError(f"{image}: its size changed since indexed. {_AGAIN}")
        return geometry.apply(picture).tobytes()

    with (
        atomic(output) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, _SCHEMA) as writer,
        ThreadPoolExecutor(threads) as pool,
    ):
        for start in range(0, len(rows), _ROWS):
            chunk = rows[start : start + _ROWS]
            columns = [
                [image for _, image in chunk],
                [height for (height, _), _ in chunk],
                [width for (_, width), _ in chunk],
                list(pool.map(decode, [image for _, image in chunk])),
            ]
            arrays = [
                pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=_SCHEMA))


_AGAIN = "Run the workflow again: it indexes what changed."


def read_batches(
    path: str | os.PathLike[str], batch_size: int
) -> Iterator[tuple[list[str], npt.NDArray[np.uint8]]]:
    """Batches of equal shape from a file of :func:`prepare_pixels`.

    The file is memory-mapped and the arrays are views into it: no pixel is copied.

    Yields:
        ``(images, pixels)``: names, and read-only uint8 (n, height, width, 3) with n up to
        ``batch_size``.
    """
    with pa.memory_map(os.fspath(path)) as source:
        reader = pa.ipc.open_file(source)
        for index in range(reader.num_record_batches):
            batch = reader.get_batch(index)
            images = batch.column("image").to_pylist()
            shapes = list(
                zip(
                    batch.column("height").to_pylist(),
                    batch.column("width").to_pylist(),
                    strict=True,
                )
            )
            # The bytes of consecutive rows lie one behind the other in the column's last buffer.
            values = np.frombuffer(batch.column("pixels").buffers()[2], np.uint8)
            row = offset = 0
            while row < len(images):
                height, width = shapes[row]
                end = row + 1
                while end < min(row + batch_size, len(images)) and shapes[end] == shapes[row]:
                    end += 1
                size = (end - row) * height * width * 3
                pixels = values[offset : offset + size].reshape(end - row, height, width, 3)
                yield images[row:end], pixels
                row, offset = end, offset + size

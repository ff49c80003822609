"""Decoded images on disk, stored once per geometry rather than once per model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthsight import origin
from synthsight.files import MAKE_AGAIN, FileError, atomic
from synthsight.images.geometry import Geometry
from synthsight.images.reading import INDEX_AGAIN, MAX_PIXELS, ChangedImageError, open_checked
from synthsight.images.roots import Roots
from synthsight.tables import reading

#: Rows per record batch of the Arrow file, and so held in memory at a time while writing.
_ROWS = 256

_SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("pixels", pa.large_binary()),
    ]
)


def prepare_pixels(
    manifest: Sequence[tuple[str, int, int]],
    root: Path | Roots,
    geometry: Geometry,
    output: str | os.PathLike[str],
    max_pixels: int = MAX_PIXELS,
    threads: int = 1,
    sha256: Mapping[str, str | None] | None = None,
) -> None:
    """Decode, resize and crop images into an Arrow file.

    Columns: ``image`` string, ``height`` and ``width`` int32, ``pixels`` large_binary (uint8, row
    by row, RGB interleaved). Rows are sorted by shape, then by ``image``, so that equal shapes can
    be batched without a copy. Decoded images are held for one record batch at a time.

    Args:
        manifest: ``(image, width, height)`` of the usable images.
        root: the images' root.
        geometry: how to resize and crop each.
        output: the Arrow file, written atomically.
        max_pixels: bound on width x height of a file.
        threads: how many images are decoded at a time.
        sha256: of each image's bytes, from the manifest; no other bytes are decoded.

    Raises:
        ChangedImageError: an image has changed since the manifest was written.
    """
    rows = sorted((geometry.shape(width, height), image) for image, width, height in manifest)
    sizes = {image: (width, height) for image, width, height in manifest}

    def decode(image: str) -> bytes:
        picture = open_checked(root, image, (sha256 or {}).get(image), max_pixels)
        if picture.size != sizes[image]:
            raise ChangedImageError(f"{image}: its size has changed since indexing. {INDEX_AGAIN}")
        return geometry.apply(picture).tobytes()

    with (
        atomic(output) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, _SCHEMA.with_metadata(origin.metadata(output))) as writer,
        ThreadPoolExecutor(threads) as pool,
    ):
        # A thread of its own would have its memory from a part of the heap that keeps less of it.
        decoding = pool.map if threads > 1 else map
        for start in range(0, len(rows), _ROWS):
            chunk = rows[start : start + _ROWS]
            columns = [
                [image for _, image in chunk],
                [height for (height, _), _ in chunk],
                [width for (_, width), _ in chunk],
                list(decoding(decode, [image for _, image in chunk])),
            ]
            arrays = [
                pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=_SCHEMA))


def read_batches(
    path: str | os.PathLike[str], batch_size: int
) -> Iterator[tuple[list[str], npt.NDArray[np.uint8]]]:
    """Batches of equal shape from a file written by :func:`prepare_pixels`.

    The file is memory-mapped and the arrays are views into it: no pixels are copied.

    Yields:
        ``(images, pixels)``: names, and read-only uint8 (n, height, width, 3) with n up to
        ``batch_size``.

    Raises:
        synthsight.files.FileError: the file is damaged, or has other columns.
    """
    with reading(path):
        source = pa.memory_map(os.fspath(path))
    with source:
        with reading(path):
            reader = pa.ipc.open_file(source)
        origin.depends_on(path, reader.schema.metadata)
        if reader.schema != _SCHEMA:
            raise FileError(f"{path} does not have the columns of decoded images; {MAKE_AGAIN}")
        for index in range(reader.num_record_batches):
            with reading(path):
                batch = reader.get_batch(index)
            images = batch.column("image").to_pylist()
            shapes = list(
                zip(
                    batch.column("height").to_pylist(),
                    batch.column("width").to_pylist(),
                    strict=True,
                )
            )
            # The bytes of consecutive rows are contiguous in the column's last buffer.
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

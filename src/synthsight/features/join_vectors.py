"""Logits or features of a category from those of its parts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from synthsight.errors import SynthsightError
from synthsight.files import MAKE_AGAIN
from synthsight.tables import (
    ROWS,
    metadata_of,
    read_batches,
    read_parquet,
    read_schema,
    vectors_writer,
)

#: Rows of a part that are held at a time, beside what pyarrow holds of a group of them.
_AT_A_TIME = 512


class VectorsError(SynthsightError):
    """Parts that are not of one making, or not of a manifest's images."""


def join_vectors(
    parts: Sequence[str | os.PathLike[str]],
    manifest: str | os.PathLike[str],
    column: str,
    output: str | os.PathLike[str],
) -> int:
    """Join the vectors of a category's parts into one file, sorted by image.

    The file is byte for byte what :func:`synthsight.tables.write_vectors` makes of all vectors,
    but is written a group of rows at a time; of each part a group is held.

    Args:
        parts: files of :func:`synthsight.tables.write_vectors`.
        manifest: of the category. Each of its usable images must be in one part, once; what it
            excludes, as the same file as another one, is left out.
        column: what the vectors are called.
        output: the file, written atomically.

    Returns:
        The number of images.

    Raises:
        synthsight.files.FileError: a file is damaged, or lacks a column.
        VectorsError: parts differ in what they say of the model, or in length, or an image is
            missing, unknown or there twice.
    """
    about = [metadata_of(read_schema(path), "synthsight", path) for path in parts]
    lengths = {path: read_schema(path).field(column).type.list_size for path in parts}
    for path, said in zip(parts, about, strict=True):
        if said != about[0]:
            raise VectorsError(f"{path} and {parts[0]} are not of one model; {MAKE_AGAIN}")
    names, part, row = _places(parts, manifest)
    held = [parts[number] for number in np.unique(part)]
    for path in held:
        if lengths[path] != lengths[held[0]]:
            raise VectorsError(
                f"{path} has {column} of length {lengths[path]}, and {held[0]} of "
                f"{lengths[held[0]]}; {MAKE_AGAIN}"
            )
    length = lengths[held[0]] if held else 1
    readers = [_Rows(path, column) for path in parts]
    with vectors_writer(output, column, length, json.loads(about[0])) as write:
        for start in range(0, max(1, len(names)), ROWS):
            chunk = slice(start, start + ROWS)
            vectors = np.empty((len(names[chunk]), length), np.float32)
            for number in np.unique(part[chunk]):
                here = part[chunk] == number
                vectors[here] = readers[number].take(row[chunk][here])
            write(names[chunk].to_pylist(), vectors)
    return len(names)


def _places(
    parts: Sequence[str | os.PathLike[str]], manifest: str | os.PathLike[str]
) -> tuple[pa.Array, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The usable images of a manifest, and the part and the row in it of each."""
    known = read_parquet(manifest, ["image", "status"]).combine_chunks()
    usable = known.filter(pc.equal(known["status"], "ok"))["image"].combine_chunks()
    tables = []
    for number, path in enumerate(parts):
        images = read_parquet(path, ["image"])["image"]
        rows = np.arange(len(images))
        numbers = np.full(len(images), number)
        tables.append(pa.table({"image": images, "part": numbers, "row": rows}))
    found = pa.concat_tables(tables).sort_by("image").combine_chunks()
    images = found["image"].combine_chunks()
    strange = pc.invert(pc.is_in(images, known["image"].combine_chunks()))
    if pc.any(strange).as_py():
        odd = images.filter(strange)[0].as_py()
        raise VectorsError(f"{odd!r} is in a part, and not in {manifest}; {MAKE_AGAIN}")
    found = found.filter(pc.is_in(images, usable))
    images = found["image"].combine_chunks()
    if not images.equals(usable):
        counts = pc.value_counts(images)
        twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        if len(twice):
            raise VectorsError(f"{twice[0].as_py()!r} is in two parts; {MAKE_AGAIN}")
        lacking = usable.filter(pc.invert(pc.is_in(usable, images)))
        raise VectorsError(
            f"no part of {parts[0]} and others has {lacking[0].as_py()!r}; {MAKE_AGAIN}"
            if len(lacking)
            else f"{manifest} is not sorted by image; {MAKE_AGAIN}"
        )
    return images, found["part"].to_numpy(), found["row"].to_numpy()


class _Rows:
    """Rows of a file of vectors, which are read one after another, once.

    Args:
        path: the file.
        column: of the vectors.
    """

    def __init__(self, path: str | os.PathLike[str], column: str) -> None:
        self._column = column
        self._batches: Iterator[pa.RecordBatch] = read_batches(path, [column], _AT_A_TIME)
        self._values = np.empty((0, 0), np.float32)
        self._start = self._end = 0

    def take(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The vectors of these rows, which must increase, also from call to call."""
        found = []
        while len(rows):
            inside = int(np.searchsorted(rows, self._end))
            if inside:
                found.append(self._values[rows[:inside] - self._start])
                rows = rows[inside:]
            if len(rows):
                self._read()
        return np.concatenate(found)

    def _read(self) -> None:
        vectors = next(self._batches).column(self._column)
        self._values = vectors.flatten().to_numpy().reshape(len(vectors), -1)
        self._start, self._end = self._end, self._end + len(vectors)

"""What a file says of images besides what they show: prompts, seeds, settings of the generator.

It changes no pixel and no hit, so it stands beside the manifests and the sources: a changed prompt
runs the tables and the page that show it, and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthsight.errors import SynthsightError
from synthsight.people.finding import RatedImages
from synthsight.tables import read_parquet, read_schema, write_parquet
from synthsight.tabular import Form, TableError, read_rows
from synthsight.values import is_writable, text_of
from synthsight.wording import one_line

#: The column of what is written that holds the image; the others are called as in the file.
IMAGE = "image"

#: What sources may say of images that is shown as an attribute, too.
PROMPT = "prompt"

#: Bound on the characters of a value, and rows that a message names.
_LONGEST, _NAMED = 5000, 5

#: Most columns of a file that are taken where none are named.
MOST_COLUMNS = 40


class AttributesError(SynthsightError):
    """A file that says nothing of the run's images, or contradicts itself."""


@dataclass(frozen=True)
class Told:
    """Where attributes come from.

    Attributes:
        table: the file; None where the sources alone say something.
        image: its column with the images' paths.
        columns: those of its columns that are attributes.
        root: folder that the paths are relative to.
    """

    table: str | None
    image: str = IMAGE
    columns: tuple[str, ...] = ()
    root: str = "."


def form_of(image: str, columns: Sequence[str]) -> Form:
    """What a file of attributes has to hold."""
    return Form(
        {IMAGE: image, **{f"columns ({name})": name for name in columns}},
        (),
        "images.attributes",
        "a file of attributes",
        "images",
        embedded="leave it out of images.attributes.columns",
    )


def columns_of(path: Path, image: str) -> list[str]:
    """The names of all columns of a file but that of the images.

    Raises:
        TableError: it cannot be read, or lacks that column.
    """
    found: list[str] = []
    rows = read_rows(path, form_of(image, ()), found=found)
    for _ in rows:
        if found:  # JSON alone has to be read to its end
            break
    return [name for name in dict.fromkeys(found) if name != image]


def read_attributes(told: Told) -> Iterator[tuple[int, str, list[str | None]]]:
    """The line, the image as it is written and the values of each row, None where there is none.

    Raises:
        TableError: the file cannot be read, or a row has no image.
    """
    path = Path(str(told.table))
    for line, row in read_rows(path, form_of(told.image, told.columns)):
        image = text_of(row.get(told.image))
        if not image:
            raise TableError(f"{path}, line {line}: no image in the column {told.image!r}")
        values = [_value(row.get(name)) for name in told.columns]
        if not all(is_writable(text) for text in (image, *filter(None, values))):
            raise TableError(f"{path}, line {line}: text that is not valid Unicode")
        yield line, image, values


def _value(cell: Any) -> str | None:
    """A cell as text on one line; lists of texts with commas; None if it is empty."""
    if isinstance(cell, list) and all(isinstance(each, str | int | float) for each in cell):
        cell = ", ".join(map(text_of, cell))
    return one_line(text_of(cell), _LONGEST) or None


def find_attributes(
    told: Told, sources: str | os.PathLike[str], output: str | os.PathLike[str]
) -> list[str]:
    """Write what is told of the usable images: a row per image, sorted, and a text per attribute.

    A prompt that the sources know is an attribute, too, unless the file has a column of that name.

    Args:
        told: where they come from.
        sources: a file of :func:`synthsight.images.sources.write_sources`.
        output: the Parquet file, written atomically; null where nothing is told.

    Returns:
        What people should know: images without a row, rows without an image, and rows that repeat
        others.

    Raises:
        AttributesError: rows say different things of one image, or none is about an image of the
            run, or nothing is told at all.
        TableError: the file cannot be read.
    """
    columns = [IMAGE]
    if PROMPT in read_schema(sources, columns).names and PROMPT not in told.columns:
        columns.append(PROMPT)
    known = read_parquet(sources, columns).sort_by(IMAGE).to_pydict()
    images = known.pop(IMAGE)
    said: list[str] = []
    table: dict[str, list[str | None]] = dict(known)
    if told.table is not None:
        found = _joined(told, images, said)
        nothing: list[str | None] = [None] * len(told.columns)
        for place, name in enumerate(told.columns):
            table[name] = [found.get(image, nothing)[place] for image in images]
    if not any(value is not None for values in table.values() for value in values):
        raise AttributesError(
            "nothing is said of the images besides what they show: name a file as "
            "`images.attributes.table`, or remove `images.attributes`"
        )
    schema = pa.schema([(name, pa.string()) for name in (IMAGE, *table)])
    arrays = [pa.array(values, pa.string()) for values in (images, *table.values())]
    write_parquet(output, pa.table(arrays, schema=schema), compression="zstd")
    return said


def _joined(
    told: Told, images: Sequence[str], said: list[str]
) -> Mapping[str, Sequence[str | None]]:
    """The values of each image that the file has; sentences are added to ``said``."""
    finder = RatedImages(dict.fromkeys(images), {}, told.root)
    there = frozenset(images)
    found: dict[str, list[str | None]] = {}
    lines: dict[str, int] = {}
    unknown: list[str] = []
    contradictions: list[str] = []
    repeated = number = 0
    for line, written, values in read_attributes(told):
        number += 1
        image, reason = (written, None) if written in there else finder.find(written)
        if image not in there:
            unknown.append(f"{written!r} (line {line}: {reason})")
        elif image not in found:
            found[image], lines[image] = values, line
        elif found[image] == values:
            repeated += 1
        else:
            pairs = zip(told.columns, found[image], values, strict=True)
            differing = next(name for name, one, other in pairs if one != other)
            contradictions.append(
                f"{image!r} is on line {lines[image]} and on line {line}, with another {differing}"
            )
    if contradictions:
        raise AttributesError(
            f"{told.table} contradicts itself; an image has one row, or equal ones: "
            f"{_some(contradictions, '; ')}"
        )
    if not found:
        raise AttributesError(
            f"no row of {told.table} is about a usable image of the run: {_some(unknown)}. Paths "
            f"start at images.root, {told.root!r}; the column with them is "
            f"images.attributes.image, {told.image!r}"
        )
    without = [image for image in images if image not in found]
    if without:
        said.append(
            f"{len(without):,} of {len(images):,} images have no row in {told.table}: "
            f"{_some([repr(image) for image in without])}"
        )
    if unknown:
        said.append(
            f"{len(unknown):,} of {number:,} rows of {told.table} are about no usable image of the "
            f"run: {_some(unknown)}"
        )
    if repeated:
        said.append(f"{repeated:,} rows of {told.table} say again what an earlier one does")
    return found


def _some(texts: Sequence[str], between: str = ", ") -> str:
    more = len(texts) - _NAMED
    return between.join(texts[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")

"""The manifest of a category from those of its parts."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from synthsight.errors import SynthsightError
from synthsight.files import MAKE_AGAIN
from synthsight.images.manifest import SCHEMA, same_as
from synthsight.tables import read_parquet

#: What a file that has the bytes of another one does not say of itself.
_UNSAID = ("width", "height", "hash")


class PartsError(SynthsightError):
    """Parts that are not those of one category."""


def join_manifests(parts: Sequence[str | os.PathLike[str]]) -> pa.Table:
    """The rows of all parts as one manifest, the same as if the category had none.

    Of files with the same bytes the first by name is kept, whatever parts they are in, and the
    others are excluded.

    Args:
        parts: manifests, in each of which every usable file is kept.

    Returns:
        The columns of :data:`synthsight.images.manifest.SCHEMA`, sorted by image.

    Raises:
        synthsight.files.FileError: one is damaged, or lacks a column.
        PartsError: an image is in two of them.
    """
    tables = [read_parquet(path, SCHEMA.names).cast(SCHEMA) for path in parts]
    table = pa.concat_tables(tables).sort_by("image").combine_chunks()
    images = table["image"].to_pylist()
    first: dict[str, str] = {}
    reasons: list[str | None] = []
    usable = pc.equal(table["status"], "ok").to_pylist()
    for row, (image, sha256) in enumerate(zip(images, table["sha256"].to_pylist(), strict=True)):
        if row and image == images[row - 1]:
            raise PartsError(f"{image!r} is in two parts of {parts[0]} and others; {MAKE_AGAIN}")
        original = first.setdefault(sha256, image) if usable[row] and sha256 is not None else image
        reasons.append(None if original == image else same_as(original))
    reason = pa.array(reasons, pa.string())
    same = reason.is_valid()

    def changed(name: str, value: pa.Scalar | pa.Array) -> None:
        nonlocal table
        index = table.schema.get_field_index(name)
        column = pc.if_else(same, value, table[name])
        table = table.set_column(index, SCHEMA.field(name), column)

    for name in _UNSAID:
        changed(name, pa.scalar(None, SCHEMA.field(name).type))
    changed("status", pa.scalar("excluded"))
    changed("reason", reason)
    return table

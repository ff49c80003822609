"""Pictures that are there more than once: the same file, or one that looks nearly the same."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from synthsight.images.hashing import BYTES
from synthsight.images.neighbours import near_pairs
from synthsight.images.pairs import across, across_categories, across_photographs, mixed, named
from synthsight.statistics.columns import DUPLICATES
from synthsight.tables import read_parquet

#: What is read of manifests.
_COLUMNS = ["image", "category", "generator", "sha256", "hash"]

_TYPES = [*[pa.string()] * 6, *[pa.bool_()] * 2, pa.string(), pa.int32(), pa.bool_()]

SCHEMA = pa.schema(zip(DUPLICATES, _TYPES, strict=True))

_Numbers = npt.NDArray[np.int64]


def find_duplicates(
    manifests: Sequence[str | os.PathLike[str]], real: Collection[str] = ()
) -> tuple[pa.Table, list[str]]:
    """All pairs of usable images with the same bytes or nearly the same look.

    Of many images with the same bytes, or with the same hash, each is paired with the first by
    name, and that one with what is nearly the same. So there are never many more rows than images.

    Args:
        manifests: Parquet files of :func:`synthsight.images.manifest.write_manifest`.
        real: the generators whose images are real photographs.

    Returns:
        A row for each pair with ``a`` before ``b``, sorted, with the columns :data:`SCHEMA`:
        ``real_a`` and ``real_b`` say whether each is a real photograph; ``kind`` is ``exact`` or
        ``near``; in ``bits`` of :data:`synthsight.images.hashing.BITS`
        the hashes differ once ``a`` is mirrored, if it is ``mirrored``. And sentences for people.
    """
    parts = [read_parquet(path, _COLUMNS, filters=[("status", "=", "ok")]) for path in manifests]
    images = pa.concat_tables(parts).sort_by("image")
    photographs = pc.is_in(images["generator"], pa.array(sorted(real), pa.string()))
    images = images.append_column("real", photographs)
    originals, exact = _same(pc.dictionary_encode(images["sha256"].combine_chunks()).indices)
    hashed = originals[images["hash"].is_valid().to_numpy()[originals]]
    hashes = _hashes(images["hash"].take(pa.array(hashed)))
    firsts, alike = _same(hashes.view(f"V{BYTES}").ravel())
    pairs = near_pairs(hashes[firsts])
    first = np.concatenate([exact[0], hashed[alike[0]], hashed[firsts[pairs.first]]])
    second = np.concatenate([exact[1], hashed[alike[1]], hashed[firsts[pairs.second]]])
    none = len(first) - len(pairs.first)
    bits = np.concatenate([np.zeros(none, np.int64), pairs.bits])
    mirrored = np.concatenate([np.zeros(none, bool), pairs.mirrored])
    kinds = np.where(np.arange(len(first)) < exact.shape[1], "exact", "near")
    order = np.lexsort((second, first))
    a, b = (images.take(pa.array(numbers[order])) for numbers in (first, second))
    columns = [
        *(table[name] for name in ("image", "category", "generator", "real") for table in (a, b)),
        *(pa.array(column[order]) for column in (kinds, bits, mirrored)),
    ]
    arrays = [each.cast(field.type) for each, field in zip(columns, SCHEMA, strict=True)]
    table = pa.table(arrays, schema=SCHEMA)
    plain = images.num_rows - images["hash"].drop_null().length()
    return table, _sentences(table, images.num_rows, plain, pairs.crowded)


def _same(values: pa.Array | npt.NDArray[np.void]) -> tuple[_Numbers, _Numbers]:
    """The first of each value, ascending; and of each later one, in pairs with it, int64 (2, n)."""
    _, first, which = np.unique(np.asarray(values), return_index=True, return_inverse=True)
    earliest = first[which]
    later = np.flatnonzero(earliest != np.arange(len(earliest)))
    return np.sort(first), np.vstack([earliest[later], later])


def _hashes(column: pa.ChunkedArray) -> npt.NDArray[np.uint8]:
    """Hashes as uint8 (n, :data:`BYTES`)."""
    content = b"".join(column.to_pylist())
    return np.frombuffer(content, np.uint8).reshape(-1, BYTES)


def _sentences(table: pa.Table, images: int, plain: int, crowded: int) -> list[str]:
    """What a run says of its duplicates, once."""
    said = []
    if table.num_rows:
        pairs = table.to_pandas()
        both = mixed(pairs)
        counts = [
            (int((pairs["kind"] == "exact").sum()), "of the same file"),
            (int(pairs["mirrored"].sum()), "mirrored"),
            (int(across(pairs, "category").sum()), "across categories"),
            (int(both.sum()), "across photographs and generated images"),
            (int((across(pairs, "generator") & ~both).sum()), "across generators"),
        ]
        some = ", ".join(f"{count:,} {what}" for count, what in counts if count)
        count = f"{len(pairs):,} pair{'s' if len(pairs) > 1 else ''}"
        said.append(
            f"{count} of duplicates or near duplicates among {images:,} images"
            f"{f' ({some})' if some else ''}: {named(pairs)}"
        )
        said += filter(None, (across_categories(pairs), across_photographs(pairs)))
    if plain:
        said.append(
            f"{plain:,} of {images:,} images have too little structure to look for near duplicates"
        )
    if crowded:
        said.append(
            f"{crowded:,} images are like so many others that not every pair of them is listed"
        )
    return said

"""Pictures that are there more than once: the same file, or one that looks nearly the same."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthsight.images.hashing import BITS, BYTES
from synthsight.images.neighbours import near_pairs
from synthsight.statistics.columns import DUPLICATES
from synthsight.tables import read_parquet

#: What is read of manifests.
_COLUMNS = ["image", "category", "generator", "sha256", "hash"]

SCHEMA = pa.schema(zip(DUPLICATES, [pa.string()] * 7 + [pa.int32(), pa.bool_()], strict=True))

#: Pairs that the report shows as pictures, at most.
SHOWN = 50

#: Pairs that a message names.
_NAMED = 3

#: From this share of images on that look like an earlier one, intervals are said to be too narrow.
_MANY = 0.05

_Numbers = npt.NDArray[np.int64]


def find_duplicates(manifests: Sequence[str | os.PathLike[str]]) -> tuple[pa.Table, list[str]]:
    """All pairs of usable images with the same bytes or nearly the same look.

    Of many images with the same bytes, or with the same hash, each is paired with the first by
    name, and that one with what is nearly the same. So there are never many more rows than images.

    Args:
        manifests: Parquet files of :func:`synthsight.images.manifest.write_manifest`.

    Returns:
        A row for each pair with ``a`` before ``b``, sorted, with the columns :data:`SCHEMA`:
        ``kind`` is ``exact`` or ``near``; in ``bits`` of :data:`synthsight.images.hashing.BITS`
        the hashes differ once ``a`` is mirrored, if it is ``mirrored``. And sentences for people.
    """
    parts = [read_parquet(path, _COLUMNS, filters=[("status", "=", "ok")]) for path in manifests]
    images = pa.concat_tables(parts).sort_by("image")
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
        *(table[name] for name in ("image", "category", "generator") for table in (a, b)),
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
        counts = [
            (int((pairs["kind"] == "exact").sum()), "of the same file"),
            (int(pairs["mirrored"].sum()), "mirrored"),
            (int(_across(pairs, "category").sum()), "across categories"),
            (int(_across(pairs, "generator").sum()), "across generators"),
        ]
        some = ", ".join(f"{count:,} {what}" for count, what in counts if count)
        worst = "; ".join(map(_named, worst_pairs(pairs, _NAMED).to_dict("records")))
        count = f"{len(pairs):,} pair{'s' if len(pairs) > 1 else ''}"
        said.append(
            f"{count} of duplicates or near duplicates among {images:,} images"
            f"{f' ({some})' if some else ''}: {worst}{'; ...' if len(pairs) > _NAMED else ''}"
        )
    if crossing := across_categories(table.to_pandas()):
        said.append(crossing)
    if plain:
        said.append(
            f"{plain:,} of {images:,} images have too little structure to look for near duplicates"
        )
    if crowded:
        said.append(
            f"{crowded:,} images are like so many others that not every pair of them is listed"
        )
    return said


def _across(pairs: pd.DataFrame, what: str) -> pd.Series:
    """Which pairs are of two categories, or of two generators."""
    one, other = pairs[f"{what}_a"].fillna(""), pairs[f"{what}_b"].fillna("")
    return one != other


def worst_pairs(pairs: pd.DataFrame, limit: int) -> pd.DataFrame:
    """The pairs to look at first.

    Those across categories come first, then the same file, those across generators, the most alike.

    Args:
        pairs: the table ``duplicates``.
        limit: at most how many.
    """
    keys = {
        "_category": ~_across(pairs, "category"),
        "_kind": pairs["kind"] != "exact",
        "_generator": ~_across(pairs, "generator"),
    }
    order = [*keys, "bits", "a", "b"]
    worst = pairs.assign(**keys).sort_values(order, ignore_index=True).head(limit)
    return worst[pairs.columns]


def _named(pair: Mapping[Any, Any]) -> str:
    """A pair in words."""
    return f"{pair['a']} and {pair['b']} ({difference(pair)})"


def difference(pair: Mapping[Any, Any]) -> str:
    """How the images of a pair differ, in words."""
    if pair["kind"] == "exact":
        return "the same file"
    mirrored = "mirrored, " if pair["mirrored"] else ""
    return f"{mirrored}{pair['bits']} of {BITS} bits"


def across_categories(pairs: pd.DataFrame) -> str | None:
    """A sentence on pictures that are in several categories; None if there are none.

    One of their labels is most likely wrong.

    Args:
        pairs: the table ``duplicates``.
    """
    found = worst_pairs(pairs[_across(pairs, "category")], len(pairs))
    if found.empty:
        return None
    what = "pair of images is" if len(found) == 1 else "pairs of images are"
    named = "; ".join(map(_named, found.head(_NAMED).to_dict("records")))
    return (
        f"{len(found):,} {what} of two categories and the same picture, or nearly, so that one "
        f"label of each is most likely wrong: {named}{'; ...' if len(found) > _NAMED else ''}. "
        "Remove the wrong ones (tables/duplicates.csv has all)"
    )


def within_categories(pairs: pd.DataFrame, images: int) -> str | None:
    """A sentence on images that are no draws of their own, if there are many; else None.

    Args:
        pairs: the table ``duplicates``.
        images: how many images the run has.
    """
    copies = pairs.loc[~_across(pairs, "category"), "b"].nunique()
    if not images or copies < _MANY * images:
        return None
    return (
        f"{copies:,} of {images:,} images are nearly the same as another one of their category "
        "(tables/duplicates.csv), so intervals, which count each as one more picture, are too "
        "narrow"
    )

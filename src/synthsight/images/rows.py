"""A category's rows of a table of images: which files they name, and what is known of these.

The rows of a category are kept in two files, each called by a digest of what it holds: one of what
its manifest depends on, and one of what stands in ``sources/`` alone. So a job reads its own rows
only, and runs again only if these change.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.canonical import canonical_json
from synthsight.files import FileError, atomic, keep, read_kept, temporary_name
from synthsight.images.finding import ImageFinder
from synthsight.images.manifest import Listing, age_in_listing
from synthsight.images.parts import Part, key_of, number_of_parts, part_of
from synthsight.images.table import Divided

#: Where tables and rows are kept, in the folder of caches.
FOLDER = "tables"

#: What a manifest is made of: an image's path below the root, its generator, and why there is no
#: such image.
INDEXED = pa.schema([(name, pa.string()) for name in ("image", "generator", "reason")])

#: What is known besides.
_FURTHER = ("group", "prompt", "split")
KNOWN = pa.schema([(name, pa.string()) for name in ("image", *_FURTHER)])


@dataclass(frozen=True)
class Rows:
    """A category's rows of a table, as plans know them.

    Attributes:
        indexed: digest of the rows that its manifest is made of, see :data:`INDEXED`.
        known: digest of what else is known of the images, see :data:`KNOWN`; None if nothing is.
        generators: those of its images, sorted; None, which stands for none given, comes first.
    """

    indexed: str
    known: str | None
    generators: tuple[str | None, ...]


@dataclass(frozen=True)
class LookedUp:
    """What is found of a category's rows.

    Attributes:
        rows: the rows.
        listing: of the files; ``images`` counts those that are there.
        missing: line, image as written and reason of each row without an image.
        repeated: the lines of rows that say again what an earlier one does, which stands first.
        contradictions: about rows that say something else of an image than an earlier one.
        hashes: of the paths of the images that are there, for comparisons within this process.
        lines: of their rows.
    """

    rows: Rows
    listing: Listing
    missing: list[tuple[int, str, str]]
    repeated: list[tuple[int, int]]
    contradictions: list[str]
    hashes: np.ndarray[Any, np.dtype[np.int64]]
    lines: np.ndarray[Any, np.dtype[np.int64]]


def look_up(divided: Divided, category: str, find: ImageFinder, kept: Path) -> LookedUp:
    """Look up the files of a category's rows, and keep the rows for its jobs.

    A row whose file is not there stays, with the reason; of rows that say the same of one image one
    stays.

    Args:
        divided: the table.
        category: one of its categories.
        find: looks files up below the images' root.
        kept: folder of caches.
    """
    columns = divided.rows(category).to_pydict()
    if "group" not in divided.columns:
        columns["group"] = columns["prompt"]
    written = columns["image"]
    order = sorted(range(len(written)), key=written.__getitem__)  # folder by folder
    found: list[tuple[str, str | None]] = [("", None)] * len(written)
    for index in order:
        found[index] = find.find(written[index])
    order.sort(key=lambda index: (found[index][0], columns["line"][index]))
    first: list[int] = []
    repeated, contradictions = [], []
    agree = [key for key in ("generator", *_FURTHER) if key in ("generator", *divided.columns)]
    for index in order:
        if not first or found[index][0] != found[first[-1]][0]:
            first.append(index)
            continue
        pair = columns["line"][first[-1]], columns["line"][index]
        differing = [key for key in agree if columns[key][index] != columns[key][first[-1]]]
        if differing:
            contradictions.append(
                f"{found[index][0]!r} is on line {pair[0]} and on line {pair[1]}, with another "
                f"{' and another '.join(differing)}: an image has one row, or equal ones"
            )
        else:
            repeated.append(pair)
    images = [found[index][0] for index in first]
    reasons = [found[index][1] for index in first]
    generators = [columns["generator"][index] for index in first]
    further = {
        key: [columns[key][index] for index in first] for key in ("group", "prompt", "split")
    }
    is_known = any(key in divided.columns for key in further)
    there = [index for index in first if found[index][1] is None]
    rows = Rows(
        keep_rows(kept, INDEXED, [images, generators, reasons]),
        keep_rows(kept, KNOWN, [images, *further.values()]) if is_known else None,
        tuple(sorted(set(generators), key=lambda name: (name is not None, name or ""))),
    )
    return LookedUp(
        rows,
        Listing(len(images), len(there), _ages(find.root, images)),
        [
            (columns["line"][index], written[index], str(found[index][1]))
            for index in sorted(first)
            if found[index][1] is not None
        ],
        repeated,
        contradictions,
        np.fromiter((hash(found[index][0]) for index in there), np.int64, len(there)),
        np.fromiter((columns["line"][index] for index in there), np.int64, len(there)),
    )


def _ages(root: Path, images: Sequence[str]) -> str:
    """A digest of the sizes and the times of files."""
    above = os.fspath(root)
    ages = (age_in_listing(f"{above}/{image}") for image in images)
    lines = (f"{age}{image}/" for age, image in zip(ages, images, strict=True))
    return sha256("".join(lines).encode()).hexdigest()


def _digest(columns: Sequence[Sequence[str | None]]) -> str:
    digest = sha256()
    for column in columns:
        digest.update(json.dumps(column).encode())
    return digest.hexdigest()


def keep_rows(kept: Path, schema: pa.Schema, columns: Sequence[Sequence[str | None]]) -> str:
    """Keep rows in a file called by their digest, which is returned.

    A file that is there may be damaged, and is written again.

    Args:
        kept: folder of caches.
        schema: of texts, such as :data:`INDEXED` or :data:`KNOWN`.
        columns: the values of each of its columns.
    """
    digest = _digest(columns)
    path = kept / FOLDER / f"{digest}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = [pa.array(column, pa.string()) for column in columns]
    # Not synced to the disk, which would take long for thousands of files: readers compare digests.
    temporary = temporary_name(path)
    pq.write_table(pa.table(arrays, schema=schema), temporary, compression="zstd")
    os.replace(temporary, path)
    return digest


def keep_looked(path: Path, looked: Mapping[str, LookedUp]) -> None:
    """Keep what was found of categories whose rows all have a file, for :func:`recall_looked`."""
    found = {
        name: [asdict(each.rows), each.listing.digest, each.listing.files, each.repeated]
        for name, each in looked.items()
    }
    keep(path, json.dumps(found))


def recall_looked(
    path: Path, categories: Sequence[str], root: Path, kept: Path
) -> dict[str, LookedUp] | None:
    """What :func:`keep_looked` has kept, if it holds for all categories.

    It does if no file has another size or time, nor is gone.

    Args:
        path: the file.
        categories: those of the run, sorted.
        root: the images' root.
        kept: folder of caches.

    Returns:
        What was found, without hashes and lines; None if any of it has changed.
    """
    found = read_kept(path, lambda content: isinstance(content, dict))
    if found is None or list(found) != list(categories):
        return None
    looked = {}
    nothing = np.zeros(0, np.int64)
    try:
        for name, (about, digest, files, repeated) in found.items():
            rows = Rows(about["indexed"], about["known"], tuple(about["generators"]))
            # The digest is compared by the jobs, which read all columns.
            path = kept / FOLDER / f"{rows.indexed}.parquet"
            with pq.ParquetFile(path) as file:
                images = file.read(["image"], use_threads=False)["image"].to_pylist()
            if _ages(root, images) != digest:
                return None
            for each in filter(None, (rows.indexed, rows.known)):
                os.utime(kept / FOLDER / f"{each}.parquet")  # there, and in use
            pairs = [(first, later) for first, later in repeated]
            listing = Listing(files, files, digest)
            looked[name] = LookedUp(rows, listing, [], pairs, [], nothing, nothing)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError):
        return None
    return looked


def with_parts(rows: Rows, listing: Listing, root: Path, kept: Path, most: int) -> Listing:
    """The listing of a category with the parts that its rows are divided into.

    The rows of each part are kept as those of the category are. Which they are is kept, too, until
    a row or a file changes.

    Args:
        rows: of the category, as :func:`look_up` has kept them.
        listing: of its files.
        root: the images' root.
        kept: folder of caches.
        most: of how many files there are no parts.

    Raises:
        FileError: the rows are not there any more, or others.
    """
    if listing.files <= most:
        return listing
    path, of = kept / FOLDER / f"{rows.indexed}.parts.json", [listing.digest, most]
    found = read_kept(path, lambda content: isinstance(content, dict) and content.get("of") == of)
    with suppress(OSError, TypeError, KeyError):
        if found is not None:
            parts = tuple(Part(**about) for about in found["parts"])
            for each in (path, *(kept / FOLDER / f"{part.rows}.parquet" for part in parts)):
                os.utime(each)  # there, and in use
            return replace(listing, parts=parts)
    number = number_of_parts(listing.files, most)
    divided: dict[str, list[tuple[str, str | None, str | None]]] = {}
    columns = read_kept_rows(kept, rows.indexed, INDEXED).columns
    for row in zip(*(column.to_pylist() for column in columns), strict=True):
        divided.setdefault(part_of(key_of(row[0], ""), number), []).append(row)
    parts = ()
    for name in sorted(divided):
        images, _, reasons = of_part = [list(column) for column in zip(*divided[name], strict=True)]
        digest = keep_rows(kept, INDEXED, of_part)
        parts += (Part(name, reasons.count(None), _ages(root, images), digest),)
    keep(path, json.dumps({"of": of, "parts": [asdict(part) for part in parts]}))
    return replace(listing, parts=parts)


def read_kept_rows(kept: Path, digest: str, schema: pa.Schema) -> pa.Table:
    """The rows that :func:`look_up` has kept.

    Args:
        kept: folder of caches.
        digest: which.
        schema: :data:`INDEXED` or :data:`KNOWN`.

    Raises:
        FileError: they are not there any more, or others.
    """
    path = kept / FOLDER / f"{digest}.parquet"
    try:
        table = pq.read_table(path, schema=schema)
    except Exception as error:  # the reader raises nearly anything on damaged files
        path.unlink(missing_ok=True)
        raise FileError(f"{path} cannot be read; run the workflow again: {error}") from error
    if _digest([column.to_pylist() for column in table.columns]) != digest:
        path.unlink(missing_ok=True)
        raise FileError(f"{path} was damaged; run the workflow again")
    return table


def known_of(rows: pa.Table) -> dict[str, tuple[str | None, ...]]:
    """What is known of each image, by its path: its group, prompt and split.

    Args:
        rows: with the columns :data:`KNOWN`.
    """
    images, *known = (column.to_pylist() for column in rows.columns)
    return dict(zip(images, zip(*known, strict=True), strict=True))


def digest_of_list(digests: Mapping[str, str]) -> str:
    """One digest for those of many categories' rows."""
    return sha256(canonical_json(digests).encode()).hexdigest()


def keep_list(kept: Path, digests: Mapping[str, str]) -> None:
    """Keep the digests of categories' rows in a file called by :func:`digest_of_list`."""
    path = kept / FOLDER / f"{digest_of_list(digests)}.json"
    with atomic(path) as temporary:
        temporary.write_text(canonical_json(digests), encoding="utf-8")


def read_list(kept: Path, digest: str) -> dict[str, str]:
    """The digests that :func:`keep_list` has kept.

    Raises:
        FileError: they are not there any more, or others.
    """
    path = kept / FOLDER / f"{digest}.json"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read; run the workflow again") from error
    if sha256(text.encode()).hexdigest() != digest:
        path.unlink(missing_ok=True)
        raise FileError(f"{path} was damaged; run the workflow again")
    found: dict[str, str] = json.loads(text)
    return found

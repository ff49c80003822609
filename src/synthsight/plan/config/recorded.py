"""What unpacked sets say of images beside their folders: groups and prompts.

Such a set has left a file in its folder (:data:`synthsight.archives.rows.RECORD`), which counts as
a table of the images does, as long as no table says it and no pattern takes its place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthsight.archives.archive import read_marker
from synthsight.archives.rows import RECORD
from synthsight.archives.unpack import MAX_MEMBERS
from synthsight.canonical import canonical_json
from synthsight.errors import SynthsightError
from synthsight.files import Digests, is_file, keep, read_kept
from synthsight.images.roots import Roots
from synthsight.images.rows import FOLDER, KNOWN, keep_list, keep_rows
from synthsight.plan.config.categories import Category
from synthsight.plan.config.messages import Problem
from synthsight.plan.settings import ImageSettings
from synthsight.wording import one_line

#: What is read of a record, and what of that tells groups: the first that says anything.
_READ = pa.schema([(name, pa.string()) for name in ("image", "group", "prompt")])
_TELL = ("group", "prompt")

#: What to do about a record that cannot be used.
_REMEDY = (
    "It says which images of the set belong together: unpack the set again into another folder, or "
    "remove the file, and each image counts by itself"
)


#: A record, what paths in it begin with that lie in a root, and what these begin with in the run.
_Record = tuple[Path, str, str]


class RecordError(SynthsightError):
    """A record that is damaged, or contradicts itself."""


def load_recorded(
    images: ImageSettings,
    roots: Roots,
    categories: Mapping[str, Category],
    cache: Path,
    problems: list[Problem],
    warnings: list[str],
) -> tuple[dict[str, Category], str | None]:
    """Add to categories in folders what the sets say that these were unpacked from.

    Args:
        images: the settings, without a table.
        roots: where the images lie.
        categories: those of the run; without any, nothing is looked for.
        cache: folder of caches, in which it is kept for the jobs.
        problems: to which is added what is wrong.
        warnings: to which is added what the user should know.

    Returns:
        The categories, each with what is known of its images if anything is; and what of it tells
        groups, in words, if anything does and no pattern takes its place.
    """
    records = list(_records(roots, warnings)) if categories else []
    if not records:
        return dict(categories), None
    digests = Digests(cache / "sha256_sets.json")
    folders = {
        name: sorted(folder for _, folder in each.folders) for name, each in categories.items()
    }
    try:
        contents = [[digests.of(path), *way] for path, *way in records]
        key = sha256(canonical_json([1, contents, folders]).encode()).hexdigest()
        kept = cache / FOLDER / f"set-{key}.json"
        found = _recall(kept, cache)
        if found is None:
            table = _read(records)
            found = _divide(table, folders, cache)
            keep(kept, json.dumps(found))
    except (RecordError, OSError) as error:
        problems.append(Problem(("images", "root"), str(error)))
        return dict(categories), None
    digests.save()
    named = _named(records)
    if not found["images"]:
        warnings.append(
            f"{named} names no image of the run's categories, so that it is not used: it is of "
            "another set, or the folders were renamed since. Each image counts by itself, unless "
            "images.group tells which belong together"
        )
        return dict(categories), None
    if not found["told"]:
        return dict(categories), None
    keep_list(cache, found["known"])
    categories = {
        name: replace(each, known=found["known"][name]) for name, each in categories.items()
    }
    tells = next(name for name in _TELL if name in found["told"])
    if images.group is not None:
        warnings.append(
            f"{named} has {' and '.join(map(repr, found['told']))} of images, and images.group "
            "takes their place: what the pattern captures tells which images belong together"
        )
        return categories, None
    many = "prompt" if tells == "prompt" else "group"
    warnings.append(
        f"{named} says of images what {many} they are of: those of one {many} in one category "
        "count as a group. With `group: (.+)` below `images` each would count by itself"
    )
    return categories, f"the column {tells!r} of {RECORD}"


def _named(records: Sequence[_Record]) -> str:
    return " and ".join(dict.fromkeys(str(path) for path, *_ in records))


def _records(roots: Roots, warnings: list[str]) -> Iterator[_Record]:
    """The records of the sets that the roots were unpacked from.

    A root may be one generator's folder of a set.
    """
    for root, own in [(roots.root, ""), *((path, f"{n}/") for n, path in roots.elsewhere.items())]:
        whole = Path(os.path.abspath(root))
        for folder, below in ((root, ""), (whole.parent, f"{whole.name}/")):
            path = folder / RECORD
            if is_file(path):
                yield path, below, own
                break
            about = (read_marker(folder) or {}).get("set")
            columns = about.get("columns") if isinstance(about, Mapping) else None
            if isinstance(columns, Mapping) and not columns.keys().isdisjoint(_TELL):
                warnings.append(
                    f"{path} is gone, which said what the set says of its images, and among it "
                    "which belong together: each counts by itself. Unpack the set again, if this "
                    "matters, or write a pattern into images.group"
                )
                break


def _read(records: Sequence[_Record]) -> pa.Table:
    """What all records say, sorted by image; the columns are those of :data:`_READ`.

    Raises:
        RecordError: one cannot be read, or names an image twice.
    """
    tables = []
    for path, below, own in records:
        try:
            with pq.ParquetFile(path) as file:
                if file.metadata.num_rows > MAX_MEMBERS:
                    raise RecordError(f"{path} has more than {MAX_MEMBERS:,} rows. {_REMEDY}")
                table = file.read(_READ.names).select(_READ.names).cast(_READ)
        except RecordError:
            raise
        except Exception as error:  # the reader raises nearly anything on damaged files
            raise RecordError(f"{path} is damaged ({one_line(error, 120)}). {_REMEDY}") from error
        table = table.filter(pc.starts_with(table["image"], below))
        names = pc.utf8_slice_codeunits(table["image"], len(below))
        tables.append(table.set_column(0, "image", pc.binary_join_element_wise(own, names, "")))
    table = pa.concat_tables(tables).sort_by("image").combine_chunks()
    names = table["image"]
    again = pc.equal(names[1:], names[:-1]).index(True).as_py() if len(names) > 1 else -1
    if again >= 0:
        twice = f"{_named(records)} names {names[again].as_py()!r} twice"
        raise RecordError(f"{twice}, so that it is damaged. {_REMEDY}")
    return table


def _divide(table: pa.Table, folders: Mapping[str, list[str]], cache: Path) -> dict[str, Any]:
    """Keep what is said of each category's images, as :func:`_recall` gives it.

    What is in one folder is together, as the table is sorted.
    """
    told = [name for name in _TELL if table[name].null_count < len(table)]
    groups = table[told[0]] if told else table["group"]
    above = pc.replace_substring_regex(table["image"], "/[^/]*$", "/")
    names = above.to_numpy(zero_copy_only=False)
    starts = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1)][: len(names)]
    places = {names[start]: (start, end - start) for start, end in pairwise([*starts, len(names)])}
    known, count = {}, 0
    for category, in_folders in folders.items():
        parts = [places[key] for each in in_folders if (key := f"{each}/") in places]
        columns = [
            [value for part in parts for value in column.slice(*part).to_pylist()]
            for column in (table["image"], groups, table["prompt"])
        ]
        known[category] = keep_rows(cache, KNOWN, [*columns, [None] * len(columns[0])])
        count += len(columns[0])
    return {"known": known, "images": count, "told": told}


def _recall(path: Path, cache: Path) -> dict[str, Any] | None:
    """What was kept at an earlier start, if it is all still there.

    It holds a digest by category, the number of images of these that are named, and which columns
    say anything.
    """
    found: dict[str, Any] | None = read_kept(path, lambda content: isinstance(content, dict))
    try:
        for digest in {} if found is None else found["known"].values():
            os.utime(cache / FOLDER / f"{digest}.parquet")  # there, and in use
    except OSError:
        return None
    return found

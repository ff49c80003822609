"""Looking at a table of images for ``synthsight init``: its columns, and where the files lie."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from synthsight.archives.rows import USUAL
from synthsight.contents import encoding_of
from synthsight.files import is_folder
from synthsight.images.finding import ImageFinder
from synthsight.images.table import COLUMNS, divide
from synthsight.images.tree import folders_in
from synthsight.tabular import SEPARATORS, Form, folded, read_rows

#: What columns are called, besides what :data:`synthsight.archives.rows.USUAL` has.
_CALLED: dict[str, tuple[str, ...]] = {
    "image": (
        *("image", "file", "filename", "path", "filepath", "imagepath", "imagefile", "imagename"),
        *("img", "imgpath", "relpath", "key"),
    ),
    "category": ("classname", "object", "synset", "wnid"),
    "generator": ("model", "modelname", "generatorname"),
    "group": ("promptid", "seed", "scene"),
    "prompt": (),
    "real": ("real", "isreal"),
    "split": ("split", "subset"),
}

#: Rows that are looked at for columns, images that are looked for, and folders that are tried.
_ROWS, _IMAGES, _FOLDERS = 100, 50, 50


@dataclass(frozen=True)
class Tabled:
    """What a table of images holds.

    Attributes:
        path: the table.
        root: the folder that its paths start from, most likely.
        columns: for the columns that it has, what it calls them.
        images: by category, sorted, the number of rows by generator; None stands for none given.
        splits: the number of rows by split, empty if none are told.
        notes: what the user should know of it.
    """

    path: Path
    root: Path
    columns: dict[str, str]
    images: dict[str, dict[str | None, int]]
    splits: dict[str, int]
    notes: tuple[str, ...]


def look_at_table(path: Path) -> Tabled:
    """What a table of images holds, by the names of its columns.

    Raises:
        synthsight.tabular.TableError: it cannot be read, has no column that can be that of images
            or of categories, or rows are not what they have to be.
        OSError: likewise.
    """
    columns = _guess(_names(path))
    stated = {key: columns.get(key, key) for key in COLUMNS}
    images: dict[str, dict[str | None, int]] = {}
    splits: Counter[str] = Counter()
    first: list[str] = []
    with TemporaryDirectory(prefix="synthsight-") as kept:
        divided = divide(path, sha256(os.fsencode(path)).hexdigest(), stated, None, Path(kept))
        for name in divided.parts:
            rows = divided.rows(name)
            first += rows["image"].slice(0, _IMAGES).to_pylist()
            found = Counter(rows["generator"].to_pylist())
            images[name] = dict(sorted(found.items(), key=lambda each: (each[0] or "", each[1])))
            splits.update(filter(None, rows["split"].to_pylist()))
    sample = first[:: max(1, len(first) // _IMAGES)][:_IMAGES]
    root, found_there = _root(path, sample)
    notes = list(divided.notes)
    if found_there < len(sample):
        notes.insert(
            0,
            f"of {len(sample)} images of {path} {found_there} are below {str(root)!r}: set "
            f"images.root to the folder that the paths start from, as in {sample[0]!r}",
        )
    return Tabled(path, root, columns, images, dict(sorted(splits.items())), tuple(notes))


def _names(path: Path) -> list[str]:
    """The names of a table's columns."""
    if path.suffix.lower() in (".csv", ".tsv"):
        with (
            suppress(OSError, ValueError, csv.Error),
            path.open(encoding=encoding_of(path)) as lines,
        ):
            start = next((line for line in lines if not line.startswith(("sep=", '"sep='))), "")
            headers = [next(csv.reader([start], delimiter=each), []) for each in SEPARATORS]
            return max(([n.strip() for n in header] for header in headers), key=_fit)
    found: list[str] = []
    form = Form({}, (), "images.columns", "a table of images", "rows")
    rows = list(islice(read_rows(path, form, None, found), _ROWS))
    return found or list(dict.fromkeys(name for _, row in rows for name in row))


def _fit(names: Sequence[str]) -> int:
    return len(_guess(names))


def _guess(names: Sequence[str]) -> dict[str, str]:
    """What a table calls its columns: for each that it seems to have, the first of its names."""
    found: dict[str, str] = {}
    for key in COLUMNS:
        usual = [key, *map(folded, USUAL.get(key, ())), *_CALLED[key]]
        close = [name for name in names if folded(name) in usual and name not in found.values()]
        if close:
            found[key] = min(close, key=lambda name: usual.index(folded(name)))
    return found


def _root(path: Path, images: Sequence[str]) -> tuple[Path, int]:
    """The folder below which most of some images are, and how many: the table's own if none is."""
    above = path.parent
    tried: Iterator[Path] = islice(
        (above, *(above / name for name in folders_in(above)), above.parent), _FOLDERS
    )
    counts: dict[Path, int] = {}
    for folder in tried:
        if is_folder(folder):
            find = ImageFinder(folder)
            counts[folder] = sum(find.find(image)[1] is None for image in images)
            if counts[folder] == len(images):
                break
    best = max(counts, key=counts.__getitem__, default=above)
    return best, counts.get(best, 0)

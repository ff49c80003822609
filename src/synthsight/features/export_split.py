"""A division of the images into training and test, as folders of links for other programs.

``train/SOURCE/CATEGORY/FILE`` and ``test/SOURCE/CATEGORY/FILE``, with ``classes.txt``, the
categories in their order, and ``split.csv``. That is what the readers of folders of torchvision and
timm take.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.cells import quote_cells
from synthsight.errors import SynthsightError
from synthsight.features.folds import folds_of
from synthsight.features.samples import Images
from synthsight.files import sweep, temporary_name
from synthsight.images.roots import Roots
from synthsight.tables import ALL

#: The parts, training first.
SIDES = ("train", "test")

#: What the folder of all generated images is called.
GENERATED = "generated"

#: Endings that timm's reader of folders looks at; Pillow goes by what is in the file.
_SEEN = (".png", ".jpg", ".jpeg")

#: Bytes of a link's name, at most, with room for what makes it unique.
_LONGEST = 200

#: Bytes of a folder's name, at most, likewise.
_LONGEST_FOLDER = 100

#: What names of folders are without: see :func:`folder_names`.
_UNSAFE = re.compile(r"^[.~-]|[\[\]*?/\\:\x00-\x1f\x7f]|[. ]$")

#: Errors of file systems that have no links.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


class ExportError(SynthsightError):
    """The folders of links cannot be made."""


def export_split(
    images: Images, roots: Roots, folds: int, seed: int, output: Path
) -> tuple[pd.DataFrame, list[str]]:
    """Make the folders: all at once, in place of what is there.

    The test images are the first part of :func:`synthsight.features.folds.folds_of`, so that no
    unit is on both sides. Images below the folder that the program runs in are linked to relative
    to the link, so that both can be moved together; others by their full path.

    Args:
        images: all images.
        roots: where they lie.
        folds: parts, of which one is for testing.
        seed: of the division.
        output: the folder.

    Returns:
        A row for each image and source that it is of: ``image``, ``source``, ``category``,
        ``side``, ``unit`` and ``link``, a path below the folder; sorted. And what people should
        know of the division, in sentences.

    Raises:
        ExportError: an image has gone, or the file system has no links.
    """
    test = folds_of(images, folds, seed) == 0
    table = _table(images, test)
    output.parent.mkdir(parents=True, exist_ok=True)
    sweep(output)
    folder = temporary_name(output)
    try:
        final = Path(os.path.realpath(output.parent), output.name)
        _link_all(table, roots, folder, final)
        classes = "".join(f"{name}\n" for name in images.categories)
        (folder / "classes.txt").write_text(classes, encoding="utf-8")
        quote_cells(table).to_csv(folder / "split.csv", index=False, lineterminator="\n")
        if output.is_dir() and not output.is_symlink():
            shutil.rmtree(output)
        else:
            output.unlink(missing_ok=True)
        os.replace(folder, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return table, _lacking(images, test)


def folder_names(sources: Iterable[str]) -> dict[str, str]:
    """What the sources' folders are called: one folder each, wherever they are unpacked.

    Signs that separate folders, that shells and timm take for others or that cannot be seen become
    underscores, as does a point at the beginning; names are short, and differ by more than case.

    Args:
        sources: their names.
    """
    taken: set[str] = set()
    found = {}
    for source in sorted(sources, key=lambda source: (source == ALL, source)):
        name = GENERATED if source == ALL else _UNSAFE.sub("_", source) or "_"
        if len(name.encode()) > _LONGEST_FOLDER:
            name = hashlib.sha256(source.encode()).hexdigest()
        while _key(name) in taken:
            name += "_"
        taken.add(_key(name))
        found[source] = name
    return found


def _key(name: str) -> str:
    """What names have in common that are one name to some file system."""
    return unicodedata.normalize("NFC", name).casefold()


def _table(images: Images, test: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """The rows of :func:`export_split`."""
    folders = folder_names(images.sources)
    rows = []
    for source, here in images.sources.items():
        taken: set[str] = set()
        for number in np.flatnonzero(here):
            image, category = images.names[number], images.categories[images.category[number]]
            side = SIDES[int(test[number])]
            made = bool(images.generator[number] >= 0)
            name = _file_name(image, made, made and source == ALL)
            link = f"{folders[source]}/{category}/{name}"
            if _key(link) in taken:
                link = f"{folders[source]}/{category}/{_digest(image)}"
            taken.add(_key(link))
            unit = int(images.unit[number])
            rows.append((image, source, category, side, unit, f"{side}/{link}"))
    columns = ["image", "source", "category", "side", "unit", "link"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["source", "image"], ignore_index=True)


def _file_name(image: str, of_generator: bool, told: bool) -> str:
    """The name of an image's link: its path below its category's folder, in one piece.

    Args:
        image: its path.
        of_generator: whether its generator's folder comes before the category's.
        told: whether the name begins with that, since images of several generators are together.
    """
    parts = image.split("/")
    below = parts[: int(told)] + parts[1 + of_generator :]
    name = "_".join(below or parts[-1:])
    if len(name.encode()) > _LONGEST:
        return _digest(image)
    return _ending(name)


def _digest(image: str) -> str:
    """A name that no other image's link has."""
    digest = hashlib.sha256(image.encode()).hexdigest()
    return _ending(digest + PurePosixPath(image).suffix[:8])


def _ending(name: str) -> str:
    """A name as readers of folders look for: not all of it an ending, and one that they know."""
    return name if PurePosixPath(name).suffix.lower() in _SEEN else f"{name}.png"


def _link_all(table: pd.DataFrame, roots: Roots, folder: Path, final: Path) -> None:
    """Make the links, and all folders of classes, below ``folder``, to be called ``final``."""
    sources = sorted({link.split("/")[1] for link in table["link"]})
    for side in SIDES:
        for source in sources:
            for category in table["category"].unique():
                (folder / side / source / category).mkdir(parents=True)
    here = os.getcwd()
    inside = _is_below(final, here)
    pairs = zip(table["image"], table["link"], strict=True)
    for image, link in pairs:
        target = os.path.abspath(roots.path(image))
        if not os.path.isfile(target):
            raise ExportError(
                f"{target} has gone since its folder was read; run the workflow again"
            )
        if inside and _is_below(target, here):
            target = os.path.relpath(target, (final / link).parent)
        try:
            os.symlink(target, folder / link)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            raise ExportError(
                f"{final.parent} is on a file system without symbolic links: put the results on "
                "another, or write `export: false` below `transfer`"
            ) from error


def _is_below(path: str | os.PathLike[str], folder: str) -> bool:
    """Whether a path, as it is written, lies below a folder."""
    return os.path.commonpath([path, folder]) == folder


def _lacking(images: Images, test: npt.NDArray[np.bool_]) -> list[str]:
    """Which categories a source has on one side only, in sentences."""
    sentences = []
    length = len(images.categories)
    for source, here in images.sources.items():
        for side, chosen in zip(SIDES, (here & ~test, here & test), strict=True):
            counts = np.bincount(images.category[chosen], minlength=length)
            none = [images.categories[number] for number in np.flatnonzero(counts == 0)]
            if none:
                sentences.append(
                    f"{side}/{folder_names(images.sources)[source]} has no image of "
                    f"{len(none):,} of {length:,} categories: {_some(none)}"
                )
    return sentences


def _some(names: Sequence[str]) -> str:
    """The first of some names."""
    return ", ".join(map(repr, names[:3])) + ", ..." * (len(names) > 3)

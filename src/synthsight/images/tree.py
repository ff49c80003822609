"""Folders of images, looked at without listing what is below them, and drawn for messages."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from synthsight.files import is_folder
from synthsight.images.endings import SUFFIXES
from synthsight.images.reading import looks_like_image
from synthsight.junk import is_ignored
from synthsight.wording import one_line, printable

#: Words by which data sets call parts of themselves, in lower case, and by which hardly anybody
#: calls a thing or a generator: splits, folders around all, what is real and what is not. Some name
#: a class of ImageNet, too: *train* the bullet train, *ai* the three-toed sloth.
_PARTS = frozenset(
    {
        *("train", "training", "trainset", "val", "valid", "validation", "valset", "dev", "test"),
        *("testing", "testset", "eval", "evaluation", "split", "fold", "set", "subset"),
        *("image", "images", "img", "imgs", "picture", "pictures", "pics", "photo", "photos"),
        *("photographs", "data", "dataset", "datasets", "sample", "samples", "output", "outputs"),
        *("result", "results", "file", "files", "raw", "all", "png", "jpg", "jpeg", "webp"),
        *("part", "shard", "batch", "chunk", "folder"),
    }
)

#: Those that say whether an image is generated, as data sets for detectors have them.
_ORIGINS = frozenset(
    {"ai", "nature", "natural", "real", "reals", "fake", "fakes", "generated", "synthetic"}
)

#: Those by which real photographs are called beside generated images.
_PHOTOGRAPHS = frozenset(
    {"real", "reals", "nature", "natural", "photo", "photos", "photograph", "photographs"}
)

#: Files of a folder that are opened to see whether one is an image, if no name tells.
_OPENED = 1000

#: Bounds on a search: folders looked at, and levels.
_FOLDERS, _LEVELS = 2000, 8

#: Bounds on a drawing: folders that are shown of each folder, levels, and letters of a name.
_WIDTH, _HEIGHT, _LETTERS = 3, 4, 40


@dataclass(frozen=True)
class Inside:
    """What lies directly in a folder, except hidden entries and what systems leave.

    Attributes:
        folders: names of the folders, sorted; links are none.
        images: the number of files named like images, links among them.
        first: the first image by name; if none is named like one, the first that is one by the
            start of its content, links not followed; None if there is none.
        links: names of the links to folders, sorted.
    """

    folders: tuple[str, ...]
    images: int
    first: str | None
    links: tuple[str, ...] = ()


def look(folder: Path) -> Inside:
    """What lies directly in a folder. Only if no name tells of an image, files are opened.

    Raises:
        OSError: it cannot be read.
    """
    folders, named, others, links = [], [], [], []
    with os.scandir(folder) as scan:
        for entry in scan:
            if is_ignored(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
                named.append(entry.name)
            elif not entry.is_symlink():
                others.append(entry.name)
            elif is_folder(entry):
                links.append(entry.name)
    if named:
        first: str | None = min(named)
    else:
        tried = sorted(others)[:_OPENED]
        first = next((name for name in tried if looks_like_image(folder / name)), None)
    return Inside(tuple(sorted(folders)), len(named), first, tuple(sorted(links)))


def folders_in(folder: Path) -> list[str]:
    """Sorted names of the folders in a folder, except links, hidden ones and what systems leave.

    There are none in a folder that may not be read.
    """
    try:
        with os.scandir(folder) as scan:
            return sorted(
                entry.name
                for entry in scan
                if entry.is_dir(follow_symlinks=False) and not is_ignored(entry.name)
            )
    except PermissionError:
        return []


def are_parts(names: Collection[str]) -> bool:
    """Whether all of some folders' names are those of a data set's parts, and there are any."""
    return bool(names) and all(
        (found := _words(name)) and found <= _PARTS | _ORIGINS for name in names
    )


def are_origins(names: Collection[str]) -> bool:
    """Whether all of some names say what is generated or real and no more, and there are any."""
    return are_parts(names) and all(_words(name) & _ORIGINS for name in names)


def are_photographs(name: str) -> bool:
    """Whether a generator's folder is called as real photographs are."""
    return (
        bool(found := _words(name))
        and found <= _PHOTOGRAPHS | _PARTS
        and not (found.isdisjoint(_PHOTOGRAPHS))
    )


def _words(name: str) -> set[str]:
    """The words of a name, in lower case, without numbers."""
    return set(re.findall(r"[^\W\d_]+", name.lower()))


def image_folders(root: Path) -> Iterator[tuple[str, ...]]:
    """The folders that hold images directly, as the names on the way from a root, level by level.

    The root itself, without a name, may be the first. The search is bounded, and what cannot be
    read is passed over.
    """
    waiting: list[tuple[str, ...]] = [()]
    for looked, place in enumerate(waiting):
        if looked >= _FOLDERS:
            return
        try:
            inside = look(root.joinpath(*place))
        except OSError:
            continue
        if inside.first is not None:
            yield place
        if len(place) < _LEVELS:
            waiting += [(*place, name) for name in inside.folders]


def better_roots(root: Path) -> list[Path]:
    """Folders below a root that may be meant in its place, the likeliest first.

    A folder around all others is left out, and so is a level of splits, of which there is one root
    each. Nothing is proposed where the root itself is as good by the folders' names.
    """
    found = [place for place in image_folders(root) if place]
    # Not the pictures that lie beside folders of others.
    places = [a for a in found if not any(a == b[: len(a)] and a != b for b in found)]
    if not places or are_origins([place[-1] for place in places]):
        return []
    first, last = min(places), max(places)  # what these begin with, all between them do
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(first[:-1], last[:-1], strict=False))
    around = tuple(name for name, _ in shared)
    beside = sorted({place[len(around)] for place in places})
    if are_parts(beside) and all(len(place) > len(around) + 1 for place in places):
        roots = [root.joinpath(*around, name) for name in beside]
        return sorted(roots, key=lambda path: (not path.name.lower().startswith("train"), path))
    if around and not are_parts(around[-1:]) and all(len(p) == len(around) + 1 for p in places):
        around = around[:-1]  # a single generator
    return [root.joinpath(*around)] if around else []


def find_folder(folder: Path, names: Collection[str]) -> Path | None:
    """The first folder of one of some names, two levels or more below, that holds images.

    Those directly in ``folder`` are no matter, nor is what lies in such a folder.
    """
    for place in image_folders(folder):
        for level, name in enumerate(place):
            if name in names:
                if level > 0:
                    return folder.joinpath(*place[: level + 1])
                break
    return None


def draw(root: Path, roles: Mapping[str, str], towards: str = "") -> str:
    """A few lines that show what a tree of folders looks like, each with what it is taken for.

    Args:
        root: the topmost folder.
        roles: what folders are taken for, by path below the root.
        towards: path below the root of a folder that the drawing is to show.
    """
    lines = [(f"{_short(root)}/", "images.root")]
    way = towards.split("/") if towards else []

    def add(folder: Path, below: str, level: int) -> None:
        try:
            inside = look(folder)
        except OSError:
            return
        names = list(inside.folders)
        if level <= len(way) and way[level - 1] in names:
            names.remove(way[level - 1])
            names.insert(0, way[level - 1])
        indent = "  " * level
        for position, name in enumerate(names[:_WIDTH]):
            place = f"{below}{name}"
            lines.append((f"{indent}{_short(name)}/", roles.get(place, "")))
            if position == 0 and level < _HEIGHT:
                add(folder / name, f"{place}/", level + 1)
        if len(names) > _WIDTH:
            lines.append((f"{indent}... {len(names) - _WIDTH} more folders", ""))
        if inside.first is not None:
            lines.append((f"{indent}{_short(inside.first)}{', ...' * (inside.images > 1)}", ""))

    add(root, "", 1)
    width = max(len(line) for line, role in lines if role)
    return "\n".join(f"    {line:<{width}}  {role}".rstrip() for line, role in lines)


def _short(name: object) -> str:
    return one_line(printable(name), _LETTERS)

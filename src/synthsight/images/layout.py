"""Which folders below the images' root are generators and which are categories."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from synthsight.files import is_file, is_folder
from synthsight.images.reading import SUFFIXES
from synthsight.junk import is_ignored, is_junk

#: Each category's folders, as ``(generator or None, folder below the root)``.
Layout = dict[str, list[tuple[str | None, str]]]


def find_categories(root: Path, wanted: Sequence[str] | None) -> tuple[Layout, list[str]]:
    """The folders of each category below the images' root.

    Without ``wanted``, a folder that holds image files is a category; one that holds only folders
    is a generator, and those folders are categories. With it, a folder with a wanted name is that
    category, and any other folder is a generator if it contains wanted ones.

    Returns:
        The layout, and warnings about what is not used.
    """
    found: Layout = {}
    warnings = []
    for name in folders_in(root):
        try:
            inner = folders_in(root / name)
        except PermissionError:
            warnings.append(
                f"{root / name} is not used: it may not be read. Give yourself the right to read "
                "and to enter it, or move it elsewhere"
            )
            continue
        if wanted is None:
            is_category = not inner or _holds_images(root / name)
            of_generator = [] if is_category else inner
        else:
            is_category = name in wanted
            of_generator = [] if is_category else [folder for folder in inner if folder in wanted]
        if wanted is None and is_category and inner:
            warnings.append(
                f"{root / name} is taken for one category, with everything below it, because "
                f"images lie directly in it; it also holds {_some(inner)}. If these are the "
                f"categories and {name!r} is a generator, move those images elsewhere"
            )
        for folder in of_generator if wanted is None else []:
            below = Path(name, folder)
            if deeper := _folders_alone(root / below):
                warnings.append(
                    f"{root / below} is taken for the category {folder!r} of the generator "
                    f"{name!r}, with all images of the folders in it ({_some(deeper)}). If these "
                    f"are the categories, set images.root to {str(root / name)!r} (with "
                    "images.archive, its `folder`), so that they lie in <generator>/<category>/; "
                    "if they are generators, the order is <generator>/<category>/: rename the "
                    "folders"
                )
        if is_category:
            found.setdefault(name, []).append((None, name))
        for folder in of_generator:
            found.setdefault(folder, []).append((name, f"{name}/{folder}"))
        if not is_category and not of_generator:
            warnings.append(f"{root / name} is not used: it is not one of the requested categories")
    with os.scandir(root) as scan:
        loose = sorted(entry.name for entry in scan if is_file(entry) and _is_image(entry.name))
    if loose:
        warnings.append(f"{len(loose)} images directly in {root} are not used ({loose[0]}, ...)")
    with os.scandir(root) as scan:
        links = sorted(entry.name for entry in scan if entry.is_symlink() and is_folder(entry))
    warnings += [
        f"{root / name} is a link to a folder and is not followed: set images.root to the folder "
        "with the images, or copy them"
        for name in links
    ]
    return found, warnings


def _some(names: Sequence[str]) -> str:
    """Names of folders, the first few of many."""
    more = f", and {len(names) - 5} more" if len(names) > 5 else ""
    return "folders: " + ", ".join(map(repr, names[:5])) + more


def _folders_alone(folder: Path) -> list[str]:
    """The folders in a folder that holds no images itself; none if it may not be read."""
    try:
        return [] if _holds_images(folder) else folders_in(folder)
    except PermissionError:
        return []


def folders_in(folder: Path) -> list[str]:
    """Sorted names of the folders in a folder, except links, hidden ones and what systems leave."""
    with os.scandir(folder) as scan:
        return sorted(
            entry.name
            for entry in scan
            if entry.is_dir(follow_symlinks=False) and not is_ignored(entry.name)
        )


def junk_in(root: Path, generators: Iterable[str | None]) -> list[str]:
    """Names of what systems leave in the images' root and in the generators' folders."""
    names = []
    for folder in (root, *(root / name for name in generators if name is not None)):
        with suppress(OSError), os.scandir(folder) as scan:
            names += [entry.name for entry in scan if is_junk(entry.name)]
    return names


def _holds_images(folder: Path) -> bool:
    with os.scandir(folder) as scan:
        return any(_is_image(e.name) and not e.is_dir(follow_symlinks=False) for e in scan)


def _is_image(name: str) -> bool:
    return not is_ignored(name) and Path(name).suffix.lower() in SUFFIXES
